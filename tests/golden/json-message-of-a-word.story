# A message that holds no request is no line: the keys around it are looked at.
args: --once
log:
{"level":"info","ts":1797000001.2,"msg":"request","method":"GET","path":"/ok","host":"a.example","status":200,"bytes":1234,"took":0.25}
{"level":"info","ts":1797000002.2,"msg":"request","method":"POST","path":"/p","host":"a.example","status":201,"bytes":10,"took":1.5}
metrics:
httpd_exporter_lines_total{outcome="malformed"} 2
stderr:
only you know the unit of took. If took is how long a request took, give --format 'json:ts=$time,method=$request_method,path=$request_uri,host=$host,status=$status,bytes=$body_bytes_sent,took=$duration_s' for seconds
!nickname
exit: 0
