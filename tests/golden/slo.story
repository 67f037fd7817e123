# --slo counts good and bad at any threshold; where a line lacks a figure and fails no condition, it is neither.
args: --once --format '%v "%r" %>s %D' --slo fast=duration<0.3,status<500 --slo up=status<500 --slo posts=status!=404,method=POST,path!=/health*
log:
a "GET / HTTP/1.1" 200 299999
a "GET / HTTP/1.1" 200 300000
b "GET / HTTP/1.1" 503 10
b "GET / HTTP/1.1" 200 -
b "POST /x HTTP/1.1" 404 10
b "POST /x HTTP/1.1" 200 10
b "POST /health/1 HTTP/1.1" 200 10
metrics:
httpd_slo_requests_total{result="good",slo="fast"} 4
httpd_slo_requests_total{result="bad",slo="fast"} 2
httpd_slo_requests_total{result="good",slo="up"} 6
httpd_slo_requests_total{result="bad",slo="up"} 1
httpd_slo_requests_total{result="good",slo="posts"} 1
httpd_slo_requests_total{result="bad",slo="posts"} 1
httpd_exporter_label_overflow_total{label="(slo)"} 0
exit: 0
