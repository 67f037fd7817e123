# Rack: seconds with four decimals.
args: --once --format rack
log:
192.0.2.1 - - [05/Mar/2031:04:05:06 +0100] "GET /a?b=c HTTP/1.1" 200 77 0.0120
metrics:
httpd_requests_total{method="GET",status_code="200"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx"} 0.012
exit: 0
