# The words of a head are no client and no virtual host: an address is no user's name.
args: --once
log:
Mar  5 04:05:06 web1 app[7]: 192.0.2.1 [05/Mar/2031:04:05:06 +0000] "GET /a HTTP/1.1" 200 1390 "-" "curl/8"
Mar  5 04:05:07 web1 app[7]: 192.0.2.1 [05/Mar/2031:04:05:07 +0000] "GET /b HTTP/1.1" 404 190 "-" "curl/8"
metrics:
httpd_requests_total{method="GET",status_code="200"} 1
httpd_requests_total{method="GET",status_code="404"} 1
stderr:
the format is `aiohttp`
the envelope is `syslog`
exit: 0
