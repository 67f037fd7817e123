# JSON strings may hold escapes, quotes and braces; a key of the same name deeper down is another key.
args: --once --format json --label agent=http_user_agent
log:
{"status":200,"request":"GET /\"x\" HTTP/1.1","http_user_agent":"a \"b\" \u00e9 }{","inner":{"status":500}}
metrics:
httpd_requests_total{agent="a \"b\" é }{",method="GET",status_code="200",vhost=""} 1
exit: 0
