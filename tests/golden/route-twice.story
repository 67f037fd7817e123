# A route given twice is one; the routes behind it keep their names.
args: --once --format common --route /cart/:id --route /cart/:id --route /static/* --route /order
log:
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET /static/a/b.css HTTP/1.1" 200 5
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET /order HTTP/1.1" 200 5
metrics:
httpd_requests_total{method="GET",route="/static/*",status_code="200"} 1
httpd_requests_total{method="GET",route="/order",status_code="200"} 1
exit: 0
