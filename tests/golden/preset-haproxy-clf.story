# HAProxy's option httplog clf: a state that begins with C is a client that went away.
args: --once --format haproxy-clf
log:
192.0.2.1 - - [05/Mar/2031:04:05:06 +0100] "GET /a?b=c HTTP/1.1" 200 1373 "" "" 43146 668 "fe" "be" "s1" 0 0 0 89 91 CD-- 1 1 0 0 0 0 0 "" "" 
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="be"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost="be"} 0.091
httpd_upstream_response_duration_seconds_sum{method="GET",status_class="2xx",vhost="be"} 0.089
httpd_aborted_requests_total{vhost="be"} 1
exit: 0
