# --route auto learns routes from the paths themselves; what nothing is known of is counted under the rest.
args: --once --format common --route auto
log:
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET /users/17/orders HTTP/1.1" 200 5
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET /users/18/orders HTTP/1.1" 200 5
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET /about HTTP/1.1" 200 5
metrics:
httpd_requests_total{method="GET",route="/users/:id/orders",status_code="200"} 2
httpd_requests_total{method="GET",route="/*",status_code="200"} 1
exit: 0
