# morgan's dev.
args: --once --format morgan_dev
log:
[0mGET /a [32m200[0m 1.377 ms - 77[0m
metrics:
httpd_requests_total{method="GET",status_code="200"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx"} 0.001377
httpd_bytes_sent_total{method="GET",status_code="200"} 77
exit: 0
