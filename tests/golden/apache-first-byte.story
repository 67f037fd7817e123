# %^FB is microseconds to the first byte; a dash where there was none.
args: --once --format '%m %>s %^FB'
log:
GET 200 1500
GET 404 -
metrics:
httpd_time_to_first_byte_seconds_sum{method="GET",status_class="2xx"} 0.0015
httpd_time_to_first_byte_seconds_count{method="GET",status_class="4xx"} 0
httpd_exporter_lines_total{outcome="counted"} 2
exit: 0
