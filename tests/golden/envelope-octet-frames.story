# Frames of syslog over TCP need no newline between them: each is read as a line.
args: --once
bytes:
134 <158>1 2031-03-05T04:05:06Z web1 app 7 - - 192.0.2.1 - - [05/Mar/2031:04:05:06 +0000] "GET /a HTTP/1.1" 200 512 "-" "curl/8.5.0 (x86)"135 <158>1 2031-03-05T04:05:06Z web1 app 7 - - 192.0.2.1 - - [05/Mar/2031:04:05:06 +0000] "POST /b HTTP/1.1" 404 512 "-" "curl/8.5.0 (x86)"
metrics:
httpd_exporter_lines_total{outcome="counted"} 2
httpd_requests_total{method="GET",status_code="200"} 1
httpd_requests_total{method="POST",status_code="404"} 1
stderr:
stdin is syslog with octet counts and no newlines (RFC 6587): each frame is read as a line
exit: 0
