# The median of four times is the second of them, within one percent.
args: --once --format '$request_method $status $request_time' --quantiles 0.5
log:
GET 200 10.000
GET 200 20.000
GET 200 30.000
GET 200 40.000
metrics:
httpd_request_duration_quantiles_seconds_count 4
httpd_request_duration_quantiles_seconds_sum 100
stdout:
httpd_request_duration_quantiles_seconds{quantile="0.5"} 19.8
exit: 0
