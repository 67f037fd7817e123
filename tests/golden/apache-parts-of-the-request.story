# A format without the request line: method, path, query and protocol on their own.
args: --once --format '%m %U%q %H %>s %O %I' --route '/a/*'
log:
GET /a/b?c=1 HTTP/1.1 200 10 20
GET /b HTTP/1.1 200 10 20
metrics:
httpd_requests_total{method="GET",route="/a/*",status_code="200"} 1
httpd_requests_total{method="GET",route="other",status_code="200"} 1
httpd_bytes_received_total{method="GET",route="other",status_code="200"} 20
exit: 0
