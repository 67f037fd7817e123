# express-winston.
args: --once --format express-winston
log:
{"level":"info","meta":{"req":{"headers":{"host":"shop.example"},"method":"GET","url":"/a"},"res":{"statusCode":200},"responseTime":301}}
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop.example"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost="shop.example"} 0.301
exit: 0
