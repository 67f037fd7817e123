# Quantiles of a format without a duration are not waited for in silence.
args: --once --format common --quantiles 0.5
log:
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 5
metrics:
httpd_requests_total{method="GET",status_code="200"} 1
stderr:
--quantiles: the format has no duration
exit: 0
