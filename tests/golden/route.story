# Routes: the first pattern that matches the path; no match is other.
args: --once --format common --route /users/:id/orders --route '/static/*'
log:
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET /users/17/orders?page=2 HTTP/1.1" 200 5
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET /users/18/orders HTTP/1.1" 200 5
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET /static/css/a.css HTTP/1.1" 200 5
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET /users HTTP/1.1" 200 5
metrics:
httpd_requests_total{method="GET",route="/users/:id/orders",status_code="200"} 2
httpd_requests_total{method="GET",route="/static/*",status_code="200"} 1
httpd_requests_total{method="GET",route="other",status_code="200"} 1
httpd_response_size_bytes_count{method="GET",route="/users/:id/orders",status_class="2xx"} 2
exit: 0
