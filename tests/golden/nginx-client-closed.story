# 499 is nginx's word for a client that went away.
args: --once --format nginx
log:
192.0.2.10 - - [03/Feb/2026:03:05:06 +0000] "GET /slow HTTP/1.1" 499 0 "-" "curl/8.5.0"
metrics:
httpd_aborted_requests_total 1
httpd_requests_total{method="GET",status_code="499"} 1
exit: 0
