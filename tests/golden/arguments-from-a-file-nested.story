# An arguments file may name no other one.
args: --once @$DIR/args
file: args
--format=common
@other
stderr:
args:2: `@other`: a file of arguments cannot name another one
exit: 2
