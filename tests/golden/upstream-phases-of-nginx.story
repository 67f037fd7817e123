# nginx logs a time to connect for each upstream server that it asked; they are added up. It has no queue.
args: --once --format '"$request" $status "$upstream_connect_time"' --upstream-phases
log:
"GET / HTTP/1.1" 200 "0.100, 0.002"
"GET / HTTP/1.1" 304 "-"
metrics:
httpd_upstream_connect_duration_seconds_sum{method="GET",status_class="2xx"} 0.102
httpd_upstream_connect_duration_seconds_count{method="GET",status_class="2xx"} 1
exit: 0
