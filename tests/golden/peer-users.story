# A label for the users that matter, the rest under `other`; on the histograms too, the path only on counters.
args: --once --format '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent $request_time' --label user=$remote_user --label-values user=ann --label path=path --histogram-labels method,status_class,user
log:
203.0.113.4 - - [03/Feb/2026:04:05:06 +0100] "GET /users HTTP/1.1" 200 612 10.000
203.0.113.4 - ann [03/Feb/2026:04:05:06 +0100] "GET /groups HTTP/1.1" 200 518 10.000
metrics:
httpd_requests_total{method="GET",path="/users",status_code="200",user="other"} 1
httpd_requests_total{method="GET",path="/groups",status_code="200",user="ann"} 1
httpd_request_duration_seconds_count{method="GET",status_class="2xx",user="ann"} 1
httpd_request_duration_seconds_count{method="GET",status_class="2xx",user="other"} 1
httpd_response_size_bytes_sum{method="GET",status_class="2xx",user="ann"} 518
httpd_response_size_bytes_sum{method="GET",status_class="2xx",user="other"} 612
!httpd_request_duration_seconds_count{method="GET",path
exit: 0
