# A variable that nothing is known of may be anybody's own; one that is a letter off a known one is asked about, and so is
# a directive of Apache's among variables.
args: --once --format '$status "$request" $reqest_time %h'
log:
200 "GET / HTTP/1.1" 0.120 %h
stderr:
the format has $reqest_time, which nothing is known of and which is read as any text; did you mean $request_time?
%h is a directive of Apache's, and plain text in a format with $names: write all fields in one way
metrics:
httpd_requests_total{method="GET",status_code="200"} 1
! httpd_request_duration_seconds
exit: 0
