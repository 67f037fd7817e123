# In an arguments file a value may have a line of its own.
args: --once @$DIR/args
file: args
--format
common
--exclude
path=/health
log:
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET /health HTTP/1.1" 200 5
metrics:
httpd_exporter_lines_total{outcome="excluded"} 1
exit: 0
