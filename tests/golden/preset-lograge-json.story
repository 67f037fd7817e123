# lograge in JSON.
args: --once --format lograge-json
log:
{"method":"GET","path":"/a","format":"html","controller":"ShopController","action":"show","status":200,"duration":3.62,"host":"shop.example"}
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop.example"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost="shop.example"} 0.00362
exit: 0
