# daphne writes no protocol.
args: --once --format daphne
log:
192.0.2.1:5 - - [05/Mar/2031:04:05:06] "GET /a" 200 77
metrics:
httpd_requests_total{method="GET",status_code="200"} 1
httpd_bytes_sent_total{method="GET",status_code="200"} 77
exit: 0
