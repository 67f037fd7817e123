# --explain takes the head off as the counting does, and shows what it tells.
args: --explain --format common
log:
2031-03-05T04:05:06.1Z stdout F 192.0.2.7 - - [05/Mar/2031:04:05:06 +0100] "GET /a HTTP/1.1" 200 17
2031-03-05T04:05:06.3Z stderr F 2031/03/05 04:05:06 [error] 29#29: *1 open() "/b" failed
2031-03-05T04:05:06.2Z stdout P 192.0.2.8 - - [05/Mar/2031:04:05:06 +0100] "GET /
2031-03-05T04:05:06.5Z stdout F b HTTP/1.1" 404 153
stdout:
The envelope is `cri`, as in:
Line 1 fits:
envelope:stream          stdout
Line 2 is no request (the envelope tells):
Line 3 is no request (a piece of a line that goes on):
Line 4 fits:
2 of 4 lines fit, 2 are no requests.
exit: 0
