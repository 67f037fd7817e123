# The ingress controller: request time in seconds, and the times of all upstreams that were asked.
args: --once --format ingress-nginx
log:
192.0.2.10 - - [03/Feb/2026:03:05:06 +0000] "GET /cart HTTP/1.1" 200 612 "-" "curl/8.5.0" 401 0.260 [shop-web-80] [] 10.1.0.7:8080, 10.1.0.8:8080 0, 612 0.050, 0.200 502, 200 5f2c8a91d0e34b67
192.0.2.10 - - [03/Feb/2026:03:05:06 +0000] "GET /gone HTTP/1.1" 503 190 "-" "curl/8.5.0" 90 0.000 [shop-web-80] [] - - - - 5f2c8a91d0e34b68
metrics:
httpd_bytes_received_total{method="GET",status_code="200"} 401
httpd_request_duration_seconds_sum{method="GET",status_class="2xx"} 0.26
httpd_upstream_response_duration_seconds_sum{method="GET",status_class="2xx"} 0.25
httpd_upstream_response_duration_seconds_count{method="GET",status_class="2xx"} 1
httpd_upstream_response_duration_seconds_count{method="GET",status_class="5xx"} 0
httpd_exporter_lines_total{outcome="counted"} 2
exit: 0
