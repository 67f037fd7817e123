# A wrong route in a file is named with file and line.
args: --once --format common --route @$DIR/routes
file: routes
/cart/:id

order/:id
stderr:
routes:3: --route: `order/:id`: a route must begin with `/`
exit: 2
