# The default host of Nginx Proxy Manager.
args: --once --format npm-default
log:
[05/Mar/2031:04:05:06 +0100] 404 - GET http x.example "/a" [Client 192.0.2.1] [Length 5] [Gzip -] "curl/8" "-"
metrics:
httpd_requests_total{method="GET",status_code="404",vhost="x.example"} 1
exit: 0
