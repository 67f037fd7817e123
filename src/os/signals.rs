//! Self-pipe: signals as a file descriptor that is polled together with stdin.
//!
//! It owns the signal handlers (signal-hook's, none of our own). Sources: signal(7), poll(2).

use crate::os::server::started_by_server;
use crate::os::stop_flag::StopFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use signal_hook::consts::signal::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::{flag, low_level::pipe};
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGHUP: files may have been renamed.
    Hangup,
    /// SIGTERM: another process takes over.
    Terminate,
    /// SIGINT: the person at the terminal wants an end. Under a server it is ignored: Ctrl-C goes to the server as
    /// well, which ends us as it ends its other piped logs.
    Interrupt,
}

const SIGNALS: [(i32, Signal); 3] =
    [(SIGHUP, Signal::Hangup), (SIGTERM, Signal::Terminate), (SIGINT, Signal::Interrupt)];

/// Signals as something that can be polled. Two of a kind that come before anybody looked are one.
/// SIGPIPE needs nothing: the runtime of Rust ignores it, and a write that fails says so itself.
#[derive(Debug)]
pub struct SignalPipe {
    receiver: UnixStream,
    /// In the order of `SIGNALS`. The flag is set first and the byte written then, so an event is never missed.
    raised: [Arc<AtomicBool>; SIGNALS.len()],
    /// A signal that asks for an end has come. Set before all else and never reset.
    stop: Arc<AtomicBool>,
}

impl SignalPipe {
    /// Puts the handlers in place.
    pub fn install() -> io::Result<SignalPipe> {
        let (receiver, sender) = UnixStream::pair()?;
        receiver.set_nonblocking(true)?;
        let raised: [Arc<AtomicBool>; SIGNALS.len()] = Default::default();
        let stop = Arc::<AtomicBool>::default();
        for ((signal, event), flag) in SIGNALS.iter().zip(&raised) {
            // Handlers are called in the order in which they were registered.
            if *event != Signal::Hangup {
                flag::register(*signal, stop.clone())?;
            }
            flag::register(*signal, flag.clone())?;
            pipe::register(*signal, sender.try_clone()?)?;
        }
        // Where the size of files is limited (ulimit -f) a write fails then, as on a full disk: setrlimit(2).
        flag::register(SIGXFSZ, Arc::default())?;
        Ok(SignalPipe { receiver, raised, stop })
    }

    /// The oldest kind of event that has come and was not taken yet. Costs no system call.
    pub fn pending(&self) -> Option<Signal> {
        let mut pairs = SIGNALS.iter().zip(&self.raised);
        let raised = |flag: &AtomicBool| flag.load(Ordering::Relaxed) && flag.swap(false, Ordering::SeqCst);
        match pairs.find(|(_, flag)| raised(flag)).map(|(signal, _)| signal.1) {
            Some(Signal::Interrupt) if started_by_server() => Some(Signal::Terminate),
            event => event,
        }
    }

    /// Waits for a signal, so long at most.
    pub fn wait(&self, time: Duration) {
        let mut fds = [PollFd::new(self.as_fd(), PollFlags::POLLIN)];
        // Interrupted, it is over; nothing else can fail here.
        if poll(&mut fds, PollTimeout::try_from(time).unwrap_or(PollTimeout::ZERO))
            .is_ok_and(|ready| ready > 0)
        {
            self.drain();
        }
    }

    pub fn stop_flag(&self) -> StopFlag {
        StopFlag::of(self.stop.clone())
    }

    /// Reads what the handlers have written, after a poll has reported it; call before `pending`.
    pub fn drain(&self) {
        let mut bytes = [0; 64];
        while (&self.receiver).read(&mut bytes).is_ok_and(|n| n > 0) {}
    }
}

impl AsFd for SignalPipe {
    /// To be polled for POLLIN.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.receiver.as_fd()
    }
}

/// Raises SIGTERM in this process, as a person would with a second one.
pub fn terminate_again() {
    // Fails for no signal that exists.
    let _ = signal_hook::low_level::raise(SIGTERM);
}
