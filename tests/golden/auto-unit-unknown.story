# Numbers that are hardly microseconds are asked about with seconds first.
args: --once
log:
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 512 "-" "curl/8.5.0" 3
192.0.2.1 - - [03/Feb/2026:04:05:07 +0100] "GET /a HTTP/1.1" 200 512 "-" "curl/8.5.0" 0
metrics:
httpd_exporter_lines_total{outcome="counted"} 2
httpd_bytes_sent_total{method="GET",status_code="200"} 1024
!httpd_request_duration_seconds_count
stderr:
If it is how long a request took, give --format '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %T' for seconds
exit: 0
