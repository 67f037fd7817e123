# HAProxy's notices are no requests. A handshake that failed, and a server that is down, are for somebody to see.
args: --once --format haproxy
log:
Mar  5 04:05:06 lb1 haproxy[812]: Proxy web started.
Mar  5 04:05:06 lb1 haproxy[812]: 192.0.2.10:40112 [05/Mar/2031:04:05:06.250] web shop/app3 0/0/2/30/45 200 1820 - - ---- 12/10/3/1/0 0/0 "GET /cart HTTP/1.1"
Mar  5 04:05:07 lb1 haproxy[812]: 192.0.2.10:40113 [05/Mar/2031:04:05:07.250] web/1: SSL handshake failure
Mar  5 04:05:08 lb1 haproxy[812]: Server shop/app3 is DOWN, reason: Layer4 timeout. 0 active and 0 backup servers left.
Mar  5 04:05:09 lb1 haproxy[812]: Server shop/app3 is UP, reason: Layer4 check passed. 1 active and 0 backup servers online.
metrics:
httpd_exporter_lines_total{outcome="counted"} 1
httpd_exporter_lines_total{outcome="foreign"} 2
httpd_exporter_lines_total{outcome="malformed"} 2
exit: 0
