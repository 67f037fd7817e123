# The format of nginx's own packages, with X-Forwarded-For.
args: --once --format nginx_main
log:
192.0.2.10 - - [03/Feb/2026:03:05:06 +0000] "GET / HTTP/1.1" 200 15 "-" "Mozilla/5.0" "203.0.113.4, 10.0.0.1"
192.0.2.10 - - [03/Feb/2026:03:05:06 +0000] "GET / HTTP/1.1" 304 0 "-" "Mozilla/5.0" "-"
metrics:
httpd_requests_total{method="GET",status_code="200"} 1
httpd_requests_total{method="GET",status_code="304"} 1
exit: 0
