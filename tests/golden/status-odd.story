# A status that is no status is other; so is one that is absent.
args: --once --format '%m %>s'
log:
GET -
GET 000
GET 999
GET 600
metrics:
httpd_requests_total{method="GET",status_code="other"} 4
httpd_exporter_lines_total{outcome="counted"} 4
exit: 0
