//! Dictionary of label values: maps values, which strangers may choose, to a bounded set of small numbers.
//!
//! A dictionary gives a value a place and the place's number is its [`Id`] for as long as the process lives:
//! series are cumulative, so a place is never taken back or given to another value. What has no place is
//! counted under `other`, so that sums stay exact. It knows nothing of logs, series or options, and it must
//! never grow beyond its bounds nor allocate unless it admits a value.
//!
//! In a *closed* dictionary only the values named at the start have a place; in an *open* one the values that
//! [`Admission`] admits, for half of the places at the first sighting.
//!
//! Memory, fixed at the start: some 8 bytes a place for the tables, and that of the admission; the text grows
//! with each admission by at most [`VALUE_BYTES_MAX`] = 256 bytes.

use crate::bytes::hex;
use crate::bytes::words::same;
use crate::count::admission::Admission;
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::hash::{BuildHasher, Hasher};

/// Values are cut to this length, so that a dictionary's memory is bounded by its places. Longer ones are not
/// readable in the legend of a graph either.
const VALUE_BYTES_MAX: usize = 256;

/// Numbers fit in a `u16`, and 0 is `other`.
const PLACES_MAX: usize = u16::MAX as usize;

/// The value of all that have no place.
pub const OTHER: &str = "other";

/// The number of a label value. [`Id::OTHER`] stands for all that have no place; the others count from 1 in
/// the order of their admission (in a closed dictionary, in the order given).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u16);

impl Id {
    pub const OTHER: Id = Id(0);
}

/// The values that have a place, by number: all that a reader of the numbers needs, in two blocks of memory.
#[derive(Clone, Debug)]
pub struct Values {
    text: String,
    /// Value number `i` lies between bounds `i` and `i + 1`.
    bounds: Vec<u32>,
}

impl Values {
    /// The value of a number that this dictionary gave; `other` for any number it never gave.
    pub fn get(&self, id: Id) -> &str {
        self.bounds_of(id)
            .and_then(|(start, end)| self.text.get(start as usize..end as usize))
            .unwrap_or(OTHER)
    }

    fn bounds_of(&self, id: Id) -> Option<(u32, u32)> {
        let place = usize::from(id.0);
        Some((*self.bounds.get(place)?, *self.bounds.get(place + 1)?))
    }

    /// The bytes between two bounds: a comparison has no use for the check that they are whole characters.
    #[inline]
    fn bytes(&self, start: u32, end: u32) -> &[u8] {
        &self.text.as_bytes()[start as usize..end as usize]
    }

    /// Whether it is the value of that number. A call: in the search by hash it would take the registers of the loop.
    #[inline(never)]
    fn is(&self, id: Id, value: &[u8]) -> bool {
        self.bounds_of(id).is_some_and(|(start, end)| same(self.bytes(start, end), value))
    }

    /// How many values have a place; `other` is not one of them. Their numbers are `1..=len()`.
    pub fn len(&self) -> usize {
        self.bounds.len() - 2
    }

    fn push(&mut self, value: &str) -> Id {
        let place = self.bounds.len() - 1;
        self.text.push_str(value);
        self.bounds.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        Id(u16::try_from(place).unwrap_or(0))
    }
}

/// A bounded dictionary of label values; see the head of this file.
#[derive(Clone, Debug)]
pub struct Dictionary {
    values: Values,
    /// The latest hit and where its text lies: most lines repeat the value of the line before.
    latest: (Id, u32, u32),
    /// Random for every dictionary, so that no client can prepare values that collide.
    seed: RandomState,
    /// The numbers, by the hashes of their values.
    table: HashTable<Id>,
    admission: Admission,
    overflow: u64,
}

impl Dictionary {
    /// Any value may have a place while there are some; with `earned`, those of the second half must be earned.
    pub fn open(max_values: usize, earned: bool) -> Dictionary {
        let places = max_values.min(PLACES_MAX);
        Dictionary::with_places(match earned {
            true => Admission::earned(places, places.div_ceil(2)),
            false => Admission::first_come(places),
        })
    }

    /// These values and no others.
    pub fn closed(values: &[String]) -> Dictionary {
        let mut dictionary = Dictionary::with_places(Admission::first_come(values.len().min(PLACES_MAX)));
        for value in values {
            dictionary.id_of(value.as_bytes());
        }
        // A value that was named twice left a place, which no other value may take.
        dictionary.admission = Admission::first_come(dictionary.len());
        dictionary.overflow = 0;
        dictionary
    }

    fn with_places(admission: Admission) -> Dictionary {
        let places = admission.places();
        let mut dictionary = Dictionary {
            values: Values { text: String::new(), bounds: Vec::with_capacity(places + 2) },
            latest: (Id::OTHER, 0, 0),
            seed: RandomState::default(),
            table: HashTable::with_capacity(places + 1),
            admission,
            overflow: 0,
        };
        // `other` is in the table like any value: else a client that sends that word would make a second series
        // of it.
        dictionary.values.bounds.push(0);
        dictionary.admit(hash(&dictionary.seed, OTHER.as_bytes()), OTHER);
        dictionary
    }

    /// The number of this value, which counts as one sighting of it.
    ///
    /// Bytes that are no UTF-8 read as `\xhh`, and of what is longer than [`VALUE_BYTES_MAX`] in that form
    /// only the beginning counts, up to the last whole character: two values alike so far are one value.
    #[inline]
    pub fn id_of(&mut self, value: &[u8]) -> Id {
        let (id, start, end) = self.latest;
        if same(self.values.bytes(start, end), value) {
            return id;
        }
        self.look_up(value)
    }

    /// The number of a value that is on the page already, with a place of its own if there is one. None where it has
    /// none, as when it is not of a closed set.
    pub fn readmit(&mut self, value: &str) -> Option<Id> {
        let hash = hash(&self.seed, value.as_bytes());
        let known = self.find(hash, value.as_bytes());
        known.or_else(|| (self.len() < self.admission.places()).then(|| self.admit(hash, value)))
    }

    /// The number of this value, where no line had it yet.
    pub fn place(&mut self, value: &[u8]) -> Id {
        let overflow = self.overflow;
        let id = self.look_up(value);
        self.overflow = overflow;
        id
    }

    /// Counts a line that has none of the values, for want of a place.
    pub fn miss_one(&mut self) {
        self.overflow += 1;
    }

    pub fn value(&self, id: Id) -> &str {
        self.values.get(id)
    }

    /// How many sightings went to `other` for want of a place.
    pub fn overflow(&self) -> u64 {
        self.overflow
    }

    pub fn len(&self) -> usize {
        self.values.len()
    }

    #[inline(never)]
    fn look_up(&mut self, raw: &[u8]) -> Id {
        if raw.len() <= VALUE_BYTES_MAX {
            // What equals a value that is text is text, so the hits need no look at the encoding.
            let hash = hash(&self.seed, raw);
            if let Some(id) = self.find(hash, raw) {
                return self.hit(id);
            }
            if let Ok(text) = str::from_utf8(raw) {
                return self.miss(hash, text);
            }
        }
        let mut buffer = [0; VALUE_BYTES_MAX];
        let text = as_text(raw, &mut buffer);
        let hash = hash(&self.seed, text.as_bytes());
        match self.find(hash, text.as_bytes()) {
            Some(id) => self.hit(id),
            None => self.miss(hash, text),
        }
    }

    #[inline]
    fn find(&self, hash: u64, value: &[u8]) -> Option<Id> {
        self.table.find(hash, |id| self.values.is(*id, value)).copied()
    }

    fn hit(&mut self, id: Id) -> Id {
        if let Some((start, end)) = self.values.bounds_of(id) {
            self.latest = (id, start, end);
        }
        id
    }

    #[cold]
    fn miss(&mut self, hash: u64, value: &str) -> Id {
        if self.admission.admits(self.len(), hash) {
            return self.admit(hash, value);
        }
        self.overflow += 1;
        Id::OTHER
    }

    fn admit(&mut self, hash: u64, value: &str) -> Id {
        let id = self.values.push(value);
        let (seed, values) = (&self.seed, &self.values);
        self.table.insert_unique(hash, id, |id| self::hash(seed, values.get(*id).as_bytes()));
        self.hit(id)
    }
}

/// It need not be told from one another where a value ends, so its length is not written to the hash.
#[inline]
fn hash(seed: &RandomState, value: &[u8]) -> u64 {
    let mut hasher = seed.build_hasher();
    hasher.write(value);
    hasher.finish()
}

/// The text of a value that is no UTF-8, or too long: as much of it as goes into the buffer in whole
/// characters.
fn as_text<'b>(raw: &[u8], buffer: &'b mut [u8; VALUE_BYTES_MAX]) -> &'b str {
    let mut length = 0;
    let mut put = |piece: &[u8]| {
        let room = buffer.get_mut(length..length + piece.len());
        room.map(|room| room.copy_from_slice(piece)).map(|()| length += piece.len())
    };
    // No piece is shorter than its bytes in `raw`, so what lies beyond the bound there is beyond it here.
    for chunk in raw[..raw.len().min(VALUE_BYTES_MAX)].utf8_chunks() {
        let characters = chunk.valid().char_indices();
        let bytes = chunk.valid().as_bytes();
        let fits = characters.map(|(at, c)| &bytes[at..at + c.len_utf8()]).try_for_each(&mut put);
        let fits = fits.and_then(|()| chunk.invalid().iter().try_for_each(|&byte| put(&hex::escape(byte))));
        if fits.is_none() {
            break;
        }
    }
    str::from_utf8(&buffer[..length]).unwrap_or(OTHER)
}

#[cfg(test)]
mod tests;
