# The columns that a header names are those of the lines behind it, until another one comes.
args: --explain --format w3c
log:
#Software: Microsoft Internet Information Services 10.0
#Fields: date time cs-method cs-uri-stem sc-status time-taken
2031-03-05 04:05:06 GET /a 200 307
#Fields: cs-method cs-uri-stem sc-status sc-bytes
POST /b 404 12
stdout:
Line 3 fits:
    time-taken               307                              0.307 s
Line 5 fits:
    sc-bytes                 12                               12 bytes
2 of 5 lines fit, 3 are no requests.
! does not fit:
exit: 0
