# When the page is full, the sum stays right: free labels become other.
args: --once --format '%v %m %>s' --max-series 2
log:
a.example GET 200
b.example GET 200
c.example GET 200
d.example GET 200
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="a.example"} 1
httpd_requests_total{method="GET",status_code="200",vhost="b.example"} 1
httpd_requests_total{method="GET",status_code="200",vhost="other"} 2
httpd_exporter_label_overflow_total{label="(series)"} 2
exit: 0
