//! Reactor: the one poll(2) loop that holds every listener and every connection.
//!
//! It owns the table of connections, which has a fixed size; which one leaves when it is full is decided in evict.rs.
//! Nothing in this loop waits for anything but poll(2); pages are made elsewhere (render.rs), and stdin is read by
//! other threads. A fault of the program costs the connections, at worst; the loop goes on with its listeners.

use crate::log::log_error;
use std::cmp::Reverse;
use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{Resource, getrlimit};

use crate::serve::guard::Guard;
use crate::serve::http::checks::{CheckPool, CheckQueue};
use crate::serve::http::connection::{Connection, Context};
use crate::serve::http::evict;
use crate::serve::http::handler::{EventSink, ServerEvent};
use crate::serve::http::limits::{
    ACCEPTS_PER_TURN, FEWEST_CONNECTIONS, HASHED_ADDRESSES, Limits, RESERVED_DESCRIPTORS,
};
use crate::serve::http::listener::Listener;
use crate::serve::http::render::{Queue, RenderJob, RenderPool};
use crate::serve::http::waker::WakeReceiver;

/// Errors that accept(2) passes on from the one connection it would have returned: the next may be sound.
const OF_THE_CLIENT: [Errno; 10] = [
    Errno::EINTR,
    Errno::ECONNABORTED,
    Errno::EPROTO,
    Errno::EPERM,
    Errno::ENETDOWN,
    Errno::ENOPROTOOPT,
    Errno::EHOSTDOWN,
    Errno::EHOSTUNREACH,
    Errno::EOPNOTSUPP,
    Errno::ENETUNREACH,
];

/// What the reactor is told.
pub enum Command {
    Add(Listener),
    /// Close the listeners, and say when that is done.
    Close(Sender<()>),
    Stop,
}

pub struct Reactor {
    limits: Limits,
    telemetry_path: String,
    listeners: Vec<Listener>,
    connections: Vec<Connection>,
    pool: RenderPool,
    /// Who may speak, and the threads that find it out.
    checks: Option<(Guard, CheckPool)>,
    /// The addresses that hold more than their share of the places, in this turn.
    crowding: Vec<Option<IpAddr>>,
    /// Where those are whose passwords were hashed last.
    hashed: VecDeque<Option<IpAddr>>,
    /// Connections taken so far.
    taken: u64,
    commands: Receiver<Command>,
    /// Readable when a command or a page has come.
    woken: WakeReceiver,
    events: EventSink,
    closing: bool,
    stopped: bool,
    /// The system refused us a connection and nobody could give way: no new ones before that.
    accept_after: Option<Instant>,
    /// Kinds of fault reported, each once.
    logged: Vec<String>,
}

/// What poll(2) found, by place in the tables.
struct Ready {
    connections: Vec<bool>,
    listeners: Vec<bool>,
}

impl Reactor {
    pub fn new(
        mut limits: Limits,
        listeners: Vec<Listener>,
        telemetry_path: String,
        pool: RenderPool,
        checks: Option<(Guard, CheckPool)>,
        (commands, woken): (Receiver<Command>, WakeReceiver),
        events: EventSink,
    ) -> Reactor {
        if checks.is_some() {
            limits.connections = limits.guarded_connections;
        }
        let room = room_for_connections();
        limits.connections = limits.connections.min(room);
        limits.last_connections = limits.last_connections.min(room);
        Reactor {
            limits,
            telemetry_path,
            listeners,
            connections: Vec::new(),
            pool,
            checks,
            crowding: Vec::new(),
            hashed: VecDeque::new(),
            taken: 0,
            commands,
            woken,
            events,
            closing: false,
            stopped: false,
            accept_after: None,
            logged: Vec::new(),
        }
    }

    /// Until the command to stop. A panic in a turn costs all connections, for one of them may be the cause, and a
    /// pause, for the cause may be still there; the listeners stay.
    pub fn run(&mut self) {
        while !self.stopped {
            if catch_unwind(AssertUnwindSafe(|| self.turn())).is_err() {
                self.connections.clear();
                self.log_once("the HTTP server lost its connections", "this is a fault of the program");
                std::thread::sleep(self.limits.accept_pause);
            }
        }
    }

    fn turn(&mut self) {
        self.handle_commands();
        if self.stopped {
            return;
        }
        self.deliver();
        self.settle();
        self.schedule();
        self.crowding = evict::crowding(&self.connections, &self.limits);
        self.begin_checks();
        let ready = self.wait();
        self.proceed(&ready.connections);
        self.expire();
        self.accept(&ready.listeners);
    }

    fn handle_commands(&mut self) {
        while let Ok(command) = self.commands.try_recv() {
            match command {
                Command::Add(listener) => {
                    self.listeners.push(listener);
                    self.closing = false;
                }
                Command::Close(closed) => {
                    self.closing = true;
                    self.accept_the_last();
                    self.listeners.clear();
                    // The receiver may have given up waiting.
                    let _ = closed.send(());
                }
                Command::Stop => self.stopped = true,
            }
        }
    }

    // ---- Waiting --------------------------------------------------------------------------------------

    fn wait(&mut self) -> Ready {
        let now = Instant::now();
        let accepting = self.may_accept(now);
        let timeout = self.timeout(now, accepting);
        let mut fds = vec![PollFd::new(self.woken.as_fd(), PollFlags::POLLIN)];
        fds.extend(self.connections.iter().map(|c| PollFd::new(c.as_fd(), c.interest())));
        if accepting {
            fds.extend(self.listeners.iter().map(|l| PollFd::new(l.as_fd(), PollFlags::POLLIN)));
        }
        let fault = poll(&mut fds, timeout).err().filter(|&errno| errno != Errno::EINTR);
        let mut found = fds.iter().map(|fd| fault.is_none() && fd.any().unwrap_or(true));
        let is_woken = found.next().unwrap_or(false);
        let connections: Vec<bool> = found.by_ref().take(self.connections.len()).collect();
        let listeners = found.collect();
        drop(fds);
        if is_woken {
            self.woken.drain();
        }
        if let Some(errno) = fault {
            self.log_once("unable to wait for connections", errno.desc());
            std::thread::sleep(self.limits.accept_pause);
        }
        Ready { connections, listeners }
    }

    /// Whether a new connection would find a place.
    fn may_accept(&self, now: Instant) -> bool {
        self.accept_after.is_none_or(|after| after <= now)
            && (self.connections.len() < self.places() || self.first_due().is_some_and(|when| when <= now))
    }

    fn first_due(&self) -> Option<Instant> {
        evict::first_due(&self.connections, &self.crowding, &self.limits)
    }

    fn timeout(&self, now: Instant, accepting: bool) -> PollTimeout {
        if self.connections.iter().any(Connection::has_more) {
            return PollTimeout::ZERO;
        }
        let mut next = self.connections.iter().map(|c| c.deadline(&self.limits)).min();
        if !accepting {
            let later = self.accept_after.filter(|&after| after > now).or_else(|| self.first_due());
            next = [next, later].into_iter().flatten().min();
        }
        let Some(next) = next else { return PollTimeout::NONE };
        // One millisecond more, because poll counts whole ones: not to wake before the moment.
        let wait = next.saturating_duration_since(now) + Duration::from_millis(1);
        PollTimeout::try_from(wait).unwrap_or(PollTimeout::MAX)
    }

    // ---- Connections ----------------------------------------------------------------------------------

    fn proceed(&mut self, ready: &[bool]) {
        let ready = ready.to_vec();
        self.each(|connection, context, index| {
            if ready.get(index).is_some_and(|&ready| ready) || connection.has_more() {
                connection.proceed(context);
            }
        });
    }

    fn expire(&mut self) {
        self.each(|connection, context, _| {
            if connection.deadline(context.limits) <= context.now {
                connection.expire(context);
            }
        });
    }

    /// Runs a step for every connection, and lets go of those that are closed. A panic costs the connection
    /// it happened in.
    fn each(&mut self, mut step: impl FnMut(&mut Connection, &Context<'_>, usize)) {
        let context = Context {
            limits: &self.limits,
            telemetry_path: &self.telemetry_path,
            guard: self.checks.as_ref().map(|(guard, _)| guard),
            events: &self.events,
            now: Instant::now(),
            closing: self.closing,
            crowded: self.connections.len() >= self.places(),
            keeps_known: evict::keeps_known(&self.connections, &self.limits),
            healthy: self.pool.are_alive() && self.checks.as_ref().is_none_or(|(_, pool)| pool.are_alive()),
        };
        let mut panicked = false;
        for (index, connection) in self.connections.iter_mut().enumerate() {
            if catch_unwind(AssertUnwindSafe(|| step(connection, &context, index))).is_err() {
                connection.close();
                panicked = true;
            }
        }
        self.connections.retain(|connection| !connection.is_closed());
        if panicked {
            self.log_once("a request could not be served", "this is a fault of the program");
        }
    }

    // ---- Pages ----------------------------------------------------------------------------------------

    /// Hands each queue that is free all that is asked of it by now, each resource once.
    fn schedule(&mut self) {
        for place in Queue::ALL {
            if !self.pool.is_free(place) {
                continue;
            }
            let mut batch: Vec<RenderJob> = Vec::new();
            for connection in &mut self.connections {
                let Some((resource, gzip)) = connection.wants() else { continue };
                if Queue::of(resource) != place {
                    continue;
                }
                match batch.iter_mut().find(|(known, _)| known == resource) {
                    Some((_, compressed)) => *compressed |= gzip,
                    None => batch.push((resource.clone(), gzip)),
                }
                connection.mark_begun();
            }
            if !batch.is_empty() {
                self.pool.begin(place, batch);
            }
        }
    }

    fn deliver(&mut self) {
        while let Some((resource, page)) = self.pool.take() {
            self.each(|connection, context, _| connection.receive(&resource, &page, context));
            self.bound_pages();
        }
    }

    fn bound_pages(&mut self) {
        while let Some(index) = evict::over_page_bytes(&self.connections, &self.limits) {
            self.end(index);
        }
    }

    // ---- Checks ---------------------------------------------------------------------------------------

    /// Gives each thread that is free one of the connections that wait for it.
    fn begin_checks(&mut self) {
        for queue in CheckQueue::ALL {
            if !self.checks.as_ref().is_some_and(|(_, pool)| pool.is_free(queue)) {
                continue;
            }
            let Some(index) = self.next_check(queue) else { continue };
            let connection = &mut self.connections[index];
            if queue == CheckQueue::Passwords {
                self.hashed.push_back(connection.origin());
                self.hashed.drain(..self.hashed.len().saturating_sub(HASHED_ADDRESSES));
            }
            if let (Some((_, pool)), Some(work)) = (&mut self.checks, connection.begin_check()) {
                pool.begin(connection.id, work);
            }
        }
    }

    /// The one that has waited longest: those who go on with a handshake before those who begin one, and of those with
    /// passwords from where none was hashed for longest. Of an address that crowds out others the newest begins first:
    /// the older ones will have gone before it would be their turn.
    fn next_check(&self, queue: CheckQueue) -> Option<usize> {
        let waiting = self.connections.iter().enumerate().filter(|(_, c)| c.needs() == Some(queue));
        let rank = |connection: &Connection| match queue {
            CheckQueue::Tls if connection.is_new() => {
                let crowds = self.crowding.contains(&connection.origin());
                (Some(1), crowds.then(|| Reverse(connection.since())))
            }
            CheckQueue::Tls => (None, None),
            CheckQueue::Passwords => {
                let origin = connection.origin();
                (self.hashed.iter().rposition(|&hashed| hashed == origin), None)
            }
        };
        waiting.min_by_key(|(_, connection)| (rank(connection), connection.since())).map(|(index, _)| index)
    }

    fn settle(&mut self) {
        while let Some((id, found)) = self.checks.as_mut().and_then(|(_, pool)| pool.take()) {
            // The connection may have gone meanwhile.
            let mut found = Some(found);
            self.each(|connection, context, _| {
                if connection.id == id
                    && let Some(found) = found.take()
                {
                    connection.settle(found, context);
                }
            });
        }
    }

    // ---- New connections ------------------------------------------------------------------------------

    fn accept(&mut self, ready: &[bool]) {
        for index in (0..self.listeners.len()).filter(|&index| ready.get(index).is_some_and(|&ready| ready)) {
            for _ in 0..ACCEPTS_PER_TURN {
                if !self.accept_one(index) {
                    break;
                }
            }
        }
    }

    /// Clients in the backlog were promised an answer by the kernel, and are reset when the listener is closed.
    /// There is no later turn for them, so they are given places beyond the usual ones.
    fn accept_the_last(&mut self) {
        for index in 0..self.listeners.len() {
            for _ in 0..self.limits.last_connections {
                if !self.accept_one(index) {
                    break;
                }
            }
        }
    }

    fn places(&self) -> usize {
        if self.closing { self.limits.last_connections } else { self.limits.connections }
    }

    /// Takes one connection; `false` when there is none, or no place for it.
    fn accept_one(&mut self, listener: usize) -> bool {
        let now = Instant::now();
        let mut leaving = None;
        if self.connections.len() >= self.places() {
            leaving = evict::candidate(&self.connections, &self.crowding, &self.limits, now);
            if leaving.is_none() {
                return false;
            }
        }
        match self.listeners[listener].accept() {
            Ok(stream) => {
                if let Some(index) = leaving {
                    self.end(index);
                }
                self.taken += 1;
                self.connections.push(Connection::new(stream, self.taken, self.checks.is_some(), now));
                true
            }
            Err(error) => self.on_accept_error(&error, now),
        }
    }

    /// `true` when the next accept may succeed.
    fn on_accept_error(&mut self, error: &io::Error, now: Instant) -> bool {
        match error.raw_os_error().map(Errno::from_raw) {
            Some(Errno::EAGAIN) => return false,
            Some(errno) if OF_THE_CLIENT.contains(&errno) => return true,
            _ => {}
        }
        self.log_once("unable to accept a connection", &error.to_string());
        if let Some(index) = evict::candidate(&self.connections, &self.crowding, &self.limits, now) {
            self.end(index);
            return true;
        }
        let pause = now + self.limits.accept_pause;
        self.accept_after = Some(self.first_due().map_or(pause, |first| first.clamp(now, pause)));
        false
    }

    fn end(&mut self, index: usize) {
        if !self.connections.swap_remove(index).is_served() {
            (self.events)(ServerEvent::Refused);
        }
    }

    fn log_once(&mut self, what: &str, why: &str) {
        let message = format!("{what}: {why}");
        if !self.logged.contains(&message) {
            log_error(&message);
            self.logged.push(message);
        }
    }
}

/// How many connections the limit of descriptors leaves room for.
fn room_for_connections() -> usize {
    let Ok((soft, _)) = getrlimit(Resource::RLIMIT_NOFILE) else { return FEWEST_CONNECTIONS };
    usize::try_from(soft.saturating_sub(RESERVED_DESCRIPTORS)).unwrap_or(usize::MAX).max(FEWEST_CONNECTIONS)
}
