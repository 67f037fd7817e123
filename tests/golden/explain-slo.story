# --explain shows what objectives make of the lines, and the fields they are watched by.
args: --explain --format '%h "%r" %>s %D' --slo up=status<500 --slo fast=duration<0.3,status<500,method=GET --slo.labels method
log:
192.0.2.1 "GET /a HTTP/1.1" 200 1500
192.0.2.1 "GET /a HTTP/1.1" 200 300000
192.0.2.1 "POST /a HTTP/1.1" 200 1500
192.0.2.1 "GET /a HTTP/1.1" 503 1500
no line
stdout:
The objectives, and what they make of the lines that fit:
    up: status<500                                 3 good, 1 bad, from %>s
    fast: duration<0.3,status<500,method=GET       1 good, 2 bad, 1 neither, from %>s and %D
Each is counted by method.
exit: 0
