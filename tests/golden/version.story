# --version says the name, the version, the commit and what was built in.
args: --version
stdout:
httpd_exporter 0.
(revision 
, features 
exit: 0
