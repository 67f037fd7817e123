# nginx prints what its upstream took in every line. A label that only some lines have is an application's own time.
args: --once
log:
status:200	reqtime:0.120	method:GET	uri:/a	size:512	vhost:shop.example
host:192.0.2.9	vhost:shop.example	method:GET	uri:/b	status:200	size:157	reqtime:5.002	apptime:5.001
stderr:
the format is `ltsv`
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop.example"} 2
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost="shop.example"} 5.122
! httpd_upstream_response_duration_seconds_count
exit: 0
