# An envelope that there is not is named with those that there are.
args: --once --envelope dockr
log:
stderr:
--envelope: `dockr` is no envelope: auto none cri docker syslog stamp prefix json are
exit: 2
