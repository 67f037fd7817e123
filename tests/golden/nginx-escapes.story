# nginx writes quotes and bytes beyond ASCII as \xHH.
args: --once --format nginx --label agent=$http_user_agent
log:
192.0.2.10 - - [03/Feb/2026:03:05:06 +0000] "GET /\x22 HTTP/1.1" 200 0 "-" "caf\xC3\xA9 \x22x\x22 \x5C"
metrics:
httpd_requests_total{agent="café \"x\" \\",method="GET",status_code="200"} 1
exit: 0
