//! Memo: a direct-mapped cache of the latest values of a label and their mappings.
//!
//! A value has one place, and the latest value of a place replaces the one before. Values are told apart by 64 bits of
//! a seeded hash, which no client can predict. Memory: 64 KiB, fixed at the start.

use foldhash::fast::RandomState;
use std::hash::{BuildHasher, Hasher};

const PLACES: usize = 1 << 12;

#[derive(Debug)]
pub struct Memo {
    seed: RandomState,
    /// By hash: what the value became. A hash of 0 is a free place.
    places: Vec<(u64, u32)>,
}

impl Memo {
    pub fn new() -> Memo {
        Memo { seed: RandomState::default(), places: vec![(0, 0); PLACES] }
    }

    #[inline]
    pub fn hash(&self, value: &[u8]) -> u64 {
        let mut hasher = self.seed.build_hasher();
        hasher.write(value);
        hasher.finish() | 1 << 63
    }

    #[inline]
    pub fn get(&self, hash: u64) -> Option<u32> {
        let (known, id) = self.places[Memo::place(hash)];
        (known == hash).then_some(id)
    }

    pub fn put(&mut self, hash: u64, id: u32) {
        self.places[Memo::place(hash)] = (hash, id);
    }

    pub fn clear(&mut self) {
        self.places.fill((0, 0));
    }

    fn place(hash: u64) -> usize {
        usize::try_from(hash % PLACES as u64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_values_are_known_and_no_other() {
        let mut memo = Memo::new();
        for number in 0..10_000u32 {
            let hash = memo.hash(format!("value {number}").as_bytes());
            assert_eq!(memo.get(hash), None);
            memo.put(hash, number);
            assert_eq!(memo.get(hash), Some(number));
        }
    }
}
