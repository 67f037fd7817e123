//! Turns the descriptors systemd passes (sd_listen_fds(3)) into owned ones. It owns the only unsafe line of
//! this room: nothing but the environment says that these numbers are ours, and no safe function takes a
//! number for a descriptor.

use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

/// SD_LISTEN_FDS_START.
const FIRST: RawFd = 3;
/// More sockets than any unit has; a larger number is a mistake.
const MOST: RawFd = 64;

static TAKEN: AtomicBool = AtomicBool::new(false);

/// The descriptors passed to this process, once: a second call is refused, since each has one owner.
pub(super) fn descriptors() -> Result<Vec<OwnedFd>, String> {
    let variable = |name| std::env::var(name).ok();
    let numbers = numbers(
        variable("LISTEN_PID").as_deref(),
        variable("LISTEN_FDS").as_deref(),
        &std::process::id().to_string(),
    )?;
    for &number in &numbers {
        // What is not open must not become an OwnedFd, however the environment was set.
        if !std::path::Path::new(&format!("/proc/self/fd/{number}")).exists() {
            return Err(format!("descriptor {number} of LISTEN_FDS is not open"));
        }
    }
    if TAKEN.swap(true, Ordering::Relaxed) {
        return Err("the sockets of systemd were already taken".into());
    }
    // SAFETY: the numbers are open, were passed to this very process for it to own (LISTEN_PID is ours), and
    // are taken once.
    Ok(numbers.into_iter().map(|number| unsafe { OwnedFd::from_raw_fd(number) }).collect())
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
