# With --mixed what does not fit is no request, however much of it there is, and no reason for a doubt.
args: --once --format common --mixed
log:
Starting server at 0.0.0.0:8000

Traceback (most recent call last):
  File "/app/main.py", line 7, in <module>
192.0.2.7 - - [05/Mar/2031:04:05:06 +0100] "GET / HTTP/1.1" 200 17
KeyError: 'x'
metrics:
httpd_requests_total{method="GET",status_code="200"} 1
httpd_exporter_lines_total{outcome="counted"} 1
httpd_exporter_lines_total{outcome="foreign"} 5
httpd_exporter_lines_total{outcome="malformed"} 0
httpd_exporter_ready 1
stderr:
!fit
exit: 0
