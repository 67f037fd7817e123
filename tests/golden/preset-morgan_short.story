# morgan's short.
args: --once --format morgan_short
log:
192.0.2.1 - GET /a HTTP/1.1 200 77 - 1.377 ms
metrics:
httpd_requests_total{method="GET",status_code="200"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx"} 0.001377
exit: 0
