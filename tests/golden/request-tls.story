# A TLS handshake on a plain port is an invalid request, and still a request with the status it was answered with.
args: --once --format combined
log:
192.0.2.66 - - [03/Feb/2026:04:05:06 +0100] "\x16\x03\x01\x02" 400 226 "-" "-"
metrics:
httpd_invalid_requests_total{reason="tls"} 1
httpd_invalid_requests_total{reason="malformed"} 0
httpd_requests_total{method="other",status_code="400"} 1
httpd_exporter_lines_total{outcome="counted"} 1
exit: 0
