# AWS S3: the request may be a bare dash.
args: --once --format aws-s3
log:
79a5 bucket [05/Mar/2031:04:05:06 +0100] 192.0.2.1 - A120 REST.GET.OBJECT a.html "GET /a?b=c HTTP/1.1" 200 - 297 297 38 12 "-" "curl" -
79a5 bucket [05/Mar/2031:04:05:06 +0100] 192.0.2.1 - 8CD7 BATCH.DELETE.OBJECT a.war - 204 - - 344017 - - - - -
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="bucket"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost="bucket"} 0.038
httpd_time_to_first_byte_seconds_sum{method="GET",status_class="2xx",vhost="bucket"} 0.012
httpd_exporter_lines_total{outcome="counted"} 2
exit: 0
