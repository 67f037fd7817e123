# lighttpd writes the client's Host in place of identd's name: a stranger's word, so its values are capped.
args: --once --format lighttpd
log:
192.0.2.10 www.example - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 99 "-" "curl/8.5.0"
192.0.2.10 WWW.example - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 1 "-" "curl/8.5.0"
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="www.example"} 2
httpd_exporter_label_overflow_total{label="vhost"} 0
exit: 0
