# Heroku's router: H18 is a client that went away.
args: --once --format heroku
log:
at=error code=H18 desc="Request Interrupted" method=GET path="/a" host=shop.example fwd=192.0.2.1 dyno=web.1 connect= service=18ms status=503 bytes=0 sock=client
metrics:
httpd_requests_total{method="GET",status_code="503",vhost="shop.example"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="5xx",vhost="shop.example"} 0.018
httpd_aborted_requests_total{vhost="shop.example"} 1
exit: 0
