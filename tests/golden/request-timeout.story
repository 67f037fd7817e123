# A connection that said nothing until the server lost patience.
args: --once --format combined
log:
192.0.2.66 - - [03/Feb/2026:04:05:06 +0100] "-" 408 - "-" "-"
192.0.2.66 - - [03/Feb/2026:04:05:06 +0100] "GET /half HTTP/1.1" 408 261 "-" "-"
metrics:
httpd_invalid_requests_total{reason="timeout"} 1
httpd_requests_total{method="other",status_code="408"} 1
httpd_requests_total{method="GET",status_code="408"} 1
exit: 0
