# Istio's default.
args: --once --format istio
log:
[2031-03-05T04:05:06.162Z] "GET /a HTTP/2" 200 - via_upstream - "-" 0 77 343 300 "192.0.2.1" "curl" "0f66" "shop.example" "10.0.0.1:80" be 10.0.0.2:1 10.0.0.3:80 192.0.2.1:4 - default
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop.example"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost="shop.example"} 0.343
httpd_upstream_response_duration_seconds_sum{method="GET",status_class="2xx",vhost="shop.example"} 0.3
exit: 0
