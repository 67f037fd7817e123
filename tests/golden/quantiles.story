# Quantiles are a summary of their own, over all requests.
args: --once --format '%m %>s %D' --quantiles 0.5,0.99 --quantiles.window 60
log:
GET 200 1000
GET 200 1000
GET 200 1000
metrics:
httpd_request_duration_quantiles_seconds_count 3
httpd_request_duration_quantiles_seconds_sum 0.003
stdout:
httpd_request_duration_quantiles_seconds{quantile="0.5"} 0.0
httpd_request_duration_quantiles_seconds{quantile="0.99"} 0.0
exit: 0
