# An exclude is a field, an equals sign and a pattern.
args: --exclude /health
stderr:
--exclude: `/health` has no `=`; it is FIELD=PATTERN
exit: 2
