# Of several upstreams the label is the one that answered; every one that was asked is an attempt, and what the request
# took beside them is the overhead.
args: --once --format '"$request" $status $request_time "$upstream_addr" "$upstream_response_time"' --label upstream=$upstream_addr
log:
"GET / HTTP/1.1" 200 0.350 "10.0.0.1:80, 10.0.0.2:80" "0.100, 0.200"
"GET / HTTP/1.1" 200 0.100 "10.0.0.1:80" "0.101"
"GET / HTTP/1.1" 304 0.001 "-" "-"
metrics:
httpd_requests_total{method="GET",status_code="200",upstream="10.0.0.2:80"} 1
httpd_requests_total{method="GET",status_code="200",upstream="10.0.0.1:80"} 1
httpd_upstream_attempts_total{method="GET",status_code="200",upstream="10.0.0.2:80"} 2
httpd_upstream_attempts_total{method="GET",status_code="200",upstream="10.0.0.1:80"} 1
httpd_proxy_overhead_duration_seconds_sum{method="GET",status_class="2xx"} 0.05
httpd_proxy_overhead_duration_seconds_count{method="GET",status_class="2xx"} 2
exit: 0
