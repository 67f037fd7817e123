# JSON lines with keys of one's own: each is said to mean a directive or a variable.
args: --once --format 'json:http.code=%>s,verb=$request_method,took_us=%D,out=$bytes_sent,site=$server_name'
log:
{"verb":"PATCH","http":{"code":202},"took_us":1200,"out":"64","site":"a.example","extra":[1,{"b":null}]}
metrics:
httpd_requests_total{method="PATCH",status_code="202",vhost="a.example"} 1
httpd_request_duration_seconds_sum{method="PATCH",status_class="2xx",vhost="a.example"} 0.0012
httpd_bytes_sent_total{method="PATCH",status_code="202",vhost="a.example"} 64
exit: 0
