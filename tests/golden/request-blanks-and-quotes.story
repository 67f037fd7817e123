# Blanks and escaped quotes in the target do not lead astray.
args: --once --format combined
log:
192.0.2.66 - - [03/Feb/2026:04:05:06 +0100] "GET /a b\" 500 1 \"- HTTP/1.1" 404 9 "-" "x\" 200 \"\\"
metrics:
httpd_requests_total{method="GET",status_code="404"} 1
httpd_exporter_lines_total{outcome="counted"} 1
exit: 0
