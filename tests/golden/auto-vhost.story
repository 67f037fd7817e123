# A virtual host with its port in front is recognized.
args: --once --format auto
log:
www.example:443 192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 5 "-" "curl/8.5.0"
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="www.example"} 1
stderr:
the format is `vhost_combined`
exit: 0
