# --methods names others.
args: --once --format common --methods GET,PROPFIND
log:
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "PROPFIND / HTTP/1.1" 207 0
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "POST / HTTP/1.1" 200 0
metrics:
httpd_requests_total{method="PROPFIND",status_code="207"} 1
httpd_requests_total{method="other",status_code="200"} 1
exit: 0
