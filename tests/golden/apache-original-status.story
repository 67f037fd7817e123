# Of %s and %>s the one that was sent counts.
args: --once --format '%m %s %>s'
log:
GET 404 200
metrics:
httpd_requests_total{method="GET",status_code="200"} 1
httpd_requests_total{method="GET",status_code="404"} 0
exit: 0
