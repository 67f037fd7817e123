# Pieces of two containers' lines do not mix: what tells the containers apart is what the heads tell.
args: --once --format common --label pod=envelope:pod
log:
[pod/a-1/web] 2031-03-05T04:05:06.1Z stdout P 192.0.2.7 - - [05/Mar/2031:04:05:06 +0100] "GET /a
[pod/b-1/web] 2031-03-05T04:05:06.1Z stdout P 192.0.2.8 - - [05/Mar/2031:04:05:06 +0100] "PUT /b
[pod/a-1/web] 2031-03-05T04:05:06.2Z stdout F  HTTP/1.1" 200 17
[pod/b-1/web] 2031-03-05T04:05:06.2Z stdout F  HTTP/1.1" 201 18
metrics:
httpd_requests_total{method="GET",pod="a-1",status_code="200"} 1
httpd_requests_total{method="PUT",pod="b-1",status_code="201"} 1
httpd_exporter_lines_total{outcome="counted"} 2
httpd_exporter_lines_total{outcome="foreign"} 2
exit: 0
