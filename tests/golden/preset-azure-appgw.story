# Azure Application Gateway v2: seconds.
args: --once --format azure-appgw
log:
{"category":"ApplicationGatewayAccessLog","properties":{"httpMethod":"GET","requestUri":"/a","httpStatus":200,"sentBytes":77,"timeTaken":0.205,"host":"shop.example"}}
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop.example"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost="shop.example"} 0.205
exit: 0
