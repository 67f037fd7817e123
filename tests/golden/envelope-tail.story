# tail of several files names each before its lines: the names are no requests, nor are the empty lines before them, and
# the file can be a label; the names of Kubernetes tell the pod.
args: --once --format common --label file=envelope:file --label pod=envelope:pod
log:
==> /var/log/a.log <==
192.0.2.7 - - [05/Mar/2031:04:05:06 +0100] "GET /a HTTP/1.1" 200 17

==> /var/log/pods/shop_web-1_0a1b/nginx/0.log <==
2031-03-05T04:05:06.1Z stdout F 192.0.2.7 - - [05/Mar/2031:04:05:06 +0100] "GET /a HTTP/1.1" 200 17
metrics:
httpd_requests_total{file="/var/log/a.log",method="GET",pod="",status_code="200"} 1
httpd_requests_total{file="/var/log/pods/shop_web-1_0a1b/nginx/0.log",method="GET",pod="web-1",status_code="200"} 1
httpd_exporter_lines_total{outcome="counted"} 2
httpd_exporter_lines_total{outcome="foreign"} 3
httpd_exporter_lines_total{outcome="malformed"} 0
exit: 0
