# A carriage return before the newline belongs to the line's end.
args: --once --format common
bytes:
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 5\r\n
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 6\r\n
metrics:
httpd_bytes_sent_total{method="GET",status_code="200"} 11
httpd_exporter_lines_total{outcome="counted"} 2
exit: 0
