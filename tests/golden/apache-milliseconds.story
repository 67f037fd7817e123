# %{ms}T is milliseconds, %{us}T microseconds, %{s}T seconds.
args: --once --format '%m %>s %{ms}T'
log:
GET 200 1250
metrics:
httpd_request_duration_seconds_sum{method="GET",status_class="2xx"} 1.25
exit: 0
