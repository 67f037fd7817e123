# HAProxy's own log-format as it stands in its configuration: the backend is the virtual host, the time until the server's
# headers the upstream's, and a state that begins with C a client that went away. Headers may be captured or not.
args: --once --format 'log-format "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %tsc %hr %{+Q}r"'
log:
192.0.2.10:40112 [03/Feb/2026:04:05:06.250] web shop/app3 0/0/2/30/45 200 1820 ---- {shop.example|curl/8} "GET /cart HTTP/1.1"
192.0.2.11:40113 [03/Feb/2026:04:05:07.001] web shop/<NOSRV> -1/-1/-1/-1/5 503 217 SC-- "GET / HTTP/1.1"
192.0.2.11:40114 [03/Feb/2026:04:05:08.001] web shop/app1 0/0/1/-1/200 400 0 CH-- "GET /slow HTTP/1.1"
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop"} 1
httpd_requests_total{method="GET",status_code="503",vhost="shop"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost="shop"} 0.045
httpd_upstream_response_duration_seconds_count{method="GET",status_class="2xx",vhost="shop"} 1
httpd_upstream_response_duration_seconds_count{method="GET",status_class="5xx",vhost="shop"} 0
httpd_aborted_requests_total{vhost="shop"} 1
exit: 0
