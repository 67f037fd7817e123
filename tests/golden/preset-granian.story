# granian: milliseconds.
args: --once --format granian
log:
[2031-03-05 04:05:06 +0100] 192.0.2.1 - "GET /a HTTP/1.1" 200 300.77
metrics:
httpd_requests_total{method="GET",status_code="200"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx"} 0.30077
exit: 0
