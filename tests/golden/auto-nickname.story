# Apache writes the name of a LogFormat that is not defined into every line.
args: --once
log:
combinde
combinde
metrics:
httpd_exporter_lines_total{outcome="malformed"} 2
stderr:
every line is the word combinde: Apache writes this where CustomLog names a LogFormat that is not defined
exit: 0
