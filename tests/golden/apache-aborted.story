# %X is X when the client went away before the answer was complete.
args: --once --format '%v %m %>s %X'
log:
a.example GET 200 X
a.example GET 200 +
a.example GET 200 -
b.example GET 200 X
metrics:
httpd_aborted_requests_total{vhost="a.example"} 1
httpd_aborted_requests_total{vhost="b.example"} 1
httpd_exporter_lines_total{outcome="counted"} 4
exit: 0
