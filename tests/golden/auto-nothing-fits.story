# When no preset reads anything, that is said, with what to do.
args: --once
log:
Feb  3 04:05:06 web kernel: something else entirely
another line of nobody's format
metrics:
httpd_exporter_lines_total{outcome="malformed"} 2
httpd_exporter_ready 0
!httpd_exporter_format_info
stderr:
2 of 2 lines fit none of the presets
2 of 2 lines fit none of the presets: the nearest, `
the line: Feb  3 04:05:06 web kernel: something else entirely
--format
exit: 0
