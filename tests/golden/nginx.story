# nginx's own combined.
args: --once --format nginx
log:
2001:db8::7 - - [03/Feb/2026:03:05:06 +0000] "GET /a?b=c HTTP/2.0" 200 1234 "-" "Mozilla/5.0"
192.0.2.10 - eva [03/Feb/2026:03:05:07 +0000] "DELETE /a HTTP/1.1" 204 0 "-" "-"
metrics:
httpd_requests_total{method="GET",status_code="200"} 1
httpd_requests_total{method="DELETE",status_code="204"} 1
httpd_bytes_sent_total{method="GET",status_code="200"} 1234
httpd_last_request_timestamp_seconds 1770087907
exit: 0
