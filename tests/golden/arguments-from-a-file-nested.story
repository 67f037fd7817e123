# An arguments file may name no other one.
args: --once @$DIR/args
file: args
--format=common
@other
stderr:
httpd_exporter: /tmp/httpd_exporter-test-8225-22/args:2: `@other`: a file of arguments cannot name another one
args: 2: `@other`: a file of arguments cannot name another one
exit: 2
