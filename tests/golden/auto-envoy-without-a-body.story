# Envoy counts the bodies that it received, so most requests have 0; its flags may be several, and a client that left has
# the status 0.
args: --once
log:
[2031-03-05T04:05:06.789Z] "GET /a?b HTTP/1.1" 200 - 0 512 12 11 "192.0.2.9" "curl/8" "d0c1" "shop.example" "10.1.2.3:8080"
[2031-03-05T04:05:07.789Z] "POST /a HTTP/2" 503 UF,URX 20 91 3000 - "-" "grpc-go/1" "d0c2" "shop.example" "10.1.2.3:8080"
[2031-03-05T04:05:08.789Z] "GET /a HTTP/2" 0 DC 0 0 500 - "-" "curl/8" "d0c3" "shop.example" "10.1.2.3:8080"
stderr:
the format is `envoy`
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop.example"} 1
httpd_requests_total{method="POST",status_code="503",vhost="shop.example"} 1
httpd_aborted_requests_total{vhost="shop.example"} 1
exit: 0
