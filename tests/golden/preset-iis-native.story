# IIS's own log file format.
args: --once --format iis-native
log:
192.0.2.9, -, 3/5/2031, 4:05:06, W3SVC1, WEB01, 10.0.0.5, 4502, 163, 3223, 200, 0, GET, /DeptLogo.gif, -,
192.0.2.9, SHOP\ann, 3/5/2031, 4:05:07, W3SVC1, WEB01, 10.0.0.5, 12, 163, 0, 404, 2, POST, /x, a=b,
metrics:
httpd_requests_total{method="GET",status_code="200"} 1
httpd_requests_total{method="POST",status_code="404"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx"} 4.502
httpd_bytes_sent_total{method="GET",status_code="200"} 3223
httpd_bytes_received_total{method="GET",status_code="200"} 163
exit: 0
