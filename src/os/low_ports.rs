//! Ports below 1024 once root is given up: one thread keeps the right to bind them, and nothing else of root.
//!
//! A predecessor that has such a port releases it when it can, and whoever waits for that as root does not read stdin.
//! So the right outlives root, in a thread that does nothing but bind and ends when there is nothing left to bind.
//! Sources: capabilities(7), capset(2), PR_SET_KEEPCAPS in prctl(2); both sets of a thread are inherited by those that
//! it starts.

use nix::errno::Errno;
use nix::libc;
use std::fmt;
use std::io;
use std::sync::mpsc::{Sender, channel};
use std::thread;

type Work = Box<dyn FnOnce() + Send>;

/// The way to the thread, which ends with it.
pub struct LowPorts(Sender<Work>);

impl fmt::Debug for LowPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LowPorts")
    }
}

impl LowPorts {
    /// Starts the thread with the right that the caller still has, and takes it from the caller's. None where there is
    /// no such right. An error means that the caller may have more rights than it should.
    pub(super) fn start() -> io::Result<Option<LowPorts>> {
        let mut started = None;
        if set_capabilities(1 << CAP_NET_BIND_SERVICE).is_ok() {
            let (sender, works) = channel::<Work>();
            let run = move || works.into_iter().for_each(|work| work());
            started =
                thread::Builder::new().name("low ports".to_owned()).spawn(run).ok().map(|_| LowPorts(sender));
        }
        set_capabilities(0)?;
        Ok(started)
    }

    /// Does this with the right to bind any port.
    pub fn bind<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let (answer, answered) = channel();
        // Where the thread is gone, so is the right, and the answer's sender with the work.
        let _ = self.0.send(Box::new(move || drop(answer.send(work()))));
        answered.recv().unwrap_or_else(|_| Err(io::ErrorKind::PermissionDenied.into()))
    }
}

const CAP_NET_BIND_SERVICE: u32 = 10;

/// _LINUX_CAPABILITY_VERSION_3 of linux/capability.h: sets of 64 bits, the lower half first.
const VERSION: u32 = 0x2008_0522;

#[repr(C)]
struct Header {
    version: u32,
    /// Zero is the calling thread.
    pid: i32,
}

#[repr(C)]
struct Sets {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Gives this thread these rights of those that it may have, and no others ever again.
#[allow(unsafe_code)]
fn set_capabilities(rights: u32) -> io::Result<()> {
    let header = Header { version: VERSION, pid: 0 };
    let sets = [rights, 0].map(|rights| Sets { effective: rights, permitted: rights, inheritable: 0 });
    // SAFETY: both pointers lead to what the kernel expects for this version, and it only reads from them.
    let result = unsafe { libc::syscall(libc::SYS_capset, &raw const header, sets.as_ptr()) };
    Ok(Errno::result(result).map(drop)?)
}
