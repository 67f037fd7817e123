# The number of files to keep.
args: --tee.keep all
stderr:
--tee.keep: `all` is no whole number
exit: 2
