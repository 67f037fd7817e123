# $request_time is seconds; lists of upstream times are summed, dashes skipped.
args: --once --format '"$request" $status rt=$request_time uht="$upstream_header_time" urt="$upstream_response_time"'
log:
"GET / HTTP/1.1" 200 rt=0.350 uht="-, 0.100 : 0.050" urt="0.010, 0.100 : 0.200, -"
"GET / HTTP/1.1" 200 rt=0.001 uht="-" urt="-"
metrics:
httpd_request_duration_seconds_sum{method="GET",status_class="2xx"} 0.351
httpd_time_to_first_byte_seconds_sum{method="GET",status_class="2xx"} 0.15
httpd_time_to_first_byte_seconds_count{method="GET",status_class="2xx"} 1
httpd_upstream_response_duration_seconds_sum{method="GET",status_class="2xx"} 0.31
httpd_upstream_response_duration_seconds_count{method="GET",status_class="2xx"} 1
exit: 0
