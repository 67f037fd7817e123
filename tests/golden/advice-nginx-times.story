# Times behind a known format are named where nginx alone writes them so: by their labels, lists too, or with three
# decimals, the upstream's no longer than the request's and absent where none was asked.
args: --once
log:
203.0.113.9 - - [26/Nov/2026:12:42:22 +0000] "GET /ok HTTP/1.1" 200 1234 "-" "curl/8" 0.301 0.300
203.0.113.9 - - [26/Nov/2026:12:42:23 +0000] "GET /no HTTP/1.1" 404 9 "-" "curl/8" 0.001 -
metrics:
httpd_exporter_lines_total{outcome="malformed"} 2
stderr:
--format '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_time $upstream_response_time'
exit: 0
