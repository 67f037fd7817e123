# The same %D is milliseconds in Tomcat 9 and microseconds since 10.1: the name before the colon says which.
args: --once --format 'tomcat9:%h %l %u %t "%r" %s %b %D'
log:
192.0.2.1 - - [05/Mar/2026:04:05:06 +0100] "GET /ok HTTP/1.1" 200 1234 307
metrics:
httpd_request_duration_seconds_sum{method="GET",status_class="2xx"} 0.307
exit: 0
