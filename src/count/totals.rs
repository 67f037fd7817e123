//! Totals: the figures without configurable labels, which are the outcomes of lines and other small families.

use crate::limits;
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

/// The newest time that a request can have been logged at, both in nanoseconds since the epoch.
#[inline]
fn newest_credible(now: u64) -> i64 {
    const AHEAD: u64 = limits::CLOCK_AHEAD_MAX.as_secs() * 1_000_000_000;
    i64::try_from(now.saturating_add(AHEAD)).unwrap_or(i64::MAX)
}

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

    /// Keeps the newest time. A time that is ahead of our clock would stay for ever, so it is not taken.
    #[inline]
    pub fn see_time(&mut self, time: i64, now: u64) {
        // Most lines have the time of the line before.
        if Some(time) > self.last_request && time <= newest_credible(now) {
            self.last_request = Some(time);
        }
    }

    /// Forgets a time that was credible by a clock which has been set back since.
    pub fn check_time(&mut self, now: u64) {
        self.last_request = self.last_request.filter(|time| *time <= newest_credible(now));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_the_future_is_not_the_newest_for_ever() {
        const SECOND: i64 = 1_000_000_000;
        let (mut totals, now) = (Totals::default(), 100_000_000_000);
        for (time, newest) in [(90, 90), (159, 159), (161, 159), (i64::MAX / SECOND, 159)] {
            totals.see_time(time * SECOND, now);
            assert_eq!(totals.last_request, Some(newest * SECOND));
        }
        totals.check_time(now - 10_000_000_000);
        assert_eq!(totals.last_request, None);
    }
}
