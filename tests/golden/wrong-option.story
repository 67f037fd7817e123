# An option that is none: exit 2, and the nearest that is one.
args: --fromat combined
stderr:
httpd_exporter: there is no option --fromat; did you mean --format?
exit: 2
