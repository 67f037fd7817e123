# Azure API Management: the host of the URL as virtual host, milliseconds.
args: --once --format azure-apim
log:
{"time":"2031-03-05T04:05:06.1Z","category":"GatewayLogs","durationMs":301,"properties":{"method":"GET","url":"https://api.example/ok?x=1","responseCode":200,"responseSize":1534,"backendTime":290,"requestSize":420,"clientProtocol":"HTTP/1.1"}}
{"time":"2031-03-05T04:05:06.1Z","category":"WebSocketConnectionLogs","properties":{"method":"GET","url":"https://api.example/ws","responseCode":101}}
metrics:
httpd_requests_total{method="GET",status_code="200",vhost="api.example"} 1
httpd_request_duration_seconds_sum{method="GET",status_class="2xx",vhost="api.example"} 0.301
httpd_upstream_response_duration_seconds_sum{method="GET",status_class="2xx",vhost="api.example"} 0.29
httpd_exporter_lines_total{outcome="foreign"} 1
exit: 0
