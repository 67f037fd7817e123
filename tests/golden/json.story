# JSON lines whose keys are named as nginx's variables; numbers and strings alike.
args: --once --format json
log:
{"time_iso8601":"2026-02-03T04:05:06+01:00","request":"GET /x HTTP/1.1","status":"200","body_bytes_sent":"77","request_time":"0.105","upstream_response_time":"0.004, 0.1","server_name":"www.example"}
{"time_iso8601":"2026-02-03T04:05:07+01:00","request":"GET /x HTTP/1.1","status":200,"body_bytes_sent":3,"request_time":0.002,"upstream_response_time":"","server_name":"www.example"}
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="www.example"} 2
httpd_bytes_sent_total{method="GET",status_code="200",vhost="www.example"} 80
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost="www.example"} 0.107
httpd_upstream_response_duration_seconds_sum{method="GET",status_class="2xx",vhost="www.example"} 0.104
httpd_upstream_response_duration_seconds_count{method="GET",status_class="2xx",vhost="www.example"} 1
exit: 0
