# Blank lines are lines that do not fit, for the reason that nothing is in them.
args: --once --format common
log:

192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 5

metrics:
httpd_exporter_malformed_lines_total{reason="empty"} 2
httpd_exporter_lines_total{outcome="malformed"} 2
httpd_exporter_lines_total{outcome="counted"} 1
stderr:
line 1 does not fit the format `common` (empty)
exit: 0
