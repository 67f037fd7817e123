# --log.format json, for who collects messages: a time, a level and the text, each in its place.
args: --once --log.format json
log:
192.0.2.7 - - [22/Nov/2026:08:00:00 +0000] "GET / HTTP/1.1" 200 512
metrics:
httpd_exporter_lines_total{outcome="counted"} 1
stderr:
{"time":"2
"level":"INFO","msg":"the format is `common`
exit: 0
