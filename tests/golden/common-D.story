# A %D behind common is the duration in microseconds.
args: --once --format common_D
log:
192.0.2.10 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 500 30500
metrics:
httpd_request_duration_seconds_bucket{method="GET",status_class="2xx",le="0.025"} 0
httpd_request_duration_seconds_bucket{method="GET",status_class="2xx",le="0.05"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx"} 0.0305
exit: 0
