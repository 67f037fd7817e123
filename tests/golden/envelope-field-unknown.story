# So is a field that no envelope has.
args: --once --format common --label p=envelope:pid
log:
stderr:
--label p: an envelope has no pid; it may have pod container namespace service host tag stream file
exit: 2
