# A label's name must be one that Prometheus takes and that is free.
args: --label status_code=%s
stderr:
--label: the label `status_code` is taken
exit: 2
