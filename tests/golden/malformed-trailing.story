# A field more than the format has.
args: --once --format combined
log:
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 5 "-" "curl/8.5.0" 1234
metrics:
httpd_exporter_malformed_lines_total{reason="trailing"} 1
stderr:
expected the end of the line
exit: 0
