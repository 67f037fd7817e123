# Where no preset fits, what would is said as --explain says it.
args: --once
log:
v.example 203.0.113.9 - - [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 512 "-" "agent/1"
metrics:
httpd_exporter_lines_total{outcome="malformed"} 1
stderr:
1 of 1 lines fit none of the presets: the nearest,
the log has %v for %v:%p: --format '%v %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i"'
exit: 0
