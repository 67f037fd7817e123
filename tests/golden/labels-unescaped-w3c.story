# Within quotes a quote stands twice in W3C's logs.
args: --once --format w3c --label agent=cs(User-Agent)
log:
#Fields: cs-method cs-uri-stem sc-status cs(User-Agent)
GET /a 200 "Mozilla ""x"" (X11)"
metrics:
httpd_requests_total{agent="Mozilla \"x\" (X11)",method="GET",status_code="200",vhost=""} 1
exit: 0
