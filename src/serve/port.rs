//! Port manager: binds the addresses, waits for those that are taken, and releases them.
//!
//! At the first SIGTERM the successor gets the port at once: no answer was ever ahead of what it can read of us on
//! disk. Under Apache's `|$` no signal arrives, so a process whose parent has ended releases the port when a
//! younger generation in the same directory asks for it. It may be a pipeline that its shell has left, and the
//! younger one a short run: so it takes the port again when that becomes free.

use crate::generations::publisher::Publisher;
use crate::log;
use crate::log::{log_info, log_warning};
use crate::os;
use crate::os::{LowPorts, Parent};
use crate::serve::guard::Guard;
use crate::serve::http::{Address, Listener, Server};
use crossbeam_channel::{Receiver, RecvTimeoutError};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// At first the predecessor is expected to let go within milliseconds; a stranger's port is not, and once a second
/// will do.
const BIND_SOON: Duration = Duration::from_millis(5);
const BIND_LATER: Duration = Duration::from_secs(1);
const BIND_SOON_FOR: Duration = Duration::from_secs(2);

/// How often a process whose parent has ended looks whether a younger one wants its port.
const YIELD_EVERY: Duration = Duration::from_millis(20);

/// How often it is looked whether our parent still lives.
const PARENT_EVERY: Duration = Duration::from_millis(100);

/// By then the winner of a port has told the others of its directory, however slow the disk.
const TOLD_WITHIN: Duration = Duration::from_secs(10);

/// A server that ends us has closed its ends of our pipe after so long: Apache kills children that do not end
/// within 10 s. One that has not did not mean to: a person's SIGTERM was taken for its own.
const REPLACED_WITHIN: Duration = Duration::from_secs(15);

/// Clients that were connected when the port was released have had their answer after so long.
const FAREWELL: Duration = Duration::from_secs(30);

/// Where the metrics are on an address, and how they are asked for.
#[derive(Debug)]
pub struct PageAddress {
    pub telemetry_path: String,
    pub guard: Option<Guard>,
}

impl PageAddress {
    /// Says it, in a form that a terminal makes a link of. Where nothing is served, that was said.
    pub fn announce(&self, address: &str) {
        let telemetry_path = &self.telemetry_path;
        let Some(scheme) = self.guard.as_ref().map_or(Some("http"), Guard::scheme) else { return };
        match (address.starts_with("unix:"), scheme) {
            (false, _) => log_info(format_args!(
                "serving {scheme}://{address}{telemetry_path}; what is counted is shown at {scheme}://{address}/"
            )),
            (true, "http") => log_info(format_args!("serving {telemetry_path} on {address}")),
            (true, _) => log_info(format_args!("serving {telemetry_path} on {address} with TLS")),
        }
    }
}

/// What the reader tells the port manager. The channel's end is the end of input.
#[derive(Clone, Copy, Debug)]
pub enum Command {
    /// The first SIGTERM.
    Retire,
}

/// After a release: the younger generation has bound the port by then.
const BIND_AGAIN: Duration = Duration::from_secs(2);

/// The addresses, the server on those that are ours, and what has to be done when.
pub struct PortManager {
    publisher: Arc<Publisher>,
    page: PageAddress,
    /// None when a retired generation has no client to answer any more.
    server: Option<Server>,
    addresses: Vec<Address>,
    /// Those still to be bound.
    wanted: Vec<Address>,
    /// The right to bind those that take one, for as long as there are such.
    low_ports: Option<LowPorts>,
    parent: Parent,
    /// The port was left to a younger generation.
    handed_over: bool,
    retired: Option<Instant>,
    started: Instant,
    next_bind: Instant,
    next_poll: Instant,
    /// Whether it is still to be seen, after a SIGTERM, that the server has replaced us.
    watching: bool,
    /// Addresses that were logged as not served.
    logged: Vec<Address>,
}

impl PortManager {
    /// Of the addresses, `wanted` are still to be bound. Without a server there is nothing to bind them for.
    pub fn new(
        publisher: Arc<Publisher>,
        page: PageAddress,
        server: Option<Server>,
        addresses: Vec<Address>,
        wanted: Vec<Address>,
        low_ports: Option<LowPorts>,
        parent: Parent,
    ) -> PortManager {
        let now = Instant::now();
        let wanted = if server.is_some() { wanted } else { Vec::new() };
        if let Some(state) = &publisher.state {
            state.want_port(!wanted.is_empty());
        }
        PortManager {
            publisher,
            page,
            server,
            addresses,
            low_ports: low_ports.filter(|_| !wanted.is_empty()),
            wanted,
            parent,
            handed_over: false,
            retired: None,
            started: now,
            next_bind: now,
            next_poll: now,
            watching: true,
            logged: Vec::new(),
        }
    }

    /// Runs until the input has ended.
    pub fn run(mut self, commands: &Receiver<Command>) {
        loop {
            let now = Instant::now();
            self.work(now);
            let command = match self.next() {
                Some(next) => commands.recv_timeout(next.saturating_duration_since(now)),
                None => commands.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match command {
                Ok(Command::Retire) => self.retire(),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn work(&mut self, now: Instant) {
        if !self.wanted.is_empty() && now >= self.next_bind {
            self.bind(now);
        }
        if self.may_yield() && now >= self.next_poll {
            self.poll_parent(now);
        }
        let Some(retired) = self.retired else { return };
        if self.watching && now >= retired + REPLACED_WITHIN {
            self.watching = false;
            if self.is_forgotten() {
                log_warning(
                    "the server did not replace this process after SIGTERM; it ends, and the server starts it again",
                );
                os::terminate_again();
            }
        }
        if now >= retired + FAREWELL {
            self.server = None;
        }
    }

    /// Whether the web server goes on and has not replaced us: then it still has both ends of our pipe. Where root
    /// was given up, they cannot be looked at, and nothing is concluded: the old connections may go on writing.
    fn is_forgotten(&self) -> bool {
        os::started_by_server() && !self.parent.is_gone() && os::server_holds_stdin()
    }

    /// When there is something to do again; None: only when told.
    fn next(&self) -> Option<Instant> {
        let bind = (!self.wanted.is_empty()).then_some(self.next_bind);
        let poll_parent = self.may_yield().then_some(self.next_poll);
        let watch = self.retired.filter(|_| self.watching).map(|since| since + REPLACED_WITHIN);
        let leave = self.server.as_ref().and(self.retired).map(|since| since + FAREWELL);
        [bind, poll_parent, watch, leave].into_iter().flatten().min()
    }

    fn may_yield(&self) -> bool {
        let serves = self.wanted.len() < self.addresses.len();
        self.retired.is_none() && serves && self.publisher.state.is_some()
    }

    fn bind(&mut self, now: Instant) {
        if self.handed_over && self.is_wanted_by_younger() {
            self.next_bind = now + BIND_LATER;
            return;
        }
        let soon = !self.handed_over && now.duration_since(self.started) < BIND_SOON_FOR;
        for address in std::mem::take(&mut self.wanted) {
            match self.bind_one(&address) {
                Ok(listener) => self.serve(listener),
                Err(error) => {
                    self.log_failure(&address, &error, soon);
                    self.wanted.push(address);
                }
            }
        }
        if self.wanted.is_empty() {
            self.low_ports = None;
        }
        self.next_bind = now + if soon { BIND_SOON } else { BIND_LATER };
        if let Some(state) = self.publisher.state.as_ref().filter(|_| self.wanted.is_empty()) {
            self.handed_over = false;
            state.want_port(false);
            self.publisher.flush();
        }
    }

    fn bind_one(&self, address: &Address) -> io::Result<Listener> {
        match self.low_ports.as_ref().filter(|_| address.is_low_port()) {
            Some(low_ports) => {
                let address = address.clone();
                low_ports.bind(move || Listener::bind(&address))
            }
            None => Listener::bind(address),
        }
    }

    /// Says once per address why it is not served.
    fn log_failure(&mut self, address: &Address, error: &io::Error, soon: bool) {
        let taken = error.kind() == io::ErrorKind::AddrInUse;
        // A release was logged; without root the port may not even be had again.
        if self.handed_over {
            return;
        }
        if self.logged.contains(address) || taken && (soon || self.is_served_by_another()) {
            return;
        }
        self.logged.push(address.clone());
        if taken {
            log_warning(format_args!(
                "{address} is in use; lines are counted, and it is served as soon as it is free \
                 (--web.listen-address chooses another)"
            ));
        } else {
            let why = log::reason(error);
            // It was made as root at the start, if it could be had then.
            let is_name =
                matches!(address, Address::Unix(_)) && error.kind() == io::ErrorKind::PermissionDenied;
            let remedy = if is_name { " (its directory should belong to the user of --user)" } else { "" };
            log_warning(format_args!(
                "unable to listen on {address}: {why}{remedy}; lines are counted, and this is tried again"
            ));
        }
    }

    /// Whether another process of our directory has the port: then our counts are served there, and there is
    /// nothing to log. It may have bound it just now and not have told yet.
    fn is_served_by_another(&self) -> bool {
        let fresh = self.started.elapsed() < TOLD_WITHIN;
        self.publisher
            .state
            .as_ref()
            .is_some_and(|state| state.another_serves() || fresh && state.has_peers())
    }

    fn serve(&self, listener: Listener) {
        self.page.announce(&listener.local_address());
        if let Some(server) = &self.server {
            server.add(listener);
        }
    }

    /// Releases the port where no signal arrives: our parent is gone, and a younger process waits.
    fn poll_parent(&mut self, now: Instant) {
        let orphan = self.parent.is_gone();
        self.next_poll = now + if orphan { YIELD_EVERY } else { PARENT_EVERY };
        if orphan && self.is_wanted_by_younger() {
            self.release(self.addresses.clone());
            (self.handed_over, self.next_bind) = (true, now + BIND_AGAIN);
            log_info(
                "the port is handed over to a newer process with the same --state-dir; this one goes on counting",
            );
        }
    }

    fn is_wanted_by_younger(&self) -> bool {
        self.publisher.state.as_ref().is_some_and(|state| state.newer_wants_port())
    }

    /// Leaves the port to the successor, for good.
    fn retire(&mut self) {
        if self.retired.is_none() {
            self.retired = Some(Instant::now());
            self.low_ports = None;
            self.release(Vec::new());
        }
    }

    /// Closes what is served; `wanted` is what will be asked for again.
    fn release(&mut self, wanted: Vec<Address>) {
        self.wanted = wanted;
        if let Some(server) = &self.server {
            server.close();
        }
        if let Some(state) = &self.publisher.state {
            state.want_port(!self.wanted.is_empty());
        }
        self.publisher.flush();
    }
}
