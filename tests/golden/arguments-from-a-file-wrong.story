# A wrong argument in a file is named with file and line.
args: --once @$DIR/args
file: args
--format=common

--max-values lots
stderr:
args:3: --max-values: `lots` is not a whole number from 1 to 10000
exit: 2
