//! Recorder: sees the lines as they are counted, and enters what each adds into the journal, under the time it bears.

use crate::bytes::scan::find_byte;
use crate::count::ledger::Ledger;
use crate::count::observer::{Entry, Observer};
use crate::history::increment::{
    ABORTED, ATTEMPTS, BUCKETS, BYTES_RECEIVED, BYTES_SENT, HISTOGRAMS, INVALID, Place, QUANTILES, REQUESTS,
    SLO, SUM_LOW, WINDOW_SECONDS, WINDOWS,
};
use crate::history::journal::{Closed, INCREMENTS_MAX, Journal};
use crate::history::series::Labels;
use crate::limits;
use crate::parse::Format;
use crate::parse::read::record::{FieldRef, Record};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::mpsc::Sender;

/// What tells two logs apart, whatever the order of their lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    pub lines: u64,
    sum: u64,
}

impl Digest {
    fn add(&mut self, line: &[u8]) {
        self.lines += 1;
        self.sum = self.sum.wrapping_add(u64::from(crc32fast::hash(line)));
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{:x}", self.lines, self.sum)
    }
}

/// Where nobody tells the step. A month of 2,000 samples each minute takes promtool minutes, and `rate()` over five
/// minutes, which the rules in contrib/ ask for, needs two of a series: so it is twice as long in long histories.
const STEP_SECONDS: u64 = 60;
const LONG_STEP_SECONDS: u64 = 2 * STEP_SECONDS;
const SHORT_SECONDS: u64 = 14 * 86_400;

/// Lines that are in no window.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unplaced {
    /// Without a time, or with one without a zone.
    pub timeless: u64,
    /// With a time that is still to come, or before 1970.
    pub impossible: u64,
}

#[derive(Debug)]
pub struct Recorder {
    step: u64,
    is_step_told: bool,
    /// No line can be from later than this, in seconds since the epoch.
    newest: u64,
    journal: Journal,
    /// Lines by window.
    windows: BTreeMap<u64, u64>,
    unplaced: Unplaced,
    digest: Digest,
    failed: Option<io::Error>,
}

impl Recorder {
    /// A sample is made every `step` seconds, if told. What does not fit in memory goes to the directory.
    pub fn new(step: Option<u64>, now: u64, directory: &Path) -> Recorder {
        Recorder {
            step: step.unwrap_or(STEP_SECONDS),
            is_step_told: step.is_some(),
            newest: now + limits::CLOCK_AHEAD_MAX.as_secs(),
            journal: Journal::new(directory, INCREMENTS_MAX),
            windows: BTreeMap::new(),
            unplaced: Unplaced::default(),
            digest: Digest::default(),
            failed: None,
        }
    }

    fn enter(&mut self, second: u64, entry: &Entry, ledger: &Ledger) {
        let journal = &mut self.journal;
        let mut add = |family, row, cell, amount| journal.add(Place::new(second, family, row, cell), amount);
        add(REQUESTS, entry.row, 0, 1);
        // A counter that is on the page with 0 is in the history as well.
        if let Some(sent) = entry.sent {
            add(BYTES_SENT, entry.row, 0, sent);
        }
        if let Some(received) = entry.received {
            add(BYTES_RECEIVED, entry.row, 0, received);
        }
        if entry.attempts > 0 {
            add(ATTEMPTS, entry.row, 0, entry.attempts);
        }
        if let Some(place) = entry.aborted {
            add(ABORTED, place, 0, 1);
        }
        if let Some(place) = entry.invalid {
            add(INVALID, place, 0, 1);
        }
        for (family, observed) in (HISTOGRAMS..).zip(&entry.observed) {
            if let Some((bucket, value)) = observed {
                add(family, entry.latency, BUCKETS + *bucket as u64, 1);
                add(family, entry.latency, SUM_LOW, *value);
            }
        }
        if let Some(nanos) = entry.quantiled {
            add(QUANTILES, 0, BUCKETS, 1);
            add(QUANTILES, 0, SUM_LOW, nanos);
        }
        let Some(slo) = &ledger.slo else { return };
        for (objective, is_good) in entry.verdicts.each() {
            let place = |is_good| slo.place(entry.verdicts.row, objective, is_good);
            add(SLO, place(is_good), 0, 1);
            // Where one is on the page, the other is.
            add(SLO, place(!is_good), 0, 0);
        }
    }

    /// Merges what was spilled. An error says what could not be written.
    pub fn close(self, ledger: &Ledger) -> io::Result<Recorded> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let labels = Labels::new(ledger);
        let spilled_runs = self.journal.spilled_runs();
        let increments = self.journal.close(|place| labels.row_of(place));
        let Recorder { step, is_step_told, windows, unplaced, digest, .. } = self;
        Ok(Recorded { step, is_step_told, windows, unplaced, digest, increments, labels, spilled_runs })
    }
}

/// All that was seen.
#[derive(Debug)]
pub struct Recorded {
    step: u64,
    is_step_told: bool,
    /// Lines by window.
    pub windows: BTreeMap<u64, u64>,
    pub unplaced: Unplaced,
    pub digest: Digest,
    pub(super) increments: Closed,
    pub(super) labels: Labels,
    pub spilled_runs: usize,
}

impl Recorded {
    /// How far samples are apart in a history of so many seconds.
    pub(super) fn step_over(&self, seconds: u64) -> u64 {
        match self.is_step_told || seconds <= SHORT_SECONDS {
            true => self.step,
            false => LONG_STEP_SECONDS,
        }
    }
}

/// Gives the recorder away when the lines have ended.
#[derive(Debug)]
pub struct Recording {
    pub recorder: Recorder,
    pub done: Sender<Recorder>,
}

impl Observer for Recording {
    fn fields(&mut self, _format: &mut Format) -> Vec<FieldRef> {
        Vec::new()
    }

    fn counted(&mut self, record: &Record<'_, '_>, entry: &Entry, ledger: &Ledger) {
        let recorder = &mut self.recorder;
        if recorder.failed.is_some() {
            return;
        }
        let Some(nanos) = record.unix_time_nanos() else {
            recorder.unplaced.timeless += 1;
            return;
        };
        let second = u64::try_from(nanos / 1_000_000_000).ok().filter(|_| nanos >= 0);
        let Some(second) = second.filter(|second| *second <= recorder.newest) else {
            recorder.unplaced.impossible += 1;
            return;
        };
        recorder.digest.add(&record.text[..find_byte(record.text, 0, b'\n')]);
        // What happened before the end of a step is in the sample at its end.
        let sampled = (second / recorder.step + 1) * recorder.step;
        let window = sampled / WINDOW_SECONDS;
        if window >= WINDOWS {
            recorder.unplaced.impossible += 1;
            return;
        }
        *recorder.windows.entry(window).or_default() += 1;
        recorder.enter(sampled, entry, ledger);
        if recorder.journal.is_full() {
            let labels = Labels::new(ledger);
            recorder.failed = recorder.journal.spill(|place| labels.row_of(place)).err();
        }
    }

    fn close(self: Box<Self>, _ledger: &Ledger) {
        // Who does not wait for it does not need it.
        let _ = self.done.send(self.recorder);
    }
}
