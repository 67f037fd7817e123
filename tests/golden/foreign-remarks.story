# Lines that begin with # are remarks, not requests.
args: --once --format common
log:
# rotated on 2031-03-05
192.0.2.7 - - [05/Mar/2031:04:05:06 +0100] "GET /a HTTP/1.1" 200 17
metrics:
httpd_exporter_lines_total{outcome="counted"} 1
httpd_exporter_lines_total{outcome="foreign"} 1
exit: 0
