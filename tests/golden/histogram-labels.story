# Histograms bear the labels they are told to.
args: --once --format '%v %m %>s %D' --histogram-labels status_class
log:
a.example GET 200 1000
b.example POST 201 1000
metrics:
httpd_request_duration_seconds_count{status_class="2xx"} 2
httpd_requests_total{method="GET",status_code="200",vhost="a.example"} 1
exit: 0
