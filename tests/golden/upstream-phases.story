# The phases that HAProxy logs before a server answers, each as a histogram: the time in a queue (%Tw) and the time to
# connect (%Tc). What never came to that is -1, and counts for neither.
args: --once --format haproxy --upstream-phases
log:
192.0.2.10:40112 [03/Feb/2026:04:05:06.250] web shop/app3 0/250/2/30/295 200 1820 - - ---- 12/10/3/1/0 0/4 "GET /cart HTTP/1.1"
192.0.2.10:40113 [03/Feb/2026:04:05:06.350] web shop/app3 0/0/1/30/45 200 1820 - - ---- 12/10/3/1/0 0/0 "GET /cart HTTP/1.1"
192.0.2.11:40114 [03/Feb/2026:04:05:07.001] web shop/<NOSRV> -1/-1/-1/-1/5 503 217 - - SC-- 1/1/0/0/0 0/0 "GET / HTTP/1.1"
192.0.2.11:40115 [03/Feb/2026:04:05:08.001] web shop/app4 0/1000/-1/-1/1500 503 217 - - sC-- 1/1/0/0/0 0/0 "GET / HTTP/1.1"
metrics:
httpd_upstream_queue_duration_seconds_sum{method="GET",status_class="2xx",vhost="shop"} 0.25
httpd_upstream_queue_duration_seconds_count{method="GET",status_class="2xx",vhost="shop"} 2
httpd_upstream_queue_duration_seconds_sum{method="GET",status_class="5xx",vhost="shop"} 1
httpd_upstream_queue_duration_seconds_count{method="GET",status_class="5xx",vhost="shop"} 1
httpd_upstream_connect_duration_seconds_sum{method="GET",status_class="2xx",vhost="shop"} 0.003
httpd_upstream_connect_duration_seconds_count{method="GET",status_class="2xx",vhost="shop"} 2
httpd_upstream_connect_duration_seconds_count{method="GET",status_class="5xx",vhost="shop"} 0
httpd_upstream_response_duration_seconds_sum{method="GET",status_class="2xx",vhost="shop"} 0.06
exit: 0
