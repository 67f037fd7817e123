# Maps may come from a file; values that match none are `other` where --label-values names all that there may be.
args: --once --format '"%r" %>s %v' --label-map @$DIR/maps --label 'kind=path' --label-map 'kind=/static/*=static' --label-values kind=static
file: maps
# hosts by customer
vhost=*.shop.example=shop
vhost=www.*=web
log:
"GET /static/a HTTP/1.1" 200 a.shop.example
"GET /b HTTP/1.1" 200 www.garden.example
"GET /c HTTP/1.1" 200 b.shop.example
metrics:
httpd_requests_total{kind="static",method="GET",status_code="200",vhost="shop"} 1
httpd_requests_total{kind="other",method="GET",status_code="200",vhost="web"} 1
httpd_requests_total{kind="other",method="GET",status_code="200",vhost="shop"} 1
exit: 0
