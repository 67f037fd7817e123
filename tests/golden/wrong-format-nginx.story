# A variable without its name or its brace.
args: --once --format '$status ${request'
stderr:
--format: ${ without its } at column 9
exit: 2
