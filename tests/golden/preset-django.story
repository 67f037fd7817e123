# Django's runserver, whose other loggers write there too.
args: --once --format django
log:
[05/Mar/2031 04:05:06] "GET / HTTP/1.1" 200 10697
Not Found: /x
[05/Mar/2031 04:05:07] "GET /x HTTP/1.1" 404 2310
metrics:
httpd_requests_total{method="GET",status_code="200"} 1
httpd_requests_total{method="GET",status_code="404"} 1
httpd_bytes_sent_total{method="GET",status_code="404"} 2310
httpd_exporter_lines_total{outcome="foreign"} 1
exit: 0
