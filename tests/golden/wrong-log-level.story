# A level that is none: exit 2, and those there are.
args: --log.level loud
stderr:
httpd_exporter: --log.level: `loud` is none of debug, info, warn, error
exit: 2
