# mod_logio adds the bytes received and sent; what was sent is the body, as everywhere, when the format has both.
args: --once --format combinedio
log:
192.0.2.10 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 500 "-" "curl/8.5.0" 82 812
metrics:
httpd_bytes_received_total{method="GET",status_code="200"} 82
httpd_bytes_sent_total{method="GET",status_code="200"} 500
exit: 0
