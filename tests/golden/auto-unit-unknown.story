# A number behind a line may be seconds: then it is no preset's microseconds, and nothing is guessed.
args: --once
log:
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 512 "-" "curl/8.5.0" 3
192.0.2.1 - - [03/Feb/2026:04:05:07 +0100] "GET /a HTTP/1.1" 200 512 "-" "curl/8.5.0" 0
metrics:
httpd_exporter_lines_total{outcome="malformed"} 2
stderr:
2 of 2 lines fit none of the presets
exit: 0
