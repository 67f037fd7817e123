# Sizes likewise.
args: --once --format '%m %>s %B' --size-buckets 100,1000
log:
GET 200 100
GET 200 1000000
metrics:
httpd_response_size_bytes_bucket{method="GET",status_class="2xx",le="100"} 1
httpd_response_size_bytes_bucket{method="GET",status_class="2xx",le="1000"} 1
httpd_response_size_bytes_bucket{method="GET",status_class="2xx",le="+Inf"} 2
httpd_response_size_bytes_sum{method="GET",status_class="2xx"} 1000100
exit: 0
