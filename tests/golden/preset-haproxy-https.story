# HAProxy's option httpslog.
args: --once --format haproxy-https
log:
192.0.2.1:4431 [05/Mar/2031:04:05:06.642] fe~ be/s1 0/0/0/89/91 200 1373 - - ---- 1/1/0/0/0 0/0 "GET /a?b=c HTTP/1.1" 0/0000000000000000/0/0/0 shop.example/TLSv1.3/TLS_AES_128_GCM_SHA256
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="be"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost="be"} 0.091
httpd_upstream_response_duration_seconds_sum{method="GET",status_class="2xx",vhost="be"} 0.089
exit: 0
