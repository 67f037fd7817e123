# Letters where a number belongs.
args: --once --format '%m %>s %D'
log:
GET 200 fast
metrics:
httpd_exporter_malformed_lines_total{reason="value"} 1
stderr:
expected digits or - at column 9 (for %D), found "fast"
exit: 0
