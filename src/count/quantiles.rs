//! Quantiles of durations over a sliding window: `--quantiles`.
//!
//! The window is a ring of [`SLICES`] slices of time, each with a DDSketch (Masson, Rim, Lee, 2019), which
//! are merged when a page is made. The answer is within 1 % of a duration that was observed at that rank,
//! whatever the distribution; below [`FLOOR_SECONDS`] it is 0. A slice leaves the window as a whole, so the
//! window is between nine tenths of its length and all of it.
//!
//! There is no clock here: the time comes with each call. Slices are told apart by their number since the
//! epoch, so a line that comes late still falls in its own slice, and a clock that is set back or forth heals
//! by itself: what lies after `now` is not in the window and is overwritten when its turn comes.
//!
//! Memory: a sketch has a bin of 8 bytes per 2 % of the range between the shortest and the longest duration
//! in its slice, in steps of 128 bins: 4 KiB for 1 ms to 10 s, 15 KiB from 1 µs to 584 years, which is all a
//! `u64` of nanoseconds can say. A window is therefore some 40 KiB in practice and 160 KiB at most.

use sketches_ddsketch::{Config, DDSketch};

/// Slices of a window: ten make it forget in steps of a tenth, and keep the merging at ten additions of
/// vectors.
const SLICES: usize = 10;

/// How far an answer may be from the exact one, as a share of it.
const RELATIVE_ERROR: f64 = 0.01;

/// No server measures less than a microsecond; shorter durations count as 0.
const FLOOR_SECONDS: f64 = 1e-6;

/// From the floor to `u64::MAX` nanoseconds there are 1871 bins, so the sketch never has to merge bins.
const BINS_MAX: u32 = 2048;

const SECONDS_PER_NANO: f64 = 1e-9;

/// The quantiles of what was observed in the last minutes, with the count and sum of all that ever was.
/// Not printed: a sketch has no words for itself.
#[derive(Clone)]
pub struct Window {
    quantiles: Vec<f64>,
    slice_seconds: u64,
    slices: Vec<Slice>,
    /// The slice used last and the time when it began: most calls fall into it and need no division.
    current: usize,
    current_start: u64,
    count: u64,
    sum_nanos: u128,
}

impl std::fmt::Debug for Window {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Window").field("count", &self.count).finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct Slice {
    number: u64,
    sketch: DDSketch,
}

impl Slice {
    /// Allocates nothing until something is observed.
    fn new(number: u64) -> Slice {
        Slice { number, sketch: empty_sketch() }
    }
}

fn empty_sketch() -> DDSketch {
    DDSketch::new(Config::new(RELATIVE_ERROR, BINS_MAX, FLOOR_SECONDS))
}

impl Window {
    /// A window over the last `window_seconds`, of which [`Window::summary`] gives these quantiles.
    pub fn new(window_seconds: u64, quantiles: &[f64]) -> Window {
        Window {
            quantiles: quantiles.to_vec(),
            slice_seconds: window_seconds.div_ceil(SLICES as u64).max(1),
            slices: (0..SLICES as u64).map(Slice::new).collect(),
            current: 0,
            current_start: 0,
            count: 0,
            sum_nanos: 0,
        }
    }

    #[inline]
    pub fn observe(&mut self, now_seconds: u64, nanos: u64) {
        if now_seconds.wrapping_sub(self.current_start) >= self.slice_seconds {
            self.turn_to(now_seconds);
        }
        self.slices[self.current].sketch.add(nanos as f64 * SECONDS_PER_NANO);
        self.count += 1;
        self.sum_nanos += u128::from(nanos);
    }

    /// Finds the slice of this time, emptied if it held an older (or, after a clock was set back, a later)
    /// one.
    #[cold]
    fn turn_to(&mut self, now_seconds: u64) {
        let number = now_seconds / self.slice_seconds;
        self.current = usize::try_from(number % SLICES as u64).unwrap_or(0);
        self.current_start = number * self.slice_seconds;
        let slice = &mut self.slices[self.current];
        if slice.number != number {
            *slice = Slice::new(number);
        }
    }

    /// Gives it other totals, and forgets what was observed lately.
    pub fn overwrite(&mut self, count: u64, sum_nanos: u128) {
        let empty = Window::new(self.slice_seconds * SLICES as u64, &self.quantiles);
        *self = Window { count, sum_nanos, ..empty };
    }

    #[cfg(test)]
    /// The duration in seconds below which the share `q` of the window lies; `None` when the window is empty
    /// or `q` is not between 0 and 1.
    fn quantile(&self, now_seconds: u64, q: f64) -> Option<f64> {
        self.merged(now_seconds).quantile(q).ok().flatten()
    }

    /// Each quantile asked for, with its duration in seconds; the slices are merged once for all of them.
    pub fn summary(&self, now_seconds: u64) -> Vec<(f64, Option<f64>)> {
        let merged = self.merged(now_seconds);
        self.quantiles.iter().map(|&q| (q, merged.quantile(q).ok().flatten())).collect()
    }

    /// Observations since the start, not only those of the window.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their exact sum.
    pub fn sum_nanos(&self) -> u128 {
        self.sum_nanos
    }

    fn merged(&self, now_seconds: u64) -> DDSketch {
        let now = now_seconds / self.slice_seconds;
        let mut merged = empty_sketch();
        for slice in &self.slices {
            if now.checked_sub(slice.number).is_some_and(|age| age < SLICES as u64) {
                // Merging fails only between sketches of different configurations, and there is one.
                let _ = merged.merge(&slice.sketch);
            }
        }
        merged
    }
}

#[cfg(test)]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "made-up values are small and positive"
)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const QUANTILES: [f64; 7] = [0.0, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0];
    const MILLISECOND: u64 = 1_000_000;

    /// Uniform between 0 and 1 (both excluded) and the same in every run.
    fn uniform(count: usize) -> impl Iterator<Item = f64> {
        let mut state = 88_172_645_463_325_252_u64;
        std::iter::repeat_with(move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            ((state >> 11) as f64 + 0.5) / (1u64 << 53) as f64
        })
        .take(count)
    }

    fn exact(sorted: &[u64], q: f64) -> f64 {
        let rank = (q * (sorted.len() - 1) as f64) as usize;
        sorted[rank] as f64 * SECONDS_PER_NANO
    }

    /// Observes all over one window and compares with the exact quantiles.
    fn check(name: &str, mut nanos: Vec<u64>) {
        let mut window = Window::new(600, &QUANTILES);
        for (place, &value) in nanos.iter().enumerate() {
            window.observe(6000 + 600 * place as u64 / nanos.len() as u64, value);
        }
        assert_eq!(window.count(), nanos.len() as u64);
        assert_eq!(window.sum_nanos(), nanos.iter().map(|&n| u128::from(n)).sum::<u128>());
        nanos.sort_unstable();
        for (q, estimate) in window.summary(6599) {
            let (estimate, exact) = (estimate.unwrap(), exact(&nanos, q));
            // The last term is for values in the middle between two bins, where rounding decides.
            let allowed = exact * (RELATIVE_ERROR + 1e-9) + if exact <= FLOOR_SECONDS { exact } else { 0.0 };
            assert!((estimate - exact).abs() <= allowed, "{name} {q}: {estimate} for {exact}");
            assert_eq!(window.quantile(6599, q), Some(estimate));
        }
    }

    #[test]
    fn quantiles_are_within_one_percent_whatever_the_distribution() {
        let n = 20_000;
        let nanos = |seconds: f64| (seconds * 1e9) as u64;
        check("uniform", uniform(n).map(|u| nanos(u * 2.0)).collect());
        check("exponential", uniform(n).map(|u| nanos(-0.05 * u.ln())).collect());
        check(
            "pareto with infinite variance",
            uniform(n).map(|u| nanos(0.001 * u.powf(-1.0 / 1.1))).collect(),
        );
        check("pareto with infinite mean", uniform(n).map(|u| nanos(1e-5 * u.powf(-2.0))).collect());
        check("log-uniform over all there is", uniform(n).map(|u| (u * 44.0).exp() as u64).collect());
        check("fast and slow", uniform(n).map(|u| nanos(if u < 0.95 { 0.0008 } else { 30.0 + u })).collect());
        check("whole milliseconds", uniform(n).map(|u| (u * u * 100.0) as u64 * MILLISECOND).collect());
        check("one value", vec![123_456_789; 1000]);
        check("one observation", vec![7 * MILLISECOND]);
        check("the ends", vec![0, 999, 1001, u64::MAX]);
    }

    #[test]
    fn an_empty_window_has_no_quantiles_and_a_quantile_beyond_one_neither() {
        let mut window = Window::new(600, &[0.5]);
        assert_eq!(window.quantile(0, 0.5), None);
        assert_eq!(window.summary(6000), [(0.5, None)]);
        window.observe(6000, MILLISECOND);
        assert!(window.quantile(6000, 0.5).is_some());
        assert_eq!(window.quantile(6000, 1.5), None);
        assert_eq!(window.quantile(6000, f64::NAN), None);
    }

    #[test]
    fn slices_age_out_one_by_one_and_the_totals_stay() {
        let mut window = Window::new(600, &[0.5]);
        for minute in 0..10 {
            window.observe(6000 + 60 * minute, (minute + 1) * MILLISECOND);
        }
        let minimum = |now| window.quantile(now, 0.0).map(|seconds| (seconds * 1000.0).round() as u32);
        assert_eq!(minimum(6599), Some(1));
        assert_eq!(minimum(6600), Some(2));
        assert_eq!(minimum(6600 + 8 * 60 + 59), Some(10));
        assert_eq!(minimum(6600 + 9 * 60), None);
        assert_eq!((window.count(), window.sum_nanos()), (10, 55 * u128::from(MILLISECOND)));
    }

    #[test]
    fn late_lines_fall_in_their_own_slice_and_a_clock_set_back_heals() {
        let mut window = Window::new(600, &[0.5]);
        window.observe(6120, MILLISECOND);
        window.observe(6059, 2 * MILLISECOND);
        window.observe(6125, 3 * MILLISECOND);
        assert_eq!(window.merged(6125).count(), 3);
        assert_eq!(window.merged(6600).count(), 2);
        // The clock falls back by a day: the new day starts at once and what is ahead of it is left out.
        window.observe(1_000_000, MILLISECOND);
        window.observe(1_000_000 - 86_400, MILLISECOND);
        assert_eq!(window.merged(1_000_000 - 86_400).count(), 1);
    }

    #[test]
    fn memory_is_bounded_over_all_durations() {
        let mut window = Window::new(600, &[0.5]);
        for minute in 0..30 {
            for shift in 0..64 {
                window.observe(minute * 60, u64::MAX >> shift);
            }
        }
        let bins: usize = window.slices.iter().map(|slice| slice.sketch.length()).sum();
        assert!(bins <= SLICES * BINS_MAX as usize, "{bins}");
        assert_eq!(window.merged(29 * 60).count(), 640);
    }

    proptest! {
        #[test]
        fn no_times_and_values_lose_an_observation_or_panic(
            calls in prop::collection::vec((any::<u64>(), any::<u64>()), 0..50),
            seconds in 0u64..10_000,
        ) {
            let mut window = Window::new(seconds, &[0.5]);
            for &(now, nanos) in &calls {
                window.observe(now, nanos);
                let found = window.quantile(now, 1.0);
                prop_assert!(found.unwrap_or(0.0) >= nanos as f64 * SECONDS_PER_NANO * 0.99);
            }
            prop_assert_eq!(window.count(), calls.len() as u64);
        }

        #[test]
        fn agrees_with_the_exact_quantile(values in prop::collection::vec(1000u64..1 << 45, 1..300)) {
            check("random", values);
        }
    }
}
