# A load balancer of AWS's counts the bytes that it received of HTTPS requests differently, and may have none.
args: --once
log:
https 2031-03-05T04:05:06.186641Z app/lb/50dc 192.0.2.1:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 "GET https://www.example.com:443/ HTTP/1.1" "curl/7.46.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:x "Root=1" "www.example.com" "arn:y" 1 2031-03-05T04:05:06.042000Z "forward" "-" "-" "10.0.0.1:80" "200" "-" "-" TID_1
stderr:
the format is `aws-alb`
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="www.example.com"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost="www.example.com"} 0.171
exit: 0
