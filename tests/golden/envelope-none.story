# With --envelope none nothing is taken off.
args: --once --format common --envelope none
log:
web-1  | 192.0.2.7 - - [05/Mar/2031:04:05:06 +0100] "GET /a HTTP/1.1" 200 17
==> a <==
192.0.2.7 - - [05/Mar/2031:04:05:06 +0100] "GET /a HTTP/1.1" 200 17
metrics:
httpd_exporter_lines_total{outcome="counted"} 1
httpd_exporter_lines_total{outcome="malformed"} 2
exit: 0
