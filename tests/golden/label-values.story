# A closed set of values: every other one is other, and that is no overflow.
args: --once --format '%m %>s %{Accept-Language}i' --label lang=%{Accept-Language}i --label-values lang=de,fr
log:
GET 200 de
GET 200 fr
GET 200 en
metrics:
httpd_requests_total{lang="de",method="GET",status_code="200"} 1
httpd_requests_total{lang="other",method="GET",status_code="200"} 1
exit: 0
