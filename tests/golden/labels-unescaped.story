# What HAProxy and W3C's logs escape is what was sent: #22 is a quote, and so are two within quotes.
args: --once --format 'haproxy:%ci %ST %{+Q}r %{+Q}[capture.req.hdr(0)]' --label agent=%[capture.req.hdr(0)]
log:
192.0.2.1 200 "GET / HTTP/1.1" "a#22b#7Cc #2"
metrics:
httpd_requests_total{agent="a\"b|c #2",method="GET",status_code="200"} 1
exit: 0
