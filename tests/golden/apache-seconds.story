# %T is whole seconds.
args: --once --format '%m %>s %T'
log:
GET 200 3
metrics:
httpd_request_duration_seconds_sum{method="GET",status_class="2xx"} 3
exit: 0
