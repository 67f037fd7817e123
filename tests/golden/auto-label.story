# Labels go with a format that the lines choose: they are in effect from the first line.
args: --once --label path=path --label lang=query:lang --histogram-labels method,lang
log:
203.0.113.4 - - [03/Feb/2026:04:05:06 +0100] "GET /a?lang=mi HTTP/1.1" 200 612 "-" "curl/8"
metrics:
httpd_requests_total{lang="mi",method="GET",path="/a",status_code="200"} 1
httpd_response_size_bytes_count{lang="mi",method="GET"} 1
stderr:
the format is `combined`
exit: 0
