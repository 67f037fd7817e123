# Caddy's JSON: durations are in seconds, keys are nested, and the order of keys does not matter.
args: --once --format caddy
log:
{"level":"info","ts":1770087906.5,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"192.0.2.10","proto":"HTTP/2.0","method":"GET","host":"www.example","uri":"/docs?q=1","headers":{"User-Agent":["curl/8.5.0"]}},"bytes_read":0,"duration":0.012,"size":2048,"status":200}
{"status":404,"size":0,"duration":1.5e-3,"request":{"uri":"/no","method":"HEAD","host":"www.example:8443","proto":"HTTP/1.1"},"ts":1770087907}
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="www.example"} 1
httpd_requests_total{method="HEAD",status_code="404",vhost="www.example"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost="www.example"} 0.012
httpd_request_duration_seconds_sum{method="HEAD",status_class="4xx",vhost="www.example"} 0.0015
httpd_last_request_timestamp_seconds 1770087907
exit: 0
