//! Gives every set of label values a row number, up to a fixed number of rows.
//!
//! A key is the numbers of the label values, in the order of the labels; whoever owns the table keeps the figures of
//! row n at index n of vectors of its own. Rows are never taken away: a counter that vanishes is a reset.

use crate::count::admission::Admission;
use crate::limits;
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

impl PartialEq for Key {
    #[inline]
    fn eq(&self, other: &Key) -> bool {
        self.0.iter().zip(&other.0).all(|(one, other)| one == other)
    }
}

/// Ours are method, status, vhost and route.
pub const KEY_LABELS: usize = 4 + limits::USER_LABELS_MAX;

#[derive(Clone, Debug)]
pub struct Table {
    /// What copies of a table have in common, and no other table.
    lineage: Arc<()>,
    keys: Vec<Key>,
    /// When each row was opened, in nanoseconds since the epoch.
    opened: Vec<u64>,
    /// Open addressing: the row number plus one, or 0 for a free slot. A power of two, at most half full.
    slots: Vec<u32>,
    /// The row found last: many lines have the labels of the line before.
    latest: usize,
    /// How many places are taken: a row may take more than one.
    held: usize,
    /// Rows that took none.
    beyond: usize,
    admission: Admission,
}

impl Table {
    /// So many rows, to whoever comes first.
    pub fn new(rows_max: usize) -> Table {
        Table::of(Admission::first_come(rows_max))
    }

    /// The same, but for the last eighth of them, which must be earned: a page that scanners have filled still takes
    /// in what becomes frequent, and one that is full of rows of its own loses little.
    pub fn with_earned(rows_max: usize) -> Table {
        Table::of(Admission::earned(rows_max, rows_max - rows_max / 8))
    }

    fn of(admission: Admission) -> Table {
        Table {
            lineage: Arc::default(),
            keys: Vec::new(),
            opened: Vec::new(),
            slots: vec![0; 64],
            latest: 0,
            held: 0,
            beyond: 0,
            admission,
        }
    }

    /// The same for all copies of a table, earlier and later ones, and another for every other table.
    pub fn lineage(&self) -> &Arc<()> {
        &self.lineage
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
        if self.keys.get(self.latest) == Some(key) {
            return Some(self.latest);
        }
        self.look_up(key, now)
    }

    #[inline(never)]
    fn look_up(&mut self, key: &Key, now: u64) -> Option<usize> {
        match self.find(key) {
            Ok(row) => {
                self.latest = row;
                Some(row)
            }
            Err(_) => self.enter(key, now),
        }
    }

    #[cold]
    fn enter(&mut self, key: &Key, now: u64) -> Option<usize> {
        self.admission
            .admits(self.held.max(self.keys.len() - self.beyond), mixed(key))
            .then(|| self.open(key, now))
    }

    /// Says how many places the rows take; each takes one at least.
    pub fn hold(&mut self, places: usize) {
        self.held = places;
    }

    /// The row of a key that has one on the page already; None when there is no place for it.
    pub fn readmit(&mut self, key: &Key, now: u64) -> Option<usize> {
        let has_place = self.held.max(self.keys.len() - self.beyond) < self.admission.places();
        self.find(key).ok().or_else(|| has_place.then(|| self.open(key, now)))
    }

    /// The row of a key even beyond the bound: only for keys of a set that is small by itself.
    pub fn row_beyond(&mut self, key: &Key, now: u64) -> usize {
        self.find(key).unwrap_or_else(|_| {
            self.beyond += 1;
            self.open(key, now)
        })
    }

    /// The row of the key, or the free slot where it would stand.
    #[inline]
    fn find(&self, key: &Key) -> Result<usize, usize> {
        let mask = self.slots.len() - 1;
        let mut slot = hash(key) & mask;
        loop {
            match self.slots[slot] {
                0 => return Err(slot),
                row if self.keys[row as usize - 1] == *key => return Ok(row as usize - 1),
                _ => slot = (slot + 1) & mask,
            }
        }
    }

    #[cold]
    fn open(&mut self, key: &Key, now: u64) -> usize {
        if (self.keys.len() + 1) * 2 > self.slots.len() {
            self.slots = vec![0; self.slots.len() * 2];
            for row in 0..self.keys.len() {
                self.place(row);
            }
        }
        let row = self.keys.len();
        self.keys.push(*key);
        self.opened.push(now);
        self.place(row);
        row
    }

    fn place(&mut self, row: usize) {
        if let Err(slot) = self.find(&self.keys[row]) {
            self.slots[slot] = u32::try_from(row + 1).unwrap_or(u32::MAX);
        }
    }
}

/// The ids in a key are small numbers of our own giving, so a few multiplications spread them well enough.
#[inline]
fn mixed(key: &Key) -> u64 {
    key.0.iter().fold(0u64, |mixed, word| (mixed.rotate_left(23) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

#[inline]
fn hash(key: &Key) -> usize {
    usize::try_from(mixed(key) >> 32).unwrap_or(0)
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
