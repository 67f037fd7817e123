# A word that is neither a preset nor a format.
args: --once --format combind
stderr:
--format: combind is neither a preset nor a format: it has no % directive and no $variable; did you mean combined?
exit: 2
