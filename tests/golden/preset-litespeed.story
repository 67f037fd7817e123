# LiteSpeed puts the whole line into quotes where no logFormat is set; hosts that have one write combined.
args: --once --format litespeed
log:
"192.0.2.4 - - [05/Mar/2031:04:05:06 +0100] "GET /foo.php HTTP/1.1" 404 195"
192.0.2.4 - - [05/Mar/2031:04:05:07 +0100] "GET / HTTP/2" 200 300 "-" "Mozilla/5.0 (X11; Linux)"
"192.0.2.5 - ann [05/Mar/2031:04:05:08 +0100] "POST /login HTTP/2" 302 -"
192.0.2.4 - - [05/Mar/2031:04:05:09 +0100] "GET /more HTTP/2" 200 300 "-" "curl/8" 17
metrics:
httpd_requests_total{method="GET",status_code="404"} 1
httpd_requests_total{method="GET",status_code="200"} 1
httpd_requests_total{method="POST",status_code="302"} 1
httpd_bytes_sent_total{method="GET",status_code="404"} 195
httpd_exporter_lines_total{outcome="malformed"} 1
exit: 0
