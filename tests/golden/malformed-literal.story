# What does not fit is said once for each kind: what was expected, where, and what stood there.
args: --once --format common
log:
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] GET / HTTP/1.1 200 5
192.0.2.2 - - [03/Feb/2026:04:05:06 +0100] GET / HTTP/1.1 200 5
metrics:
httpd_exporter_malformed_lines_total{reason="literal"} 2
httpd_exporter_lines_total{outcome="malformed"} 2
stderr:
line 1 does not fit the format `common` (literal): expected "\"" at column 44 (before %r), found "GET / HTTP/1.1 200 5"
!line 2
exit: 0
