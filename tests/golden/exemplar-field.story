# An exemplar's field must be one that the format has.
args: --once --format common --exemplar %{X-Request-Id}i --exemplar.above 0.5
log:
stderr:
--exemplar: the format has no %{X-Request-Id}i
exit: 2
