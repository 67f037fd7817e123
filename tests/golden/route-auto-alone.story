# `--route auto` cannot be combined with other routes.
args: --once --format common --route /cart/:id --route auto
stderr:
--route: `auto` cannot be combined with other routes
exit: 2
