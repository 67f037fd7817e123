//! Observers: see each counted line beside the ledger, for reports and histories. Who has none pays nothing for it.

use crate::count::histograms::Histograms;
use crate::count::ledger::Ledger;
use crate::count::table::Key;
use crate::limits;
use crate::parse::Format;
use crate::parse::read::record::{FieldRef, Record};
use std::fmt;

/// Size, first byte, upstream, duration, overhead and two phases of an upstream: `choose_histograms` in meter.rs.
const HISTOGRAMS_MAX: usize = 7;

/// What one line has added to the ledger.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    pub key: Key,
    pub row: usize,
    pub latency: usize,
    pub sent: Option<u64>,
    pub received: Option<u64>,
    pub attempts: u64,
    /// By the number of the histogram: the bucket and the value.
    pub observed: [Option<(usize, u64)>; HISTOGRAMS_MAX],
    /// The place in `Totals::aborted`.
    pub aborted: Option<usize>,
    /// The place in `Totals::invalid`.
    pub invalid: Option<usize>,
    /// What the quantiles of durations are of, in nanoseconds.
    pub quantiled: Option<u64>,
    pub verdicts: Verdicts,
}

/// What a line was for the objectives, which are bits by their number: good, bad or neither.
#[derive(Clone, Copy, Debug, Default)]
pub struct Verdicts {
    /// The row of `SloCounts`.
    pub row: usize,
    pub good: u32,
    pub bad: u32,
}

const _: () = assert!(limits::SLOS_MAX <= u32::BITS as usize, "objectives are bits");

impl Verdicts {
    /// The number of each objective that has one, and whether it was good.
    pub fn each(self) -> impl Iterator<Item = (usize, bool)> {
        let of = |bits: u32, number: usize| bits >> number & 1 == 1;
        (0..limits::SLOS_MAX).filter_map(move |number| match of(self.good, number) {
            true => Some((number, true)),
            false => of(self.bad, number).then_some((number, false)),
        })
    }
}

/// Takes note of what a line adds. `()` takes none, and is compiled away.
pub trait Note {
    fn row(&mut self, _key: &Key, _rows: (usize, usize), _sent: Option<u64>, _received: Option<u64>) {}
    fn attempts(&mut self, _attempts: u64) {}
    fn observed(&mut self, _histograms: &Histograms, _histogram: usize, _value: u64) {}
    fn aborted(&mut self, _place: usize) {}
    fn invalid(&mut self, _place: usize) {}
    fn quantiled(&mut self, _nanos: u64) {}
    fn objective(&mut self, _row: usize, _number: usize, _is_good: bool) {}
}

impl Note for () {}

impl Note for Entry {
    fn row(&mut self, key: &Key, rows: (usize, usize), sent: Option<u64>, received: Option<u64>) {
        (self.row, self.latency) = rows;
        (self.key, self.sent, self.received) = (*key, sent, received);
    }

    fn attempts(&mut self, attempts: u64) {
        self.attempts = attempts;
    }

    fn observed(&mut self, histograms: &Histograms, histogram: usize, value: u64) {
        self.observed[histogram] = Some((histograms.bucket(histogram, value), value));
    }

    fn aborted(&mut self, place: usize) {
        self.aborted = Some(place);
    }

    fn invalid(&mut self, place: usize) {
        self.invalid = Some(place);
    }

    fn quantiled(&mut self, nanos: u64) {
        self.quantiled = Some(nanos);
    }

    fn objective(&mut self, row: usize, number: usize, is_good: bool) {
        let Verdicts { good, bad, .. } = &mut self.verdicts;
        *if is_good { good } else { bad } |= 1 << number;
        self.verdicts.row = row;
    }
}

/// Sees the lines that are counted, one by one, and at the end the ledger.
pub trait Observer: fmt::Debug + Send {
    /// The fields that it reads of a record, for the format that was just compiled.
    fn fields(&mut self, format: &mut Format) -> Vec<FieldRef>;

    fn counted(&mut self, record: &Record<'_, '_>, entry: &Entry, ledger: &Ledger);

    /// A line that does not fit.
    fn malformed(&mut self, _line: &[u8]) {}

    /// The end of input.
    fn close(self: Box<Self>, ledger: &Ledger);
}
