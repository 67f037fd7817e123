# What Debian ships as combined counts bytes with headers.
args: --once --format debian_combined
log:
192.0.2.10 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 3380 "-" "curl/8.5.0"
metrics:
httpd_bytes_sent_total{method="GET",status_code="200"} 3380
exit: 0
