# Kong.
args: --once --format kong
log:
192.0.2.1 - - [05/Mar/2031:04:05:06 +0100] "GET /a?b=c HTTP/1.1" 200 77 "-" "curl" kong_request_id: "ab12"
metrics:
httpd_requests_total{method="GET",status_code="200"} 1
httpd_bytes_sent_total{method="GET",status_code="200"} 77
exit: 0
