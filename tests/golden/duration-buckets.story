# Buckets of one's own; a value on the bound belongs to its bucket.
args: --once --format '%m %>s %D' --duration-buckets 0.001,0.01
log:
GET 200 1000
GET 200 1001
GET 200 10001
metrics:
httpd_request_duration_seconds_bucket{method="GET",status_class="2xx",le="0.001"} 1
httpd_request_duration_seconds_bucket{method="GET",status_class="2xx",le="0.01"} 2
httpd_request_duration_seconds_bucket{method="GET",status_class="2xx",le="+Inf"} 3
!httpd_request_duration_seconds_bucket{method="GET",status_class="2xx",le="1"}
exit: 0
