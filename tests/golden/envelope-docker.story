# Docker's json-file: lines are unescaped, pieces without a newline are joined, stderr is no requests.
args: --once
log:
{"log":"192.0.2.7 - - [05/Mar/2031:04:05:06 +0100] \"GET /a?q=\\x22b\\x22 HTTP/1.1\" 200 17 \"-\" \"curl/9\"\n","stream":"stdout","time":"2031-03-05T04:05:06.1Z"}
{"log":"192.0.2.8 - - [05/Mar/2031:04:05:06 +0100] \"GET /","stream":"stdout","time":"2031-03-05T04:05:06.2Z"}
{"log":"2031/03/05 04:05:06 [notice] 1#1: start worker processes\n","stream":"stderr","time":"2031-03-05T04:05:06.3Z"}
{"log":"bb HTTP/1.1\" 404 153 \"-\" \"curl/9\"\n","stream":"stdout","time":"2031-03-05T04:05:06.4Z"}
metrics:
httpd_requests_total{method="GET",status_code="200"} 1
httpd_requests_total{method="GET",status_code="404"} 1
httpd_exporter_lines_total{outcome="counted"} 2
httpd_exporter_lines_total{outcome="foreign"} 2
httpd_exporter_lines_total{outcome="malformed"} 0
stderr:
the format is `combined`
the envelope is `docker`
exit: 0
