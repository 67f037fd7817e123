# --log.format logfmt, as other exporters write.
args: --once --log.format logfmt
log:
192.0.2.7 - - [22/Nov/2026:08:00:00 +0000] "GET / HTTP/1.1" 200 512
stderr:
level=INFO msg="the format is `common`
exit: 0
