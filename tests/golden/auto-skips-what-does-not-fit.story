# One broken line at the start does not hinder the choice.
args: --once
log:
rubbish
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 5
metrics:
httpd_exporter_lines_total{outcome="malformed"} 1
httpd_exporter_lines_total{outcome="counted"} 1
stderr:
the format is `common`
exit: 0
