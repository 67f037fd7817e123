# No line at all is no error: everything is there and zero.
args: --once --format common
log:
metrics:
httpd_exporter_lines_total{outcome="counted"} 0
httpd_exporter_lines_total{outcome="excluded"} 0
httpd_exporter_lines_total{outcome="malformed"} 0
httpd_exporter_lines_total{outcome="oversized"} 0
httpd_invalid_requests_total{reason="tls"} 0
httpd_exporter_malformed_lines_total{reason="literal"} 0
httpd_aborted_requests_total 0
httpd_exporter_ready 0
httpd_exporter_generations 1
!httpd_last_request_timestamp_seconds
exit: 0
