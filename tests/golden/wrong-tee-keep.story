# The number of files to keep.
args: --tee.keep all
stderr:
--tee.keep: `all` is not a whole number
exit: 2
