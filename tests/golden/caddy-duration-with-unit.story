# Caddy may write durations with their unit.
args: --once --format caddy
log:
{"ts":1796000000.5,"request":{"method":"GET","host":"a.example","uri":"/a","proto":"HTTP/2.0"},"duration":"1.5ms","size":5,"status":200}
{"ts":1796000000.6,"request":{"method":"GET","host":"a.example","uri":"/a","proto":"HTTP/2.0"},"duration":"1m2.5s","size":5,"status":200}
metrics:
httpd_request_duration_seconds_count{method="GET",status_class="2xx",vhost="a.example"} 2
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost="a.example"} 62.5015
exit: 0
