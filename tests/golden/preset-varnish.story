# varnishncsa.
args: --once --format varnish
log:
192.0.2.1 - - [05/Mar/2031:04:05:06 +0100] "GET http://shop.example/a HTTP/1.1" 200 77 "-" "curl"
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop.example"} 1
httpd_bytes_sent_total{method="GET",status_code="200",vhost="shop.example"} 77
exit: 0
