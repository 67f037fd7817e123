# `client` is the kind of client by its user agent.
args: --once --format combined --label client=client
log:
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 5 "-" "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0"
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 5 "-" "Mozilla/5.0 (compatible; GPTBot/1.3; +https://openai.com/gptbot)"
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 5 "-" "curl/8.5.0"
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 5 "-" "-"
metrics:
httpd_requests_total{client="browser",method="GET",status_code="200"} 1
httpd_requests_total{client="ai_crawler",method="GET",status_code="200"} 1
httpd_requests_total{client="tool",method="GET",status_code="200"} 1
httpd_requests_total{client="other",method="GET",status_code="200"} 1
exit: 0
