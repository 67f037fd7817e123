# docker compose logs: colours or none, a stamp behind the name, and other services' lines are no requests.
args: --once --label service=envelope:service --label container=envelope:container
log:
web-1  | 2031-03-05T04:05:06.123456789Z 192.0.2.7 - - [05/Mar/2031:04:05:06 +0100] "GET /a HTTP/1.1" 200 17
web-2  | 2031-03-05T04:05:07.123456789Z 192.0.2.7 - - [05/Mar/2031:04:05:07 +0100] "GET /a HTTP/1.1" 200 17
db-1   | 2031-03-05T04:05:07.223456789Z 2031-03-05 04:05:07 UTC [1] LOG:  checkpoint starting: time
metrics:
httpd_requests_total{container="web-1",method="GET",service="web",status_code="200"} 1
httpd_requests_total{container="web-2",method="GET",service="web",status_code="200"} 1
httpd_exporter_lines_total{outcome="foreign"} 1
httpd_exporter_format_info{envelope="prefix+stamp",format="common",text="%h %l %u %t \"%r\" %>s %b"} 1
exit: 0
