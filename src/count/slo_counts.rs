//! Counts of objectives (`--slo`): for every set of label values and every objective, good and bad requests.

use crate::count::table::{Key, Table};
use crate::limits;

#[derive(Clone, Debug)]
pub struct SloCounts {
    pub names: Vec<String>,
    /// Which of the requests' labels tell the rows apart, by their places in a key.
    pub labels: Vec<usize>,
    pub rows: Table,
    /// Row by row, for each objective: good, bad.
    counts: Vec<[u64; 2]>,
    /// Requests that were counted without their labels, for want of a place.
    pub overflow: u64,
}

impl SloCounts {
    pub fn new(names: Vec<String>, labels: Vec<usize>, series_max: usize, now: u64) -> SloCounts {
        let rows_max = limits::SLO_ROWS_MAX.min(series_max / (2 * names.len().max(1))).max(1);
        let rows = Table::new(rows_max);
        let mut counts = SloCounts { names, labels, rows, counts: Vec::new(), overflow: 0 };
        if counts.labels.is_empty() {
            // `increase()` does not see the first of a counter that begins with it.
            counts.row(&Key::default(), now);
        }
        counts
    }

    /// The row of the labels of a request; where there is no place for it, the one of the rest.
    pub fn row(&mut self, request: &Key, now: u64) -> usize {
        let mut key = Key::default();
        for (place, label) in self.labels.iter().enumerate() {
            key.set(place, request.get(*label));
        }
        let row = self.rows.row(&key, now).unwrap_or_else(|| {
            self.overflow += 1;
            self.rows.row_beyond(&Key::default(), now)
        });
        let cells = self.rows.len() * self.names.len();
        if self.counts.len() < cells {
            self.counts.resize(cells, [0; 2]);
        }
        row
    }

    pub fn enter(&mut self, row: usize, objective: usize, is_good: bool) {
        self.counts[row * self.names.len() + objective][usize::from(!is_good)] += 1;
    }

    /// Row by row, for each objective: good, bad.
    pub fn figures(&self) -> impl Iterator<Item = u64> {
        self.counts.iter().flatten().copied()
    }

    pub fn figures_mut(&mut self) -> impl Iterator<Item = &mut u64> {
        self.counts.iter_mut().flatten()
    }

    /// Where a figure stands among them.
    pub fn place(&self, row: usize, objective: usize, is_good: bool) -> usize {
        (row * self.names.len() + objective) * 2 + usize::from(!is_good)
    }
}
