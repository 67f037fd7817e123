# CloudFront in JSON: status 000 is none.
args: --once --format cloudfront-json
log:
{"date":"2031-03-05","time":"04:05:06","sc-bytes":"0","cs-method":"GET","cs-uri-stem":"/a","sc-status":"000","x-host-header":"shop.example","time-taken":"1.500","time-to-first-byte":"-"}
metrics:
httpd_requests_total{method="GET",status_code="other",vhost="shop.example"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="other",vhost="shop.example"} 1.5
! httpd_aborted_requests_total{
exit: 0
