# NULs, control characters and bytes that are no UTF-8 are taken as they come.
args: --once --format common
bytes:
192.0.2.1 - \0\x01\xff [03/Feb/2026:04:05:06 +0100] "GET /\xc3\x28 HTTP/1.1" 200 5\n
\0\0\0\n
metrics:
httpd_requests_total{method="GET",status_code="200"} 1
httpd_exporter_lines_total{outcome="malformed"} 1
stderr:
the line: \x00\x00\x00
exit: 0
