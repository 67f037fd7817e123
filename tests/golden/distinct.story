# --distinct counts how many different values a field had this day and the day before, by virtual host; a dash is none.
args: --once --format '%v %a "%r" %>s' --distinct clients=%a
log:
a 192.0.2.1 "GET / HTTP/1.1" 200
a 192.0.2.1 "GET /x HTTP/1.1" 404
a 2001:db8::1 "GET / HTTP/1.1" 200
b 192.0.2.1 "GET / HTTP/1.1" 200
b - "GET / HTTP/1.1" 200
metrics:
httpd_distinct_values{name="clients",vhost="a",window="day"} 2
httpd_distinct_values{name="clients",vhost="a",window="last_day"} 0
httpd_distinct_values{name="clients",vhost="b",window="day"} 1
httpd_exporter_label_overflow_total{label="(distinct)"} 0
exit: 0
