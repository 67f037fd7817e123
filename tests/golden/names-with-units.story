# A name for each role and unit: a value may bring its unit along, and -1 is what never happened.
args: --once --format '$request_method $url $status $duration $upstream_ms'
log:
GET https://shop.example/a 200 300.58ms 12.5
GET /b 404 29.3µs -1
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop.example"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost="shop.example"} 0.30058
httpd_request_duration_seconds_sum{method="GET",status_class="4xx",vhost=""} 0.0000293
httpd_upstream_response_duration_seconds_sum{method="GET",status_class="2xx",vhost="shop.example"} 0.0125
httpd_upstream_response_duration_seconds_count{method="GET",status_class="4xx",vhost=""} 0
exit: 0
