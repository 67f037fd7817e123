# The kinds of histograms are three.
args: --once --histograms none
stderr:
httpd_exporter: --histograms: `none` is none of classic, native, both
exit: 2
