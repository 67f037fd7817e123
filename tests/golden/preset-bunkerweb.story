# BunkerWeb.
args: --once --format bunkerweb
log:
shop.example 192.0.2.1 - 7f1a - [05/Mar/2031:04:05:06 +0100] "GET /a?b=c HTTP/1.1" 200 77 "-" "curl/8"
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop.example"} 1
httpd_bytes_sent_total{method="GET",status_code="200",vhost="shop.example"} 77
exit: 0
