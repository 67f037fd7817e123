# Tomcat's JSON up to 9.0.
args: --once --format tomcat9-json
log:
{"host":"192.0.2.1","time":"[05/Mar/2031:04:05:06 +0100]","request":"GET /a HTTP/1.1","statusCode":"200","size":"77","elapsedTime":"307","firstByteTime":"12","localServerName":"shop.example"}
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop.example"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost="shop.example"} 0.307
httpd_time_to_first_byte_seconds_sum{method="GET",status_class="2xx",vhost="shop.example"} 0.012
exit: 0
