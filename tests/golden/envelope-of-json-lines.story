# JSON lines have heads as well, though a reader of JSON skips what stands in front of the brace: their names are labels.
args: --once --format caddy --label service=envelope:service
log:
web-1  | {"level":"info","ts":1797000001.2,"logger":"http.log.access","msg":"handled request","request":{"proto":"HTTP/2.0","method":"GET","host":"a.example","uri":"/"},"duration":0.25,"size":9,"status":200}
metrics:
httpd_requests_total{method="GET",service="web",status_code="200",vhost="a.example"} 1
exit: 0
