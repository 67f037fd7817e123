# The times of several upstreams add up; one that was not reached adds nothing, and a request without a time none.
args: --once --format '$server_name $remote_addr [$time_local] "$request" $status $body_bytes_sent $request_time "$upstream_response_time" $ssl_protocol/$ssl_cipher $host'
log:
v.example 203.0.113.4 [03/Feb/2026:04:05:06 +0100] "GET /ws HTTP/1.1" 200 552 0.000 "1.000, 0.250, 2.000, 0.750" TLSv1.3/TLS_AES_256_GCM_SHA384 v.example
v.example 203.0.113.4 [03/Feb/2026:04:05:06 +0100] "GET /ws HTTP/1.1" 200 552 0.000 "1.000, -, 2.000" TLSv1.3/TLS_AES_256_GCM_SHA384 v.example
v.example 203.0.113.4 [03/Feb/2026:04:05:06 +0100] "GET /ws HTTP/1.1" 200 552 - "1.000" TLSv1.3/TLS_AES_256_GCM_SHA384 v.example
metrics:
httpd_upstream_response_duration_seconds_sum{method="GET",status_class="2xx",vhost="v.example"} 8
httpd_upstream_response_duration_seconds_count{method="GET",status_class="2xx",vhost="v.example"} 3
httpd_request_duration_seconds_count{method="GET",status_class="2xx",vhost="v.example"} 2
httpd_exporter_lines_total{outcome="malformed"} 0
exit: 0
