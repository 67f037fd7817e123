# An option without its value.
args: --state-dir
stderr:
--state-dir: DIR is missing
exit: 2
