# A format whose variables the shell took for its own.
args: --once --format ' -  [] "" "" ""'
stderr:
in a shell it has to stand in single quotes
exit: 2
