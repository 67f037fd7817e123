# A quantile lies between 0 and 1.
args: --once --quantiles 0.5,99
stderr:
--quantiles: `99` at column 5 is not a quantile
exit: 2
