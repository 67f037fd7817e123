# A %D behind Debian's combined.
args: --once --format debian_combined_D
log:
192.0.2.10 - - [03/Feb/2026:04:05:06 +0100] "PUT /f HTTP/1.1" 201 700 "-" "curl/8.5.0" 1
metrics:
httpd_request_duration_seconds_sum{method="PUT",status_class="2xx"} 0.000001
exit: 0
