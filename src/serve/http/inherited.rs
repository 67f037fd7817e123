//! Socket activation: takes the sockets that systemd passes (sd_listen_fds(3)), by way of listenfd.

use std::os::fd::OwnedFd;

use listenfd::ListenFd;

/// More sockets than any unit has; a larger number is a mistake.
const SOCKETS_MAX: usize = 64;

/// SD_LISTEN_FDS_START.
const FIRST_DESCRIPTOR: usize = 3;

/// The stream sockets passed to this process. Called before other sockets are opened: nothing but the environment
/// says that these descriptors are ours.
pub fn sockets() -> Result<Vec<OwnedFd>, String> {
    let variable = |name| std::env::var(name).ok();
    let pid = std::process::id().to_string();
    let count = count(variable("LISTEN_PID").as_deref(), variable("LISTEN_FDS").as_deref(), &pid)?;
    let mut passed = ListenFd::from_env();
    (0..count).map(|index| take(&mut passed, index)).collect()
}

fn take(passed: &mut ListenFd, index: usize) -> Result<OwnedFd, String> {
    // listenfd keeps what it does not give, and knows IPv4 and IPv6 as one.
    if let Ok(Some(socket)) = passed.take_tcp_listener(index) {
        return Ok(socket.into());
    }
    match passed.take_unix_listener(index) {
        Ok(Some(socket)) => Ok(socket.into()),
        _ => {
            let number = FIRST_DESCRIPTOR + index;
            Err(format!(
                "descriptor {number} of LISTEN_FDS is not an open stream socket (ListenStream= in the unit)"
            ))
        }
    }
}

/// How many there are. listenfd takes what is in `LISTEN_FDS` at its word, and needs no `LISTEN_PID`.
fn count(pid: Option<&str>, count: Option<&str>, own_pid: &str) -> Result<usize, String> {
    let (Some(pid), Some(count)) = (pid, count) else {
        return Err("systemd passed no sockets (LISTEN_PID and LISTEN_FDS are not set)".into());
    };
    if pid != own_pid {
        return Err(format!("the sockets of systemd are for process {pid}, not for this one"));
    }
    match count.parse() {
        Ok(count @ 1..=SOCKETS_MAX) => Ok(count),
        _ => Err(format!("LISTEN_FDS is not a number from 1 to {SOCKETS_MAX}: {count:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_environment_as_systemd_sets_it() {
        assert_eq!(count(Some("7"), Some("2"), "7"), Ok(2));
        for (pid, number, part) in [
            (None, None, "are not set"),
            (Some("7"), None, "are not set"),
            (Some("8"), Some("1"), "for process 8"),
            (Some("7"), Some("0"), "from 1 to 64"),
            (Some("7"), Some("-1"), "from 1 to 64"),
            (Some("7"), Some("2147483647"), "from 1 to 64"),
            (Some("7"), Some("x"), "from 1 to 64: \"x\""),
        ] {
            let error = count(pid, number, "7").unwrap_err();
            assert!(error.contains(part), "{pid:?} {number:?}: {error}");
        }
    }
}
