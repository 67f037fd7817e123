# Tomcat since 10.1: microseconds.
args: --once --format tomcat_D
log:
192.0.2.1 - - [05/Mar/2031:04:05:06 +0100] "GET /a?b=c HTTP/1.1" 200 77 "-" "curl" 307
metrics:
httpd_requests_total{method="GET",status_code="200"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx"} 0.000307
exit: 0
