# Request lines that make no sense are counted under method other.
args: --once --format combined
log:
192.0.2.66 - - [03/Feb/2026:04:05:06 +0100] "hello" 400 226 "-" "-"
192.0.2.66 - - [03/Feb/2026:04:05:06 +0100] "SSH-2.0-Probe" 400 226 "-" "-"
192.0.2.66 - - [03/Feb/2026:04:05:06 +0100] "\x03\x04 xyz" 400 226 "-" "-"
metrics:
httpd_invalid_requests_total{reason="malformed"} 3
httpd_requests_total{method="other",status_code="400"} 3
exit: 0
