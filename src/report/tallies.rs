//! Tallies: what a report tells and no metric does: single paths and clients, times, durations within 1 %.
//!
//! Memory is bounded, whatever comes: values that strangers choose are counted by [`Frequent`], times by
//! [`Timeline`], durations by sketches, one for each route that has a place.

use crate::catalogue;
use crate::count::clients::{Clients, KINDS};
use crate::count::frequent::Frequent;
use crate::count::labels::{MAPPED_PLACES, address_of, agent_of};
use crate::count::ledger::Ledger;
use crate::count::memo::Memo;
use crate::count::observer::{Entry, Observer};
use crate::count::quantiles::Window;
use crate::limits;
use crate::parse::Format;
use crate::parse::read::record::{FieldRef, Record};
use crate::timeline::{Cell, Timeline};
use std::sync::mpsc::Sender;

/// A window that is never left, for it begins and ends with the log.
const FOR_EVER_SECONDS: u64 = 1 << 40;

/// The percentiles that a report tells.
const QUANTILES: [f64; 4] = [0.5, 0.95, 0.99, 1.0];

/// What is told of a vhost or a route.
#[derive(Debug, Default)]
pub struct Group {
    pub requests: u64,
    pub client_errors: u64,
    pub server_errors: u64,
    pub bytes: u64,
    pub durations: Option<Window>,
}

#[derive(Debug)]
pub struct Tallies {
    address: Option<FieldRef>,
    agent: Option<FieldRef>,
    duration: Option<usize>,
    route: Option<usize>,
    kind_of: Clients,
    known_kinds: Memo,
    scratch: Vec<u8>,
    pub requests: u64,
    /// By the number of the status: see `status_id`.
    pub statuses: Vec<u64>,
    /// By the number of the label's value.
    pub methods: Vec<u64>,
    pub vhosts: Vec<Group>,
    pub routes: Vec<Group>,
    pub bytes: u64,
    pub durations: Window,
    pub timeline: Timeline,
    /// Requests without a time.
    pub timeless: u64,
    pub paths: Frequent,
    /// Paths that were answered with 404.
    pub missing: Frequent,
    pub addresses: Frequent,
    /// By the place in `KINDS`; none where the format has no user agent.
    pub kinds: Option<[u64; KINDS.len()]>,
    /// Some of the lines that do not fit.
    pub malformed: Vec<Vec<u8>>,
}

impl Tallies {
    /// An error would be one of the table of clients.
    pub fn new() -> Result<Tallies, String> {
        Ok(Tallies {
            address: None,
            agent: None,
            duration: None,
            route: None,
            kind_of: Clients::compile()?,
            known_kinds: Memo::new(MAPPED_PLACES),
            scratch: Vec::new(),
            requests: 0,
            statuses: Vec::new(),
            methods: Vec::new(),
            vhosts: Vec::new(),
            routes: Vec::new(),
            bytes: 0,
            durations: Window::new(FOR_EVER_SECONDS, &QUANTILES),
            timeline: Timeline::default(),
            timeless: 0,
            paths: Frequent::default(),
            missing: Frequent::default(),
            addresses: Frequent::default(),
            kinds: None,
            malformed: Vec::new(),
        })
    }

    pub fn has_addresses(&self) -> bool {
        self.address.is_some()
    }

    fn begin(&mut self, ledger: &Ledger) {
        let is_duration = |name: &str| name == catalogue::DURATION.name;
        self.duration = ledger.histograms.shapes().iter().position(|shape| is_duration(shape.metric.name));
        self.route = ledger.labels.iter().position(|label| label.name == "route");
    }

    fn kind(&mut self, agent: FieldRef, record: &Record<'_, '_>) {
        // What was seen lately is known by its bytes in the line.
        let logged = record.logged(agent).unwrap_or_default();
        let hash = self.known_kinds.hash(logged);
        let kind = self.known_kinds.get(hash).unwrap_or_else(|| {
            let value = record.value(agent, &record.request(), &mut self.scratch).unwrap_or_default();
            let name = self.kind_of.kind_of(value);
            let kind = KINDS.iter().position(|kind| *kind == name).unwrap_or(KINDS.len() - 1);
            let kind = u32::try_from(kind).unwrap_or(0);
            self.known_kinds.put(hash, kind);
            kind
        });
        if let Some(count) = self.kinds.as_mut().and_then(|kinds| kinds.get_mut(kind as usize)) {
            *count += 1;
        }
    }
}

/// The count at a place, which is made if need be.
#[inline]
fn at<T: Default>(counts: &mut Vec<T>, place: u16) -> &mut T {
    let place = usize::from(place);
    if counts.len() <= place {
        counts.resize_with(place + 1, T::default);
    }
    &mut counts[place]
}

impl Group {
    fn add(&mut self, cell: Cell, bytes: u64, duration: Option<u64>) {
        self.requests += cell.requests;
        self.client_errors += cell.client_errors;
        self.server_errors += cell.server_errors;
        self.bytes = self.bytes.saturating_add(bytes);
        if let Some(nanos) = duration {
            let window = self.durations.get_or_insert_with(|| Window::new(FOR_EVER_SECONDS, &[0.95]));
            window.observe(0, nanos);
        }
    }
}

/// Gives the tallies away when the lines have ended.
#[derive(Debug)]
pub struct Tallying {
    pub tallies: Tallies,
    pub done: Sender<Tallies>,
}

impl Observer for Tallying {
    fn fields(&mut self, format: &mut Format) -> Vec<FieldRef> {
        let tallies = &mut self.tallies;
        tallies.address = address_of(format);
        tallies.agent = agent_of(format).ok();
        tallies.kinds = tallies.agent.map(|_| [0; KINDS.len()]);
        let path = format.field("path").ok();
        [tallies.address, tallies.agent, path].into_iter().flatten().collect()
    }

    fn counted(&mut self, record: &Record<'_, '_>, entry: &Entry, ledger: &Ledger) {
        let tallies = &mut self.tallies;
        if tallies.requests == 0 {
            tallies.begin(ledger);
        }
        tallies.requests += 1;
        let status = record.status();
        let is = |class: u16| u64::from(status.is_some_and(|status| status / 100 == class));
        let cell = Cell { requests: 1, client_errors: is(4), server_errors: is(5) };
        *at(&mut tallies.methods, entry.key.get(0)) += 1;
        *at(&mut tallies.statuses, entry.key.get(1)) += 1;
        let bytes = entry.sent.unwrap_or(0);
        tallies.bytes = tallies.bytes.saturating_add(bytes);
        let duration = tallies.duration.and_then(|place| entry.observed.get(place).copied().flatten());
        let duration = duration.map(|(_, nanos)| nanos);
        if let Some(nanos) = duration {
            tallies.durations.observe(0, nanos);
        }
        if let Some(place) = ledger.vhost {
            at(&mut tallies.vhosts, entry.key.get(place)).add(cell, bytes, None);
        }
        if let Some(place) = tallies.route {
            at(&mut tallies.routes, entry.key.get(place)).add(cell, bytes, duration);
        }
        match record.unix_time_nanos() {
            Some(nanos) => tallies.timeline.add(nanos, cell),
            None => tallies.timeless += 1,
        }
        if let Some(path) = record.request().path() {
            tallies.paths.add(path);
            if status == Some(404) {
                tallies.missing.add(path);
            }
        }
        if let Some(address) = tallies.address {
            let value = record.value(address, &record.request(), &mut tallies.scratch).unwrap_or_default();
            tallies.addresses.add(value);
        }
        if let Some(agent) = tallies.agent {
            tallies.kind(agent, record);
        }
    }

    fn malformed(&mut self, line: &[u8]) {
        let samples = &mut self.tallies.malformed;
        if samples.len() < limits::SAMPLE_LINES_MAX && line.len() <= limits::SAMPLE_LINE_BYTES_MAX {
            samples.push(line.to_vec());
        }
    }

    fn close(self: Box<Self>, _ledger: &Ledger) {
        // Who does not wait for them does not need them.
        let _ = self.done.send(self.tallies);
    }
}
