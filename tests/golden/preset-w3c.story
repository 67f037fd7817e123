# IIS: the columns change in mid-file, and time-taken is milliseconds as the header says. Clients that went away are
# counted where it is asked for.
args: --once --format w3c:sc-win32-status=$win32_status
log:
#Software: Microsoft Internet Information Services 10.0
#Fields: date time cs-method cs-uri-stem sc-status sc-win32-status time-taken
2031-03-05 04:05:06 GET /a 200 0 307
#Fields: date time cs-host cs-method cs-uri-stem sc-status sc-win32-status time-taken
2031-03-05 04:05:07 shop.example GET /b 404 64 15000
metrics:
httpd_requests_total{method="GET",status_code="200",vhost=""} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost=""} 0.307
httpd_request_duration_seconds_sum{method="GET",status_class="4xx",vhost="shop.example"} 15
httpd_aborted_requests_total{vhost="shop.example"} 1
httpd_exporter_lines_total{outcome="foreign"} 3
exit: 0
