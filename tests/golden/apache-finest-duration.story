# Where a format has the duration more than once, the finest unit counts.
args: --once --format '%m %>s %T/%{ms}T/%D'
log:
GET 200 1/1234/1234567
metrics:
httpd_request_duration_seconds_sum{method="GET",status_class="2xx"} 1.234567
exit: 0
