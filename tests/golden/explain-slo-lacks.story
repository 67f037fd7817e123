# --explain says which objective a format cannot tell, and what would add it.
args: --explain --format '%h "%r" %>s' --slo fast=duration<0.3
log:
192.0.2.1 "GET /a HTTP/1.1" 200
stdout:
httpd_request_duration_seconds                 add %D
The objectives cannot be watched in this format: --slo fast: the format has no duration.
exit: 0
