# NAME==TEXT is a label with the same text in every line; the series that begin at zero bear it as well.
args: --once --format common --label site==shop
log:
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 5
metrics:
httpd_requests_total{method="GET",site="shop",status_code="200"} 1
httpd_requests_total{method="GET",site="shop",status_code="500"} 0
!httpd_requests_total{method="GET",site="other"
exit: 0
