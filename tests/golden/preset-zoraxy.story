# Zoraxy.
args: --once --format zoraxy
log:
2031/05/01 07:57:03 [2031-05-01 07:57:03.150624] [router:host-http] [origin:shop.example] [client: 192.0.2.1] [useragent: Mozilla/5.0 (X11)] GET /a 404
metrics:
httpd_requests_total{method="GET",status_code="404",vhost="shop.example"} 1
exit: 0
