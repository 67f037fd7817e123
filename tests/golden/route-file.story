# Routes from a file, one a line; comments are skipped.
args: --once --format common --route @$DIR/routes
file: routes
# the shop
/cart/:id
/order
log:
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET /cart/9 HTTP/1.1" 200 5
metrics:
httpd_requests_total{method="GET",route="/cart/:id",status_code="200"} 1
exit: 0
