# The combined format: common with referer and user agent, which are not counted.
args: --once --format combined
log:
192.0.2.10 - - [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 512 "https://www.example/from" "Mozilla/5.0 (X11; Linux x86_64)"
192.0.2.10 - - [03/Feb/2026:04:05:06 +0100] "HEAD /a HTTP/2.0" 200 - "-" "-"
metrics:
httpd_requests_total{method="GET",status_code="200"} 1
httpd_requests_total{method="HEAD",status_code="200"} 1
httpd_response_size_bytes_bucket{method="GET",status_class="2xx",le="256"} 0
httpd_response_size_bytes_bucket{method="GET",status_class="2xx",le="1024"} 1
httpd_response_size_bytes_sum{method="GET",status_class="2xx"} 512
httpd_response_size_bytes_count{method="GET",status_class="2xx"} 1
exit: 0
