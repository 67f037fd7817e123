# Modifiers stand in any order: the final status, a header only for some statuses.
args: --once --format '%h "%r" %>s %!200,304{Referer}i %400,501{User-agent}i %B'
log:
192.0.2.1 "GET / HTTP/1.1" 200 - - 12
192.0.2.1 "GET / HTTP/1.1" 404 https://www.example/ - 0
metrics:
httpd_requests_total{method="GET",status_code="200"} 1
httpd_requests_total{method="GET",status_code="404"} 1
exit: 0
