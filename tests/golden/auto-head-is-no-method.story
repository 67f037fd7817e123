# The words of a head are no method and no path: a format that would read them so does not read the lines.
args: --once
log:
2031-03-05T04:05:06.000000001Z stdout F GET /a?b=c 200 1234 - 1.5 ms
2031-03-05T04:05:07.000000001Z stdout F POST /b 201 10 - 0.5 ms
metrics:
httpd_requests_total{method="GET",status_code="200"} 1
httpd_requests_total{method="POST",status_code="201"} 1
!httpd_requests_total{method="other",status_code="200"}
stderr:
the envelope is `cri`
exit: 0
