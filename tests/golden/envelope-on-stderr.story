# Some servers write their requests to stderr: where none is on stdout, they are taken from there.
args: --once --format common
log:
2031-03-05T04:05:06.1Z stdout F hello
2031-03-05T04:05:06.1Z stderr F 192.0.2.7 - - [05/Mar/2031:04:05:06 +0100] "GET /a HTTP/1.1" 200 17
metrics:
httpd_exporter_lines_total{outcome="counted"} 1
stderr:
the requests are on stderr
exit: 0
