//! Descriptors that a parent has left open: closed at the start, so that no port and no pipe of its is held for as long
//! as this process lives. Sources: close_range(2), sd_listen_fds(3), proc(5).

use nix::libc;
use std::ffi::{OsStr, OsString};
use std::fs;

/// The first number above stderr.
const FIRST: i32 = 3;

/// Closes what is above stderr, save the sockets that systemd has passed and what an argument names by its number, as
/// `>(gzip)` of a shell does: /dev/fd/63. To be called before anything is opened.
pub fn close_inherited(arguments: &[OsString]) {
    let variable = |name| std::env::var(name).ok();
    let is_ours = variable("LISTEN_PID") == Some(std::process::id().to_string());
    let passed = variable("LISTEN_FDS").filter(|_| is_ours).and_then(|count| count.parse().ok()).unwrap_or(0);
    let named: Vec<i32> = arguments.iter().filter_map(|argument| number_in(argument)).collect();
    let Ok(open) = fs::read_dir("/proc/self/fd") else { return };
    let open: Vec<i32> =
        open.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for number in open {
        if number >= FIRST + i32::max(passed, 0) && !named.contains(&number) {
            close(number);
        }
    }
}

/// The number in `--tee=/dev/fd/63`, `@/proc/self/fd/7` and the like.
fn number_in(argument: &OsStr) -> Option<i32> {
    let text = argument.to_str()?;
    ["/dev/fd/", "/proc/self/fd/"].iter().find_map(|prefix| {
        let rest = text.split_once(prefix)?.1;
        rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    })
}

#[allow(unsafe_code)]
fn close(number: i32) {
    // SAFETY: nothing was opened yet, so the number is nobody's in this program; one that is not open any more (that of
    // the listing itself) is refused by the system.
    unsafe {
        libc::close(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_arguments_are_found() {
        let found = |argument: &str| number_in(OsStr::new(argument));
        assert_eq!(found("--tee=/dev/fd/63"), Some(63));
        assert_eq!(found("@/proc/self/fd/7"), Some(7));
        assert_eq!(found("/dev/fd/x"), None);
        assert_eq!(found("/var/log/access.log"), None);
    }
}
