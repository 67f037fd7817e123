# The stamp in front is the time of lines that have none of their own.
args: --once --format '%h "%r" %>s %b'
log:
@400000006041adfb29b92700 192.0.2.7 "GET /a HTTP/1.1" 200 17
2021-03-05T04:05:06.5Z 192.0.2.7 "GET /a HTTP/1.1" 200 17
metrics:
httpd_requests_total{method="GET",status_code="200"} 2
httpd_last_request_timestamp_seconds 1614917106.5
exit: 0
