# chi.
args: --once --format chi
log:
2031/03/05 04:05:06 [vm/1-000001] "GET http://shop.example/a HTTP/1.1" from 192.0.2.1:5 - 200 77B in 21.982µs
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop.example"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost="shop.example"} 0.000021982
httpd_bytes_sent_total{method="GET",status_code="200",vhost="shop.example"} 77
exit: 0
