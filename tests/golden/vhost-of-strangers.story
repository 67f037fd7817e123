# A Host header is a stranger's word: its values are capped like any label's.
args: --once --format '%V %m %>s' --max-values 1
log:
a.example GET 200
b.example:8080 GET 200
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="a.example"} 1
httpd_requests_total{method="GET",status_code="200",vhost="other"} 1
httpd_exporter_label_overflow_total{label="vhost"} 1
exit: 0
