# --version says the name and the version.
args: --version
stdout:
httpd_exporter 0.
exit: 0
