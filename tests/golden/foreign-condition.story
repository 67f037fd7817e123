# A map of keys says by KEY==PATTERN which lines are requests; an empty pattern stands for an absent key.
args: --once --format 'json:kind==access*|,code=$status,verb=$request_method,path=$request_uri'
log:
{"kind":"access","code":200,"verb":"GET","path":"/"}
{"kind":"access_log","code":200,"verb":"GET","path":"/"}
{"kind":"error","code":500,"verb":"GET","path":"/"}
{"code":404,"verb":"GET","path":"/"}
{"kind":"access","verb":"GET"}
metrics:
httpd_requests_total{method="GET",status_code="200"} 2
httpd_requests_total{method="GET",status_code="404"} 1
httpd_exporter_lines_total{outcome="counted"} 3
httpd_exporter_lines_total{outcome="foreign"} 1
httpd_exporter_lines_total{outcome="malformed"} 1
exit: 0
