//! The figures that bear no labels of the user's: what became of the lines, and the small families.

use crate::parse::Reason;

/// What becomes of a line. Every line read ends in exactly one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Counted,
    Excluded,
    Malformed,
    Oversized,
    Foreign,
}

impl Outcome {
    pub const NAMES: [&'static str; 5] = ["counted", "excluded", "malformed", "oversized", "foreign"];
}

/// Why a request line is no HTTP request, by its place in `Totals::invalid`.
pub const INVALID_NAMES: [&str; 4] = ["empty", "timeout", "tls", "malformed"];

#[derive(Clone, Debug, Default)]
pub struct Totals {
    pub lines: [u64; Outcome::NAMES.len()],
    pub malformed: [u64; Reason::ALL.len()],
    pub invalid: [u64; INVALID_NAMES.len()],
    /// By the number of the vhost; one place where the format has none.
    pub aborted: Vec<u64>,
    /// The newest time in the log, in nanoseconds since the epoch.
    pub last_request: Option<i64>,
}

impl Totals {
    pub fn enter(&mut self, outcome: Outcome) {
        self.lines[outcome as usize] += 1;
    }

    pub fn of(&self, outcome: Outcome) -> u64 {
        self.lines[outcome as usize]
    }

    pub fn all(&self) -> u64 {
        self.lines.iter().sum()
    }

    /// Lines that were meant to be requests, as far as is known.
    pub fn not_foreign(&self) -> u64 {
        self.all() - self.of(Outcome::Foreign)
    }
}
