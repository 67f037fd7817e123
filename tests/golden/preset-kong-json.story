# Kong's file-log: -1 was never proxied.
args: --once --format kong-json
log:
{"latencies":{"request":3,"kong":3,"proxy":-1},"request":{"size":"99","uri":"/a","headers":{"host":"shop.example"},"method":"GET"},"response":{"status":404,"size":"250"}}
metrics:
httpd_requests_total{method="GET",status_code="404",vhost="shop.example"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="4xx",vhost="shop.example"} 0.003
httpd_upstream_response_duration_seconds_sum{method="GET",status_class="4xx",vhost="shop.example"} 0
exit: 0
