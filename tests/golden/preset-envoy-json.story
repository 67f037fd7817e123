# Envoy in JSON, as Contour has it.
args: --once --format envoy-json
log:
{"authority":"shop.example","bytes_sent":77,"duration":57,"method":"GET","path":"/a","response_code":200,"response_flags":"-","upstream_service_time":"55"}
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop.example"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost="shop.example"} 0.057
httpd_upstream_response_duration_seconds_sum{method="GET",status_class="2xx",vhost="shop.example"} 0.055
exit: 0
