# Sizes of responses (the body's comes before the whole's) and of requests; a line that is the format itself is malformed.
args: --once --format '$remote_addr [$time_local] "$request" $status $body_bytes_sent $bytes_sent $request_length'
log:
$remote_addr [$time_local] "$request" $status $body_bytes_sent $bytes_sent $request_length
203.0.113.4 [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 1000 1300 400
203.0.113.4 [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 2000 2300 500
metrics:
httpd_bytes_sent_total{method="GET",status_code="200"} 3000
httpd_bytes_received_total{method="GET",status_code="200"} 900
httpd_response_size_bytes_sum{method="GET",status_class="2xx"} 3000
httpd_exporter_lines_total{outcome="malformed"} 1
exit: 0
