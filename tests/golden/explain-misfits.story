# --explain points at the first place that does not fit.
args: --explain --format common
log:
192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] GET / HTTP/1.1 200 5
stdout:
^
expected "\"" at column 44
exit: 0
