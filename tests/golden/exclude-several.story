# Several excludes, by path, user agent and method: the lines are excluded, and in no metric.
args: --once --format combined --exclude 'path=/health*' --exclude %{User-Agent}i=*bot* --exclude method=OPTIONS
log:
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET /healthz?deep HTTP/1.1" 200 5 "-" "probe"
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 5 "-" "a robot/1"
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "OPTIONS / HTTP/1.1" 200 5 "-" "x"
192.0.2.1 - - [03/Feb/2026:04:05:07 +0100] "GET /a/health HTTP/1.1" 200 7 "-" "x"
metrics:
httpd_requests_total{method="GET",status_code="200"} 1
httpd_bytes_sent_total{method="GET",status_code="200"} 7
httpd_response_size_bytes_count{method="GET",status_class="2xx"} 1
httpd_last_request_timestamp_seconds 1770087907
httpd_exporter_lines_total{outcome="counted"} 1
httpd_exporter_lines_total{outcome="excluded"} 3
!httpd_requests_total{method="OPTIONS"
exit: 0
