# JSON of Caddy is recognized.
args: --once
log:
{"level":"info","ts":1770087906.5,"request":{"proto":"HTTP/2.0","method":"GET","host":"www.example","uri":"/"},"bytes_read":0,"duration":0.012,"size":2048,"status":200}
metrics:
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost="www.example"} 0.012
stderr:
the format is `caddy`
exit: 0
