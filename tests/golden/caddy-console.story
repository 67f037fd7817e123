# Caddy's console encoder has the message before the object; its error log is known by its err_id, what it says of itself
# does not fit.
args: --once
log:
2026/11/26 12:42:20.100	INFO	admin	admin endpoint started	{"address": "localhost:2019"}
2026/11/26 12:42:20.101	INFO	serving initial configuration
2026/11/26 12:42:22.100	INFO	http.log.access	handled request	{"request": {"proto": "HTTP/1.1", "method": "GET", "host": "a.example", "uri": "/"}, "bytes_read": 0, "duration": 0.25, "size": 9, "status": 200}
2026/11/26 12:42:23.100	ERROR	http.log.error	dial tcp 127.0.0.1:9: connection refused	{"request": {"proto": "HTTP/1.1", "method": "GET", "host": "a.example", "uri": "/b"}, "duration": 0.001, "status": 502, "err_id": "qk2m", "err_trace": "reverseproxy.go:1"}
2026/11/26 12:42:23.101	ERROR	http.log.access	handled request	{"request": {"proto": "HTTP/1.1", "method": "GET", "host": "a.example", "uri": "/b"}, "bytes_read": 0, "duration": 0.5, "size": 0, "status": 502}
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="a.example"} 1
httpd_requests_total{method="GET",status_code="502",vhost="a.example"} 1
httpd_exporter_lines_total{outcome="counted"} 2
httpd_exporter_lines_total{outcome="foreign"} 3
exit: 0
