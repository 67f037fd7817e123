# A request without a protocol is HTTP/0.9 and valid.
args: --once --format combined
log:
192.0.2.66 - - [03/Feb/2026:04:05:06 +0100] "GET /" 200 9 "-" "-"
metrics:
httpd_requests_total{method="GET",status_code="200"} 1
httpd_invalid_requests_total{reason="malformed"} 0
exit: 0
