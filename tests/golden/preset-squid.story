# Squid's native log: the elapsed time is padded.
args: --once --format squid
log:
1795697607.925    344 192.0.2.1 TCP_MISS_ABORTED/200 275 GET http://shop.example/a? - HIER_DIRECT/10.0.0.1 text/html
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop.example"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost="shop.example"} 0.344
httpd_aborted_requests_total{vhost="shop.example"} 1
exit: 0
