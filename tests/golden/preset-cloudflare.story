# Cloudflare's Logpush.
args: --once --format cloudflare
log:
{"EdgeResponseStatus":200,"ClientRequestMethod":"GET","ClientRequestURI":"/a","ClientRequestHost":"shop.example","EdgeResponseBytes":77,"EdgeTimeToFirstByteMs":12}
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop.example"} 1
httpd_time_to_first_byte_seconds_sum{method="GET",status_class="2xx",vhost="shop.example"} 0.012
httpd_bytes_sent_total{method="GET",status_code="200",vhost="shop.example"} 77
exit: 0
