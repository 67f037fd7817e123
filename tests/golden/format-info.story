# The page says which format is in use.
args: --once --format '%m %>s'
log:
GET 200
metrics:
httpd_exporter_format_info{envelope="none",format="apache",text="%m %>s"} 1
httpd_exporter_ready 1
exit: 0
