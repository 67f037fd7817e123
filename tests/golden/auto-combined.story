# Without --format the lines choose, and the choice is said.
args: --once
log:
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 5 "-" "curl/8.5.0"
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 5 "-" "curl/8.5.0"
metrics:
httpd_exporter_format_info{envelope="none",format="combined",text="%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\""} 1
httpd_requests_total{method="GET",status_code="200"} 2
stderr:
the format is `combined`
exit: 0
