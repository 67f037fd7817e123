# A switch takes no value.
args: --once=yes
stderr:
--once takes no value
exit: 2
