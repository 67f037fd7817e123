# `--route auto` makes all routes by itself and goes with no others.
args: --once --format common --route /cart/:id --route auto
stderr:
--route: `auto` makes all routes and goes with no others
exit: 2
