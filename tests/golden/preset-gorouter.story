# gorouter.
args: --once --format gorouter
log:
shop.example - [2031-03-05T04:05:06.162Z] "GET /a?b=c HTTP/1.1" 200 0 77 "-" "curl" "192.0.2.1:5" "10.0.0.1:6" x_forwarded_for:"-" response_time:0.011 gorouter_time:0.0001 app_id:"x"
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop.example"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost="shop.example"} 0.011
exit: 0
