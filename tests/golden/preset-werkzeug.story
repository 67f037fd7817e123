# Werkzeug colours what is no plain 200.
args: --once --format werkzeug
log:
192.0.2.1 - - [05/Mar/2031 04:05:06] "[33mGET /a?b="c" HTTP/1.1[0m" 404 -
metrics:
httpd_requests_total{method="GET",status_code="404"} 1
exit: 0
