# uvicorn, with a line that is no request.
args: --once --format uvicorn
log:
INFO:     192.0.2.1:5 - "GET /a HTTP/1.1" 200 OK
INFO:     Started server process [7]
metrics:
httpd_requests_total{method="GET",status_code="200"} 1
httpd_exporter_lines_total{outcome="foreign"} 1
exit: 0
