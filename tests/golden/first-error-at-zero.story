# A virtual host that has been served brings the usual statuses of the method with it at zero, so that its first error
# is an increase; one that was only asked for in vain does not.
args: --once --format '%V "%r" %>s'
log:
shop.example "GET / HTTP/1.1" 200
x.example "GET /wp-login.php HTTP/1.1" 404
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="shop.example"} 1
httpd_requests_total{method="GET",status_code="500",vhost="shop.example"} 0
httpd_requests_total{method="GET",status_code="404",vhost="x.example"} 1
!httpd_requests_total{method="GET",status_code="500",vhost="x.example"}
!httpd_requests_total{method="POST",status_code="500",vhost="shop.example"}
exit: 0
