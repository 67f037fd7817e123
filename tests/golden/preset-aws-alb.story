# AWS ALB: three times add up.
args: --once --format aws-alb
log:
https 2031-03-05T04:05:06.1Z app/lb/50dc 192.0.2.1:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 "GET https://shop.example:443/a HTTP/1.1" "curl" ECDHE TLSv1.2 arn:x "Root=1" "-" "-" 1 2031-03-05T04:05:06.0Z "forward" "-" "-"
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop.example"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost="shop.example"} 0.171
httpd_upstream_response_duration_seconds_sum{method="GET",status_class="2xx",vhost="shop.example"} 0.048
exit: 0
