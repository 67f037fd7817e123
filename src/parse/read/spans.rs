//! Spans: the places of the values of a line.
//!
//! The scratch space that a reader (fast, careful, keyed, columns) fills for one line and a record (record.rs) reads
//! from: one span for each field of the format, and the last time stamp with the moment it names. Owned by
//! the caller and used again for every line, so that nothing is allocated for one.

use crate::parse::envelope::facts::Facts;
use crate::parse::read::headers::Headers;
use crate::parse::read::keyed::key_cache::KeyCache;
use crate::parse::read::retry::{Budget, Tried};
use crate::parse::read::time;
use crate::parse::read::time::{Stamp, Style};

/// A part of the line. `NONE` stands for a value that is not there, `NULL` for one that is a JSON null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    pub const NONE: Span = Span { start: u32::MAX, end: u32::MAX };
    /// In no line, as `NONE`: lines are shorter.
    pub const NULL: Span = Span { start: u32::MAX - 1, end: u32::MAX - 1 };

    /// Lines are shorter than 4 GiB (`Format::parse` sees to it), so nothing is lost.
    #[expect(clippy::cast_possible_truncation)]
    #[inline]
    pub fn new(start: usize, end: usize) -> Span {
        Span { start: start as u32, end: end as u32 }
    }

    #[inline]
    pub fn of(self, line: &[u8]) -> Option<&[u8]> {
        line.get(self.start as usize..self.end as usize)
    }
}

/// A number that was not read: greater than any that are.
pub const UNREAD: u64 = u64::MAX;

/// Scratch space of the reader, used again for every line.
#[derive(Debug, Default)]
pub struct Spans {
    pub at: Vec<Span>,
    /// Values that are numbers, in the unit of their roles, as far as they were read on the way; others are `UNREAD`.
    /// Empty for a line that was read with care.
    pub numbers: Vec<u64>,
    /// The last time stamp read. Servers write many lines a second, so most stamps equal the one before.
    pub stamp: StampCache,
    /// What is known of each capture of a line that has to be read back and forth.
    pub tried: Vec<Tried>,
    /// What that may still cost.
    pub budget: Budget,
    /// A JSON key without its escapes.
    pub key: Vec<u8>,
    /// The keys of the line before.
    pub keys: KeyCache,
    /// What the head of the line tells.
    pub facts: Facts,
    /// What the headers of the log said of its columns.
    pub headers: Headers,
}

impl Spans {
    pub fn new() -> Spans {
        Spans::default()
    }

    /// Makes room for `count` spans.
    #[inline]
    pub fn reset(&mut self, count: usize) {
        if self.at.len() != count {
            self.at.clear();
            self.at.resize(count, Span::NONE);
        }
        self.numbers.clear();
    }

    /// The same for a reader that reads numbers on the way.
    #[inline]
    pub fn reset_with_numbers(&mut self, count: usize) {
        if self.numbers.len() != count {
            self.reset(count);
            self.numbers.resize(count, UNREAD);
        }
    }

    /// The number that is the value of a field, if it was read.
    #[inline]
    pub fn number(&self, field: usize) -> Option<u64> {
        self.numbers.get(field).copied().filter(|&number| number != UNREAD)
    }

    /// The moment named by the stamp at `span`, if that is the stamp read last.
    #[inline]
    pub fn moment(&self, span: Span) -> Option<Option<i64>> {
        (span.start == self.stamp.start).then_some(self.stamp.unix_nanos)
    }

    /// Forgets every value, for a reader that meets them in any order.
    pub fn clear(&mut self) {
        self.at.fill(Span::NONE);
        self.stamp.start = Span::NONE.start;
    }
}

/// Bytes of `dd/Mon/yyyy:HH:MM:SS +hhmm` and of `yyyy-mm-ddTHH:MM:SS+hh:mm`.
const CLF_LEN: usize = 26;
const ISO_LEN: usize = 25;

#[derive(Debug, Default)]
pub struct StampCache {
    text: [u8; CLF_LEN],
    len: usize,
    /// Where in its line it stood.
    pub start: u32,
    unix_nanos: Option<i64>,
}

impl StampCache {
    /// The length of the stamp that `rest` begins with; `start` is its place in the line.
    #[inline(always)]
    pub fn length(&mut self, style: Style, rest: &[u8], start: usize) -> Option<usize> {
        let same = match style {
            Style::Clf => self.len == CLF_LEN && same::<CLF_LEN>(rest, &self.text),
            Style::Iso => self.len == ISO_LEN && same::<ISO_LEN>(rest, &self.text),
        };
        let len = if same { self.len } else { self.learn(style, rest)? };
        self.start = Span::new(start, start).start;
        Some(len)
    }

    #[inline(never)]
    fn learn(&mut self, style: Style, rest: &[u8]) -> Option<usize> {
        let Stamp { len, unix_nanos } = time::scan(style, rest)?;
        // A longer stamp has a fraction: it will hardly come again, so only its moment is kept.
        self.len = 0;
        if let (Some(text), Some(place)) = (rest.get(..len), self.text.get_mut(..len)) {
            place.copy_from_slice(text);
            self.len = len;
        }
        self.unix_nanos = unix_nanos;
        Some(len)
    }
}

/// Whether both begin with the same `N` bytes, 16 to 32 of them, compared as two words that may overlap.
#[inline]
fn same<const N: usize>(a: &[u8], b: &[u8]) -> bool {
    let words = |text: &[u8]| {
        let text = text.first_chunk::<N>()?;
        Some((*text.first_chunk::<16>()?, *text.last_chunk::<16>()?))
    };
    match (words(a), words(b)) {
        (Some((a, c)), Some((b, d))) => {
            u128::from_ne_bytes(a) == u128::from_ne_bytes(b)
                && u128::from_ne_bytes(c) == u128::from_ne_bytes(d)
        }
        _ => false,
    }
}
