//! Turns readiness into progress: the one loop that holds every listener and every connection.
//!
//! It owns the table of connections, which has a fixed size. When it is full the one that has been idle
//! longest gives way to a new one: idlers never keep a scraper out. Nothing in this loop waits for anything
//! but poll(2); pages are made elsewhere (desk.rs), and stdin is read by threads this one never meets.

use crate::log::log_line;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{Resource, getrlimit};

use crate::serve::http::connection::{Connection, Rules};
use crate::serve::http::desk::{Desks, Place, Wanted};
use crate::serve::http::{
    ACCEPTS_PER_TURN, Event, FEWEST_CONNECTIONS, Limits, Listener, Meter, Order, RESERVED_DESCRIPTORS,
};

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

pub struct Reactor {
    limits: Limits,
    telemetry_path: String,
    listeners: Vec<Listener>,
    connections: Vec<Connection>,
    desks: Desks,
    orders: Receiver<Order>,
    /// Rings when an order or a page has come.
    bell: UnixStream,
    meter: Meter,
    closing: bool,
    stopped: bool,
    /// The system refused us a connection and nobody could give way: no new ones before that.
    accept_after: Option<Instant>,
    /// Kinds of fault reported, each once.
    said: Vec<String>,
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
        desks: Desks,
        orders: Receiver<Order>,
        bell: UnixStream,
        meter: Meter,
    ) -> Reactor {
        let room = room_for_connections();
        limits.connections = limits.connections.min(room);
        limits.last_connections = limits.last_connections.min(room);
        Reactor {
            limits,
            telemetry_path,
            listeners,
            connections: Vec::new(),
            desks,
            orders,
            bell,
            meter,
            closing: false,
            stopped: false,
            accept_after: None,
            said: Vec::new(),
        }
    }

    pub fn run(&mut self) {
        loop {
            self.obey();
            if self.stopped {
                return;
            }
            self.hand_out_pages();
            self.ask_for_pages();
            let ready = self.wait();
            self.proceed(&ready.connections);
            self.expire();
            self.accept(&ready.listeners);
        }
    }

    fn obey(&mut self) {
        while let Ok(order) = self.orders.try_recv() {
            match order {
                Order::Add(listener) => {
                    self.listeners.push(listener);
                    self.closing = false;
                }
                Order::Close(closed) => {
                    self.closing = true;
                    self.accept_the_last();
                    self.listeners.clear();
                    // Whoever asked may have gone.
                    let _ = closed.send(());
                }
                Order::Stop => self.stopped = true,
            }
        }
    }

    // ---- Waiting --------------------------------------------------------------------------------------

    fn wait(&mut self) -> Ready {
        let now = Instant::now();
        let accepting = self.may_accept(now);
        let timeout = self.timeout(now, accepting);
        let mut fds = vec![PollFd::new(self.bell.as_fd(), PollFlags::POLLIN)];
        fds.extend(self.connections.iter().map(|c| PollFd::new(c.as_fd(), c.interest())));
        if accepting {
            fds.extend(self.listeners.iter().map(|l| PollFd::new(l.as_fd(), PollFlags::POLLIN)));
        }
        let fault = poll(&mut fds, timeout).err().filter(|&errno| errno != Errno::EINTR);
        let mut found = fds.iter().map(|fd| fault.is_none() && fd.any().unwrap_or(true));
        let rung = found.next().unwrap_or(false);
        let connections: Vec<bool> = found.by_ref().take(self.connections.len()).collect();
        let listeners = found.collect();
        drop(fds);
        if rung {
            // What is left rings again.
            let _ = self.bell.read(&mut [0; 64]);
        }
        if let Some(errno) = fault {
            self.say_once("unable to wait for connections", errno.desc());
            std::thread::sleep(self.limits.accept_pause);
        }
        Ready { connections, listeners }
    }

    /// Whether a new connection would find a place.
    fn may_accept(&self, now: Instant) -> bool {
        self.accept_after.is_none_or(|after| after <= now)
            && (self.connections.len() < self.places()
                || self.first_to_give_way().is_some_and(|when| when <= now))
    }

    fn first_to_give_way(&self) -> Option<Instant> {
        self.connections.iter().filter_map(|c| c.gives_way(&self.limits)).map(|(_, when)| when).min()
    }

    fn timeout(&self, now: Instant, accepting: bool) -> PollTimeout {
        if self.connections.iter().any(Connection::has_more) {
            return PollTimeout::ZERO;
        }
        let mut next = self.connections.iter().map(|c| c.deadline(&self.limits)).min();
        if !accepting {
            let later = self.accept_after.filter(|&after| after > now).or_else(|| self.first_to_give_way());
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
        self.each(|connection, rules, index| {
            if ready.get(index).is_some_and(|&ready| ready) || connection.has_more() {
                connection.proceed(rules);
            }
        });
    }

    fn expire(&mut self) {
        self.each(|connection, rules, _| {
            if connection.deadline(rules.limits) <= rules.now {
                connection.expire(rules);
            }
        });
    }

    /// Runs a step for every connection, and lets go of those that are closed. A panic costs the connection
    /// it happened in.
    fn each(&mut self, mut step: impl FnMut(&mut Connection, &Rules<'_>, usize)) {
        let rules = Rules {
            limits: &self.limits,
            telemetry_path: &self.telemetry_path,
            meter: &self.meter,
            now: Instant::now(),
            closing: self.closing,
            crowded: self.connections.len() >= self.places(),
            healthy: self.desks.are_alive(),
        };
        let mut panicked = false;
        for (index, connection) in self.connections.iter_mut().enumerate() {
            if catch_unwind(AssertUnwindSafe(|| step(connection, &rules, index))).is_err() {
                connection.close();
                panicked = true;
            }
        }
        self.connections.retain(|connection| !connection.is_closed());
        if panicked {
            self.say_once("a request could not be served", "this is a fault of the program");
        }
    }

    // ---- Pages ----------------------------------------------------------------------------------------

    /// Hands each desk that is free all that is asked of it by now, each subject once.
    fn ask_for_pages(&mut self) {
        for place in Place::ALL {
            if !self.desks.is_free(place) {
                continue;
            }
            let mut batch: Vec<Wanted> = Vec::new();
            for connection in &mut self.connections {
                let Some((subject, gzip)) = connection.wants() else { continue };
                if Place::of(subject) != place {
                    continue;
                }
                match batch.iter_mut().find(|(known, _)| known == subject) {
                    Some((_, compressed)) => *compressed |= gzip,
                    None => batch.push((subject.clone(), gzip)),
                }
                connection.mark_begun();
            }
            if !batch.is_empty() {
                self.desks.begin(place, batch);
            }
        }
    }

    fn hand_out_pages(&mut self) {
        while let Some((subject, page)) = self.desks.take() {
            self.each(|connection, rules, _| connection.receive(&subject, &page, rules));
            self.bound_pages();
        }
    }

    /// Slow readers hold old pages. When those are too many bytes, the one is cut that has taken nothing for longest:
    /// who stopped in a page, and not a scraper that reads steadily over a slow line.
    fn bound_pages(&mut self) {
        loop {
            let mut pages: Vec<(usize, usize)> = self
                .connections
                .iter()
                .filter_map(Connection::sending)
                .map(|(body, _)| (Arc::as_ptr(body) as usize, body.len()))
                .collect();
            pages.sort_unstable();
            pages.dedup();
            if pages.len() < 2
                || pages.iter().map(|(_, bytes)| bytes).sum::<usize>() <= self.limits.page_bytes
            {
                return;
            }
            let stopped = self
                .connections
                .iter_mut()
                .filter(|c| c.sending().is_some())
                .min_by_key(|c| c.sending().map(|(_, moved)| moved));
            if let Some(connection) = stopped {
                connection.close();
                (self.meter)(Event::Refused);
            }
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

    /// Who is in the backlog was promised an answer by the kernel, and is reset when the listener is closed. There is
    /// no later turn for them, so they are given places beyond the usual ones.
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
            leaving = self.who_gives_way(now);
            if leaving.is_none() {
                return false;
            }
        }
        match self.listeners[listener].accept() {
            Ok(stream) => {
                if let Some(index) = leaving {
                    self.end(index);
                }
                self.connections.push(Connection::new(stream, now));
                true
            }
            Err(error) => self.survive(&error, now),
        }
    }

    /// `true` when the next accept may succeed.
    fn survive(&mut self, error: &io::Error, now: Instant) -> bool {
        match error.raw_os_error().map(Errno::from_raw) {
            Some(Errno::EAGAIN) => return false,
            Some(errno) if OF_THE_CLIENT.contains(&errno) => return true,
            _ => {}
        }
        self.say_once("unable to accept a connection", &error.to_string());
        if let Some(index) = self.who_gives_way(now) {
            self.end(index);
            return true;
        }
        let pause = now + self.limits.accept_pause;
        self.accept_after = Some(self.first_to_give_way().map_or(pause, |first| first.clamp(now, pause)));
        false
    }

    /// The one that has been idle longest, or failing that reading its head, or not taking its answer.
    fn who_gives_way(&self, now: Instant) -> Option<usize> {
        let ranked = self.connections.iter().map(|connection| connection.gives_way(&self.limits));
        let mut candidates: Vec<_> = ranked
            .enumerate()
            .filter_map(|(index, rank)| rank.filter(|&(_, when)| when <= now).map(|rank| (rank, index)))
            .collect();
        candidates.sort_unstable();
        candidates.into_iter().map(|(_, index)| index).find(|&index| !self.connections[index].has_unread())
    }

    fn end(&mut self, index: usize) {
        if !self.connections.swap_remove(index).is_served() {
            (self.meter)(Event::Refused);
        }
    }

    fn say_once(&mut self, what: &str, why: &str) {
        let message = format!("{what}: {why}");
        if !self.said.contains(&message) {
            log_line(&message);
            self.said.push(message);
        }
    }
}

/// How many connections the limit of descriptors leaves room for.
fn room_for_connections() -> usize {
    let Ok((soft, _)) = getrlimit(Resource::RLIMIT_NOFILE) else { return FEWEST_CONNECTIONS };
    usize::try_from(soft.saturating_sub(RESERVED_DESCRIPTORS)).unwrap_or(usize::MAX).max(FEWEST_CONNECTIONS)
}
