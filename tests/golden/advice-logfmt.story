# Lines of keys and values are advised a map, in which the order does not matter and a value may bring its unit.
args: --once
log:
time=2031-03-05T04:05:06Z level=INFO msg=request method=GET path=/ok host=a.example status=200 bytes=1234 took=301.8ms ua="curl/8 x"
time=2031-03-05T04:05:07Z level=INFO msg=request status=201 method=POST path=/p host="" bytes=10 took=29.3µs ua=""
metrics:
httpd_exporter_lines_total{outcome="malformed"} 2
stderr:
--format 'logfmt:time=$time,method=$request_method,path=$request_uri,host=$host,status=$status,bytes=$body_bytes_sent,took=$duration'
exit: 0
