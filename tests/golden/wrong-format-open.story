# So is one that is never closed.
args: --once --format '%>s %{Referer'
stderr:
--format: %{Referer is not complete at the end of the format at column 5
exit: 2
