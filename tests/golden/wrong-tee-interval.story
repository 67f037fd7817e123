# An interval is whole seconds; so is the number of files kept a whole number.
args: --tee.rotate-interval 1h
stderr:
--tee.rotate-interval: `1h` is not a whole number
exit: 2
