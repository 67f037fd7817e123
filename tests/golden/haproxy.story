# HAProxy's httplog, as syslog wrote it: the last of the five times is the whole, in milliseconds; the backend is the
# virtual host.
args: --once --format haproxy
log:
Feb  3 04:05:06 lb1 haproxy[812]: 192.0.2.10:40112 [03/Feb/2026:04:05:06.250] web shop/app3 0/0/2/30/45 200 1820 - - ---- 12/10/3/1/0 0/0 "GET /cart HTTP/1.1"
192.0.2.11:40113 [03/Feb/2026:04:05:07.001] web shop/<NOSRV> -1/-1/-1/-1/5 503 217 - - SC-- 1/1/0/0/0 0/0 "GET / HTTP/1.1"
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop"} 1
httpd_requests_total{method="GET",status_code="503",vhost="shop"} 1
httpd_bytes_sent_total{method="GET",status_code="200",vhost="shop"} 1820
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost="shop"} 0.045
httpd_exporter_lines_total{outcome="counted"} 2
exit: 0
