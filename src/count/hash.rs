//! Bytes into 64 bits, for the hash tables of this room.
//!
//! It reads 16 bytes at a time and folds the 128-bit product of two words, as wyhash and its descendants do:
//! a few nanoseconds for a label value, where the SipHash of `std` takes three times as long. The seed is
//! drawn anew in every process, so nobody can prepare values that collide. It must never be written to a file
//! or compared between processes.

use crate::bytes::words::{halves, last_words, low_half};
use std::hash::{BuildHasher, RandomState};

/// Spreads a small number over all bits: the golden ratio in 64 bits, made odd.
pub const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The secret of one process (of one table, even) under which its hashes are taken.
#[derive(Clone, Copy, Debug)]
pub struct Seed {
    low: u64,
    high: u64,
}

impl Seed {
    /// `RandomState` is the only source of randomness in `std`; two of its hashes are our two words.
    pub fn new() -> Seed {
        let random = RandomState::new();
        Seed { low: random.hash_one(0), high: random.hash_one(1) }
    }

    pub fn hash(&self, bytes: &[u8]) -> u64 {
        self.hash_after(0, bytes)
    }

    /// The hash of `bytes` under what came before them (a parent, another hash), so that pairs need no
    /// joining.
    #[inline]
    pub fn hash_after(&self, before: u64, bytes: &[u8]) -> u64 {
        let mut state = self.low ^ before.wrapping_mul(ODD) ^ (bytes.len() as u64).rotate_right(8);
        let mut rest = bytes;
        while let Some((block, behind)) = rest.split_first_chunk::<16>()
            && !behind.is_empty()
        {
            let (low, high) = halves(block);
            state = fold(state ^ low, self.high ^ high);
            rest = behind;
        }
        let (low, high) = last_words(bytes);
        fold(state ^ low, self.high ^ high)
    }
}

/// Where to begin to look in a table.
#[expect(clippy::cast_possible_truncation, reason = "a table has far fewer places than 32 bits can say")]
pub fn position(hash: u64) -> usize {
    hash as usize
}

/// The other half of the hash, which tells apart what shares a place.
pub fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    low_half(product) ^ low_half(product >> 64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::words::same;
    use std::collections::HashSet;

    #[test]
    fn every_byte_and_every_length_counts() {
        let seed = Seed::new();
        let text: Vec<u8> = (0..80).collect();
        let mut seen = HashSet::new();
        for length in 0..=text.len() {
            assert!(seen.insert(seed.hash(&text[..length])), "length {length}");
            for place in 0..length {
                let mut changed = text[..length].to_vec();
                changed[place] ^= 0x80;
                assert!(seen.insert(seed.hash(&changed)), "byte {place} of {length}");
            }
        }
    }

    #[test]
    fn the_same_is_the_same_and_a_byte_makes_a_difference() {
        let text: Vec<u8> = (0..70).collect();
        let copy = text.clone();
        for length in 0..=text.len() {
            assert!(same(&text[..length], &copy[..length]));
            assert!(!same(&text[..length], &[&text[..length], b"x"].concat()));
            for place in 0..length {
                let mut changed = text[..length].to_vec();
                changed[place] ^= 1;
                assert!(!same(&text[..length], &changed), "byte {place} of {length}");
            }
        }
    }

    #[test]
    fn what_came_before_and_the_seed_count() {
        let seed = Seed::new();
        assert_eq!(seed.hash(b"abc"), seed.hash_after(0, b"abc"));
        assert_ne!(seed.hash_after(1, b"abc"), seed.hash_after(2, b"abc"));
        assert_ne!(seed.hash(b"abc"), Seed::new().hash(b"abc"));
    }

    #[test]
    fn the_low_bits_spread_numbered_names_evenly() {
        let seed = Seed::new();
        let mut buckets = [0u32; 64];
        for number in 0..64_000 {
            let hash = seed.hash(format!("host-{number}.example.org").as_bytes());
            buckets[(hash % 64) as usize] += 1;
        }
        // 1000 are expected in each, with a standard deviation of 32.
        assert!(buckets.iter().all(|n| (800..1200).contains(n)), "{buckets:?}");
    }
}
