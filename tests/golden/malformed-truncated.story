# A line that ends too early, as after a crash.
args: --once --format combined
log:
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200
metrics:
httpd_exporter_malformed_lines_total{reason="truncated"} 1
stderr:
found the end of the line
exit: 0
