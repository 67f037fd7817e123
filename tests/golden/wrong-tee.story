# A size is a number with K, M or G.
args: --tee $DIR/copy --tee.rotate-size 10MB
stderr:
--tee.rotate-size: `10MB` is not a number of bytes, such as 100M
exit: 2
