# A %D behind vhost_combined: durations by virtual host.
args: --once --format vhost_combined_D
log:
shop.example:443 192.0.2.10 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 700 "-" "curl/8.5.0" 1500
metrics:
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost="shop.example"} 0.0015
exit: 0
