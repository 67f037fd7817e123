# A key of a map that no line has is said, since its metric would be waited for in vain.
args: --once --format json:status=$status,verb=$request_method,took=$request_time
log:
{"status":200,"verb":"GET","duration_ms":12}
{"status":200,"verb":"GET","duration_ms":14}
metrics:
httpd_exporter_lines_total{outcome="counted"} 2
stderr:
no line has the key took
--format 'json:status=$status,verb=$request_method,duration_ms=$duration_ms'
exit: 0
