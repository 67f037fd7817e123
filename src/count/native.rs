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
    zero_exponent: i8,
    /// By the zeros above the highest bit and the five bits from there: the bucket of the lowest of these values, after
    /// the largest in it. What is 0 has a place of its own.
    near: [(u64, i32); 64 * 32],
}

/// The number that the bucket for zero has among the others: its threshold is their bound at every schema, so nothing
/// above it ever gets the same.
fn zero_number(zero_exponent: i8) -> i32 {
    8 * i32::from(zero_exponent)
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
        let zero = zero_number(zero_exponent);
        let bucket = |slot: usize| {
            let least = ((slot as u64 % 32) << 59) >> (slot / 32);
            if least <= largest(zero) {
                return (largest(zero), zero);
            }
            let first = number_of(least as f64 / per_unit as f64) - 1;
            let number = (first..first + 3).find(|number| least <= largest(*number)).unwrap_or(first + 3);
            (largest(number), number)
        };
        Arc::new(NativeSearch { zero_exponent, near: std::array::from_fn(bucket) })
    }

    /// The bucket at schema 3.
    #[inline]
    pub fn number(&self, value: u64) -> i32 {
        let zeros = (value | 1).leading_zeros() as usize % 64;
        let slot = zeros * 32 + ((value << zeros) >> 59) as usize % 32;
        let (largest, number) = self.near[slot];
        number + i32::from(value > largest)
    }

    pub fn zero_exponent(&self) -> i8 {
        self.zero_exponent
    }
}

/// Counts of buckets that follow one another, as far as values are apart: 512 at most, for so many have numbers.
///
/// They are in two parts, so that the lower ones of a few hundred histograms, which almost all lines find all they need
/// in, do not push each other out of the nearest caches.
#[derive(Clone, Debug, Default)]
pub struct NativeBuckets {
    /// The number of the first.
    first: i32,
    /// Of each count, what is left over after whole multiples of 256.
    low: Vec<u8>,
    /// These, up to the last bucket that has some or beyond it.
    high: Vec<u64>,
}

impl PartialEq for NativeBuckets {
    fn eq(&self, other: &NativeBuckets) -> bool {
        self.filled().eq(other.filled())
    }
}

impl NativeBuckets {
    /// Counts one value by its bucket.
    #[inline]
    pub fn enter(&mut self, number: i32) {
        let place = number.wrapping_sub(self.first).cast_unsigned() as usize;
        let Some(low) = self.low.get_mut(place) else { return self.add(number, 1) };
        let (sum, carry) = low.overflowing_add(1);
        *low = sum;
        if carry {
            self.carry(place, 1 << u8::BITS);
        }
    }

    #[cold]
    fn carry(&mut self, place: usize, multiple: u64) {
        if self.high.len() <= place {
            self.high.resize(self.low.len(), 0);
        }
        self.high[place] += multiple;
    }

    #[cold]
    fn add(&mut self, number: i32, count: u64) {
        self.widen(number);
        let place = usize::try_from(number - self.first).unwrap_or(0);
        let high = self.high.get(place).copied().unwrap_or(0);
        let sum = (high + u64::from(self.low[place])).saturating_add(count);
        let low = sum.to_le_bytes()[0];
        self.low[place] = low;
        if sum - u64::from(low) > high {
            self.carry(place, sum - u64::from(low) - high);
        }
    }

    /// Sees to it that this bucket is there. Some more are made, so that the next value seldom needs a new one.
    fn widen(&mut self, number: i32) {
        const MORE: i32 = 8;
        if self.low.is_empty() {
            self.first = number;
        }
        if number < self.first {
            let more = usize::try_from(self.first - number + MORE).unwrap_or(0);
            self.low.splice(0..0, std::iter::repeat_n(0, more));
            if !self.high.is_empty() {
                self.high.splice(0..0, std::iter::repeat_n(0, more));
            }
            self.first = number - MORE;
        }
        let end = usize::try_from(number - self.first).unwrap_or(0) + 1;
        if end > self.low.len() {
            self.low.resize(end + usize::try_from(MORE).unwrap_or(0), 0);
        }
    }

    /// Those that are not empty, by their numbers.
    fn filled(&self) -> impl Iterator<Item = (i32, u64)> {
        let high = self.high.iter().copied().chain(std::iter::repeat(0));
        let counts = self.low.iter().zip(high).map(|(low, high)| high + u64::from(*low));
        (self.first..).zip(counts).filter(|(_, count)| *count > 0)
    }

    /// Those above a number, without empty ones at either end.
    fn above(&self, number: i32) -> NativeBuckets {
        let above = |(bucket, _): &(i32, u64)| *bucket > number;
        let mut filled = self.filled().filter(above).map(|(bucket, _)| bucket);
        let Some(first) = filled.next() else { return NativeBuckets::default() };
        let last = filled.last().unwrap_or(first);
        let place = |bucket: i32| usize::try_from(bucket - self.first).unwrap_or(0);
        let (start, end) = (place(first), place(last) + 1);
        let high = self.high.get(start..end.min(self.high.len())).unwrap_or_default().to_vec();
        NativeBuckets { first, low: self.low[start..end].to_vec(), high }
    }
}

/// What one native histogram has counted, as a page has it. Two are equal where they say the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NativeCounts {
    schema: u8,
    zero_exponent: i8,
    zero: u64,
    buckets: NativeBuckets,
}

/// A bucket's number so many schemas lower: each time, that of two neighbours is half of the second's.
#[inline]
fn lower(number: i32, schemas: u8) -> i32 {
    (number + (1 << (schemas & 3)) - 1) >> (schemas & 3)
}

impl NativeCounts {
    /// As many buckets are filled at most.
    pub const FILLED_MAX: usize = limits::NATIVE_BUCKETS_MAX;

    /// What was counted at schema 3.
    pub fn of(counted: &NativeBuckets, zero_exponent: i8) -> NativeCounts {
        let zero_number = zero_number(zero_exponent);
        let zero =
            counted.filled().take_while(|(number, _)| *number <= zero_number).map(|(_, count)| count).sum();
        let mut native =
            NativeCounts { schema: SCHEMA, zero_exponent, zero, buckets: counted.above(zero_number) };
        native.bound();
        native
    }

    /// What is known of values that were counted in buckets with chosen bounds: each is taken for the bound above it,
    /// and one above all bounds for a little more than the last.
    pub fn of_classic(bounds: impl Iterator<Item = f64>, counts: &[u64], zero_exponent: i8) -> NativeCounts {
        let mut buckets = NativeBuckets::default();
        let mut last = zero_number(zero_exponent);
        let numbers = bounds.map(|bound| number_of(bound).max(zero_number(zero_exponent)));
        for (count, number) in counts.iter().zip(numbers.map(Some).chain([None])) {
            let number = number.inspect(|number| last = *number).unwrap_or(last + 1);
            if *count > 0 {
                buckets.add(number, *count);
            }
        }
        NativeCounts::of(&buckets, zero_exponent)
    }

    /// Of figures that somebody has written; None where they cannot be a histogram's.
    pub fn of_buckets(
        schema: u8,
        zero_exponent: i8,
        zero: u64,
        filled: impl Iterator<Item = (i32, u64)>,
    ) -> Option<NativeCounts> {
        let schemas = SCHEMA.checked_sub(schema)?;
        let numbers = lower(*NUMBERS.start(), schemas)..=lower(*NUMBERS.end(), schemas);
        let mut buckets = NativeBuckets::default();
        let (mut last, mut many) = (None, 0);
        for (number, count) in filled {
            let is_next = last.replace(number).is_none_or(|last| last < number);
            if !numbers.contains(&number) || !is_next || count == 0 {
                return None;
            }
            buckets.add(number, count);
            many += 1;
        }
        let buckets = buckets.above(*NUMBERS.start() - 1);
        (many <= limits::NATIVE_BUCKETS_MAX).then_some(NativeCounts { schema, zero_exponent, zero, buckets })
    }

    /// Halves the resolution until no more buckets are filled than may be.
    fn bound(&mut self) {
        while self.filled().count() > limits::NATIVE_BUCKETS_MAX {
            self.reduce_to(self.schema - 1);
        }
    }

    fn reduce_to(&mut self, schema: u8) {
        if self.schema > schema {
            let wider = std::mem::take(&mut self.buckets);
            self.enter(wider.filled(), self.schema - schema);
            self.schema = schema;
        }
    }

    /// Adds buckets of so many schemas higher.
    fn enter(&mut self, filled: impl Iterator<Item = (i32, u64)>, schemas: u8) {
        filled.for_each(|(number, count)| self.buckets.add(lower(number, schemas), count));
        self.buckets = self.buckets.above(*NUMBERS.start() - 1);
    }

    /// Adds what another one has counted. Of two schemas the lower one holds for both.
    pub fn add(&mut self, other: &NativeCounts) {
        debug_assert_eq!(self.zero_exponent, other.zero_exponent);
        self.zero = self.zero.saturating_add(other.zero);
        self.reduce_to(other.schema);
        self.enter(other.filled(), other.schema - self.schema);
        self.bound();
    }

    /// The buckets that are not empty, by their numbers.
    pub fn filled(&self) -> impl Iterator<Item = (i32, u64)> {
        self.buckets.filled()
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
        self.filled().fold(self.zero, |sum, (_, count)| sum.saturating_add(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: u64 = 1_000_000_000;

    fn counted(search: &NativeSearch, values: &[u64]) -> NativeCounts {
        let mut counted = NativeBuckets::default();
        values.iter().for_each(|value| counted.enter(search.number(*value)));
        NativeCounts::of(&counted, search.zero_exponent())
    }

    /// The upper bound of a bucket of a schema.
    fn upper(number: i32, schema: u8) -> f64 {
        bound_of(number << (SCHEMA - schema))
    }

    #[test]
    fn a_value_on_a_bound_is_in_the_bucket_below_it() {
        let times = NativeSearch::new(SECOND, -11);
        for (nanos, number) in [
            (0, -88),
            (488_281, -88),
            (488_282, -87),
            (SECOND, 0),
            (SECOND + 1, 1),
            (1_090_507_732, 1),
            (1_090_507_733, 2),
            (2 * SECOND, 8),
            (2 * SECOND + 1, 9),
            (SECOND / 4, -16),
            (SECOND / 4 + 1, -15),
        ] {
            assert_eq!(times.number(nanos), number, "{nanos}");
        }
        let sizes = NativeSearch::new(1, -1);
        for (bytes, number) in [(0, -8), (1, 0), (2, 8), (3, 13), (4, 16), (1 << 60, 480), (u64::MAX, 512)] {
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
                number if number <= zero_number(per_unit.1) => {
                    prop_assert!(number == zero_number(per_unit.1) && as_float <= 2f64.powi(i32::from(per_unit.1)));
                }
                number => {
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
            prop_assert!(whole.filled().count() <= limits::NATIVE_BUCKETS_MAX);
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
    fn counts_are_the_same_however_they_came() {
        let search = NativeSearch::new(1, -1);
        for count in [255, 256, 257, 70_000] {
            let counted = counted(&search, &vec![1; count]);
            let told = NativeCounts::of_buckets(SCHEMA, -1, 0, [(0, count as u64)].into_iter());
            assert_eq!(told.as_ref(), Some(&counted));
            let mut sum = counted.clone();
            sum.add(&counted);
            assert_eq!(sum.total(), 2 * count as u64);
        }
    }

    #[test]
    fn resolution_is_halved_where_too_many_buckets_are_filled() {
        let search = NativeSearch::new(1, -1);
        // One byte more than the bound below: of the small ones several are the same.
        let values: Vec<u64> = (0..480).map(|number| (1u64 << (number / 8)) * (8 + number % 8) / 8).collect();
        let counts = counted(&search, &values);
        assert!(counts.schema < SCHEMA && counts.filled().count() > limits::NATIVE_BUCKETS_MAX / 2);
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
