# An arguments file that is not there is named.
args: --once @$DIR/nowhere
stderr:
unable to read 
nowhere: No such file or directory
exit: 2
