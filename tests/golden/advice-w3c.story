# What a line of columns lacks is said by what was counted, with the header or without one.
args: --once --format w3c
log:
GET /a 200
#Fields: cs-method cs-uri-stem sc-status
GET /a b 200
stderr:
line 1 does not fit the format `w3c` (missing): expected a line #Fields: before it, and the status that this names
line 3 does not fit the format `w3c` (trailing): expected no more values than the line #Fields: before it has names
2 of 2 lines do not fit the format `w3c`; 
exit: 0
