# Syslog in every shape beside a format that is given: on the wire and in files, with a host and without, old and new.
args: --once --format common --label host=envelope:host --label tag=envelope:tag
log:
Mar  5 04:05:06 web1 nginx: 192.0.2.7 - - [05/Mar/2031:04:05:06 +0100] "GET /a HTTP/1.1" 200 17
<190>Mar  5 04:05:06 web1 nginx: 192.0.2.7 - - [05/Mar/2031:04:05:06 +0100] "GET /a HTTP/1.1" 200 17
<134>Mar  5 04:05:06 httpd[42]: 192.0.2.7 - - [05/Mar/2031:04:05:06 +0100] "GET /a HTTP/1.1" 200 17
2031-03-05T04:05:06.123456+01:00 web1 nginx[7]: 192.0.2.7 - - [05/Mar/2031:04:05:06 +0100] "GET /a HTTP/1.1" 200 17
<190>1 2031-03-05T04:05:06.7Z web1 nginx 42 - [x@1 a="b\"]"] 192.0.2.7 - - [05/Mar/2031:04:05:06 +0100] "GET /a HTTP/1.1" 200 17
128 <190>1 2031-03-05T04:05:06.7Z web1 nginx - - - 192.0.2.7 - - [05/Mar/2031:04:05:06 +0100] "GET /a HTTP/1.1" 200 17
-- Boot 0dc874d3fbd44bdbb6fbcfaa27481492 --
Mar  5 04:05:06 web1 systemd[1]: Reloading nginx.service...
metrics:
httpd_requests_total{host="",method="GET",status_code="200",tag="httpd"} 1
httpd_requests_total{host="web1",method="GET",status_code="200",tag="nginx"} 5
httpd_exporter_lines_total{outcome="counted"} 6
httpd_exporter_lines_total{outcome="foreign"} 2
httpd_exporter_lines_total{outcome="malformed"} 0
exit: 0
