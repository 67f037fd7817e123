# A wrong address names the option.
args: --web.listen-address localhost
stderr:
--web.listen-address: a port is missing
exit: 2
