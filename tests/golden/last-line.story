# A last line without a newline counts at the end of input.
args: --once --format common
bytes:
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 5\n
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 6
metrics:
httpd_exporter_lines_total{outcome="counted"} 2
httpd_bytes_sent_total{method="GET",status_code="200"} 11
exit: 0
