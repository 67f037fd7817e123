//! Who gets one of a fixed number of places: the values of a label, the series of a page.
//!
//! - **The first places go to whoever comes first**, at the first sight. An ordinary log, whose few values fit in
//!   there, is counted exactly from its first line.
//! - **The other places must be earned** by [`FIRST_SIGHTINGS`] = 4 sightings, and this demand doubles in
//!   [`DEMAND_STEPS`] = 7 equal steps as the places fill, up to 256. So the noise of a scanner cannot take them, and
//!   what becomes frequent later finds one.
//!
//! Sightings of what has no place are counted by a Misra-Gries summary (*Finding repeated elements*, 1982), split by
//! hash into buckets of [`BUCKET`] = 8 counters that fill one cache line each: who has a counter raises it; who has
//! none takes a free one; where none is free, all eight of the bucket fall by one. Its bounds, where `n` is the number
//! of sightings without a place in the bucket:
//!
//! - a counter is **never too high**, so what was seen fewer than 4 times never takes an earned place, however many
//!   millions of others come (but for those that share a bucket and 32 bits of hash);
//! - it is too low by at most `n / 9`. There are at least as many counters as places, and 1024 or more; so what makes
//!   up a share `p` of the sightings without a place, above 1/1152, has its place after about `demand / (p - 1/1152)`
//!   of them: 1 % of the traffic takes the last place of all within some 28,000 lines.
//!
//! There is no clock and no window: something is forgotten only as others press, so what comes twice a day in a quiet
//! log gets its place in the end. Whoever sends one thing many times on purpose can win places, at the price of 4 to
//! 256 requests each; it is the bound on places, not the admission, that bounds the memory.
//!
//! Memory, fixed at the start: 8 to 16 bytes a place, 8 KiB at least.

use crate::count::hash::{position, tag};

/// Sightings that the first earned place costs. A scanner that tries an address by GET, HEAD and POST has three.
const FIRST_SIGHTINGS: u32 = 4;

/// How often the demand doubles until the last place: 4, 8, 16, 32, 64, 128, 256.
const DEMAND_STEPS: usize = 7;

/// Counters of one bucket: 8 of 8 bytes are a cache line.
const BUCKET: usize = 8;

/// Buckets of the smallest summary: 8 KiB, which puts the share that wins a place surely at 1/1152.
const BUCKETS_MIN: usize = 128;

/// The door to the places; it does not hold them.
#[derive(Clone, Debug)]
pub struct Admission {
    places: usize,
    /// So many are free to whoever comes.
    free: usize,
    summary: Option<Summary>,
}

impl Admission {
    pub fn first_come(places: usize) -> Admission {
        Admission { places, free: places, summary: None }
    }

    /// What goes beyond the first `free` places must be earned.
    pub fn earned(places: usize, free: usize) -> Admission {
        Admission { places, free, summary: Some(Summary::new(places)) }
    }

    pub fn places(&self) -> usize {
        self.places
    }

    /// Whether what has this hash gets a place now that so many are held; counts as one sighting of it.
    pub fn admits(&mut self, held: usize, hash: u64) -> bool {
        if held >= self.places {
            return false;
        }
        let demand = self.demand(held);
        match &mut self.summary {
            Some(summary) if demand > 1 => {
                let earned = summary.sight(hash) >= demand;
                if earned {
                    summary.forget(hash);
                }
                earned
            }
            _ => true,
        }
    }

    /// How many sightings the next place costs.
    pub fn demand(&self, held: usize) -> u32 {
        match held.checked_sub(self.free) {
            None => 1,
            Some(earned) => FIRST_SIGHTINGS << (DEMAND_STEPS * earned / (self.places - self.free).max(1)),
        }
    }

    /// Bytes beside its own.
    #[cfg(test)]
    pub fn bytes_held(&self) -> usize {
        self.summary.as_ref().map_or(0, |summary| summary.buckets.capacity() * size_of::<[Counter; BUCKET]>())
    }
}

/// Counts sightings of what has no place; see the head of this file.
#[derive(Clone, Debug)]
struct Summary {
    /// A power of two.
    buckets: Vec<[Counter; BUCKET]>,
}

/// Free while `sightings` is 0.
#[derive(Clone, Copy, Debug, Default)]
struct Counter {
    tag: u32,
    sightings: u32,
}

impl Summary {
    fn new(places: usize) -> Summary {
        let buckets = places.div_ceil(BUCKET).next_power_of_two().max(BUCKETS_MIN);
        Summary { buckets: vec![[Counter::default(); BUCKET]; buckets] }
    }

    fn bucket(&mut self, hash: u64) -> &mut [Counter; BUCKET] {
        let mask = self.buckets.len() - 1;
        &mut self.buckets[position(hash) & mask]
    }

    /// Counts a sighting and says how many it knows of: never more than there were.
    fn sight(&mut self, hash: u64) -> u32 {
        let bucket = self.bucket(hash);
        let known = bucket.iter().position(|c| c.tag == tag(hash) && c.sightings > 0);
        let Some(place) = known.or_else(|| bucket.iter().position(|c| c.sightings == 0)) else {
            for counter in bucket {
                counter.sightings -= 1;
            }
            return 0;
        };
        let counter = &mut bucket[place];
        *counter = Counter { tag: tag(hash), sightings: counter.sightings.saturating_add(1) };
        counter.sightings
    }

    /// Gives back the counter of a value that has its place now.
    fn forget(&mut self, hash: u64) {
        for counter in self.bucket(hash).iter_mut().filter(|c| c.tag == tag(hash)) {
            counter.sightings = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn places_are_free_then_earned_then_none() {
        let mut door = Admission::earned(4, 2);
        assert!(door.admits(0, 7) && door.admits(1, 8));
        assert_eq!([(); 5].map(|()| door.admits(2, 9)), [false, false, false, true, false]);
        assert!(!(0..1000).any(|_| door.admits(4, 9)));
        assert_eq!([0, 2, 3].map(|held| door.demand(held)), [1, 4, 32]);
    }

    #[test]
    fn the_summary_never_counts_too_high_and_too_low_by_a_ninth_of_a_bucket() {
        let mut summary = Summary::new(100);
        let mut seed = 3u64;
        let mut roll = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            seed >> 33
        };
        let mut truth: HashMap<u64, (u32, u32)> = HashMap::new();
        let mut in_bucket = [0u32; BUCKETS_MIN];
        for _ in 0..200_000 {
            // A few heavy, many light ones; the product spreads them over buckets and tags.
            let value = if roll() % 100 < 33 { roll() % 40 } else { roll() % 50_000 };
            let hash = value.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
            in_bucket[position(hash) % BUCKETS_MIN] += 1;
            let counted = summary.sight(hash);
            let entry = truth.entry(hash).or_default();
            *entry = (entry.0 + 1, counted);
            let error = in_bucket[position(hash) % BUCKETS_MIN] / 9;
            assert!(counted <= entry.0 && counted + error >= entry.0, "{entry:?} {error}");
        }
    }
}
