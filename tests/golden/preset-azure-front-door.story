# Azure Front Door.
args: --once --format azure-front-door
log:
{"category":"FrontDoorAccessLog","properties":{"errorInfo":"NoError","httpMethod":"GET","httpStatusCode":"200","requestUri":"https://shop.example:443/a","responseBytes":"77","timeTaken":"0.384","timeToFirstByte":"0.383","hostName":"shop.example"}}
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop.example"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost="shop.example"} 0.384
httpd_time_to_first_byte_seconds_sum{method="GET",status_class="2xx",vhost="shop.example"} 0.383
exit: 0
