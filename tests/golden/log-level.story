# --log.level warn leaves out what is only good to know.
args: --once --log.level warn
log:
192.0.2.7 - - [22/Nov/2026:08:00:00 +0000] "GET / HTTP/1.1" 200 512
metrics:
httpd_exporter_lines_total{outcome="counted"} 1
stderr:
!the format is
exit: 0
