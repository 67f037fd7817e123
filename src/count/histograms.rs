//! Histograms, row by row: counts of chosen buckets in one flat vector, and native ones (native.rs) beside it.
//!
//! Values and bounds are integers in the smallest unit (nanoseconds, bytes), so that sums are exact and a value that
//! equals a bound falls into its bucket, as Prometheus' `le` asks.
//!
//! The counts of some hundred rows are more than the nearest cache holds, and a line that waits for one of them is held
//! up for longer than all the rest of it takes. So values are entered [`WAITING_MAX`] at a time: then the processor
//! waits for many counts at once.

use crate::catalogue::{self, HistogramKinds, Metric};
use crate::count::native::{NativeBuckets, NativeCounts, NativeSearch};
use std::sync::Arc;

/// What one histogram measures, and where its numbers stand in a row.
#[derive(Clone, Debug)]
pub struct Shape {
    pub metric: &'static Metric,
    /// How many of the smallest unit make one unit of the metric: 1e9 for nanoseconds, 1 for bytes.
    pub per_unit: u64,
    /// Upper bounds, ascending, in the smallest unit.
    pub bounds: Arc<[u64]>,
    at: usize,
    search: Search,
    native: Arc<NativeSearch>,
    waiting: Waiting,
}

/// So many values of a histogram wait at most.
const WAITING_MAX: usize = 1 << u8::BITS;

/// Values that are to be entered, with their rows.
#[derive(Clone, Debug)]
struct Waiting {
    values: Box<[(usize, u64); WAITING_MAX]>,
    count: u8,
}

impl Waiting {
    fn new() -> Waiting {
        Waiting { values: Box::new([(0, 0); WAITING_MAX]), count: 0 }
    }

    /// Says whether there is no room for another one.
    #[inline(always)]
    fn push(&mut self, row: usize, value: u64) -> bool {
        self.values[usize::from(self.count)] = (row, value);
        self.count = self.count.wrapping_add(1);
        self.count == 0
    }
}

/// The way from a value to its bucket: values of as many bits share a first bucket, and from there few bounds
/// are left to compare with. Their number is the same for every value, so that nothing is mispredicted.
#[derive(Clone, Debug)]
struct Search {
    /// By the number of a value's bits.
    steps: Box<[Step; 65]>,
    /// Whether values of some number of bits have more bounds than a step has.
    is_crowded: bool,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    /// How many bounds all of these values are above.
    first: usize,
    /// The next bounds; where there are no more, some that no value is above.
    near: [u64; 4],
}

impl Search {
    fn new(bounds: &[u64]) -> Search {
        let below = |value: u64| bounds.iter().filter(|bound| **bound < value).count();
        let step = |bits: usize| {
            let first = bits.checked_sub(1).map_or(0, |bit| below(1u64 << bit));
            let mut near = [u64::MAX; 4];
            for (near, bound) in near.iter_mut().zip(&bounds[first..]) {
                *near = *bound;
            }
            Step { first, near }
        };
        let steps: Box<[Step; 65]> = Box::new(std::array::from_fn(step));
        let ends = |bits: u32| below(1u64.checked_shl(bits).map_or(u64::MAX, |next| next - 1));
        let is_crowded =
            (0..).zip(steps.iter()).any(|(bits, step)| ends(bits) - step.first > step.near.len());
        Search { steps, is_crowded }
    }

    /// How many of the bounds are below the value.
    #[inline(always)]
    fn bucket(&self, value: u64, bounds: &[u64]) -> usize {
        let Step { first, near } = &self.steps[64 - value.leading_zeros() as usize];
        let above = |bound: &u64| usize::from(value > *bound);
        let [one, two, three, four] = near;
        match self.is_crowded {
            false => first + above(one) + above(two) + above(three) + above(four),
            true => first + bounds[*first..].iter().take_while(|bound| value > **bound).count(),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Histograms {
    kinds: HistogramKinds,
    shapes: Vec<Shape>,
    /// Per row and histogram: the sum's low and high half, then the counts of the buckets, +Inf last.
    cells: Vec<u64>,
    stride: usize,
    /// Per row and histogram; empty where none are counted.
    natives: Vec<NativeBuckets>,
}

/// One histogram of one row, as read for the page.
#[derive(Debug)]
pub struct Reading<'a> {
    pub counts: &'a [u64],
    pub sum: u128,
    pub native: Option<NativeCounts>,
}

impl Histograms {
    pub fn new(kinds: HistogramKinds) -> Histograms {
        Histograms { kinds, shapes: Vec::new(), cells: Vec::new(), stride: 0, natives: Vec::new() }
    }

    pub fn kinds(&self) -> HistogramKinds {
        self.kinds
    }

    /// Adds a histogram to every row; before the first row is opened.
    pub fn add(&mut self, metric: &'static Metric, per_unit: u64, bounds: &Arc<[u64]>) -> usize {
        debug_assert!(self.cells.is_empty());
        let bounds = if self.kinds.classic { bounds.clone() } else { Arc::default() };
        let zero_exponent = catalogue::zero_exponent(metric.name);
        let like =
            |shape: &&Shape| (shape.per_unit, shape.native.zero_exponent()) == (per_unit, zero_exponent);
        let native = self.shapes.iter().find(like).map(|shape| shape.native.clone());
        self.stride += bounds.len() + 3;
        self.shapes.push(Shape {
            metric,
            per_unit,
            at: self.stride - bounds.len() - 3,
            search: Search::new(&bounds),
            bounds,
            native: native.unwrap_or_else(|| NativeSearch::new(per_unit, zero_exponent)),
            waiting: Waiting::new(),
        });
        self.shapes.len() - 1
    }

    pub fn shapes(&self) -> &[Shape] {
        &self.shapes
    }

    /// Makes room for rows up to this one.
    pub fn open(&mut self, row: usize) {
        let cells = (row + 1) * self.stride;
        if self.cells.len() < cells {
            self.cells.resize(cells, 0);
        }
        let natives = if self.kinds.native { (row + 1) * self.shapes.len() } else { 0 };
        if self.natives.len() < natives {
            self.natives.resize_with(natives, NativeBuckets::default);
        }
    }

    /// Takes the native buckets out for a moment, while a copy without them is made.
    pub fn take_native(&mut self) -> Vec<NativeBuckets> {
        std::mem::take(&mut self.natives)
    }

    pub fn put_native(&mut self, natives: Vec<NativeBuckets>) {
        self.natives = natives;
    }

    /// Takes a value of a row that was opened. It is counted at the latest when [`Self::settle`] is called.
    #[inline(always)]
    pub fn observe(&mut self, row: usize, histogram: usize, value: u64) {
        if self.shapes[histogram].waiting.push(row, value) {
            self.enter(histogram, WAITING_MAX);
        }
    }

    /// The number of the bucket that a value falls into.
    pub fn bucket(&self, histogram: usize, value: u64) -> usize {
        let shape = &self.shapes[histogram];
        shape.search.bucket(value, &shape.bounds)
    }

    /// Counts what waits, so that all of it can be read.
    pub fn settle(&mut self) {
        for histogram in 0..self.shapes.len() {
            let waiting = std::mem::take(&mut self.shapes[histogram].waiting.count);
            self.enter(histogram, waiting.into());
        }
    }

    /// Enters the first of the values that wait.
    #[inline(never)]
    fn enter(&mut self, histogram: usize, waiting: usize) {
        let (stride, histograms) = (self.stride, self.shapes.len());
        let Shape { bounds, at, search, native, waiting: Waiting { values, .. }, .. } =
            &self.shapes[histogram];
        // What is fetched anew for each value stands here once.
        let (values, at, native) = (&values[..waiting], *at, &**native);
        let (cells, natives) = (&mut self.cells[..], &mut self.natives[..]);
        for (row, value) in values {
            if let Some([low, high, counts @ ..]) = cells.get_mut(row * stride + at..) {
                counts[search.bucket(*value, bounds)] += 1;
                let (sum, carry) = low.overflowing_add(*value);
                *low = sum;
                *high += u64::from(carry);
            }
        }
        if natives.is_empty() {
            return;
        }
        for (row, value) in values {
            if let Some(counts) = natives.get_mut(row * histograms + histogram) {
                counts.enter(native.number(*value));
            }
        }
    }

    /// Gives a row other figures, which come as they are kept: the sum's halves and the buckets. Nothing is known of
    /// them in native buckets.
    pub fn overwrite(&mut self, row: usize, histogram: usize, cells: &[u64]) {
        self.natives.clear();
        let shape = &mut self.shapes[histogram];
        shape.waiting.count = 0;
        let start = row * self.stride + shape.at;
        if let Some(ours) = self.cells.get_mut(start..start + shape.bounds.len() + 3) {
            ours.fill(0);
            ours.iter_mut().zip(cells).for_each(|(cell, figure)| *cell = *figure);
        }
    }

    pub fn read(&self, row: usize, histogram: usize) -> Reading<'_> {
        let shape = &self.shapes[histogram];
        debug_assert_eq!(shape.waiting.count, 0, "the values that wait are settled");
        let (start, buckets) = (row * self.stride + shape.at, shape.bounds.len() + 1);
        let [low, high, counts @ ..] = &self.cells[start..start + buckets + 2] else {
            return Reading { counts: &[], sum: 0, native: None };
        };
        let native = self.natives.get(row * self.shapes.len() + histogram);
        let native = native.map(|native| NativeCounts::of(native, shape.native.zero_exponent()));
        Reading { counts, sum: u128::from(*high) << 64 | u128::from(*low), native }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_bucket_is_found_where_counting_finds_it(
            bounds in prop::collection::btree_set((0u32..64, any::<u64>()).prop_map(|(n, v)| v >> n), 0..64),
            values in prop::collection::vec((0u32..64, any::<u64>()).prop_map(|(n, v)| v >> n), 1..50),
        ) {
            let bounds: Vec<u64> = bounds.into_iter().collect();
            let search = Search::new(&bounds);
            for value in values.into_iter().chain(bounds.iter().copied()).chain([0, u64::MAX]) {
                let counted = bounds.iter().filter(|bound| value > **bound).count();
                prop_assert_eq!(search.bucket(value, &bounds), counted);
            }
        }
    }

    #[test]
    fn a_value_on_a_bound_falls_into_its_bucket_and_the_sum_is_exact() {
        let mut histograms = Histograms::new(HistogramKinds::BOTH);
        let sizes = histograms.add(&catalogue::SIZE, 1, &Arc::from([10, 20]));
        let other = histograms.add(&catalogue::DURATION, 1_000_000_000, &Arc::from([5]));
        histograms.open(1);
        for value in [0, 10, 11, 20, 21, u64::MAX, u64::MAX] {
            histograms.observe(1, sizes, value);
        }
        histograms.settle();
        let read = histograms.read(1, sizes);
        assert_eq!((read.counts, read.sum), (&[2, 2, 3][..], 62 + 2 * u128::from(u64::MAX)));
        assert_eq!(read.native.as_ref().map(NativeCounts::total), Some(7));
        assert_eq!(histograms.read(1, other).counts, [0, 0]);
        assert_eq!(histograms.read(0, sizes).sum, 0);
    }

    #[test]
    fn values_that_had_to_wait_are_counted_once() {
        let mut histograms = Histograms::new(HistogramKinds::BOTH);
        let sizes = histograms.add(&catalogue::SIZE, 1, &Arc::from([10]));
        histograms.open(1);
        for waiting in [WAITING_MAX - 1, 1, WAITING_MAX, 0, WAITING_MAX + 1] {
            let before = histograms.read(1, sizes).counts[0];
            (0..waiting).for_each(|_| histograms.observe(1, sizes, 3));
            histograms.settle();
            let read = histograms.read(1, sizes);
            assert_eq!(read.counts, [before + waiting as u64, 0]);
            assert_eq!(read.sum, u128::from(read.counts[0] * 3));
            assert_eq!(read.native.map(|native| native.total()), Some(read.counts[0]));
        }
    }

    #[test]
    fn what_is_not_asked_for_is_not_counted() {
        let count = |word: &str| {
            let mut histograms = Histograms::new(HistogramKinds::parse(word).unwrap());
            let sizes = histograms.add(&catalogue::SIZE, 1, &Arc::from([10, 20]));
            (0..3).for_each(|row| histograms.open(row));
            [5, 15].iter().for_each(|value| histograms.observe(2, sizes, *value));
            histograms.settle();
            let read = histograms.read(2, sizes);
            (read.counts.to_vec(), read.sum, read.native.as_ref().map(NativeCounts::total))
        };
        assert_eq!(count("classic"), (vec![1, 1, 0], 20, None));
        assert_eq!(count("native"), (vec![2], 20, Some(2)));
        assert_eq!(count("both"), (vec![1, 1, 0], 20, Some(2)));
    }
}
