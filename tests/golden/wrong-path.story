# The path of the metrics must be one, and not that of another page.
args: --web.telemetry-path metrics
stderr:
--web.telemetry-path: `metrics` is not a plain absolute path
exit: 2
