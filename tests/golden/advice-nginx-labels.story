# Labels of nginx's manual are known, with the lists of several upstreams behind them.
args: --once
log:
203.0.113.9 - - [26/Nov/2026:12:42:22 +0000] "GET /ok HTTP/1.1" 200 1234 "-" "curl/8" rt=0.301 uct="0.001" urt="0.300"
203.0.113.9 - - [26/Nov/2026:12:42:23 +0000] "GET /re HTTP/1.1" 200 9 "-" "curl/8" rt=0.301 uct="0.001, 0.001" urt="-, 0.200"
metrics:
httpd_exporter_lines_total{outcome="malformed"} 2
stderr:
rt=$request_time uct="$upstream_connect_time" urt="$upstream_response_time"'
exit: 0
