# A number behind combined is of no known unit: all else is counted, and the unit is asked for.
args: --once
log:
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 5 "-" "curl/8.5.0" 1500
metrics:
httpd_requests_total{method="GET",status_code="200"} 1
httpd_bytes_sent_total{method="GET",status_code="200"} 5
!httpd_request_duration_seconds_count
stderr:
each line ends in a number without a name, and none tells its unit, so it is not counted
--format combined_D for microseconds (%D of Apache
%{ms}T' for milliseconds (%D of Tomcat 9 and before
%T' for seconds (%T of Apache, Icecast
exit: 0
