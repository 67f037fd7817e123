# gin: padded columns, durations with their unit.
args: --once --format gin
log:
[GIN] 2031/03/05 - 04:05:06 | 404 |      29.304µs |       192.0.2.1 | GET      "/a"
metrics:
httpd_requests_total{method="GET",status_code="404"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="4xx"} 0.000029304
exit: 0
