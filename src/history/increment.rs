//! Increments: what a step adds to a cell of a series, under a number whose order is that of the files to be written.

/// Prometheus' blocks of two hours begin at multiples of them.
pub const WINDOW_SECONDS: u64 = 7200;

/// Families by their place in the files; histograms follow in the order of the ledger.
pub const REQUESTS: u64 = 0;
pub const BYTES_SENT: u64 = 1;
pub const BYTES_RECEIVED: u64 = 2;
pub const ATTEMPTS: u64 = 3;
pub const ABORTED: u64 = 4;
pub const INVALID: u64 = 5;
pub const SLO: u64 = 6;
/// From here on rows have a sum.
pub const QUANTILES: u64 = 7;
pub const HISTOGRAMS: u64 = 8;

/// A sum is in two cells, the low and the high half; the buckets follow.
pub const SUM_LOW: u64 = 0;
pub const SUM_HIGH: u64 = 1;
pub const BUCKETS: u64 = 2;

/// The window, the family, the row, the second in the window at which it is sampled, and the cell, from the highest
/// bits down. Windows since 1970 last until 2089, families are 15 at most, rows are bounded by `--max-series`, and
/// cells by the buckets of a histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(pub u64);

const CELL_BITS: u32 = 7;
const OFFSET_BITS: u32 = 13;
const ROW_BITS: u32 = 21;
const FAMILY_BITS: u32 = 4;
const WINDOW_BITS: u32 = 19;

/// Windows that have a number.
pub const WINDOWS: u64 = 1 << WINDOW_BITS;

impl Place {
    /// Of a sample at this second since 1970.
    pub fn new(second: u64, family: u64, row: usize, cell: u64) -> Place {
        let (window, offset) = (second / WINDOW_SECONDS, second % WINDOW_SECONDS);
        let group = (window << FAMILY_BITS | family) << ROW_BITS | row as u64;
        Place((group << OFFSET_BITS | offset) << CELL_BITS | cell)
    }

    fn bits(self, from: u32, many: u32) -> u64 {
        self.0 >> from & ((1 << many) - 1)
    }

    pub fn window(self) -> u64 {
        self.bits(CELL_BITS + OFFSET_BITS + ROW_BITS + FAMILY_BITS, WINDOW_BITS)
    }

    pub fn family(self) -> u64 {
        self.bits(CELL_BITS + OFFSET_BITS + ROW_BITS, FAMILY_BITS)
    }

    pub fn row(self) -> usize {
        usize::try_from(self.bits(CELL_BITS + OFFSET_BITS, ROW_BITS)).unwrap_or(0)
    }

    /// The second since 1970.
    pub fn second(self) -> u64 {
        self.window() * WINDOW_SECONDS + self.bits(CELL_BITS, OFFSET_BITS)
    }

    pub fn cell(self) -> u64 {
        self.bits(0, CELL_BITS)
    }

    /// Whether it is the low half of a sum.
    pub fn is_sum(self) -> bool {
        self.family() >= QUANTILES && self.cell() == SUM_LOW
    }

    pub fn with_row(self, row: usize) -> Place {
        Place::new(self.second(), self.family(), row, self.cell())
    }

    pub fn with_cell(self, cell: u64) -> Place {
        Place(self.0 - self.cell() + cell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_place_tells_what_it_was_made_of(
            second in 0..WINDOWS * WINDOW_SECONDS,
            family in 0u64..16,
            row in 0usize..1 << 21,
            cell in 0u64..128,
            other in 0usize..1 << 21,
        ) {
            let place = Place::new(second, family, row, cell);
            let told = (place.second(), place.family(), place.row(), place.cell(), place.window());
            prop_assert_eq!(told, (second, family, row, cell, second / WINDOW_SECONDS));
            prop_assert_eq!(place.with_row(other), Place::new(second, family, other, cell));
            prop_assert_eq!(place.with_cell(5), Place::new(second, family, row, 5));
        }
    }
}
