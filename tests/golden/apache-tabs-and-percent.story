# \t is a tab and %% a percent sign.
args: --once --format '%m\t%>s\t100%%'
bytes:
GET\t200\t100%\n
metrics:
httpd_requests_total{method="GET",status_code="200"} 1
exit: 0
