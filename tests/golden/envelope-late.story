# A head that appears only later is found as well, and lines of both kinds are counted.
args: --once --format common
log:
192.0.2.7 - - [05/Mar/2031:04:05:06 +0100] "GET /a HTTP/1.1" 200 17
192.0.2.7 - - [05/Mar/2031:04:05:06 +0100] "GET /a HTTP/1.1" 200 17
192.0.2.7 - - [05/Mar/2031:04:05:06 +0100] "GET /a HTTP/1.1" 200 17
web-1  | 192.0.2.7 - - [05/Mar/2031:04:05:06 +0100] "GET /a HTTP/1.1" 200 17
web-1  | hello
metrics:
httpd_requests_total{method="GET",status_code="200"} 4
httpd_exporter_lines_total{outcome="counted"} 4
httpd_exporter_lines_total{outcome="malformed"} 1
exit: 0
