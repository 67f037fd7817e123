//! The most frequent of values that strangers choose, in bounded memory (Misra and Gries, 1982; purged by the median
//! as in Anderson et al., "A High-Performance Algorithm for Identifying Frequent Items in Data Streams", 2017).
//!
//! While no more different values came than there are places, all counts are exact. Then, whenever the places are
//! full, the median of the counts is taken off all of them, and those that come to nothing are forgotten: so a count
//! is never too high, and too low by at most the sum of what was taken off, which is known.

use crate::order;
use foldhash::fast::RandomState;
use std::collections::HashMap;

/// Values kept, and the bytes of each: 16 MB at most, 2 MB where they are as long as addresses.
const PLACES: usize = 1 << 15;
const VALUE_BYTES_MAX: usize = 512;

#[derive(Debug, Default)]
pub struct Frequent {
    counts: HashMap<Box<[u8]>, u64, RandomState>,
    /// How much too low a count may be.
    error: u64,
}

impl Frequent {
    pub fn add(&mut self, value: &[u8]) {
        let value = &value[..value.len().min(VALUE_BYTES_MAX)];
        if let Some(count) = self.counts.get_mut(value) {
            *count += 1;
            return;
        }
        if self.counts.len() >= PLACES {
            self.purge();
        }
        self.counts.insert(value.into(), 1);
    }

    #[cold]
    fn purge(&mut self) {
        let mut counts: Vec<u64> = self.counts.values().copied().collect();
        let middle = counts.len() / 2;
        let (_, median, _) = counts.select_nth_unstable(middle);
        let median = *median;
        self.error += median;
        self.counts.retain(|_, count| {
            *count = count.saturating_sub(median);
            *count > 0
        });
    }

    /// How many different ones, if that is known.
    pub fn distinct(&self) -> Option<usize> {
        (self.error == 0).then_some(self.counts.len())
    }

    /// How much too low the counts may be; none is too high.
    pub fn error(&self) -> u64 {
        self.error
    }

    /// The most frequent ones, whose order is certain as far as their counts differ by more than the error.
    pub fn top(&self, many: usize) -> Vec<(&[u8], u64)> {
        let mut all: Vec<(&[u8], u64)> =
            self.counts.iter().map(|(value, count)| (&**value, *count)).collect();
        order::sort_by(&mut all, |(a, of_a), (b, of_b)| of_b.cmp(of_a).then(a.cmp(b)));
        all.truncate(many);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frequent ones among many more that come once than there is room for.
    #[test]
    fn counts_are_too_low_by_the_error_at_most_and_never_too_high() {
        let mut frequent = Frequent::default();
        for number in 0..400_000u64 {
            frequent.add(format!("once {number}").as_bytes());
            if number % 4 == 0 {
                frequent.add(b"often");
            }
            if number % 40 == 0 {
                frequent.add(b"less often");
            }
        }
        assert_eq!(frequent.distinct(), None);
        assert!(frequent.error() <= 510_000 / (PLACES as u64 / 2), "{}", frequent.error());
        let top = frequent.top(2);
        for ((value, count), (wanted, truth)) in top.iter().zip([("often", 100_000), ("less often", 10_000)])
        {
            assert_eq!(*value, wanted.as_bytes());
            assert!((truth - frequent.error()..=truth).contains(count), "{count} of {truth}");
        }
        assert!(frequent.counts.len() <= PLACES);
    }

    #[test]
    fn a_few_values_are_counted_exactly() {
        let mut frequent = Frequent::default();
        for value in ["a", "b", "a", "c", "a", "b"] {
            frequent.add(value.as_bytes());
        }
        assert_eq!(frequent.top(2), [(&b"a"[..], 3), (b"b", 2)]);
        assert_eq!((frequent.distinct(), frequent.error()), (Some(3), 0));
    }
}
