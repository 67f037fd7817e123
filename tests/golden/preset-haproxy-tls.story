# HAProxy's httplog with what TLS was spoken before the request, as its manual shows for a custom log-format.
args: --once --format haproxy-tls
log:
192.0.2.3:2842 [05/Mar/2031:04:05:06.065] web~ shop/app1 0/0/1/6/7 200 649 - - ---- 2/2/0/0/0 0/0 {www.example.com|curl} TLSv1.3 TLS_AES_256_GCM_SHA384 "GET /path HTTP/1.1"
192.0.2.3:2843 [05/Mar/2031:04:05:07.065] web~ shop/<NOSRV> 0/-1/-1/-1/3000 503 213 - - sC-- 2/2/0/0/0 0/0 TLSv1.3 TLS_AES_256_GCM_SHA384 "POST /path HTTP/2.0"
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop"} 1
httpd_request_duration_seconds_sum{method="POST",status_class="5xx",vhost="shop"} 3
exit: 0
