//! Fast path: reads a line as most lines are, in one pass.
//!
//! Turns the text that a line begins into the same spans as the careful path (careful/mod.rs) finds, and the line's
//! end: the newline is met on the way and not searched before. Tests compare both paths on random lines. A line that
//! does not fit, or a value that is near the end of the text (fewer than 64 bytes behind its start), is left to the
//! careful path.
//!
//! How the end of a value is found depends on its kind and on the literal behind it (`FastValue::of`):
//!
//! ```text
//! kind                 literal behind it        the value ends                              FastValue
//! Word, Text, Path     begins with a blank      at the first blank                          Word(' ', ' ')
//! Word                 end of the line          at the first blank or carriage return       Word(' ', '\r')
//! Text, Path           end of the line          at the first carriage return                Text('\r', '\r')
//! Word                 begins with byte B       at the first B or blank                     Word(B, ' ')
//! Text, Path           begins with byte B       at the first B                              Word(B, B)
//! Quoted, escaped      a quote                  at the first quote or backslash             Text('"', '\')
//! Integer              no digit, no point       behind the digits; a status has three       Integer, Status
//! Decimal, Decimals    no digit, no point       behind the digits, a point and its digits   Decimal, Decimals
//! Time                 any                      behind the stamp, compared with the last    Stamp
//! all others           any                      the careful path reads this value           None
//! ```
//!
//! Every search ends at the newline as well. Behind the end the literal must stand, else the careful path reads the
//! whole line.
//!
//! Measured on combined lines of 228 bytes: with one bounds check for each value instead of ten, and its numbers
//! decoded on the way, the reading of a line takes 630 instructions, and took 1,040 before.

use crate::bytes::digits::word_at;
use crate::bytes::digits::{Leading, digits_end, leading_number, three_digits};
use crate::bytes::scan::{LANES, Simd};
use crate::bytes::words::chunk_at;
use crate::parse::compile::field::{Kind, Role, Slot};
use crate::parse::read::spans::{Span, Spans, StampCache, UNREAD};
use crate::parse::read::text::POWERS;
use crate::parse::read::time::Style;

/// Bytes there must be behind the start of a value, so that one bounds check covers them.
const BLOCK: usize = 64;

/// The literal behind a value. Behind the last one stands the newline.
#[derive(Debug)]
struct Literal {
    /// Its first eight bytes, or all of them, as a word to compare at once; and which of these count.
    first: u64,
    mask: u64,
    /// Those that do not go into the word.
    more: Box<[u8]>,
    len: usize,
}

const WORD: usize = 8;

impl Literal {
    fn new(bytes: &[u8]) -> Literal {
        let mask = word_at(&vec![0xff; bytes.len()], 0);
        let more = bytes.get(WORD..).unwrap_or_default().into();
        Literal { first: word_at(bytes, 0), mask, more, len: bytes.len() }
    }

    /// Whether it stands in the text at `at`, where this word begins.
    #[inline(always)]
    fn stands(&self, text: &[u8], at: usize, word: u64) -> bool {
        word & self.mask == self.first
            && (self.more.is_empty()
                || text.get(at + WORD..).is_some_and(|text| text.starts_with(&self.more)))
    }
}

/// How the end of a value is found.
#[derive(Clone, Copy, Debug)]
enum FastValue {
    /// At the first of these bytes: a word of few, or a text of any number.
    Word(u8, u8),
    Text(u8, u8),
    /// Behind a number: digits, perhaps a point and more digits.
    Status,
    Integer,
    Decimal,
    Decimals,
    /// Behind a time stamp.
    Stamp(Style),
    /// By the careful path.
    None,
}

impl FastValue {
    /// `tail` is the literal behind the value, with the newline.
    fn of(slot: &Slot, tail: &[u8]) -> FastValue {
        // Where a digit or a point may follow, it takes care to tell whose it is.
        let parted = !matches!(tail.first(), None | Some(b'0'..=b'9' | b'.'));
        match slot.kind {
            // A word, or any text, before a blank.
            Kind::Word | Kind::Text | Kind::Path if tail.starts_with(b" ") => FastValue::Word(b' ', b' '),
            // The end of the line, of which a carriage return is no part.
            Kind::Word if tail == b"\n" => FastValue::Word(b' ', b'\r'),
            Kind::Text | Kind::Path if tail == b"\n" => FastValue::Text(b'\r', b'\r'),
            // The next of this byte, unless a blank comes before it.
            Kind::Word if !tail.is_empty() => FastValue::Word(tail[0], b' '),
            Kind::Text | Kind::Path if !tail.is_empty() => FastValue::Word(tail[0], tail[0]),
            // The next quote, unless a backslash comes before it.
            Kind::Quoted if slot.escape.has_backslashes() => FastValue::Text(b'"', b'\\'),
            Kind::Integer if parted && slot.meaning.role == Some(Role::Status) => FastValue::Status,
            Kind::Integer if parted => FastValue::Integer,
            Kind::Decimal if parted => FastValue::Decimal,
            Kind::Decimals if parted => FastValue::Decimals,
            Kind::Time(style) => FastValue::Stamp(style),
            _ => FastValue::None,
        }
    }

    /// Whether a `-` alone is a whole value wherever the literal stands behind it.
    fn may_be_dash(self) -> bool {
        match self {
            FastValue::Word(a, b) | FastValue::Text(a, b) => a != b'-' && b != b'-',
            FastValue::Status | FastValue::Integer | FastValue::Decimal | FastValue::Decimals => true,
            FastValue::Stamp(_) | FastValue::None => false,
        }
    }
}

#[derive(Debug)]
struct FastStep {
    way: FastValue,
    /// The least length of the value.
    least: usize,
    /// The power of ten by which a number is multiplied.
    power: usize,
    tail: Literal,
    /// The value `-` with the literal behind it, if that goes into a word. Like a status of three digits it is seen
    /// at once, and the processor goes on behind it without waiting for the search of an end: what limits the reading
    /// of a line is that each value begins where the one before it ends. (Measured: 6 % of all time.)
    dash: Option<Literal>,
}

#[derive(Debug)]
pub struct Quick {
    head: Literal,
    steps: Vec<FastStep>,
}

impl Quick {
    /// `tails` are the literals behind the captures. `None` for a format whose literals go on in a second line.
    pub fn new(head: &[u8], slots: &[Slot], tails: &[Vec<u8>]) -> Option<Quick> {
        let one_line = !head.contains(&b'\n') && tails.iter().all(|tail| !tail.contains(&b'\n'));
        let step = |(index, slot): (usize, &Slot)| {
            let last = index + 1 == slots.len();
            let mut tail = tails[index].clone();
            tail.extend(last.then_some(b'\n'));
            let way = FastValue::of(slot, &tail);
            let may_be_empty = slot.may_be_empty || slot.kind == Kind::Quoted;
            let dash = [b"-", &tail[..]].concat();
            let dash = (way.may_be_dash() && dash.len() <= WORD).then(|| Literal::new(&dash));
            let power = slot.meaning.unit.power() as usize;
            FastStep { way, least: usize::from(!may_be_empty), power, tail: Literal::new(&tail), dash }
        };
        let steps = slots.iter().enumerate().map(step).collect();
        one_line.then_some(Quick { head: Literal::new(head), steps })
    }

    /// Reads the line that the text begins with: fills one span for each capture and gives back the line's length.
    /// A value that has no quick way is read by `careful`, given its number and its place. `None` when the whole
    /// line has to be read with care.
    #[inline(always)]
    pub fn read<L: Simd>(
        &self,
        lanes: L,
        text: &[u8],
        spans: &mut Spans,
        careful: impl Fn(usize, usize, &mut StampCache) -> Option<usize>,
    ) -> Option<usize> {
        let Spans { at: places, numbers, stamp, .. } = spans;
        stamp.start = Span::NONE.start;
        if !self.head.stands(text, 0, word_at(text, 0)) {
            return None;
        }
        let mut at = self.head.len;
        for (index, ((step, place), number)) in self.steps.iter().zip(places).zip(numbers).enumerate() {
            let block = chunk_at(text, at)?;
            let length;
            (length, *number) = match step.read(lanes, text, at, block, stamp) {
                Some(read) => read,
                None => (careful(index, at, stamp)? - at, UNREAD),
            };
            *place = Span::new(at, at + length);
            at += length + step.tail.len;
        }
        Some(at - 1)
    }
}

impl FastStep {
    /// The length of the value at the start of the block, which stands at `at` in the text, if the literal is behind
    /// it; and the number that it is, if it is one.
    #[inline(always)]
    fn read<L: Simd>(
        &self,
        lanes: L,
        text: &[u8],
        at: usize,
        block: &[u8; BLOCK],
        stamp: &mut StampCache,
    ) -> Option<(usize, u64)> {
        let start = word_at(block, 0);
        if self.dash.as_ref().is_some_and(|dash| start & dash.mask == dash.first) {
            return Some((1, UNREAD));
        }
        if matches!(self.way, FastValue::Status)
            && let Some(status) = three_digits(start)
            && self.tail.stands(text, at + 3, word_at(block, 3))
        {
            return Some((3, status));
        }
        let (length, number) = match self.way {
            FastValue::Word(a, b) => (end_of_word(lanes, text, at, block, a, b)?, UNREAD),
            FastValue::Text(a, b) => (end_of_text(lanes, text, at, block, a, b)?, UNREAD),
            FastValue::Status | FastValue::Integer => self.number(block, start, false),
            FastValue::Decimal => self.number(block, start, true),
            // What can go on as a list is looked at with more care.
            FastValue::Decimals => Some(self.number(block, start, true))
                .filter(|&(end, _)| !matches!(block.get(end), Some(b' ' | b',' | b':')))?,
            FastValue::Stamp(style) => (stamp.length(style, block, at)?, UNREAD),
            FastValue::None => return None,
        };
        let behind = match chunk_at(block, length) {
            Some(behind) => behind,
            None => chunk_at(text, at + length)?,
        };
        if length < self.least || !self.tail.stands(text, at + length, u64::from_le_bytes(*behind)) {
            return None;
        }
        Some((length, number))
    }

    /// The length of a number, and if that is short, its value in the unit of its role.
    #[inline(always)]
    fn number(&self, block: &[u8; BLOCK], start: u64, fraction: bool) -> (usize, u64) {
        let Some(Leading { length, digits, places }) = leading_number(start, fraction) else {
            return (if fraction { decimal(block) } else { integer(block) }, UNREAD);
        };
        let factor = self.power.checked_sub(places).and_then(|power| POWERS.get(power));
        // Seven digits at most, times ten to the ninth at most.
        (length, factor.map_or(UNREAD, |factor| digits.wrapping_mul(*factor)))
    }
}

/// How many bytes stand before the first `a`, `b` or newline. Words are mostly short.
#[inline(always)]
fn end_of_word<L: Simd>(
    lanes: L,
    text: &[u8],
    at: usize,
    block: &[u8; BLOCK],
    a: u8,
    b: u8,
) -> Option<usize> {
    let found = lanes.stops(block.first_chunk()?, a, b);
    if found != 0 { Some(found.trailing_zeros() as usize) } else { far(lanes, text, at, LANES, a, b) }
}

/// The same for texts, whose lengths differ so much that it pays to look at all of the block at once.
#[inline(always)]
fn end_of_text<L: Simd>(
    lanes: L,
    text: &[u8],
    at: usize,
    block: &[u8; BLOCK],
    a: u8,
    b: u8,
) -> Option<usize> {
    let found = all_stops(lanes, block, a, b);
    if found != 0 { Some(found.trailing_zeros() as usize) } else { far(lanes, text, at, BLOCK, a, b) }
}

/// The same where so many bytes have been looked at in vain.
#[inline(always)]
fn far<L: Simd>(lanes: L, text: &[u8], at: usize, mut length: usize, a: u8, b: u8) -> Option<usize> {
    loop {
        let found = all_stops(lanes, chunk_at(text, at + length)?, a, b);
        if found != 0 {
            return Some(length + found.trailing_zeros() as usize);
        }
        length += BLOCK;
    }
}

#[inline(always)]
fn all_stops<L: Simd>(lanes: L, block: &[u8; BLOCK], a: u8, b: u8) -> u64 {
    let (halves, _) = block.as_chunks();
    u64::from(lanes.stops(&halves[1], a, b)) << LANES | u64::from(lanes.stops(&halves[0], a, b))
}

/// Digits, or a lone `-`.
#[inline(always)]
fn integer(block: &[u8; BLOCK]) -> usize {
    let end = digits_end(block, 0);
    if end > 0 { end } else { usize::from(block[0] == b'-') }
}

/// The same, perhaps with a fraction.
#[inline(always)]
fn decimal(block: &[u8; BLOCK]) -> usize {
    let end = integer(block);
    if end == 0 || block.get(end) != Some(&b'.') {
        return end;
    }
    let fraction = digits_end(block, end + 1);
    if fraction > end + 1 { fraction } else { end }
}

#[cfg(test)]
mod tests;
