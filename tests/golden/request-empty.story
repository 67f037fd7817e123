# No request line at all, written as nothing or as a dash.
args: --once --format combined
log:
192.0.2.66 - - [03/Feb/2026:04:05:06 +0100] "" 400 226 "-" "-"
192.0.2.66 - - [03/Feb/2026:04:05:06 +0100] "-" 400 - "-" "-"
metrics:
httpd_invalid_requests_total{reason="empty"} 2
httpd_requests_total{method="other",status_code="400"} 2
exit: 0
