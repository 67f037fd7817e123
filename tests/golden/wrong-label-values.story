# Values for a label that is not there.
args: --label-values country=de,fr
stderr:
--label-values: there is no --label country
exit: 2
