//! Native histograms: buckets that grow by a constant factor, so that nobody has to choose bounds.
//!
//! Prometheus' schema n has 2^n buckets for each doubling: bucket i holds what is above 2^((i-1)/2^n) and at most
//! 2^(i/2^n). Counting begins with schema 3, whose bounds are 9 % apart, so that a quantile is never further from the
//! truth than that and mostly half as far. Values up to a threshold are counted in a bucket for zero.
//!
//! Where more buckets are filled than [`limits::NATIVE_BUCKETS_MAX`], the resolution is halved: each two neighbours
//! become one, which is what the next lower schema has. No count is lost, and none is ever taken back.

use crate::limits;
use std::sync::Arc;

/// The schema that counting begins with.
pub const SCHEMA: u8 = 3;

/// 2^(k/8), the bounds within a doubling.
const EIGHTHS: [f64; 8] = [
    1.0,
    1.090_507_732_665_257_7,
    1.189_207_115_002_721,
    1.296_839_554_651_009_6,
    std::f64::consts::SQRT_2,
    1.542_210_825_407_940_7,
    1.681_792_830_507_429,
    1.834_008_086_409_342_4,
];

/// The numbers of buckets at schema 3 that a value can have: any below is in the bucket for zero, and any above would
/// be a time of more than 1e33 s. Of schema 0 there are no more than the most that may be filled.
const NUMBERS: std::ops::RangeInclusive<i32> = -240..=900;

/// The bucket at schema 3 that a value above 0 falls into.
fn number_of(value: f64) -> i32 {
    const MANTISSA_BITS: u32 = 52;
    let bits = value.to_bits();
    let exponent = i32::try_from(bits >> MANTISSA_BITS & 0x7ff).unwrap_or(0) - 1023;
    let mantissa = f64::from_bits(bits & ((1 << MANTISSA_BITS) - 1) | 1.0f64.to_bits());
    let below = EIGHTHS.iter().filter(|bound| mantissa > **bound).count();
    (exponent * 8 + i32::try_from(below).unwrap_or(0)).clamp(*NUMBERS.start(), *NUMBERS.end())
}

/// The upper bound of a bucket at schema 3.
fn bound_of(number: i32) -> f64 {
    let eighth = usize::try_from(number.rem_euclid(8)).unwrap_or(0);
    EIGHTHS[eighth] * 2f64.powi(number.div_euclid(8))
}

/// The buckets of one unit by whole values of its smallest part, found without arithmetic on floating-point numbers:
/// values with the same highest bit and the same four bits behind it lie so near to each other that at most one bound
/// is between them.
#[derive(Debug)]
pub struct NativeSearch {
    /// The largest value in the bucket for zero.
    zero_max: u64,
    /// 2^this is the threshold.
    zero_exponent: i8,
    /// By the highest bit and the four behind it: the bucket of the lowest of these values, after the largest in it.
    near: Box<[(u64, i32)]>,
}

impl NativeSearch {
    /// `per_unit` of the smallest part make one unit, of which 2^`zero_exponent` are as good as none.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a bound that is none of the smallest part is rounded down, and one beyond them all is their last"
    )]
    pub fn new(per_unit: u64, zero_exponent: i8) -> Arc<NativeSearch> {
        let largest = |number: i32| (bound_of(number) * per_unit as f64) as u64;
        let bucket = |slot: u64| {
            let (bit, behind) = (slot / 16, slot % 16);
            let least = (1u64 << bit) + u64::try_from((u128::from(behind) << bit) >> 4).unwrap_or(0);
            let first = number_of(least as f64 / per_unit as f64) - 1;
            let number = (first..first + 3).find(|number| least <= largest(*number)).unwrap_or(first + 3);
            (largest(number), number)
        };
        let zero_max = (2f64.powi(i32::from(zero_exponent)) * per_unit as f64) as u64;
        Arc::new(NativeSearch { zero_max, zero_exponent, near: (0..1024).map(bucket).collect() })
    }

    /// The bucket at schema 3; None for the bucket for zero.
    #[inline]
    pub fn number(&self, value: u64) -> Option<i32> {
        if value <= self.zero_max {
            return None;
        }
        let zeros = value.leading_zeros() & 63;
        let slot = (63 - zeros as usize) * 16 + ((value << zeros) >> 59) as usize % 16;
        let (largest, number) = self.near[slot & 1023];
        Some(number + i32::from(value > largest))
    }

    pub fn zero_exponent(&self) -> i8 {
        self.zero_exponent
    }
}

/// What one native histogram has counted. Two that went through `trimmed` are equal where they say the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NativeCounts {
    schema: u8,
    zero_exponent: i8,
    zero: u64,
    /// The number of the first of the buckets, which follow one another.
    first: i32,
    buckets: Vec<u64>,
    /// How many of them are not empty.
    filled: u16,
}

/// A bucket's number so many schemas lower: each time, that of two neighbours is half of the second's.
#[inline]
fn lower(number: i32, schemas: u8) -> i32 {
    (number + (1 << (schemas & 3)) - 1) >> (schemas & 3)
}

impl NativeCounts {
    pub fn new(zero_exponent: i8) -> NativeCounts {
        NativeCounts { schema: SCHEMA, zero_exponent, ..NativeCounts::default() }
    }

    /// What is known of values that were counted in buckets with chosen bounds: each is taken for the bound above it,
    /// and one above all bounds for a little more than the last.
    pub fn of_classic(bounds: impl Iterator<Item = f64>, counts: &[u64], zero_exponent: i8) -> NativeCounts {
        let mut native = NativeCounts::new(zero_exponent);
        let zero = i32::from(zero_exponent) * 8;
        let mut last = zero;
        let numbers = bounds.map(|bound| number_of(bound).max(zero));
        for (count, number) in counts.iter().zip(numbers.map(Some).chain([None])) {
            match number.inspect(|number| last = *number).unwrap_or(last + 1) {
                number if number <= zero => native.zero = native.zero.saturating_add(*count),
                number => native.enter_many(number, *count),
            }
        }
        native.trimmed()
    }

    /// Of figures that somebody has written; None where they cannot be a histogram's.
    pub fn of_buckets(
        schema: u8,
        zero_exponent: i8,
        zero: u64,
        buckets: impl Iterator<Item = (i32, u64)>,
    ) -> Option<NativeCounts> {
        let schemas = SCHEMA.checked_sub(schema)?;
        let numbers = lower(*NUMBERS.start(), schemas)..=lower(*NUMBERS.end(), schemas);
        let mut native = NativeCounts { schema, zero_exponent, zero, ..NativeCounts::default() };
        let mut last = None;
        for (number, count) in buckets {
            let is_next = last.replace(number).is_none_or(|last| last < number);
            if !numbers.contains(&number) || !is_next || count == 0 {
                return None;
            }
            native.place(number, count);
        }
        (native.filled <= limits::NATIVE_BUCKETS_MAX).then(|| native.trimmed())
    }

    /// Counts one value by its bucket at schema 3.
    #[inline]
    pub fn enter(&mut self, number: Option<i32>) {
        let Some(number) = number else {
            self.zero += 1;
            return;
        };
        let place = usize::try_from(lower(number, SCHEMA - self.schema) - self.first);
        match place.ok().and_then(|place| self.buckets.get_mut(place)) {
            Some(count) if *count > 0 => *count += 1,
            _ => self.enter_many(number, 1),
        }
    }

    #[cold]
    fn enter_many(&mut self, number: i32, count: u64) {
        if count > 0 {
            self.place(lower(number, SCHEMA - self.schema), count);
            self.bound();
        }
    }

    /// Adds to a bucket of our schema, which may be new.
    fn place(&mut self, number: i32, count: u64) {
        self.widen(number, number);
        let place = usize::try_from(number - self.first).unwrap_or(0);
        let bucket = &mut self.buckets[place];
        self.filled += u16::from(*bucket == 0);
        *bucket = bucket.saturating_add(count);
    }

    /// Sees to it that these buckets are there. Some more are made, so that the next value seldom needs a new one.
    fn widen(&mut self, low: i32, high: i32) {
        const MORE: i32 = 8;
        if self.buckets.is_empty() {
            self.first = low;
        }
        if low < self.first {
            let more = usize::try_from(self.first - low + MORE).unwrap_or(0);
            self.buckets.splice(0..0, std::iter::repeat_n(0, more));
            self.first = low - MORE;
        }
        if high > self.last() {
            let more = usize::try_from(high - self.last() + MORE).unwrap_or(0);
            self.buckets.resize(self.buckets.len() + more, 0);
        }
    }

    /// The number of the last bucket there is.
    fn last(&self) -> i32 {
        self.first + i32::try_from(self.buckets.len()).unwrap_or(0) - 1
    }

    /// Halves the resolution until no more buckets are filled than may be.
    fn bound(&mut self) {
        while self.filled > limits::NATIVE_BUCKETS_MAX {
            self.reduce_to(self.schema - 1);
        }
    }

    fn reduce_to(&mut self, schema: u8) {
        while self.schema > schema {
            let halved = NativeCounts { schema: self.schema - 1, buckets: Vec::new(), filled: 0, ..*self };
            let wider = std::mem::replace(self, halved);
            wider.filled().for_each(|(number, count)| self.place(lower(number, 1), count));
        }
    }

    /// Adds what another one has counted. Of two schemas the lower one holds for both.
    pub fn add(&mut self, other: &NativeCounts) {
        debug_assert_eq!(self.zero_exponent, other.zero_exponent);
        self.zero = self.zero.saturating_add(other.zero);
        self.reduce_to(other.schema);
        for (number, count) in other.filled() {
            self.place(lower(number, other.schema - self.schema), count);
        }
        self.bound();
        *self = std::mem::take(self).trimmed();
    }

    /// Without empty buckets at either end.
    pub fn trimmed(&self) -> NativeCounts {
        let is_filled = |count: &u64| *count > 0;
        let start = self.buckets.iter().position(is_filled).unwrap_or(0);
        let end = self.buckets.iter().rposition(is_filled).map_or(start, |last| last + 1);
        let first = if start == end { 0 } else { self.first + i32::try_from(start).unwrap_or(0) };
        NativeCounts { first, buckets: self.buckets[start..end].to_vec(), ..*self }
    }

    /// The buckets that are not empty, by their numbers.
    pub fn filled(&self) -> impl Iterator<Item = (i32, u64)> {
        (self.first..).zip(self.buckets.iter().copied()).filter(|(_, count)| *count > 0)
    }

    pub fn schema(&self) -> u8 {
        self.schema
    }

    pub fn zero(&self) -> u64 {
        self.zero
    }

    /// Values up to 2^this are in the bucket for zero.
    pub fn zero_exponent(&self) -> i8 {
        self.zero_exponent
    }

    pub fn total(&self) -> u64 {
        self.buckets.iter().fold(self.zero, |sum, count| sum.saturating_add(*count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: u64 = 1_000_000_000;

    fn counted(search: &NativeSearch, values: &[u64]) -> NativeCounts {
        let mut native = NativeCounts::new(search.zero_exponent());
        values.iter().for_each(|value| native.enter(search.number(*value)));
        native.trimmed()
    }

    /// The upper bound of a bucket of a schema.
    fn upper(number: i32, schema: u8) -> f64 {
        bound_of(number << (SCHEMA - schema))
    }

    #[test]
    fn a_value_on_a_bound_is_in_the_bucket_below_it() {
        let times = NativeSearch::new(SECOND, -11);
        for (nanos, number) in [
            (0, None),
            (488_281, None),
            (488_282, Some(-87)),
            (SECOND, Some(0)),
            (SECOND + 1, Some(1)),
            (1_090_507_732, Some(1)),
            (1_090_507_733, Some(2)),
            (2 * SECOND, Some(8)),
            (2 * SECOND + 1, Some(9)),
            (SECOND / 4, Some(-16)),
            (SECOND / 4 + 1, Some(-15)),
        ] {
            assert_eq!(times.number(nanos), number, "{nanos}");
        }
        let sizes = NativeSearch::new(1, -1);
        for (bytes, number) in [
            (0, None),
            (1, Some(0)),
            (2, Some(8)),
            (3, Some(13)),
            (4, Some(16)),
            (1 << 60, Some(480)),
            (u64::MAX, Some(512)),
        ] {
            assert_eq!(sizes.number(bytes), number, "{bytes}");
        }
    }

    proptest! {
        #[test]
        fn the_table_finds_what_the_bounds_say(
            value: u64,
            shift in 0u32..64,
            per_unit in prop::sample::select(vec![(1, -1), (SECOND, -11)]),
        ) {
            let (value, search) = (value >> shift, NativeSearch::new(per_unit.0, per_unit.1));
            let as_float = value as f64 / per_unit.0 as f64;
            match search.number(value) {
                None => prop_assert!(as_float <= 2f64.powi(i32::from(per_unit.1))),
                Some(number) => {
                    // Beyond 2^53 a floating-point number is not exactly the value.
                    let near = 1.0 + 1e-15;
                    prop_assert!(as_float <= bound_of(number) * near && as_float * near > bound_of(number - 1));
                }
            }
        }

        #[test]
        fn no_count_is_lost_and_sums_do_not_depend_on_the_order(
            one in prop::collection::vec((any::<u64>(), 0u32..64), 0..400),
            other in prop::collection::vec((any::<u64>(), 0u32..64), 0..400),
        ) {
            let search = NativeSearch::new(SECOND, -11);
            let [one, other] = [one, other].map(|values| values.iter().map(|(v, n)| v >> n).collect::<Vec<u64>>());
            let whole = counted(&search, &[&one[..], &other].concat());
            prop_assert!(whole.filled <= limits::NATIVE_BUCKETS_MAX);
            prop_assert_eq!(whole.total(), (one.len() + other.len()) as u64);
            let [one, other] = [one, other].map(|values| counted(&search, &values));
            for (first, second) in [(&one, &other), (&other, &one)] {
                let mut sum = first.clone();
                sum.add(second);
                prop_assert_eq!(&sum, &whole);
            }
            let again = NativeCounts::of_buckets(whole.schema, -11, whole.zero, whole.filled());
            prop_assert_eq!(again, Some(whole));
        }
    }

    #[test]
    fn resolution_is_halved_where_too_many_buckets_are_filled() {
        let search = NativeSearch::new(1, -1);
        // One byte more than the bound below: of the small ones several are the same.
        let values: Vec<u64> = (0..480).map(|number| (1u64 << (number / 8)) * (8 + number % 8) / 8).collect();
        let counts = counted(&search, &values);
        assert!(counts.schema < SCHEMA && counts.filled > limits::NATIVE_BUCKETS_MAX / 2);
        assert_eq!(counts.total(), 480);
        for (number, count) in counts.filled() {
            let (low, high) = (upper(number - 1, counts.schema), upper(number, counts.schema));
            let inside = values.iter().filter(|value| **value as f64 > low && **value as f64 <= high).count();
            assert_eq!(count, inside as u64, "above {low}, up to {high}");
        }
    }

    #[test]
    fn what_was_counted_by_chosen_bounds_is_taken_for_the_bound() {
        let native = NativeCounts::of_classic([0.0001, 0.1, 1.0].into_iter(), &[5, 3, 2, 1], -11);
        let filled: Vec<(i32, u64)> = native.filled().collect();
        assert_eq!((native.zero, filled, native.total()), (5, vec![(-26, 3), (0, 2), (1, 1)], 11));
        let unknown = NativeCounts::of_classic(std::iter::empty(), &[7], -11);
        assert_eq!((unknown.zero, unknown.filled().collect()), (0, vec![(-87, 7)]));
        let at_zero = NativeCounts::of_classic([f64::from(2f32.powi(-11))].into_iter(), &[1, 1], -11);
        assert_eq!((at_zero.zero, at_zero.filled().collect()), (1, vec![(-87, 1)]));
    }

    #[test]
    fn figures_that_are_no_histogram_are_refused() {
        for (schema, buckets) in [
            (4, vec![(1, 1)]),
            (3, vec![(1, 0)]),
            (3, vec![(2, 1), (1, 1)]),
            (3, vec![(1, 1), (1, 1)]),
            (3, vec![(i32::MAX, 1)]),
            (0, vec![(i32::MIN, 1)]),
            (3, (0..161).map(|number| (number, 1)).collect()),
        ] {
            assert_eq!(
                NativeCounts::of_buckets(schema, -11, 0, buckets.clone().into_iter()),
                None,
                "{buckets:?}"
            );
        }
    }
}
