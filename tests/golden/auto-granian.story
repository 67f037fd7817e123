# granian's line ends in a number without a name, and no other server writes a line of its shape: its unit is known.
args: --once
log:
[INFO] Starting granian (main PID: 4242)
[2031-03-05 04:05:06 +0100] 192.0.2.1 - "GET /a HTTP/1.1" 200 300.77
[2031-03-05 04:05:07 +0100] 192.0.2.1 - "GET /b HTTP/1.1" 200 0.23
metrics:
httpd_request_duration_seconds_count{method="GET",status_class="2xx"} 2
httpd_request_duration_seconds_sum{method="GET",status_class="2xx"} 0.301
httpd_exporter_lines_total{outcome="foreign"} 1
exit: 0
