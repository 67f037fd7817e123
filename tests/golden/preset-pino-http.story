# pino-http: a request whose client went away has no status.
args: --once --format pino-http
log:
{"level":30,"msg":"Server listening"}
{"level":50,"req":{"method":"GET","url":"/a","headers":{"host":"shop.example"}},"res":{"statusCode":null},"responseTime":201,"msg":"request aborted"}
metrics:
httpd_requests_total{method="GET",status_code="other",vhost="shop.example"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="other",vhost="shop.example"} 0.201
httpd_aborted_requests_total{vhost="shop.example"} 1
httpd_exporter_lines_total{outcome="foreign"} 1
exit: 0
