# Google's load balancer: the host stands in the URL, and a request without a status counts.
args: --once --format gcp-lb
log:
{"jsonPayload":{"statusDetails":"client_disconnected_before_any_response"},"httpRequest":{"requestMethod":"GET","requestUrl":"https://shop.example:443/a","requestSize":"12","latency":"5.000001s"}}
metrics:
httpd_requests_total{method="GET",status_code="other",vhost="shop.example"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="other",vhost="shop.example"} 5.000001
httpd_aborted_requests_total{vhost="shop.example"} 1
exit: 0
