# Squid's combined.
args: --once --format squid_combined
log:
192.0.2.1 - - [05/Mar/2031:04:05:06 +0100] "GET http://shop.example/a HTTP/1.1" 200 275 "-" "curl" TCP_MISS:HIER_DIRECT
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop.example"} 1
httpd_bytes_sent_total{method="GET",status_code="200",vhost="shop.example"} 275
exit: 0
