# Where there are no more histograms to be had, it is said how many lines have none of their own.
args: --once --format '%v %m %>s %D' --max-series 2
log:
a.example GET 200 100
b.example GET 200 100
c.example GET 200 100
metrics:
httpd_request_duration_seconds_count{method="GET",status_class="2xx",vhost="a.example"} 1
httpd_exporter_label_overflow_total{label="(series)"} 1
httpd_exporter_label_overflow_total{label="(histograms)"} 1
exit: 0
