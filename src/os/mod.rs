//! The operating system, where the standard library has no word for it: signals, users, the size of a pipe.
//!
//! It owns the signal handlers (signal-hook's, none of our own) and hands signals over as events that are
//! polled together with stdin. It knows nothing of logs or metrics. One line is unsafe, the call of malloc_trim:
//! nix has safe faces for the other calls that std lacks, and its setuid, setgid and setgroups are libc's, which
//! change all threads at once. Sources: poll(2), pipe(7), credentials(7), prctl(2), malloc_trim(3).

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc::{O_ACCMODE, O_CLOEXEC, O_RDONLY, O_WRONLY};
use nix::sys::prctl;
use nix::unistd::{Gid, Group, Uid, User, getppid, getresgid, getresuid, setgid, setgroups, setuid};
use signal_hook::consts::signal::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{flag, low_level::pipe};
use std::fs;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// SIGHUP: files may have been renamed.
    Hangup,
    /// SIGTERM: somebody else takes over.
    Terminate,
    /// SIGINT: the person at the terminal wants an end. Under a server it is no word of its own: Ctrl-C goes to the
    /// server as well, which ends us as it ends its other piped logs.
    Interrupt,
}

const SIGNALS: [(i32, Event); 3] =
    [(SIGHUP, Event::Hangup), (SIGTERM, Event::Terminate), (SIGINT, Event::Interrupt)];

/// Signals as something that can be polled. Two of a kind that come before anybody looked are one.
/// SIGPIPE needs nothing: the runtime of Rust ignores it, and a write that fails says so itself.
#[derive(Debug)]
pub struct Bell {
    wire: UnixStream,
    /// In the order of `SIGNALS`. The flag is raised first and the wire pulled then, so an event is never
    /// missed.
    rung: [Arc<AtomicBool>; SIGNALS.len()],
}

impl Bell {
    /// Puts the handlers in place.
    pub fn hang() -> io::Result<Bell> {
        let (wire, pull) = UnixStream::pair()?;
        wire.set_nonblocking(true)?;
        let rung: [Arc<AtomicBool>; SIGNALS.len()] = Default::default();
        for ((signal, _), flag) in SIGNALS.iter().zip(&rung) {
            flag::register(*signal, flag.clone())?;
            pipe::register(*signal, pull.try_clone()?)?;
        }
        Ok(Bell { wire, rung })
    }

    /// The oldest kind of event that has come and was not taken yet. Costs no system call.
    pub fn take(&self) -> Option<Event> {
        let mut pairs = SIGNALS.iter().zip(&self.rung);
        let rung = |flag: &AtomicBool| flag.load(Ordering::Relaxed) && flag.swap(false, Ordering::SeqCst);
        match pairs.find(|(_, flag)| rung(flag)).map(|(signal, _)| signal.1) {
            Some(Event::Interrupt) if started_by_server() => Some(Event::Terminate),
            event => event,
        }
    }

    pub fn knock(&self) -> Knock {
        let flags = SIGNALS.iter().zip(&self.rung).filter(|(signal, _)| signal.1 != Event::Hangup);
        Knock(flags.map(|(_, flag)| flag.clone()).collect())
    }

    /// Lets the wire go slack after a poll has reported it; call before `take`.
    pub fn hush(&self) {
        let mut bytes = [0; 64];
        while (&self.wire).read(&mut bytes).is_ok_and(|n| n > 0) {}
    }
}

/// Whether somebody wants an end, for who is busy and cannot take events.
#[derive(Clone, Debug, Default)]
pub struct Knock(Vec<Arc<AtomicBool>>);

impl Knock {
    /// SIGTERM or SIGINT has come and was not taken yet.
    pub fn is_heard(&self) -> bool {
        self.0.iter().any(|flag| flag.load(Ordering::Relaxed))
    }
}

impl AsFd for Bell {
    /// To be polled for POLLIN.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wire.as_fd()
    }
}

/// Says to ourselves what a person would say with a second SIGTERM.
pub fn terminate_again() {
    // Fails for no signal that exists.
    let _ = signal_hook::low_level::raise(SIGTERM);
}

/// Enlarges the pipe and gives back its size, which is the old one where enlarging is not allowed. None: not
/// a pipe.
pub fn enlarge_pipe(fd: impl AsFd, bytes: usize) -> Option<usize> {
    let size = |arg| fcntl(&fd, arg).ok().and_then(|size| usize::try_from(size).ok());
    let now = size(FcntlArg::F_GETPIPE_SZ)?;
    let wanted = i32::try_from(bytes).ok().filter(|_| now < bytes);
    wanted.map(FcntlArg::F_SETPIPE_SZ).and_then(size).or(Some(now))
}

/// The process that started us, or 1 (or a subreaper) once that one has ended.
fn parent() -> i32 {
    getppid().as_raw()
}

/// Who our parent was at the start.
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
        let pid = parent();
        Parent { pid, gone: pid == 1 && !server_holds_stdin() }
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
    const LET_GO: Duration = Duration::from_millis(50);
    *SERVER.get_or_init(|| {
        server_holds_stdin() && {
            thread::sleep(LET_GO);
            server_holds_stdin()
        }
    })
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
        // The flags of open(2), in octal. Apache's pipes stay open on exec; those of a library that starts a process
        // for somebody do not.
        let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{}", entry.file_name().display())).ok()?;
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:"))?;
        let flags = i32::from_str_radix(flags.trim(), 8).ok()?;
        (flags & O_CLOEXEC == 0).then_some(flags & O_ACCMODE)
    };
    let modes: Vec<i32> = held.flatten().filter_map(mode).collect();
    modes.contains(&O_RDONLY) && modes.contains(&O_WRONLY)
}

/// Gives freed memory back to the system. glibc keeps what was freed below something that is still in use, which after
/// a page of 50 MB were 90 MB; other C libraries give it back by themselves.
#[allow(unsafe_code)]
pub fn release_freed_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it may be called by any thread at any time, and touches nothing that is in use.
    unsafe {
        nix::libc::malloc_trim(0);
    }
}

pub fn is_root() -> bool {
    Uid::effective().is_root()
}

/// Whom to become after everything that needs root has been opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
}

impl Identity {
    /// Reads `USER[:GROUP]`, names or numbers. A user given by a number that nobody has needs a group.
    pub fn find(spec: &str) -> Result<Identity, String> {
        let (name, group) = spec.split_once(':').map_or((spec, None), |(user, group)| (user, Some(group)));
        if name.is_empty() || group.is_some_and(str::is_empty) {
            return Err(format!("`{spec}` is not USER or USER:GROUP"));
        }
        let by_name =
            |name: &str| User::from_name(name).map_err(|e| format!("unable to look up user {name}: {e}"));
        let user = match name.parse() {
            Ok(uid) => User::from_uid(Uid::from_raw(uid)).unwrap_or_default(),
            Err(_) => by_name(name)?,
        };
        let uid = match (&user, name.parse()) {
            (Some(user), _) => user.uid.as_raw(),
            (None, Ok(uid)) => uid,
            (None, Err(_)) => return Err(format!("there is no user {name}")),
        };
        let gid = match (group, &user) {
            (Some(group), _) => find_group(group)?,
            (None, Some(user)) => user.gid.as_raw(),
            (None, None) => return Err(format!("user {uid} has no entry and so needs a group: {uid}:GROUP")),
        };
        if uid == 0 {
            return Err(format!("{name} is root itself"));
        }
        Ok(Identity { name: name.to_owned(), uid, gid })
    }
}

fn find_group(name: &str) -> Result<u32, String> {
    if let Ok(gid) = name.parse() {
        return Ok(gid);
    }
    let group = Group::from_name(name).map_err(|e| format!("unable to look up group {name}: {e}"))?;
    group.map(|group| group.gid.as_raw()).ok_or_else(|| format!("there is no group {name}"))
}

/// Gives up root for good. An error means that it did not work in full, and the caller must end the process.
/// To be called before other threads are started, for no-new-privileges is a property of each thread and
/// inherited.
pub fn become_user(identity: &Identity) -> Result<(), String> {
    let (uid, gid) = (Uid::from_raw(identity.uid), Gid::from_raw(identity.gid));
    // Only root may look at a server that is root. The start has no time for a second look.
    SERVER.get_or_init(server_holds_stdin);
    let failed = |step: &str, e| format!("unable to become {}: {step}: {e}", identity.name);
    // The order matters: without root neither groups nor group can be changed any more.
    setgroups(&[gid]).map_err(|e| failed("setgroups", e))?;
    setgid(gid).map_err(|e| failed("setgid", e))?;
    setuid(uid).map_err(|e| failed("setuid", e))?;
    prctl::set_no_new_privs().map_err(|e| failed("no-new-privileges", e))?;
    let users = getresuid().map_err(|e| failed("getresuid", e))?;
    let groups = getresgid().map_err(|e| failed("getresgid", e))?;
    let changed = [users.real, users.effective, users.saved].iter().all(|id| *id == uid)
        && [groups.real, groups.effective, groups.saved].iter().all(|id| *id == gid);
    if !changed || setuid(Uid::from_raw(0)).is_ok() {
        return Err(format!("unable to become {}: root could be regained", identity.name));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn users_are_found_by_name_and_number() {
        let root_group = Identity { name: "12345".to_owned(), uid: 12345, gid: 0 };
        assert_eq!(Identity::find("12345:0"), Ok(root_group));
        for (spec, error) in [
            ("no-such-user", "there is no user no-such-user"),
            ("12345:no-such-group", "there is no group no-such-group"),
            ("3999999999", "user 3999999999 has no entry and so needs a group: 3999999999:GROUP"),
            ("", "`` is not USER or USER:GROUP"),
            ("12345:", "`12345:` is not USER or USER:GROUP"),
            (":0", "`:0` is not USER or USER:GROUP"),
            ("0", "0 is root itself"),
            ("root:0", "root is root itself"),
        ] {
            assert_eq!(Identity::find(spec).unwrap_err(), error);
        }
    }

    /// Not a test of its own: the process of the next one, which cannot become root again.
    #[test]
    fn unprivileged_child() {
        let Some(user) = std::env::var_os("HTTPD_EXPORTER_TEST_USER") else { return };
        let identity = Identity::find(user.to_str().unwrap()).unwrap();
        // The thread that runs the tests stands for one that was started too early: its ids change all the
        // same.
        become_user(&identity).unwrap();
        let started = thread::spawn(|| fs::read_to_string("/proc/thread-self/status").unwrap());
        let status = started.join().unwrap();
        assert!(
            status.contains("NoNewPrivs:\t1\n") && status.contains("CapEff:\t0000000000000000\n"),
            "{status}"
        );
        for task in fs::read_dir("/proc/self/task").unwrap() {
            let status = fs::read_to_string(task.unwrap().path().join("status")).unwrap();
            let line = |name: &str| {
                status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned()
            };
            let four = |id: u32| [id.to_string(), id.to_string(), id.to_string(), id.to_string()].join("\t");
            assert_eq!(line("Uid:"), four(identity.uid));
            assert_eq!(line("Gid:"), four(identity.gid));
            assert_eq!(line("Groups:"), identity.gid.to_string());
        }
        assert!(fs::File::open("/etc/shadow").is_err());
    }

    #[test]
    #[ignore = "needs root, to give it up"]
    fn root_is_given_up_by_all_threads_and_for_good() {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "os::tests::unprivileged_child"])
            .env("HTTPD_EXPORTER_TEST_USER", "12345:12346")
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    #[test]
    fn a_pipe_is_enlarged_and_nothing_else_is() {
        let (reader, _writer) = io::pipe().unwrap();
        assert_eq!(enlarge_pipe(&reader, 1 << 17), Some(1 << 17));
        assert_eq!(enlarge_pipe(&reader, 1 << 16), Some(1 << 17), "never made smaller");
        assert_eq!(enlarge_pipe(fs::File::open("/dev/null").unwrap(), 1 << 17), None);
    }
}
