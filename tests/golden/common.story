# The Common Log Format: requests by method and status, bytes of the body, the newest time.
args: --once --format common
log:
192.0.2.10 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 1043
192.0.2.10 - - [03/Feb/2026:04:05:07 +0100] "GET /favicon.ico HTTP/1.1" 404 -
192.0.2.11 - anna [03/Feb/2026:04:05:09 +0100] "POST /login HTTP/1.1" 302 0
192.0.2.12 - - [03/Feb/2026:04:05:08 +0100] "GET / HTTP/1.1" 200 57
metrics:
httpd_requests_total{method="GET",status_code="200"} 2
httpd_requests_total{method="GET",status_code="404"} 1
httpd_requests_total{method="POST",status_code="302"} 1
httpd_bytes_sent_total{method="GET",status_code="200"} 1100
httpd_bytes_sent_total{method="GET",status_code="404"} 0
httpd_last_request_timestamp_seconds 1770087909
httpd_exporter_lines_total{outcome="counted"} 4
httpd_exporter_lines_total{outcome="malformed"} 0
httpd_exporter_input_bytes_total 292
!httpd_bytes_received_total
!httpd_request_duration_seconds
exit: 0
