# An envelope that there is not is named with those that there are.
args: --once --envelope dockr
log:
stderr:
--envelope: `dockr` is not an envelope: those are auto none cri docker syslog stamp prefix json
exit: 2
