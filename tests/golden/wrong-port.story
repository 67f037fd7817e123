# A port above 65535.
args: --web.listen-address 127.0.0.1:99999
stderr:
--web.listen-address:
99999
exit: 2
