# --slo.labels tells the objectives' counts apart by labels of the requests, and each value has good and bad at once.
args: --once --format '%v "%r" %>s' --slo up=status<500 --slo shop=status<500,vhost=shop.* --slo.labels vhost,site --label site==north
log:
shop.example "GET / HTTP/1.1" 200
shop.example "GET / HTTP/1.1" 503
www.example "GET / HTTP/1.1" 200
metrics:
httpd_slo_requests_total{result="good",site="north",slo="up",vhost="shop.example"} 1
httpd_slo_requests_total{result="bad",site="north",slo="up",vhost="shop.example"} 1
httpd_slo_requests_total{result="good",site="north",slo="up",vhost="www.example"} 1
httpd_slo_requests_total{result="bad",site="north",slo="up",vhost="www.example"} 0
httpd_slo_requests_total{result="good",site="north",slo="shop",vhost="shop.example"} 1
httpd_slo_requests_total{result="bad",site="north",slo="shop",vhost="shop.example"} 1
httpd_slo_requests_total{result="good",site="north",slo="shop",vhost="www.example"} 0
httpd_slo_requests_total{result="bad",site="north",slo="shop",vhost="www.example"} 0
exit: 0
