# Methods beyond the known nine are counted under other, as are those in lower case.
args: --once --format common
log:
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "OPTIONS * HTTP/1.1" 200 0
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "BREW /pot HTTP/1.1" 418 0
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "get / HTTP/1.1" 418 0
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "M-SEARCH * HTTP/1.1" 418 0
metrics:
httpd_requests_total{method="OPTIONS",status_code="200"} 1
httpd_requests_total{method="other",status_code="418"} 3
httpd_invalid_requests_total{reason="malformed"} 0
exit: 0
