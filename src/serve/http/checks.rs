//! Check pool: two threads for what the reactor must not wait for before a request is let in: `serve-tls` for
//! handshakes and for a look at the files of `--web.config.file`, `serve-passwords` for hashes.
//!
//! A thread has one piece of work at a time, which the reactor takes from a connection that is still there: what is not
//! begun waits in the table of connections, where it is bounded, and goes with its connection.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use crate::log::log_error;
use crate::os;
use crate::serve::guard::{Attempt, Guard, Session};
use crate::serve::http::waker::Waker;

/// What a connection waits for.
#[derive(Debug)]
pub enum Work {
    /// The first bytes of a client: a handshake, or a request.
    Enter(Vec<u8>),
    /// More bytes of a handshake.
    Handshake(Session, Vec<u8>),
    /// A look at the files.
    Look,
    Hash(Attempt),
}

/// What came of it.
#[derive(Debug)]
pub enum Found {
    /// Nobody is served at the moment.
    Closed,
    /// The bytes are those of plain HTTP, as it should be.
    Plain(Vec<u8>),
    /// The bytes are those of plain HTTP, and TLS is spoken.
    NotTls,
    Session {
        session: Session,
        is_sound: bool,
    },
    Looked,
    Hashed {
        is_right: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckQueue {
    Tls,
    Passwords,
}

impl CheckQueue {
    pub const ALL: [CheckQueue; 2] = [CheckQueue::Tls, CheckQueue::Passwords];

    pub fn of(work: &Work) -> CheckQueue {
        if matches!(work, Work::Hash(_)) { CheckQueue::Passwords } else { CheckQueue::Tls }
    }

    fn thread_name(self) -> &'static str {
        match self {
            CheckQueue::Tls => "serve-tls",
            CheckQueue::Passwords => "serve-passwords",
        }
    }
}

#[derive(Debug)]
struct WorkerHandle {
    work: Sender<(u64, Work)>,
    is_busy: bool,
    thread: JoinHandle<()>,
}

#[derive(Debug)]
pub struct CheckPool {
    workers: [WorkerHandle; 2],
    found: Receiver<(CheckQueue, u64, Found)>,
}

impl CheckPool {
    pub fn start(guard: &Guard, waker: &Waker) -> io::Result<CheckPool> {
        let (done, found) = mpsc::channel();
        let start = |queue: CheckQueue| -> io::Result<WorkerHandle> {
            let (work, received) = mpsc::channel();
            let (guard, waker, done) = (guard.clone(), waker.try_clone()?, done.clone());
            let builder = thread::Builder::new().name(queue.thread_name().into());
            let thread = builder.spawn(move || serve(queue, &guard, &received, &done, &waker))?;
            Ok(WorkerHandle { work, is_busy: false, thread })
        };
        Ok(CheckPool { workers: [start(CheckQueue::Tls)?, start(CheckQueue::Passwords)?], found })
    }

    pub fn is_free(&self, queue: CheckQueue) -> bool {
        !self.workers[queue as usize].is_busy
    }

    pub fn begin(&mut self, connection: u64, work: Work) {
        let worker = &mut self.workers[CheckQueue::of(&work) as usize];
        worker.is_busy = true;
        // A worker that has ended answers nothing: connections run into their deadline, and /-/healthy tells.
        let _ = worker.work.send((connection, work));
    }

    /// What was found since the last call, and for which connection.
    pub fn take(&mut self) -> Option<(u64, Found)> {
        let (queue, connection, found) = self.found.try_recv().ok()?;
        self.workers[queue as usize].is_busy = false;
        Some((connection, found))
    }

    pub fn are_alive(&self) -> bool {
        self.workers.iter().all(|worker| !worker.thread.is_finished())
    }
}

/// Until the reactor is gone.
fn serve(
    queue: CheckQueue,
    guard: &Guard,
    work: &Receiver<(u64, Work)>,
    done: &Sender<(CheckQueue, u64, Found)>,
    waker: &Waker,
) {
    // Strangers choose how much there is to hash; the counting of lines goes first.
    if queue == CheckQueue::Passwords {
        os::cpu::yield_to_others();
    }
    let mut was_logged = false;
    while let Ok((connection, work)) = work.recv() {
        let found = catch_unwind(AssertUnwindSafe(|| check(guard, work))).unwrap_or_else(|_| {
            if !was_logged {
                log_error("a connection could not be checked; this is a fault of the program");
                was_logged = true;
            }
            Found::Closed
        });
        if done.send((queue, connection, found)).is_err() {
            return;
        }
        waker.wake();
    }
}

fn check(guard: &Guard, work: Work) -> Found {
    match work {
        Work::Enter(bytes) => enter(guard, bytes),
        Work::Handshake(session, bytes) => feed(session, &bytes),
        Work::Look => guard.refresh().map_or(Found::Closed, |_| Found::Looked),
        Work::Hash(attempt) => Found::Hashed { is_right: attempt.is_right() },
    }
}

/// A new connection is served by what the files say now.
fn enter(guard: &Guard, bytes: Vec<u8>) -> Found {
    let Some(settings) = guard.refresh() else { return Found::Closed };
    match settings.session() {
        // A record of TLS begins with its type; a request with a letter.
        Some(_) if bytes.first().is_some_and(u8::is_ascii_uppercase) => Found::NotTls,
        Some(session) => feed(session, &bytes),
        None if settings.has_tls() => Found::Closed,
        None => Found::Plain(bytes),
    }
}

fn feed(mut session: Session, bytes: &[u8]) -> Found {
    let is_sound = session.feed(bytes).is_ok();
    Found::Session { session, is_sound }
}
