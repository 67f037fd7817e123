# The version of an API is a place of the site; any other number names one thing.
args: --explain --format common --route auto
log:
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET /rest/api/2/orders/1700 HTTP/1.1" 200 5
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET /api/1.1/users/1700 HTTP/1.1" 200 5
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET /orders/7 HTTP/1.1" 200 5
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET /rest/api/2/orders/1800 HTTP/1.1" 200 5
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET /api/1.1/users/1800 HTTP/1.1" 200 5
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET /orders/8 HTTP/1.1" 200 5
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET /rest/api/2/orders/1900 HTTP/1.1" 200 5
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET /api/1.1/users/1900 HTTP/1.1" 200 5
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] "GET /orders/9 HTTP/1.1" 200 5
stdout:
The format is `common`:
    %h %l %u %t "%r" %>s %b

Line 1 fits:
    %h                       192.0.2.1
    %l                       -                                absent
    %u                       -                                absent
    %t                       03/Feb/2026:04:05:06 +0100       1770087906 s since 1970
    %r                       GET /rest/api/2/orders/1700 HTTP/1.1
    %>s                      200
    %b                       5                                5 bytes

Line 2 fits:
    %h                       192.0.2.1
    %l                       -                                absent
    %u                       -                                absent
    %t                       03/Feb/2026:04:05:06 +0100       1770087906 s since 1970
    %r                       GET /api/1.1/users/1700 HTTP/1.1
    %>s                      200
    %b                       5                                5 bytes

Line 3 fits:
    %h                       192.0.2.1
    %l                       -                                absent
    %u                       -                                absent
    %t                       03/Feb/2026:04:05:06 +0100       1770087906 s since 1970
    %r                       GET /orders/7 HTTP/1.1
    %>s                      200
    %b                       5                                5 bytes

Line 4 fits:
    %h                       192.0.2.1
    %l                       -                                absent
    %u                       -                                absent
    %t                       03/Feb/2026:04:05:06 +0100       1770087906 s since 1970
    %r                       GET /rest/api/2/orders/1800 HTTP/1.1
    %>s                      200
    %b                       5                                5 bytes

Line 5 fits:
    %h                       192.0.2.1
    %l                       -                                absent
    %u                       -                                absent
    %t                       03/Feb/2026:04:05:06 +0100       1770087906 s since 1970
    %r                       GET /api/1.1/users/1800 HTTP/1.1
    %>s                      200
    %b                       5                                5 bytes

Line 6 fits:
    %h                       192.0.2.1
    %l                       -                                absent
    %u                       -                                absent
    %t                       03/Feb/2026:04:05:06 +0100       1770087906 s since 1970
    %r                       GET /orders/8 HTTP/1.1
    %>s                      200
    %b                       5                                5 bytes

Line 7 fits:
    %h                       192.0.2.1
    %l                       -                                absent
    %u                       -                                absent
    %t                       03/Feb/2026:04:05:06 +0100       1770087906 s since 1970
    %r                       GET /rest/api/2/orders/1900 HTTP/1.1
    %>s                      200
    %b                       5                                5 bytes

Line 8 fits:
    %h                       192.0.2.1
    %l                       -                                absent
    %u                       -                                absent
    %t                       03/Feb/2026:04:05:06 +0100       1770087906 s since 1970
    %r                       GET /api/1.1/users/1900 HTTP/1.1
    %>s                      200
    %b                       5                                5 bytes

Line 9 fits:
    %h                       192.0.2.1
    %l                       -                                absent
    %u                       -                                absent
    %t                       03/Feb/2026:04:05:06 +0100       1770087906 s since 1970
    %r                       GET /orders/9 HTTP/1.1
    %>s                      200
    %b                       5                                5 bytes

9 of 9 lines fit.

This format gives:
    httpd_requests_total                           from every line
    httpd_requests_total{status_code}              from %>s
    httpd_requests_total{method}                   from %r
    httpd_bytes_sent_total                         from %b
    httpd_response_size_bytes                      from %b
    httpd_last_request_timestamp_seconds           from %t

It does not give:
    httpd_requests_total{vhost}                    add %v
    httpd_bytes_received_total                     add %I
    httpd_request_duration_seconds                 add %D
    httpd_time_to_first_byte_seconds               add %^FB
    httpd_aborted_requests_total                   add %X

For all of it, in Apache (%I and %^FB need mod_logio and LogIOTrackTTFB On):
    LogFormat "%h %l %u %t \"%r\" %>s %b %v %I %D %^FB %X" timed

Routes that these lines teach, with their share of 9 requests:
             /api
               /1.1
                 /users
     33.3 %        /:id
             /orders
     33.3 %    /:id
             /rest
               /api
                 /2
                   /orders
     33.3 %          /:id

As options, which do not learn any more:
    --route '/api/1.1/users/:id'
    --route '/orders/:id'
    --route '/rest/api/2/orders/:id'
exit: 0
