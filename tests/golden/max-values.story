# Half of the places go to the first values, the rest must be earned by being frequent; other values are other, and
# how many lines that were is counted.
args: --once --format '%m %>s %{X}i' --label x=%{X}i --max-values 4
log:
GET 200 a
GET 200 b
GET 200 c
GET 200 d
GET 200 a
metrics:
httpd_requests_total{method="GET",status_code="200",x="a"} 2
httpd_requests_total{method="GET",status_code="200",x="b"} 1
httpd_requests_total{method="GET",status_code="200",x="other"} 2
httpd_exporter_label_overflow_total{label="x"} 2
exit: 0
