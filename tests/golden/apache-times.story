# Times of every kind: epoch seconds, milliseconds, with a fraction behind.
args: --once --format '%{sec}t.%{msec_frac}t %m %>s'
log:
1770087906.125 GET 200
metrics:
httpd_requests_total{method="GET",status_code="200"} 1
exit: 0
