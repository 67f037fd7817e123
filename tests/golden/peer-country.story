# A label by a variable of a module, in a log with tabs; the method by a field of its own.
args: --once --format '$time_iso8601\t$geoip_country_code\t$remote_addr\t$scheme\t$host\t$request_method\t"$request_uri"\t$status\t$body_bytes_sent\t$request_time\t$upstream_response_time' --label country=$geoip_country_code --label scheme=scheme
bytes:
2026-02-03T04:05:06+01:00\tNZ\t203.0.113.4\thttps\tv.example\tGET\t"/robots.txt"\t200\t38\t0.000\t0.001\n
metrics:
httpd_requests_total{country="NZ",method="GET",scheme="https",status_code="200",vhost="v.example"} 1
httpd_upstream_response_duration_seconds_sum{method="GET",status_class="2xx",vhost="v.example"} 0.001
exit: 0
