# Series of closed sets are there from the start, with every value of a closed label.
args: --once --format common --label user=%u --label-values user=app,batch
metrics:
httpd_requests_total{method="GET",status_code="500",user="app"} 0
httpd_requests_total{method="POST",status_code="502",user="batch"} 0
httpd_requests_total{method="GET",status_code="200",user="other"} 0
exit: 0
