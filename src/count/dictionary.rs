//! Label values, which strangers may choose, into small numbers, of which there is a fixed supply.
//!
//! A dictionary gives a value a place and the place's number is its [`Id`] for as long as the process lives:
//! series are cumulative, so a place is never taken back or given to another value. What has no place is
//! counted under `other`, so that sums stay exact. It knows nothing of logs, series or options, and it must
//! never grow beyond its bounds nor allocate unless it admits a value.
//!
//! # Who gets a place
//!
//! In a *closed* dictionary the values named at the start, and nobody else. In an *open* one with admission:
//!
//! - **The first half of the places goes to whoever comes first**, at the first sight. An ordinary log, whose
//!   few values fit in there, is counted exactly from its first line.
//! - **A place in the second half must be earned** by [`FIRST_SIGHTINGS`] = 4 sightings, and this demand
//!   doubles in [`DEMAND_STEPS`] = 7 equal steps as the places fill, up to 256. So the noise of a scanner
//!   cannot take them, and what becomes frequent later finds one.
//!
//! Sightings of values without a place are counted by a Misra-Gries summary (*Finding repeated elements*,
//! 1982), split by hash into buckets of [`BUCKET`] = 8 counters that fill one cache line each: a value that
//! has a counter raises it; one that has none takes a free counter; where none is free, all eight of the
//! bucket fall by one. Its bounds, where `n` is the number of values without a place seen by the bucket:
//!
//! - a counter is **never too high**, so a value seen fewer than 4 times never takes an earned place, however
//!   many millions of others come (but for values that share a bucket and 32 bits of hash);
//! - it is too low by at most `n / 9`. There are at least as many counters as places, and 1024 or more; so
//!   what makes up a share `p` of the values without a place, above 1/1152, has its place after about `demand
//!   / (p - 1/1152)` of them: 1 % of the traffic takes the last place of all within some 28,000 lines.
//!
//! There is no clock and no window: a value is forgotten only as others press, so what comes twice a day in a
//! quiet log gets its place in the end. Whoever sends one value many times on purpose can win places, at the
//! price of 4 to 256 requests each; it is the bound on places, not the admission, that bounds the memory.
//!
//! Memory, fixed at the start: 20 to 36 bytes a place for the tables, 8 to 16 a place (8 KiB at least) for
//! the summary; the text grows with each admission by at most [`VALUE_BYTES_MAX`] = 256 bytes.

use super::hash::{Seed, same};

/// Values are cut to this length, so that a dictionary's memory is bounded by its places. It is also what a
/// reader of a graph's legend could bear.
const VALUE_BYTES_MAX: usize = 256;

/// Numbers fit in a `u16`: 0 is `other`, and the highest marks an empty slot of the table.
const PLACES_MAX: usize = u16::MAX as usize - 1;

/// Sightings that the first earned place costs. A scanner that tries an address by GET, HEAD and POST has
/// three.
const FIRST_SIGHTINGS: u32 = 4;

/// How often the demand doubles until the last place: 4, 8, 16, 32, 64, 128, 256.
const DEMAND_STEPS: usize = 7;

/// Counters of one bucket: 8 of 8 bytes are a cache line.
const BUCKET: usize = 8;

/// Buckets of the smallest summary: 8 KiB, which puts the share that wins a place surely at 1/1152.
const BUCKETS_MIN: usize = 128;

const OTHER: &str = "other";

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

/// One slot of the open-addressed table: half of the hash saves most looks at the text.
#[derive(Clone, Copy, Debug)]
struct Slot {
    tag: u32,
    id: u16,
}

const EMPTY: Slot = Slot { tag: 0, id: u16::MAX };

/// A bounded dictionary of label values; see the head of this file.
#[derive(Clone, Debug)]
pub struct Dictionary {
    values: Values,
    /// The latest hit and where its text lies: most lines repeat the value of the line before.
    latest: (Id, u32, u32),
    seed: Seed,
    /// A power of two, at least twice the places, so that a probe ends after a step or two.
    table: Vec<Slot>,
    places: usize,
    summary: Option<Summary>,
    overflow: u64,
}

impl Dictionary {
    /// Any value may have a place while there are some; with `admission`, those of the second half must be
    /// earned.
    pub fn open(max_values: usize, admission: bool) -> Dictionary {
        let mut dictionary = Dictionary::with_places(max_values);
        dictionary.summary = admission.then(|| Summary::new(dictionary.places));
        dictionary
    }

    /// These values and no others.
    pub fn closed(values: &[String]) -> Dictionary {
        let mut dictionary = Dictionary::with_places(values.len());
        for value in values {
            dictionary.id_of(value.as_bytes());
        }
        // A value named twice left a place that nobody else may have.
        dictionary.places = dictionary.len();
        dictionary.overflow = 0;
        dictionary
    }

    fn with_places(places: usize) -> Dictionary {
        let places = places.min(PLACES_MAX);
        let mut dictionary = Dictionary {
            values: Values { text: String::new(), bounds: Vec::with_capacity(places + 2) },
            latest: (Id::OTHER, 0, 0),
            seed: Seed::new(),
            table: vec![EMPTY; 2 * (places + 1).next_power_of_two()],
            places,
            summary: None,
            overflow: 0,
        };
        // `other` is in the table like any value, lest a stranger who sends that word make a second series of
        // it.
        dictionary.values.bounds.push(0);
        dictionary.admit(dictionary.seed.hash(OTHER.as_bytes()), OTHER);
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

    fn look_up(&mut self, raw: &[u8]) -> Id {
        if raw.len() <= VALUE_BYTES_MAX {
            // What equals a value that is text is text, so the hits need no look at the encoding.
            let hash = self.seed.hash(raw);
            if let Some(id) = self.find(hash, raw) {
                return self.hit(id);
            }
            if let Ok(text) = str::from_utf8(raw) {
                return self.miss(hash, text);
            }
        }
        let mut buffer = [0; VALUE_BYTES_MAX];
        let text = as_text(raw, &mut buffer);
        let hash = self.seed.hash(text.as_bytes());
        match self.find(hash, text.as_bytes()) {
            Some(id) => self.hit(id),
            None => self.miss(hash, text),
        }
    }

    #[inline]
    fn find(&self, hash: u64, value: &[u8]) -> Option<Id> {
        let mask = self.table.len() - 1;
        let mut place = position(hash) & mask;
        loop {
            let slot = self.table[place];
            if slot.id == EMPTY.id {
                return None;
            }
            if slot.tag == tag(hash)
                && let Some((start, end)) = self.values.bounds_of(Id(slot.id))
                && same(self.values.bytes(start, end), value)
            {
                return Some(Id(slot.id));
            }
            place = (place + 1) & mask;
        }
    }

    fn hit(&mut self, id: Id) -> Id {
        if let Some((start, end)) = self.values.bounds_of(id) {
            self.latest = (id, start, end);
        }
        id
    }

    #[cold]
    fn miss(&mut self, hash: u64, value: &str) -> Id {
        if self.len() < self.places {
            let demand = self.demand();
            match &mut self.summary {
                Some(summary) if demand > 1 => {
                    if summary.sight(hash) >= demand {
                        summary.forget(hash);
                        return self.admit(hash, value);
                    }
                }
                _ => return self.admit(hash, value),
            }
        }
        self.overflow += 1;
        Id::OTHER
    }

    /// How many sightings the next place costs.
    fn demand(&self) -> u32 {
        let free = self.places.div_ceil(2);
        match self.len().checked_sub(free) {
            None => 1,
            Some(earned) => FIRST_SIGHTINGS << (DEMAND_STEPS * earned / (self.places - free)),
        }
    }

    fn admit(&mut self, hash: u64, value: &str) -> Id {
        let id = self.values.push(value);
        let mask = self.table.len() - 1;
        let mut place = position(hash) & mask;
        while self.table[place].id != EMPTY.id {
            place = (place + 1) & mask;
        }
        self.table[place] = Slot { tag: tag(hash), id: id.0 };
        self.hit(id)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a table has far fewer places than 32 bits can say")]
fn position(hash: u64) -> usize {
    hash as usize
}

/// The other half.
fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// The text of a value that is no UTF-8, or too long: as much of it as goes into the buffer in whole
/// characters.
fn as_text<'b>(raw: &[u8], buffer: &'b mut [u8; VALUE_BYTES_MAX]) -> &'b str {
    const HEX: &[u8; 16] = b"0123456789abcdef";
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
        let escape = |&byte: &u8| [b'\\', b'x', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
        let fits = fits.and_then(|()| chunk.invalid().iter().try_for_each(|byte| put(&escape(byte))));
        if fits.is_none() {
            break;
        }
    }
    str::from_utf8(&buffer[..length]).unwrap_or(OTHER)
}

/// Counts sightings of values that have no place; see the head of this file.
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
mod tests;
