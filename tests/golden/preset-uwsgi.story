# uWSGI. It cuts a target at its first blank and has the rest before the protocol: that is no sound line.
args: --once --format uwsgi
log:
[pid: 7|app: 0|req: 1/1] 192.0.2.1 () {26 vars in 347 bytes} [Thu Mar  5 04:05:06 2031] GET /a => generated 77 bytes in 300 msecs (HTTP/1.1 200) 2 headers in 67 bytes (1 switches on core 0)
[pid: 7|app: 0|req: 2/2] 192.0.2.1 () {22 vars in 223 bytes} [Thu Mar  5 04:05:06 2031] GET /a => generated 6 bytes in 0 msecs (b HTTP/1.1 404) 1 headers in 40 bytes (1 switches on core 2)
[pid: 7|app: 0|req: 3/3] 192.0.2.1 (ann) {22 vars in 223 bytes} [Thu Mar  5 04:05:06 2031] GET /big => generated 900 bytes in 20 msecs via sendfile() (HTTP/1.1 206) 1 headers in 40 bytes (1 switches on core 2)
metrics:
httpd_requests_total{method="GET",status_code="206"} 1
httpd_requests_total{method="GET",status_code="200"} 1
! httpd_requests_total{method="GET",status_code="404"}
httpd_request_duration_seconds_sum{method="GET",status_class="2xx"} 0.32
httpd_bytes_sent_total{method="GET",status_code="200"} 77
httpd_exporter_lines_total{outcome="malformed"} 1
exit: 0
