# A line that is no JSON, and one without the status, are malformed for different reasons.
args: --once --format caddy
log:
{"status":200,"request":{"method":"GET"}
not json at all
{"request":{"method":"GET"}}
metrics:
httpd_exporter_malformed_lines_total{reason="json"} 2
httpd_exporter_malformed_lines_total{reason="missing"} 1
httpd_exporter_lines_total{outcome="malformed"} 3
httpd_exporter_lines_total{outcome="counted"} 0
stderr:
line 1 does not fit the format `caddy` (json)
line 3 does not fit the format `caddy` (missing)
!line 2
exit: 0
