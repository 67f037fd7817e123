# --help names every option, every preset and where to begin.
args: --help
stdout:
Usage: httpd_exporter [OPTION]... < ACCESS_LOG
--web.systemd-socket
--user USER[:GROUP]
vhost_combined
Default: 127.0.0.1:19117.
exit: 0
