//! Admission to a fixed number of places: which values of a label, which series of a page.
//!
//! - **The first places are given at the first sighting.** An ordinary log, whose few values fit into them, is counted
//!   exactly from its first line.
//! - **The other places must be earned** by [`FIRST_SIGHTINGS`] = 4 sightings, and this demand doubles in
//!   [`DEMAND_STEPS`] = 7 equal steps as the places fill, up to 256. So a scanner's one-off values cannot take them,
//!   and a value that becomes frequent later still gets one.
//!
//! Sightings of what has no place are counted by a Misra-Gries summary (*Finding repeated elements*, 1982) with as
//! many counters as places, and [`COUNTERS_MIN`] = 1024 to [`COUNTERS_MAX`] = 4096 of them: a value that has a
//! counter raises it; one without takes a free counter; where none is free, all counters fall by one. Its bounds,
//! where `n` is the number of sightings without a place and `c` that of the counters:
//!
//! - a counter is **never too high**, so what was seen fewer than 4 times never takes an earned place, however many
//!   millions of others come;
//! - it is too low by at most `n / (c + 1)`. So what makes up a share `p` of the sightings without a place, above
//!   1/1025, has its place after about `demand / (p - 1/1025)` of them: 1 % of the traffic takes the last place of all
//!   within some 28,000 lines.
//!
//! **The same sightings give the same places**: the hashes that tell values apart have 64 bits and a seed, so that
//! nobody can prepare what collides, but neither where a counter lies nor which one falls depends on them.
//!
//! There is no clock and no window: a value is forgotten only when others need its counter, so one that comes twice a
//! day in a quiet log gets its place in the end. A client can win places on purpose, at the price of 4 to 256 requests
//! each; it is the bound on places, not the admission, that bounds the memory.
//!
//! Memory, fixed at the start: 34 to 68 bytes a counter.

use hashbrown::HashTable;

/// Sightings that the first earned place costs. A scanner that tries an address by GET, HEAD and POST has three.
const FIRST_SIGHTINGS: u32 = 4;

/// How often the demand doubles until the last place: 4, 8, 16, 32, 64, 128, 256.
const DEMAND_STEPS: usize = 7;

/// Counters of the smallest summary: any share above 1/1025 is sure to win a place.
const COUNTERS_MIN: usize = 1024;

/// Counters of the largest: what is rarer than 1/4097 need not have a place.
const COUNTERS_MAX: usize = 4096;

/// A counter is given back when it reaches the demand, which is never more than this.
const COUNT_MAX: u32 = FIRST_SIGHTINGS << DEMAND_STEPS;

/// Decides who gets a place; the places themselves are held elsewhere.
#[derive(Clone, Debug)]
pub struct Admission {
    places: usize,
    /// So many places are given at the first sighting.
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

    /// Counts one sighting of the value with this hash, and says whether it gets a place while so many are held.
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
        self.summary.as_ref().map_or(0, |summary| {
            summary.counters.allocation_size() + summary.at_level.capacity() * size_of::<usize>()
        })
    }
}

/// Counts sightings of what has no place; see the head of this file.
///
/// That all counters fall by one costs nothing: `fallen` rises, and a counter's worth is what it has above that. How
/// many counters stand at each level is kept too, so the table is only searched for free ones when there are some.
#[derive(Clone, Debug)]
struct Summary {
    counters: HashTable<Counter>,
    counters_max: usize,
    fallen: u64,
    /// How many counters stand at each level, by the level's remainder; none is more than [`COUNT_MAX`] above `fallen`.
    at_level: Vec<usize>,
}

#[derive(Clone, Copy, Debug)]
struct Counter {
    hash: u64,
    level: u64,
}

impl Summary {
    fn new(places: usize) -> Summary {
        let counters_max = places.clamp(COUNTERS_MIN, COUNTERS_MAX);
        Summary {
            // A table that is half empty makes its room anew in place when counters have come and gone.
            counters: HashTable::with_capacity(2 * counters_max),
            counters_max,
            fallen: 0,
            at_level: vec![0; COUNT_MAX as usize + 1],
        }
    }

    /// Counts a sighting and says how many it knows of: never more than there were.
    fn sight(&mut self, hash: u64) -> u32 {
        let (fallen, full) = (self.fallen, self.counters.len() >= self.counters_max);
        let before = match self.counters.find_mut(hash, |counter| counter.hash == hash) {
            Some(counter) if counter.level - fallen >= COUNT_MAX.into() => return COUNT_MAX,
            Some(counter) => {
                counter.level += 1;
                counter.level - 1
            }
            None if full => {
                self.fall();
                return 0;
            }
            None => {
                self.counters
                    .insert_unique(hash, Counter { hash, level: fallen + 1 }, |counter| counter.hash);
                fallen
            }
        };
        if before > fallen {
            *self.standing(before) -= 1;
        }
        *self.standing(before + 1) += 1;
        u32::try_from(before + 1 - fallen).unwrap_or(u32::MAX)
    }

    /// Takes one from every counter, and gives back those that have nothing left.
    fn fall(&mut self) {
        self.fallen += 1;
        let fallen = self.fallen;
        if std::mem::take(self.standing(fallen)) > 0 {
            self.counters.retain(|counter| counter.level > fallen);
        }
    }

    fn standing(&mut self, level: u64) -> &mut usize {
        let levels = self.at_level.len();
        &mut self.at_level[usize::try_from(level).unwrap_or(0) % levels]
    }

    /// Gives back the counter of a value that has its place now.
    fn forget(&mut self, hash: u64) {
        if let Ok(counter) = self.counters.find_entry(hash, |counter| counter.hash == hash) {
            let level = counter.remove().0.level;
            *self.standing(level) -= 1;
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
    fn the_summary_never_counts_too_high_and_too_low_by_a_share_of_the_counters() {
        let mut summary = Summary::new(100);
        let mut seed = 3u64;
        let mut roll = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            seed >> 33
        };
        let mut truth: HashMap<u64, (u32, u32)> = HashMap::new();
        for seen in 1..=200_000u32 {
            // A few heavy, many light ones; the product spreads them over buckets and tags.
            let value = if roll() % 100 < 33 { roll() % 40 } else { roll() % 50_000 };
            let hash = value.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
            let counted = summary.sight(hash);
            let entry = truth.entry(hash).or_default();
            *entry = (entry.0 + 1, counted);
            let error = seen / (1024 + 1);
            let most = entry.0.min(512);
            assert!(counted <= entry.0 && counted + error >= most, "{entry:?} {error}");
        }
    }
}
