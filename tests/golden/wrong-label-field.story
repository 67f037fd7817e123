# A label's field must be one that the format has; those it has are listed.
args: --once --format '%h %>s' --label agent=%{User-Agent}i
stderr:
--label agent: the format has no %{User-Agent}i; it has %h %>s
exit: 2
