# A wrong list of buckets is named with the column.
args: --once --duration-buckets 0.1,0.5,fast
stderr:
--duration-buckets: `fast` at column 9 is not a bound
exit: 2
