# APISIX.
args: --once --format apisix
log:
192.0.2.1 - - [05/Mar/2031:04:05:06 +0100] shop.example "GET /a?b=c HTTP/1.1" 200 77 0.301 "-" "curl/8" 10.0.0.1:80 200 0.300 "http://shop.example/a"
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop.example"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost="shop.example"} 0.301
httpd_upstream_response_duration_seconds_sum{method="GET",status_class="2xx",vhost="shop.example"} 0.3
exit: 0
