# A stranger's control characters do not reach the operator's terminal.
args: --once --format common
bytes:
\x1b]0;title\x07 \x1b[31mred\n
stderr:
\x1b[31mred
exit: 0
