# A %D behind combined is the duration in microseconds.
args: --once --format combined_D
log:
192.0.2.10 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 500 500 "-" "curl/8.5.0" 2500000
metrics:
httpd_request_duration_seconds_bucket{method="GET",status_class="5xx",le="1"} 0
httpd_request_duration_seconds_bucket{method="GET",status_class="5xx",le="2.5"} 1
httpd_request_duration_seconds_bucket{method="GET",status_class="5xx",le="+Inf"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="5xx"} 2.5
exit: 0
