# A number behind combined is taken for %D.
args: --once
log:
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 5 "-" "curl/8.5.0" 1500
metrics:
httpd_request_duration_seconds_sum{method="GET",status_class="2xx"} 0.0015
stderr:
the format is `combined_D`
exit: 0
