# Traefik's common log format: the duration at the end is in milliseconds.
args: --once --format traefik
log:
192.0.2.10 - - [03/Feb/2026:03:05:06 +0000] "GET /api HTTP/1.1" 200 17 "-" "curl/8.5.0" 12 "api@docker" "http://10.1.0.9:80" 42ms
192.0.2.10 - - [03/Feb/2026:03:05:06 +0000] "GET /none HTTP/2.0" 404 19 "-" "-" 13 "-" "-" 0ms
metrics:
httpd_requests_total{method="GET",status_code="200"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx"} 0.042
httpd_exporter_lines_total{outcome="counted"} 2
exit: 0
