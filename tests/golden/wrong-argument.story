# The log is read from stdin, not from a file that is named.
args: access.log
stderr:
`access.log` is not an option
exit: 2
