# AWS CLB.
args: --once --format aws-clb
log:
2031-03-05T04:05:06.1Z lb 192.0.2.1:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "GET http://shop.example:80/a HTTP/1.1"
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop.example"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost="shop.example"} 0.001178
httpd_upstream_response_duration_seconds_sum{method="GET",status_class="2xx",vhost="shop.example"} 0.001048
exit: 0
