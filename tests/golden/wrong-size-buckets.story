# Bytes are whole.
args: --once --size-buckets 0.5,1
stderr:
--size-buckets: 0.5 is not a whole number of bytes
exit: 2
