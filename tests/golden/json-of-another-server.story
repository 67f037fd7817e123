# JSON of which the format knows only the status is counted, and that is said.
args: --once --format caddy
log:
{"status":200,"request_method":"GET","request_uri":"/a"}
metrics:
httpd_exporter_lines_total{outcome="counted"} 1
stderr:
which is probably the wrong format: status at column 11, "200": of the 9 keys of the format, the line has only this
the preset `json` reads it: --format json
exit: 0
