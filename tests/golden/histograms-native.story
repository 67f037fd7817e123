# With native histograms alone, text has their sums and counts: the buckets are for who asks for protobuf.
args: --once --format '%m %>s %B %D' --histograms native
log:
GET 200 100 1000
GET 200 300 2500000
metrics:
httpd_request_duration_seconds_count{method="GET",status_class="2xx"} 2
httpd_request_duration_seconds_sum{method="GET",status_class="2xx"} 2.501
httpd_response_size_bytes_count{method="GET",status_class="2xx"} 2
!httpd_request_duration_seconds_bucket
!httpd_response_size_bytes_bucket
exit: 0
