# A preset under which no request is one, though all were answered with 200, is not the format of the lines.
args: --once
log:
192.0.2.5:33317 [06/Feb/2009:12:14:14.655] fe bk/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {a} {} "GET / HTTP/1.1" 0/0 "x"
192.0.2.5:33318 [06/Feb/2009:12:14:15.655] fe bk/srv1 10/0/30/69/109 200 50 - - ---- 1/1/1/1/0 0/0 {a} {} "GET /a HTTP/1.1" 0/0 "x"
metrics:
httpd_exporter_lines_total{outcome="counted"} 0
stderr:
2 of 2 lines fit none of the presets
exit: 0
