# Only the methods asked for are named; histograms bear just what was asked for as well.
args: --once --format nginx --methods GET --histogram-labels method
log:
203.0.113.4 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 612 "-" "curl/8"
203.0.113.4 - - [03/Feb/2026:04:05:06 +0100] "POST / HTTP/1.1" 200 612 "-" "curl/8"
203.0.113.4 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 500 612 "-" "curl/8"
metrics:
httpd_requests_total{method="GET",status_code="200"} 1
httpd_requests_total{method="GET",status_code="500"} 1
httpd_requests_total{method="other",status_code="200"} 1
httpd_response_size_bytes_count{method="GET"} 2
httpd_response_size_bytes_count{method="other"} 1
exit: 0
