//! Timeline: what happened when, in cells of a second that grow with the span; and what lies far from the rest.

use std::collections::BTreeMap;

/// Cells at most, 8 MB: a day in seconds, two months in minutes. Then they are joined into the next wider ones.
const CELLS_MAX: usize = 100_000;

/// How wide cells can be, in seconds. Of the last ones there are too few to be joined: a log's nanoseconds since 1970
/// are at most 30,000 weeks.
const UNITS: [i64; 8] = [1, 10, 60, 600, 3600, 21_600, 86_400, 604_800];

/// Two lines that are further apart, with none in between, are of different stretches.
pub const GAP_SECONDS: i64 = 7 * 86_400;

/// A stretch of its own with less than this part of all lines is far from the others: a clock was wrong.
const FAR_SHARE: u64 = 1000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    pub requests: u64,
    pub client_errors: u64,
    pub server_errors: u64,
}

impl Cell {
    pub fn add(&mut self, other: Cell) {
        self.requests += other.requests;
        self.client_errors += other.client_errors;
        self.server_errors += other.server_errors;
    }
}

#[derive(Debug, Default)]
pub struct Timeline {
    /// The place in `UNITS`.
    unit: usize,
    cells: BTreeMap<i64, Cell>,
    /// The cell that the latest line was in, which is not in `cells` yet: most lines have the time of the one before.
    latest: Option<(i64, Cell)>,
    /// In nanoseconds since the epoch.
    span: Option<(i64, i64)>,
}

const SECOND: i64 = 1_000_000_000;

impl Timeline {
    pub fn add(&mut self, nanos: i64, cell: Cell) {
        let (first, last) = self.span.unwrap_or((nanos, nanos));
        self.span = Some((first.min(nanos), last.max(nanos)));
        let place = nanos.div_euclid(SECOND * self.unit());
        match &mut self.latest {
            Some((at, latest)) if *at == place => latest.add(cell),
            _ => {
                self.put_latest();
                self.latest = Some((nanos.div_euclid(SECOND * self.unit()), cell));
            }
        }
    }

    fn put_latest(&mut self) {
        let Some((place, latest)) = self.latest.take() else { return };
        self.cells.entry(place).or_default().add(latest);
        while self.cells.len() > CELLS_MAX && self.unit + 1 < UNITS.len() {
            let wider = UNITS[self.unit + 1] / UNITS[self.unit];
            self.unit += 1;
            for (place, cell) in std::mem::take(&mut self.cells) {
                self.cells.entry(place.div_euclid(wider)).or_default().add(cell);
            }
        }
    }

    /// How wide a cell is, in seconds.
    pub fn unit(&self) -> i64 {
        UNITS[self.unit]
    }

    /// The first and the last time, in nanoseconds since the epoch.
    pub fn span(&self) -> Option<(i64, i64)> {
        self.span
    }

    /// The cells by the second in which each begins.
    pub fn cells(&mut self) -> impl Iterator<Item = (i64, Cell)> + '_ {
        self.put_latest();
        let unit = self.unit();
        self.cells.iter().map(move |(place, cell)| (place * unit, *cell))
    }
}

/// A part of the time in which lines are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// In seconds since the epoch; the end is not in it.
    pub from: i64,
    pub to: i64,
    pub lines: u64,
}

/// Parts of the time that are apart from one another, of cells in order, each as wide as `unit`.
pub fn stretches(cells: impl Iterator<Item = (i64, u64)>, unit: i64) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    for (from, lines) in cells.filter(|(_, lines)| *lines > 0) {
        match stretches.last_mut().filter(|last| from - last.to <= GAP_SECONDS) {
            Some(last) => (last.to, last.lines) = (from + unit, last.lines + lines),
            None => stretches.push(Stretch { from, to: from + unit, lines }),
        }
    }
    stretches
}

/// The same in two: those that make up the log, and those that are far from them, by few lines with a wrong time.
pub fn part_far(stretches: Vec<Stretch>) -> (Vec<Stretch>, Vec<Stretch>) {
    let all: u64 = stretches.iter().map(|stretch| stretch.lines).sum();
    stretches.into_iter().partition(|stretch| stretch.lines >= all.div_ceil(FAR_SHARE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(requests: u64) -> Cell {
        Cell { requests, ..Cell::default() }
    }

    #[test]
    fn cells_grow_with_the_span_and_lose_nothing() {
        let mut timeline = Timeline::default();
        let lines = 3 * CELLS_MAX as i64;
        for line in 0..lines {
            // Back and forth, over ten times as many seconds.
            let second = if line % 2 == 0 { line * 10 } else { (lines - line) * 10 };
            timeline.add(second * SECOND, one(1));
        }
        assert_eq!(timeline.unit(), 60);
        assert_eq!(timeline.span(), Some((0, (lines - 1) * 10 * SECOND)));
        let cells: Vec<(i64, Cell)> = timeline.cells().collect();
        assert_eq!(cells.iter().map(|(_, cell)| cell.requests).sum::<u64>(), lines.cast_unsigned());
        assert!(cells.len() <= CELLS_MAX && cells.is_sorted_by_key(|(from, _)| *from));
    }

    #[test]
    fn few_lines_far_from_the_others_are_told_apart() {
        let cells = [(0, 3), (1_000_000, 4000), (1_000_060, 1), (1_700_000, 5)];
        let stretches = stretches(cells.into_iter(), 60);
        let (log, far) = part_far(stretches);
        assert_eq!(
            log,
            [
                Stretch { from: 1_000_000, to: 1_000_120, lines: 4001 },
                Stretch { from: 1_700_000, to: 1_700_060, lines: 5 }
            ]
        );
        assert_eq!(far, [Stretch { from: 0, to: 60, lines: 3 }]);
    }
}
