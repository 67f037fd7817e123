# --label-map turns many values into few: the first pattern that matches wins, and i: matches in any case.
args: --once --format '"%r" %>s "%{Content-Type}o"' --label 'type=%{Content-Type}o' --label-map 'type=text/html*=html' --label-map 'type=i:image/*=picture' --label-map 'type=text/*=text'
log:
"GET / HTTP/1.1" 200 "text/html;charset=utf-8"
"GET /a HTTP/1.1" 200 "text/html"
"GET /b HTTP/1.1" 200 "text/css"
"GET /c HTTP/1.1" 200 "IMAGE/png"
"GET /d HTTP/1.1" 200 "font/woff2"
metrics:
httpd_requests_total{method="GET",status_code="200",type="html"} 2
httpd_requests_total{method="GET",status_code="200",type="text"} 1
httpd_requests_total{method="GET",status_code="200",type="picture"} 1
httpd_requests_total{method="GET",status_code="200",type="font/woff2"} 1
exit: 0
