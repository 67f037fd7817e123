# A line above a mebibyte is counted as oversized and nothing else; the next line is read as usual.
args: --once --format common
bytes:
\{x*1048577}\n
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET /\{y*100000} HTTP/1.1" 200 5\n
metrics:
httpd_exporter_lines_total{outcome="oversized"} 1
httpd_exporter_lines_total{outcome="counted"} 1
httpd_exporter_lines_total{outcome="malformed"} 0
httpd_requests_total{method="GET",status_code="200"} 1
exit: 0
