//! Turns the descriptors systemd passes (sd_listen_fds(3)) into owned ones. It owns the only unsafe line of
//! this room: nothing but the environment says that these numbers are ours, and no safe function takes a
//! number for a descriptor.

use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

use nix::fcntl::OFlag;

/// SD_LISTEN_FDS_START.
const FIRST: RawFd = 3;
/// More sockets than any unit has; a larger number is a mistake.
const MOST: RawFd = 64;

static TAKEN: AtomicBool = AtomicBool::new(false);

/// The descriptors passed to this process, once: a second call is refused, since each has one owner.
pub fn descriptors() -> Result<Vec<OwnedFd>, String> {
    let variable = |name| std::env::var(name).ok();
    let numbers = numbers(
        variable("LISTEN_PID").as_deref(),
        variable("LISTEN_FDS").as_deref(),
        &std::process::id().to_string(),
    )?;
    for &number in &numbers {
        // What is not open, or has an owner in this program, must not become an OwnedFd, whatever the environment says.
        let facts = std::fs::read_to_string(format!("/proc/self/fdinfo/{number}"));
        let facts = facts.map_err(|_| format!("descriptor {number} of LISTEN_FDS is not open"))?;
        if is_ours(&facts) {
            return Err(format!("descriptor {number} of LISTEN_FDS was not passed to this program"));
        }
    }
    if TAKEN.swap(true, Ordering::Relaxed) {
        return Err("the sockets of systemd were already taken".into());
    }
    // SAFETY: the numbers are open, were passed to this very process for it to own (LISTEN_PID is ours, and they have
    // outlived its execve), and are taken once.
    Ok(numbers.into_iter().map(|number| unsafe { OwnedFd::from_raw_fd(number) }).collect())
}

/// Whether execve would have closed it: then this program has opened it, as it opens all of its own. As proc(5) shows
/// the flags, in octal.
fn is_ours(fdinfo: &str) -> bool {
    let flags = fdinfo.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| i32::from_str_radix(flags.trim(), 8).ok());
    flags.is_none_or(|flags| OFlag::from_bits_retain(flags).contains(OFlag::O_CLOEXEC))
}

fn numbers(pid: Option<&str>, count: Option<&str>, own_pid: &str) -> Result<Vec<RawFd>, String> {
    let (Some(pid), Some(count)) = (pid, count) else {
        return Err("systemd passed no sockets (LISTEN_PID and LISTEN_FDS are not set)".into());
    };
    if pid != own_pid {
        return Err(format!("the sockets of systemd are for process {pid}, not for this one"));
    }
    match count.parse::<RawFd>() {
        Ok(count @ 1..=MOST) => Ok((FIRST..FIRST + count).collect()),
        _ => Err(format!("LISTEN_FDS is not a number from 1 to {MOST}: {count:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    #[test]
    fn what_this_program_opened_is_its_own() {
        let facts = |number: RawFd| std::fs::read_to_string(format!("/proc/self/fdinfo/{number}")).unwrap();
        let file = std::fs::File::open("/dev/null").unwrap();
        let (one, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        assert!(is_ours(&facts(file.as_raw_fd())) && is_ours(&facts(one.as_raw_fd())));
        assert!(!is_ours("pos:\t0\nflags:\t04002\nmnt_id:\t9\n") && is_ours("pos:\t0\n"));
    }

    #[test]
    fn reads_the_environment_as_systemd_sets_it() {
        assert_eq!(numbers(Some("7"), Some("2"), "7"), Ok(vec![3, 4]));
        for (pid, count, part) in [
            (None, None, "are not set"),
            (Some("7"), None, "are not set"),
            (Some("8"), Some("1"), "for process 8"),
            (Some("7"), Some("0"), "from 1 to 64"),
            (Some("7"), Some("-1"), "from 1 to 64"),
            (Some("7"), Some("2147483647"), "from 1 to 64"),
            (Some("7"), Some("x"), "from 1 to 64: \"x\""),
        ] {
            let error = numbers(pid, count, "7").unwrap_err();
            assert!(error.contains(part), "{pid:?} {count:?}: {error}");
        }
    }
}
