# Squid's common.
args: --once --format squid_common
log:
192.0.2.1 - - [05/Mar/2031:04:05:06 +0100] "GET http://shop.example/a HTTP/1.1" 200 275 TCP_MISS_ABORTED:HIER_DIRECT
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop.example"} 1
httpd_aborted_requests_total{vhost="shop.example"} 1
exit: 0
