# Colours that servers write for a terminal are not part of the values.
args: --once
bytes:
\x1b[32mINFO\x1b[0m:     192.0.2.1:5 - "\x1b[1mGET /a HTTP/1.1\x1b[0m" \x1b[32m200 OK\x1b[0m\n\x1b[32mINFO\x1b[0m:     Started server process [\x1b[36m42\x1b[0m]\n
metrics:
httpd_requests_total{method="GET",status_code="200"} 1
httpd_exporter_lines_total{outcome="foreign"} 1
httpd_exporter_lines_total{outcome="malformed"} 0
exit: 0
