# A log_format may be given as it stands in nginx.conf, in several strings and with braces around names.
args: --once --format "log_format mine '$remote_addr \"$request\" ' '${status} $bytes_sent';"
log:
192.0.2.1 "GET / HTTP/1.1" 200 12
metrics:
httpd_bytes_sent_total{method="GET",status_code="200"} 12
exit: 0
