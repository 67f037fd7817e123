# LTSV with the labels of ltsv.org, in any order and not all of them.
args: --once --format ltsv
log:
status:200	reqtime:0.120	method:GET	uri:/a	size:512	vhost:shop.example
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop.example"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost="shop.example"} 0.12
httpd_bytes_sent_total{method="GET",status_code="200",vhost="shop.example"} 512
exit: 0
