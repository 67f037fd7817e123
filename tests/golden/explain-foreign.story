# --explain says why a line is no request.
args: --explain --format caddy
log:
{"level":"error","ts":1,"msg":"no such host","request":{"method":"GET","host":"a.example","uri":"/b"},"status":502}
{"level":"info","ts":1,"msg":"handled request","request":{"method":"GET","host":"a.example","uri":"/b"},"status":200}
stdout:
Line 1 is no request (msg is no such host, of requests handled request|)
Line 2 fits:
1 of 2 lines fit, 1 are no requests.
exit: 0
