# A LogFormat may be given as it stands in httpd.conf, with its escaped quotes, its keyword and its name.
args: --once --format 'LogFormat "%h \"%r\" %>s %b" mine'
log:
192.0.2.1 "GET / HTTP/1.1" 200 12
metrics:
httpd_bytes_sent_total{method="GET",status_code="200"} 12
exit: 0
