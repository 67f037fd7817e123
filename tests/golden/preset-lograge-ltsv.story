# lograge in LTSV.
args: --once --format lograge-ltsv
log:
method:GET	path:/a	format:html	controller:ShopController	action:show	status:200	duration:3.62	view:1.00	host:shop.example
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop.example"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost="shop.example"} 0.00362
exit: 0
