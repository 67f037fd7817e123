# %D is microseconds.
args: --once --format '%m %>s %D'
log:
GET 200 250000
metrics:
httpd_request_duration_seconds_sum{method="GET",status_class="2xx"} 0.25
exit: 0
