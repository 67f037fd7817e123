//! Table of series: gives every set of label values a row number, up to a fixed number of rows.
//!
//! A key is the numbers of the label values, in the order of the labels; the owner of the table keeps the figures of
//! row n at index n of its own vectors. Rows are never taken away: a counter that vanishes is a reset.

use crate::bytes::words::spread;
use crate::count::admission::Admission;
use crate::limits;
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

/// Label values of one series, by their numbers in the dictionaries. Labels that are not used stay 0.
///
/// Four numbers share a word, and keys are filled and compared word by word: what is stored in small pieces and
/// loaded at once makes a processor wait, which took a twelfth of the counting.
#[derive(Clone, Copy, Debug, Default, Eq)]
pub struct Key([u64; KEY_LABELS / 4]);

impl Key {
    #[inline]
    pub fn get(&self, label: usize) -> u16 {
        self.0[label / 4].to_le_bytes().as_chunks().0.get(label % 4).map_or(0, |id| u16::from_le_bytes(*id))
    }

    /// Gives a label its value; once for each label.
    #[inline]
    pub fn set(&mut self, label: usize, id: u16) {
        self.0[label / 4] |= u64::from(id) << (16 * (label % 4));
    }
}

impl Key {
    /// The same with another value of one label.
    pub fn with(&self, label: usize, id: u16) -> Key {
        let mut key = *self;
        key.0[label / 4] &= !(u64::from(u16::MAX) << (16 * (label % 4)));
        key.set(label, id);
        key
    }
}

impl PartialEq for Key {
    #[inline]
    fn eq(&self, other: &Key) -> bool {
        // No loop, for one would stay in a program that is compiled to be small.
        let [first, second, third] = self.0;
        first == other.0[0] && second == other.0[1] && third == other.0[2]
    }
}

/// A server sees some dozens or hundreds of sets of labels most of the time. All places are sixteen cache lines.
const LATELY_BITS: u32 = 8;

/// Ours are method, status, vhost and route.
pub const KEY_LABELS: usize = 4 + limits::USER_LABELS_MAX;

#[derive(Clone, Debug)]
pub struct Table {
    /// What copies of a table have in common, and no other table.
    identity: Arc<()>,
    keys: Vec<Key>,
    /// When each row was opened, in nanoseconds since the epoch.
    opened: Vec<u64>,
    seed: RandomState,
    /// The rows, by the hashes of their keys.
    rows: HashTable<u32>,
    /// Rows found lately, each in the place that its key gives it: most lines have the labels of one of them, and then
    /// nothing is hashed.
    lately: [u32; 1 << LATELY_BITS],
    /// How many places are taken: a row may take more than one.
    slots_used: usize,
    /// Rows that took none.
    beyond: usize,
    admission: Admission,
}

impl Table {
    /// So many rows, given at the first sighting.
    pub fn new(rows_max: usize) -> Table {
        Table::of(Admission::first_come(rows_max))
    }

    /// The same, but for the last eighth of them, which must be earned: a page that scanners have filled still admits
    /// what becomes frequent, and one that is full of ordinary rows loses little.
    pub fn with_earned(rows_max: usize) -> Table {
        Table::of(Admission::earned(rows_max, rows_max - rows_max / 8))
    }

    fn of(admission: Admission) -> Table {
        Table {
            identity: Arc::default(),
            keys: Vec::new(),
            opened: Vec::new(),
            seed: RandomState::default(),
            rows: HashTable::new(),
            lately: [0; 1 << LATELY_BITS],
            slots_used: 0,
            beyond: 0,
            admission,
        }
    }

    /// The same for all copies of a table, earlier and later ones, and another for every other table.
    pub fn identity(&self) -> &Arc<()> {
        &self.identity
    }

    pub fn len(&self) -> usize {
        self.keys.len()
    }

    pub fn key(&self, row: usize) -> Key {
        self.keys[row]
    }

    /// When the row was opened, in nanoseconds since the epoch.
    pub fn opened(&self, row: usize) -> u64 {
        self.opened[row]
    }

    /// The row of a key, opened now if need be; None when the key is new and has no place.
    #[inline]
    pub fn row(&mut self, key: &Key, now: u64) -> Option<usize> {
        let place = place(key);
        let row = self.lately[place] as usize;
        if self.keys.get(row) == Some(key) {
            return Some(row);
        }
        self.look_up(key, place, now)
    }

    #[inline(never)]
    fn look_up(&mut self, key: &Key, place: usize, now: u64) -> Option<usize> {
        let hash = hash(&self.seed, key);
        if let Some(row) = self.find(hash, key) {
            self.lately[place] = u32::try_from(row).unwrap_or(u32::MAX);
            return Some(row);
        }
        self.enter(hash, key, now)
    }

    #[cold]
    fn enter(&mut self, hash: u64, key: &Key, now: u64) -> Option<usize> {
        self.admission.admits(self.used(), hash).then(|| self.open(hash, key, now))
    }

    /// How many places there are, and how many of them are taken.
    pub fn places(&self) -> usize {
        self.admission.places()
    }

    pub fn used(&self) -> usize {
        self.slots_used.max(self.keys.len() - self.beyond)
    }

    /// Says how many places the rows take; each takes one at least.
    pub fn hold(&mut self, places: usize) {
        self.slots_used = places;
    }

    /// The row of a key that has one on the page already; None when there is no place for it.
    pub fn readmit(&mut self, key: &Key, now: u64) -> Option<usize> {
        let hash = hash(&self.seed, key);
        let has_place = self.used() < self.places();
        self.find(hash, key).or_else(|| has_place.then(|| self.open(hash, key, now)))
    }

    /// The row of a key even beyond the bound: only for keys of a set that is small by itself.
    pub fn row_beyond(&mut self, key: &Key, now: u64) -> usize {
        let hash = hash(&self.seed, key);
        self.find(hash, key).unwrap_or_else(|| {
            self.beyond += 1;
            self.open(hash, key, now)
        })
    }

    #[inline]
    fn find(&self, hash: u64, key: &Key) -> Option<usize> {
        self.rows.find(hash, |row| self.keys[*row as usize] == *key).map(|row| *row as usize)
    }

    fn open(&mut self, hash: u64, key: &Key, now: u64) -> usize {
        let (seed, keys) = (&self.seed, &self.keys);
        let row = keys.len();
        let number = u32::try_from(row).unwrap_or(u32::MAX);
        self.rows.insert_unique(hash, number, |row| self::hash(seed, &keys[*row as usize]));
        self.keys.push(*key);
        self.opened.push(now);
        row
    }
}

/// The place of a key among those found lately. Keys that share one only push each other out.
#[inline]
fn place(key: &Key) -> usize {
    let [first, second, third] = key.0;
    spread(first ^ second ^ third, LATELY_BITS)
}

#[inline]
fn hash(seed: &RandomState, key: &Key) -> u64 {
    let mut hasher = seed.build_hasher();
    // No loop here either.
    let [first, second, third] = key.0;
    hasher.write_u64(first);
    hasher.write_u64(second);
    hasher.write_u64(third);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn key(a: u16, b: u16) -> Key {
        let mut key = Key::default();
        key.set(0, a);
        key.set(KEY_LABELS - 1, b);
        key
    }

    #[test]
    fn a_full_table_refuses_new_keys_and_knows_the_old_ones() {
        let mut table = Table::new(2);
        assert_eq!((table.row(&key(1, 1), 7), table.row(&key(2, 2), 8)), (Some(0), Some(1)));
        assert_eq!((table.row(&key(3, 3), 9), table.row(&key(1, 1), 9)), (None, Some(0)));
        assert_eq!((table.row_beyond(&key(3, 3), 9), table.opened(2), table.len()), (2, 9, 3));
    }

    proptest! {
        #[test]
        fn rows_are_those_of_a_map(keys in prop::collection::vec((0u16..40, 0u16..40), 0..600)) {
            let (mut table, mut map) = (Table::new(usize::MAX), HashMap::new());
            for (a, b) in keys {
                let next = map.len();
                let row = *map.entry((a, b)).or_insert(next);
                prop_assert_eq!(table.row(&key(a, b), 0), Some(row));
                prop_assert_eq!(table.key(row), key(a, b));
                prop_assert_eq!((table.key(row).get(0), table.key(row).get(KEY_LABELS - 1)), (a, b));
            }
        }
    }
}
