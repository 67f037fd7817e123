//! Backtracking budget, and what is known of a capture from the tries before.
//!
//! The matcher (careful/mod.rs) walks back and forth over a line whose first reading failed. No search begins where
//! another one has been, no start is tried that is known to fail, and all that is scanned is paid for: so a line
//! costs what its bytes cost, whatever a stranger put into it.

use std::ops::Range;

/// What may be spent on any line because a later capture failed, all retries together and in whatever envelopes it is
/// tried. A real line needs less than five retries (one for each ` [` or `" ` that a stranger put into a field), and a
/// name of 8 KB that is made of them is read too. What a hostile line can cause is bounded by this: a fraction of a
/// millisecond for a short line, some 10 ms for one of 64 KiB.
const RETRY_COST_LEAST: usize = 256 << 10;

/// The same for each byte of the line.
const RETRY_COST_PER_BYTE: usize = 112;

/// What one search costs, however short it is.
const SEARCH_COST: usize = 64;

/// What a byte costs that is scanned: a search may stop at every second one, to see whether a literal stands there.
const BYTE_COST: usize = 8;

/// What the retries of a line may still cost.
#[derive(Debug, Default)]
pub struct Budget(usize);

impl Budget {
    pub fn of_line(bytes: usize) -> Budget {
        Budget(RETRY_COST_LEAST + RETRY_COST_PER_BYTE * bytes)
    }

    #[cfg(test)]
    pub fn left(&self) -> usize {
        self.0
    }

    pub fn spend(&mut self, scanned: usize) {
        self.0 = self.0.saturating_sub(SEARCH_COST + BYTE_COST * scanned);
    }

    pub fn is_spent(&self) -> bool {
        self.0 == 0
    }
}

/// A value that has no end where it was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Miss {
    /// How far the line was scanned for one.
    pub scanned_to: usize,
    /// Starting behind the start but before here, the value has no other ends than from there.
    pub same_until: usize,
}

impl Miss {
    /// A value whose other starts are another matter.
    pub fn alone(start: usize, scanned_to: usize) -> Miss {
        Miss { scanned_to, same_until: start }
    }

    pub fn same_until(at: usize) -> Miss {
        Miss { scanned_to: at, same_until: at }
    }
}

/// What is known of a capture from the tries before, so that nothing is searched twice.
#[derive(Clone, Debug, Default)]
pub struct Tried {
    /// Starts from which no end of this capture leads to the end of the format.
    pub failed: Range<usize>,
    /// The last end that was tried from these; 0 when there is none.
    pub last_end: usize,
    /// The place of a quoted value, and the quotes in it.
    pub place: Option<(usize, usize)>,
    pub quotes: Quotes,
}

/// The quotes that were passed over on the way to the end of a quoted value.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quotes {
    pub skipped: usize,
    /// The first of them looks like the end of a field.
    pub first_closes: bool,
}

impl Tried {
    /// No end of the value that starts here leads to the end of the format; the last that it has is `end`.
    pub fn fail(&mut self, start: usize, end: Option<usize>, miss: Miss) {
        if !self.failed.contains(&start) {
            self.failed = start..miss.same_until.max(start + 1);
            self.last_end = end.unwrap_or(0);
        }
    }
}
