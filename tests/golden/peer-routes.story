# Paths by route: those that fit no route are `other`.
args: --once --format nginx --route /users/:id --route /profile
log:
203.0.113.4 - - [03/Feb/2026:04:05:06 +0100] "GET /users/1234 HTTP/1.1" 200 612 "-" "curl/8"
203.0.113.4 - - [03/Feb/2026:04:05:06 +0100] "GET /users/4321 HTTP/1.1" 200 612 "-" "curl/8"
203.0.113.4 - - [03/Feb/2026:04:05:06 +0100] "GET /profile HTTP/1.1" 200 612 "-" "curl/8"
203.0.113.4 - - [03/Feb/2026:04:05:06 +0100] "GET /foo HTTP/1.1" 200 612 "-" "curl/8"
metrics:
httpd_requests_total{method="GET",route="/users/:id",status_code="200"} 2
httpd_requests_total{method="GET",route="/profile",status_code="200"} 1
httpd_requests_total{method="GET",route="other",status_code="200"} 1
exit: 0
