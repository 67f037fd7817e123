# A directive that gives two metrics is advised for both and added to the longer format once.
args: --explain --format '%h "%r" %>s %v %I %D %^FB %X %t'
log:
192.0.2.1 "GET / HTTP/1.1" 200 web.example 80 1500 900 + [03/Feb/2026:04:05:06 +0000]
stdout:
httpd_bytes_sent_total                         add %B
httpd_response_size_bytes                      add %B
LogFormat "%h \"%r\" %>s %v %I %D %^FB %X %t %B" timed
exit: 0
