//! Piped log or pipeline: whether a web server started this process, and whether the parent still lives.
//!
//! Sources: proc(5), Apache's log_server_child.

use crate::os::stop_flag::StopFlag;
use nix::libc::{O_ACCMODE, O_CLOEXEC, O_RDONLY, O_WRONLY};
use nix::unistd::getppid;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

/// The process that started us, or 1 (or a subreaper) once that one has ended.
fn parent() -> i32 {
    getppid().as_raw()
}

/// Our parent at the start.
#[derive(Debug)]
pub struct Parent {
    pid: i32,
    /// The one that started us had ended before we looked.
    gone: bool,
}

impl Parent {
    /// To be called as early as can be, and before root is given up. In a container the server may itself be process 1;
    /// it has our pipe, which an init has not.
    pub fn find() -> Parent {
        let first = first_look();
        Parent { pid: first.parent, gone: first.parent == 1 && !first.held }
    }

    pub fn is_gone(&self) -> bool {
        self.gone || parent() != self.pid
    }
}

/// Whether a server started us as its piped log. Apache keeps both ends of the pipe, to start a successor on it; the
/// shell that `|$` puts between holds one, and so do `sudo` and `timeout` in anybody's pipeline: so it is both
/// ends that are looked for, here and above. One that starts us by way of a shell or a library lets go of them too, but
/// perhaps not before we have begun; so a yes takes a moment. It is asked for when something goes wrong.
pub fn started_by_server() -> bool {
    *SERVER.get_or_init(|| {
        let first = first_look();
        // A server that has ended since was one; it had no time to let go.
        first.held
            && (parent() != first.parent || {
                thread::sleep(LET_GO.saturating_sub(first.at.elapsed()));
                server_holds_stdin()
            })
    })
}

/// Has the answer worked out before a SIGTERM asks for it: Apache closes both ends right behind the signal, and a look
/// after that would find a pipeline.
pub fn find_out_whether_server(stop_flag: StopFlag) {
    let first = first_look();
    let look = move || {
        thread::sleep(LET_GO.saturating_sub(first.at.elapsed()));
        let is_server = server_holds_stdin() || stop_flag.is_set();
        SERVER.get_or_init(|| is_server);
    };
    if first.held && thread::Builder::new().name("look".to_owned()).spawn(look).is_err() {
        started_by_server();
    }
}

/// The answer for a SIGTERM: where it is not worked out yet, the first look is the last one before the signal.
pub fn started_by_server_before_signal() -> bool {
    *SERVER.get_or_init(|| first_look().held)
}

const LET_GO: Duration = Duration::from_millis(50);

/// What was seen at the start.
struct FirstLook {
    held: bool,
    parent: i32,
    at: Instant,
}

/// To be called as early as can be: later the server may have gone.
fn first_look() -> &'static FirstLook {
    static FIRST: OnceLock<FirstLook> = OnceLock::new();
    FIRST.get_or_init(|| FirstLook { parent: parent(), held: server_holds_stdin(), at: Instant::now() })
}

/// A look while there is still root to look with. The start has no time for a second one.
pub fn look_before_drop() {
    SERVER.get_or_init(|| first_look().held);
}

/// The answer, once it was asked for.
static SERVER: OnceLock<bool> = OnceLock::new();

/// Whether a process above us still has both ends of our stdin, to start us again on it.
pub fn server_holds_stdin() -> bool {
    // Apache, a shell, and a wrapper such as nice or env that did not become us.
    const ANCESTORS: usize = 3;
    let Ok(stdin) = fs::read_link("/proc/self/fd/0") else { return false };
    let above = std::iter::successors(Some(parent()), |pid| parent_of(*pid));
    stdin.to_string_lossy().starts_with("pipe:")
        && above.take(ANCESTORS).take_while(|pid| *pid > 0).any(|pid| holds_both_ends(pid, &stdin))
}

fn parent_of(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // proc(5): behind the name, which may hold anything, come the state and the parent.
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse().ok()
}

fn holds_both_ends(pid: i32, pipe: &Path) -> bool {
    let Ok(held) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    let mode = |entry: fs::DirEntry| {
        fs::read_link(entry.path()).ok().filter(|target| target == pipe)?;
        // The flags of open(2), in octal. Apache's pipes stay open on exec; those of a library that starts
        // processes do not.
        let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{}", entry.file_name().display())).ok()?;
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:"))?;
        let flags = i32::from_str_radix(flags.trim(), 8).ok()?;
        (flags & O_CLOEXEC == 0).then_some(flags & O_ACCMODE)
    };
    let modes: Vec<i32> = held.flatten().filter_map(mode).collect();
    modes.contains(&O_RDONLY) && modes.contains(&O_WRONLY)
}
