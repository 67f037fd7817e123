# Two writers mixed up in one line do not stop the reading: what still has the form of a line counts as one.
args: --once --format common
log:
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET /ab192.0.2.9 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 5
c HTTP/1.1" 200 7
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 5
metrics:
httpd_exporter_lines_total{outcome="malformed"} 1
httpd_exporter_lines_total{outcome="counted"} 2
exit: 0
