# The line's own time stays the truth.
args: --once --format common
log:
2031-03-05T04:05:06.5Z stdout F 192.0.2.7 - - [05/Mar/2030:04:05:06 +0100] "GET /a HTTP/1.1" 200 17
metrics:
httpd_last_request_timestamp_seconds 1898910306
exit: 0
