# --explain prints the routes that --route auto would learn, with their shares, and the options that say the same.
args: --explain --format common --route auto
log:
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET /users/17/orders HTTP/1.1" 200 5
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET /users/18/orders HTTP/1.1" 200 5
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET /about HTTP/1.1" 200 5
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET /wp-login.php HTTP/1.1" 404 5
stdout:
Routes that these lines teach, with their share of 3 requests:
/users
66.6 %      /orders
33.3 %  /*
    --route '/users/:id/orders'
    --route '/*'
exit: 0
