//! Ways: the places of the settled routes, each by the hash of the whole way to it.
//!
//! The hashes are 64 bits that no client can predict, so their last bits are as good as any others: a way stands in the
//! slot that they number or, where that is taken, in the next free one behind it. Half of the slots are free, so most
//! look-ups end at the first. hashbrown does the same for any key, but in a program that is built small it is called,
//! and twice as many instructions are gone through.

/// Where all ways begin. None leads there, so as a place it means a free slot.
pub const ROOT: u32 = 0;

const FREE: (u64, u32) = (0, ROOT);

/// A power of two.
const SLOTS_MIN: usize = 16;

#[derive(Debug)]
pub struct Ways {
    slots: Vec<(u64, u32)>,
    used: usize,
}

impl Ways {
    pub fn new() -> Ways {
        Ways { slots: vec![FREE; SLOTS_MIN], used: 0 }
    }

    /// The place at the end of a way.
    #[inline(always)]
    pub fn find(&self, way: u64) -> Option<u32> {
        for at in self.slots_of(way) {
            let (known, place) = *self.slots.get(at)?;
            if known == way || place == ROOT {
                return (place != ROOT).then_some(place);
            }
        }
        None
    }

    /// A way that is not known yet, to a place that is not the root.
    pub fn insert(&mut self, way: u64, place: u32) {
        if 2 * self.used >= self.slots.len() {
            let more = vec![FREE; 2 * self.slots.len()];
            let known = std::mem::replace(&mut self.slots, more);
            known.into_iter().filter(|slot| *slot != FREE).for_each(|(way, place)| self.put(way, place));
        }
        self.used += 1;
        self.put(way, place);
    }

    fn put(&mut self, way: u64, place: u32) {
        if let Some(free) = self.slots_of(way).find(|at| self.slots[*at].1 == ROOT) {
            self.slots[free] = (way, place);
        }
    }

    /// The numbers of the slots in which a way may stand, in their order.
    #[inline(always)]
    fn slots_of(&self, way: u64) -> impl Iterator<Item = usize> + use<> {
        let last = self.slots.len() - 1;
        let first = usize::try_from(way & last as u64).unwrap_or(0);
        (first..).map(move |at| at & last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// Hashes whose last bits are the same.
    fn alike() -> impl Strategy<Value = u64> {
        (0u64..40).prop_map(|way| way << 32)
    }

    proptest! {
        /// Whether they fall together or not.
        #[test]
        fn ways_are_those_of_a_map(
            ways in prop::collection::btree_set(prop_oneof![any::<u64>(), alike(), 0u64..40], 0..300),
            others in prop::collection::vec(prop_oneof![any::<u64>(), 0u64..50], 0..50),
        ) {
            let (mut table, mut map) = (Ways::new(), BTreeMap::new());
            for (way, place) in ways.iter().zip(1..) {
                table.insert(*way, place);
                map.insert(*way, place);
            }
            for way in ways.iter().chain(&others) {
                prop_assert_eq!(table.find(*way), map.get(way).copied());
            }
        }
    }
}
