# express-bunyan-logger.
args: --once --format express-bunyan
log:
{"method":"GET","url":"/a","status-code":200,"response-time":1.5,"req-headers":{"host":"shop.example"}}
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop.example"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost="shop.example"} 0.0015
exit: 0
