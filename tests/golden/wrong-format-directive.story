# An unknown directive is named with its column.
args: --once --format '%h %l %Z'
stderr:
--format: unknown directive %Z at column 7
exit: 2
