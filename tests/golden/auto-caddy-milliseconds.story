# Whole numbers where Caddy writes seconds with a fraction: its duration_format may be another.
args: --once
log:
{"level":"info","ts":1770087906.5,"msg":"handled request","request":{"proto":"HTTP/2.0","method":"GET","host":"www.example","uri":"/"},"bytes_read":0,"duration":12,"size":2048,"status":200}
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="www.example"} 1
!httpd_request_duration_seconds_count
stderr:
each line has a whole number where seconds would have a fraction
duration=$duration_ms' for milliseconds
exit: 0
