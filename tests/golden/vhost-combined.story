# A virtual host in front becomes a label; the port behind it does not.
args: --once --format vhost_combined
log:
shop.example:443 192.0.2.10 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 700 "-" "curl/8.5.0"
shop.example:80 192.0.2.10 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 300 "-" "curl/8.5.0"
blog.example:443 192.0.2.10 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 10 "-" "curl/8.5.0"
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop.example"} 2
httpd_requests_total{method="GET",status_code="200",vhost="blog.example"} 1
httpd_bytes_sent_total{method="GET",status_code="200",vhost="shop.example"} 1000
httpd_response_size_bytes_count{method="GET",status_class="2xx",vhost="blog.example"} 1
exit: 0
