# NPMplus, whose user agent has no quotes.
args: --once --format npmplus
log:
[05/Mar/2031:04:05:06 +0100] shop.example 192.0.2.1 0.012 "GET /a?b=c HTTP/1.1" 200 77 120 - Mozilla/5.0 (X11)
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop.example"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost="shop.example"} 0.012
exit: 0
