# What shippers write: the line is a string in an object, or an array of its bytes; names beside it can be labels.
args: --once --format common --label pod=envelope:pod --label host=envelope:host
log:
{"@timestamp":"2031-03-05T04:05:06Z","log":{"file":{"path":"/var/log/a.log"}},"message":"192.0.2.7 - - [05/Mar/2031:04:05:06 +0100] \"GET /\u0061 HTTP/1.1\" 200 17","host":{"name":"web1"}}
{"log":"192.0.2.7 - - [05/Mar/2031:04:05:06 +0100] \"GET /a HTTP/1.1\" 200 17","kubernetes":{"pod_name":"web-1"}}
{"_HOSTNAME":"web1","MESSAGE":[49,50,55,46,48,46,48,46,49,32,45,32,45,32,91,48,53,47,77,97,114,47,50,48,51,49,58,48,52,58,48,53,58,48,54,32,43,48,49,48,48,93,32,34,71,69,84,32,47,255,32,72,84,84,80,47,49,46,49,34,32,50,48,48,32,49,55]}
metrics:
httpd_requests_total{host="web1",method="GET",pod="",status_code="200"} 2
httpd_requests_total{host="",method="GET",pod="web-1",status_code="200"} 1
httpd_exporter_lines_total{outcome="counted"} 3
exit: 0
