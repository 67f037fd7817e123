# --explain shows how a line is read, field by field with its unit, and which metrics the format gives.
args: --explain --format '%h "%r" %>s %D'
log:
192.0.2.1 "GET /a HTTP/1.1" 200 1500
stdout:
%>s
0.0015 s
httpd_request_duration_seconds
exit: 0
