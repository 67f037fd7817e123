//! Totals: the sums of all increments up to a moment, cell by cell, as the ledger has them in the order of reading.

use crate::count::ledger::Ledger;
use crate::history::increment::{
    ABORTED, ATTEMPTS, BUCKETS, BYTES_RECEIVED, BYTES_SENT, HISTOGRAMS, INVALID, Place, QUANTILES, REQUESTS,
    SLO, SUM_HIGH,
};

#[derive(Debug)]
pub struct Totals {
    families: Vec<Cells>,
}

#[derive(Debug)]
struct Cells {
    /// Cells of a row.
    stride: usize,
    cells: Vec<u64>,
}

impl Totals {
    pub fn new(ledger: &Ledger) -> Totals {
        let before_buckets = usize::try_from(BUCKETS).unwrap_or(0);
        let counters = (0..QUANTILES).map(|_| 1);
        let histograms = ledger.histograms.shapes().iter().map(|shape| shape.bounds.len());
        let with_sums = [0].into_iter().chain(histograms).map(|bounds| before_buckets + bounds + 1);
        let families = counters.chain(with_sums).map(|stride| Cells { stride, cells: Vec::new() });
        Totals { families: families.collect() }
    }

    pub fn families(&self) -> u64 {
        self.families.len() as u64
    }

    pub fn add(&mut self, place: Place, amount: u64) {
        let Some(family) = usize::try_from(place.family()).ok().and_then(|at| self.families.get_mut(at))
        else {
            return;
        };
        let row = place.row() * family.stride;
        if family.cells.len() < row + family.stride {
            family.cells.resize(row + family.stride, 0);
        }
        let cells = &mut family.cells[row..row + family.stride];
        let cell = usize::try_from(place.cell()).unwrap_or(0);
        if place.is_sum() {
            let (low, carry) = cells[0].overflowing_add(amount);
            cells[0] = low;
            cells[usize::try_from(SUM_HIGH).unwrap_or(1)] += u64::from(carry);
        } else if let Some(cell) = cells.get_mut(cell) {
            *cell = cell.saturating_add(amount);
        }
    }

    /// The cells of a row; none where nothing was added.
    pub fn of(&self, family: u64, row: usize) -> &[u64] {
        let family = usize::try_from(family).ok().and_then(|at| self.families.get(at));
        let of = |it: &Cells| row * it.stride..(row + 1) * it.stride;
        family.and_then(|it| it.cells.get(of(it))).unwrap_or_default()
    }

    /// A ledger with these figures, and with nothing of what only the process knows that has read the lines.
    pub fn put_into(&self, ledger: &mut Ledger) {
        ledger.exemplars = None;
        let figure = |family, row| self.of(family, row).first().copied().unwrap_or(0);
        for (number, row) in ledger.rows.iter_mut().enumerate() {
            row.requests = figure(REQUESTS, number);
            row.bytes_sent = figure(BYTES_SENT, number);
            row.bytes_received = figure(BYTES_RECEIVED, number);
            row.upstream_attempts = figure(ATTEMPTS, number);
        }
        for (place, aborted) in ledger.totals.aborted.iter_mut().enumerate() {
            *aborted = figure(ABORTED, place);
        }
        for (place, invalid) in ledger.totals.invalid.iter_mut().enumerate() {
            *invalid = figure(INVALID, place);
        }
        for row in 0..ledger.latency.len() {
            for (number, family) in (HISTOGRAMS..self.families()).enumerate() {
                ledger.histograms.overwrite(row, number, self.of(family, row));
            }
        }
        if let Some(slo) = &mut ledger.slo {
            slo.figures_mut().enumerate().for_each(|(place, count)| *count = figure(SLO, place));
        }
        if let Some(window) = &mut ledger.quantiles {
            let [low, high, count] = self.of(QUANTILES, 0) else { return window.overwrite(0, 0) };
            window.overwrite(*count, u128::from(*high) << 64 | u128::from(*low));
        }
    }
}
