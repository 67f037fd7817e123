# A log too short to be judged by its share of misfits gets its advice at the end of input.
args: --once --format vhost_combined
log:
v.example 203.0.113.9 - - [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 512 "-" "agent/1"
metrics:
httpd_exporter_lines_total{outcome="malformed"} 1
stderr:
1 of 1 lines do not fit the format `vhost_combined`
the log has %v for %v:%p: --format '%v %h %l
exit: 0
