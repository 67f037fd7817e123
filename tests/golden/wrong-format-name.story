# A word that is neither a preset nor a format.
args: --once --format combind
stderr:
--format: combind is neither a preset nor a format
exit: 2
