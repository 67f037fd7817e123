# A time stamp from a clock that was wrong is not the newest time for the years until it comes.
args: --once --format common
log:
192.0.2.10 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 1
192.0.2.10 - - [03/Feb/2096:04:05:06 +0100] "GET / HTTP/1.1" 200 1
metrics:
httpd_requests_total{method="GET",status_code="200"} 2
httpd_last_request_timestamp_seconds 1770087906
exit: 0
