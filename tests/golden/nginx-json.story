# JSON out of nginx's log_format is read by its text; escape=json prints nothing for what is absent.
args: --once --format "escape=json {\"s\":$status,\"r\":\"$request\",\"urt\":\"$upstream_response_time\",\"a\":\"$http_user_agent\"}" --label agent=$http_user_agent
log:
{"s":200,"r":"GET / HTTP/1.1","urt":"","a":"x \"y\" \u00e9"}
metrics:
httpd_requests_total{agent="x \"y\" é",method="GET",status_code="200"} 1
httpd_upstream_response_duration_seconds_count{method="GET",status_class="2xx"} 0
exit: 0
