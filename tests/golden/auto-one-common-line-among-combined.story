# A line of the common format among combined ones does not make LiteSpeed's format of the log.
args: --once
log:
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5
192.0.2.2 - - [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5 "-" "curl/8.5.0"
192.0.2.3 - - [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5 "-" "curl/8.5.0"
192.0.2.4 - - [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5 "-" "curl/8.5.0"
metrics:
httpd_exporter_lines_total{outcome="counted"} 3
httpd_exporter_lines_total{outcome="malformed"} 1
stderr:
the format is `combined`
exit: 0
