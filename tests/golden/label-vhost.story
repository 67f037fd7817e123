# The virtual host from any field, as a host of a client: without its port, in lower case.
args: --once --format '"%r" %>s "%{X-Forwarded-Host}i"' --label 'vhost=%{X-Forwarded-Host}i'
log:
"GET / HTTP/1.1" 200 "Shop.example:443"
"GET / HTTP/1.1" 200 "shop.example"
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop.example"} 2
exit: 0
