# Traefik's JSON: durations are in nanoseconds, whatever they look like.
args: --once --format traefik-json
log:
{"ClientAddr":"192.0.2.10:40112","DownstreamContentSize":321,"DownstreamStatus":200,"Duration":7500000,"OriginDuration":7000000,"RequestContentSize":12,"RequestHost":"api.example","RequestMethod":"POST","RequestPath":"/v1/order","RequestProtocol":"HTTP/2.0","StartUTC":"2026-02-03T03:05:06.25Z","level":"info"}
metrics:
httpd_requests_total{method="POST",status_code="200",vhost="api.example"} 1
httpd_bytes_sent_total{method="POST",status_code="200",vhost="api.example"} 321
httpd_bytes_received_total{method="POST",status_code="200",vhost="api.example"} 12
httpd_request_duration_seconds_sum{method="POST",status_class="2xx",vhost="api.example"} 0.0075
httpd_upstream_response_duration_seconds_sum{method="POST",status_class="2xx",vhost="api.example"} 0.007
httpd_last_request_timestamp_seconds 1770087906.25
exit: 0
