# The line's own time stays the truth.
args: --once --format common
log:
2021-03-05T04:05:06.5Z stdout F 192.0.2.7 - - [05/Mar/2020:04:05:06 +0100] "GET /a HTTP/1.1" 200 17
metrics:
httpd_last_request_timestamp_seconds 1583377506
exit: 0
