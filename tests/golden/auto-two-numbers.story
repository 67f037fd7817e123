# Two numbers behind combined are the bytes of mod_logio only where they can be: an answer is no shorter than its body.
args: --once
log:
192.0.2.7 - - [22/Nov/2026:10:38:00 +0000] "GET /a HTTP/1.1" 200 512 "-" "curl/8" 12 1234
192.0.2.8 - - [22/Nov/2026:10:38:01 +0000] "GET /b HTTP/1.1" 200 600 "-" "curl/8" 14 307
192.0.2.9 - - [22/Nov/2026:10:38:02 +0000] "POST /c HTTP/1.1" 404 7 "-" "curl/8" 17 20
metrics:
httpd_exporter_lines_total{outcome="malformed"} 3
stderr:
name what stands behind as you like: --format '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %{field1}n %{field2}n'
exit: 0
