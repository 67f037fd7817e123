# An error log is no access log, and is named.
args: --once
log:
2026/02/03 04:05:06 [error] 7164#7164: *20 connect() failed (113: No route to host), client: 192.0.2.1, request: "GET / HTTP/2.0"
2026/02/03 04:05:07 [notice] 139720#139720: signal process started
metrics:
httpd_exporter_lines_total{outcome="malformed"} 2
stderr:
2 of 2 lines fit none of the presets: these lines are of nginx's error log: give the file of access_log
exit: 0
