# A number that only advice would put a name to is asked about in every unit, and no unit is guessed.
args: --once
log:
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 512 "-" "curl/8.5.0" "203.0.113.9, 192.0.2.3" 1307
192.0.2.1 - - [03/Feb/2026:04:05:07 +0100] "GET /a HTTP/1.1" 200 512 "-" "curl/8.5.0" "-" 48210
metrics:
httpd_exporter_lines_total{outcome="malformed"} 2
stderr:
each line ends in a number without a name, and none tells its unit. If it is how long a request took, give --format '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" "%{X-Forwarded-For}i" %D' for microseconds
if it is something else: --format '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" "%{X-Forwarded-For}i" %{field1}n'
exit: 0
