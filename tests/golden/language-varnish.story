# varnishncsa writes the whole URL into the request line: its host is the virtual host.
args: --once --format 'varnish:%h %l %u %t "%r" %s %b %{Varnish:time_firstbyte}x'
log:
192.0.2.1 - - [05/Mar/2026:04:05:06 +0100] "GET http://shop.example/ok?x=1 HTTP/1.1" 200 1234 0.001479
192.0.2.1 - - [05/Mar/2026:04:05:06 +0100] "GET http://localhost/ok HTTP/1.0" 200 1234 0.000500
192.0.2.1 - - [05/Mar/2026:04:05:06 +0100] "GET http://shop.example/pipe HTTP/1.1" - - 0.000033
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop.example"} 1
httpd_requests_total{method="GET",status_code="200",vhost="localhost"} 1
httpd_requests_total{method="GET",status_code="other",vhost="shop.example"} 1
httpd_time_to_first_byte_seconds_sum{method="GET",status_class="2xx",vhost="shop.example"} 0.001479
exit: 0
