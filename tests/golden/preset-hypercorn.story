# hypercorn behind the head of its logger.
args: --once --format hypercorn
log:
[2031-03-05 04:05:06 +0100] [7] [INFO] 192.0.2.1:5 - - [05/Mar/2031:04:05:06] "GET /a 1.1" 200 77 "-" "curl"
metrics:
httpd_requests_total{method="GET",status_code="200"} 1
httpd_bytes_sent_total{method="GET",status_code="200"} 77
exit: 0
