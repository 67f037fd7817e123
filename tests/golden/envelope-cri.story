# Lines of containerd and CRI-O: pieces are joined, each stream's apart, and lines of stderr are no requests. The pieces
# before the last are no requests either, so a line in pieces is counted once.
args: --once --format common --label stream=envelope:stream
log:
2031-03-05T04:05:06.1Z stdout F 192.0.2.7 - - [05/Mar/2031:04:05:06 +0100] "GET /a HTTP/1.1" 200 17
2031-03-05T04:05:06.2Z stdout P 192.0.2.8 - - [05/Mar/2031:04:05:06 +0100] "GET /
2031-03-05T04:05:06.3Z stderr F 2031/03/05 04:05:06 [error] 29#29: *1 open() "/b" failed (2: No such file or directory)
2031-03-05T04:05:06.4Z stdout P bb
2031-03-05T04:05:06.5+00:00 stdout F  HTTP/1.1" 404 153
metrics:
httpd_requests_total{method="GET",status_code="200",stream="stdout"} 1
httpd_requests_total{method="GET",status_code="404",stream="stdout"} 1
httpd_exporter_lines_total{outcome="counted"} 2
httpd_exporter_lines_total{outcome="foreign"} 3
httpd_exporter_lines_total{outcome="malformed"} 0
httpd_exporter_format_info{envelope="cri",format="common",text="%h %l %u %t \"%r\" %>s %b"} 1
stderr:
the envelope is `cri`
exit: 0
