# With the name of an envelope lines without it do not fit.
args: --once --format common --envelope cri
log:
2031-03-05T04:05:06.1Z stdout F 192.0.2.7 - - [05/Mar/2031:04:05:06 +0100] "GET /a HTTP/1.1" 200 17
192.0.2.7 - - [05/Mar/2031:04:05:06 +0100] "GET /a HTTP/1.1" 200 17
web-1  | 192.0.2.7 - - [05/Mar/2031:04:05:06 +0100] "GET /a HTTP/1.1" 200 17
metrics:
httpd_exporter_lines_total{outcome="counted"} 1
httpd_exporter_lines_total{outcome="malformed"} 2
exit: 0
