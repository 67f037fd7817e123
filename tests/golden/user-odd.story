# The user's name is not quoted in the log: blanks, quotes, brackets and a bare "" belong to it.
args: --once --format combined --label user=%u
log:
192.0.2.1 - anna maria [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 1 "-" "-"
192.0.2.1 - "" [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 401 1 "-" "-"
192.0.2.1 - o\"neil [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 1 "-" "-"
192.0.2.1 - x [01/Jan/2020 [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 401 1 "-" "-"
192.0.2.1 - eve@mail.example [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 1 "-" "-"
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET / HTTP/1.1" 200 1 "-" "-"
metrics:
httpd_requests_total{method="GET",status_code="200",user="anna maria"} 1
httpd_requests_total{method="GET",status_code="200",user="o\"neil"} 1
httpd_requests_total{method="GET",status_code="401",user="x [01/Jan/2020"} 1
httpd_requests_total{method="GET",status_code="200",user="eve@mail.example"} 1
httpd_exporter_lines_total{outcome="counted"} 6
exit: 0
