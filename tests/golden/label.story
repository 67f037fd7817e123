# A label from any field: a header, a part of the request, a parameter of the query.
args: --once --format combined --label agent=%{User-Agent}i --label proto=protocol --label lang=query:lang
log:
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET /?a=1&lang=de HTTP/1.1" 200 5 "-" "a\"b\\c"
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/2.0" 200 5 "-" "a\"b\\c"
metrics:
httpd_requests_total{agent="a\"b\\c",lang="de",method="GET",proto="HTTP/1.1",status_code="200"} 1
httpd_requests_total{agent="a\"b\\c",lang="",method="GET",proto="HTTP/2.0",status_code="200"} 1
exit: 0
