# echo escapes nothing: a quote in the agent makes it no JSON.
args: --once --format echo
log:
{"time":"2031-03-05T04:05:06.8Z","id":"","remote_ip":"192.0.2.1","host":"shop.example","method":"GET","uri":"/a","user_agent":"x "y" z","status":200,"error":"","latency":37336,"latency_human":"37.336µs","bytes_in":0,"bytes_out":77}
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop.example"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost="shop.example"} 0.000037336
httpd_bytes_sent_total{method="GET",status_code="200",vhost="shop.example"} 77
exit: 0
