# Caddy's other loggers write JSON as well, its error log even with a method and a status: they are no requests.
args: --once
log:
{"level":"info","ts":1797000000.1,"msg":"using config from file","file":"/etc/caddy/Caddyfile"}
{"level":"info","ts":1797000001.2,"logger":"http.log.access","msg":"handled request","request":{"proto":"HTTP/2.0","method":"GET","host":"a.example","uri":"/"},"duration":0.25,"size":9,"status":200}
{"level":"error","ts":1797000002.3,"logger":"http.log.error","msg":"dial tcp 127.0.0.1:9: connect: connection refused","request":{"proto":"HTTP/2.0","method":"GET","host":"a.example","uri":"/b"},"duration":0.5,"status":502}
{"level":"error","ts":1797000002.4,"logger":"http.log.access","msg":"handled request","request":{"proto":"HTTP/2.0","method":"GET","host":"a.example","uri":"/b"},"duration":0.5,"size":0,"status":502}
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="a.example"} 1
httpd_requests_total{method="GET",status_code="502",vhost="a.example"} 1
httpd_exporter_lines_total{outcome="counted"} 2
httpd_exporter_lines_total{outcome="foreign"} 2
httpd_exporter_lines_total{outcome="malformed"} 0
httpd_exporter_ready 1
stderr:
!does not fit
exit: 0
