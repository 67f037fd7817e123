# Excluded lines are counted as such and nowhere else.
args: --once --format common --exclude 'path=/health*' --exclude '%h=10.*'
log:
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET /healthz?x=1 HTTP/1.1" 200 5
10.0.0.1 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 5
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET /shop HTTP/1.1" 200 5
metrics:
httpd_exporter_lines_total{outcome="excluded"} 2
httpd_exporter_lines_total{outcome="counted"} 1
httpd_requests_total{method="GET",status_code="200"} 1
exit: 0
