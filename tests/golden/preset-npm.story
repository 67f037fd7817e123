# Nginx Proxy Manager.
args: --once --format npm
log:
[05/Mar/2031:04:05:06 +0100] - 200 200 - GET https shop.example "/a" [Client 192.0.2.1] [Length 77] [Gzip -] [Sent-to 10.0.0.2] "curl/8" "-"
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop.example"} 1
httpd_bytes_sent_total{method="GET",status_code="200",vhost="shop.example"} 77
exit: 0
