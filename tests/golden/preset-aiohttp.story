# aiohttp's default, whose bytes have the headers in them.
args: --once --format aiohttp
log:
192.0.2.1 [05/Mar/2031:04:05:06 +0000] "GET /a HTTP/1.1" 200 1390 "-" "curl/8"
metrics:
httpd_requests_total{method="GET",status_code="200"} 1
httpd_bytes_sent_total{method="GET",status_code="200"} 1390
exit: 0
