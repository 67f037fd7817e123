# The log is read from stdin, not from a file that is named.
args: access.log
stderr:
`access.log` is no option
exit: 2
