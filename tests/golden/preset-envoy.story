# Envoy's default: status 0 with the flag DC is a client that left before the answer.
args: --once --format envoy
log:
[2031-03-05T04:05:06.162Z] "GET /a HTTP/1.1" 0 DC 0 0 202 - "192.0.2.1" "curl "x"" "0f66" "shop.example" "10.0.0.1:80"
metrics:
httpd_requests_total{method="GET",status_code="other",vhost="shop.example"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="other",vhost="shop.example"} 0.202
httpd_aborted_requests_total{vhost="shop.example"} 1
exit: 0
