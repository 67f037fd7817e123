//! A path cut into its segments, in the one way that holds for requests and for the patterns of routes alike.
//!
//! - what follows the first `?` or `#` is cut off;
//! - the rest is cut at `/` into segments. Empty segments do not count, so doubled slashes, a slash at the end and one
//!   at the beginning make no difference: `//a/b/` is `/a/b`;
//! - `.` is left out, and `..` takes the segment before it away (RFC 3986, section 5.2.4);
//! - nothing is decoded: `%2f` is three characters of a segment and never a slash, as Apache treats it unless told
//!   otherwise, and `%41` is not `A`. Case counts.
//!
//! In a pattern a segment is literal, or `:name` (exactly one segment), or, as the last one, `*` (any number of
//! segments, also none: `/static/*` follows `/static` as well).

use crate::bytes::digits::{are_digits, word_at};
use crate::bytes::scan::{find_byte, places};
use std::hash::{BuildHasher, Hasher};

/// A pattern may have so many segments. Paths may have more; those that are further down only `*` follows.
pub const SEGMENTS_MAX: usize = 16;

/// A segment with the text that goes on behind it, as far as that is known.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'t> {
    text: &'t [u8],
    length: usize,
}

impl PartialEq for Segment<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl<'t> Segment<'t> {
    pub const EMPTY: Segment<'static> = Segment { text: b"", length: 0 };

    #[inline]
    pub fn len(self) -> usize {
        self.length
    }

    #[inline]
    pub fn is_empty(self) -> bool {
        self.length == 0
    }

    #[inline]
    pub fn of(bytes: &'t [u8]) -> Segment<'t> {
        Segment::in_text(bytes, bytes.len())
    }

    /// The first bytes of a text.
    #[inline]
    pub fn in_text(text: &'t [u8], length: usize) -> Segment<'t> {
        Segment { text, length }
    }

    /// What is left of it without its first bytes.
    #[inline]
    pub fn skip(self, count: usize) -> Segment<'t> {
        Segment { text: &self.text[count..], length: self.length - count }
    }

    /// Whether it is a number of up to eight digits.
    #[inline(always)]
    pub fn is_short_number(self) -> bool {
        matches!(self.length, 1..=8) && are_digits(self.text, 0, self.length)
    }

    #[inline]
    pub fn bytes(self) -> &'t [u8] {
        &self.text[..self.length]
    }

    /// The segment at the beginning of a block, if it is no longer; `room` is for one with too little text behind it.
    #[inline(always)]
    pub fn block<'b, const N: usize>(self, room: &'b mut [u8; N]) -> &'b [u8; N]
    where
        't: 'b,
    {
        self.text.first_chunk().unwrap_or_else(|| {
            let length = self.length.min(room.len());
            room[..length].copy_from_slice(&self.text[..length]);
            room
        })
    }

    /// The hash of a segment below a place, which has a number or a hash of its own. Up to sixteen bytes are read at
    /// once, however many they are.
    #[inline(always)]
    pub fn hash_below(self, seed: &impl BuildHasher, above: u64) -> u64 {
        let words = match (FIRST_BYTES.get(self.length), self.text.first_chunk()) {
            (Some(of_segment), Some(bytes)) => u128::from_le_bytes(*bytes) & of_segment,
            _ => self.words(seed),
        };
        let mut hasher = seed.build_hasher();
        hasher.write_u128(words);
        hasher.write_u64(above);
        hasher.write_u64(self.length as u64);
        hasher.finish()
    }

    /// The bytes of a segment with little text behind it, and the hash of one of more than sixteen.
    #[inline(never)]
    fn words(self, seed: &impl BuildHasher) -> u128 {
        let bytes = self.bytes();
        if self.length > 16 {
            let mut hasher = seed.build_hasher();
            hasher.write(bytes);
            return hasher.finish().into();
        }
        u128::from(word_at(bytes, 0)) | u128::from(word_at(bytes, 8)) << 64
    }
}

/// The first bytes of a word, by their number.
const FIRST_BYTES: [u128; 17] = {
    let mut masks = [u128::MAX; 17];
    let mut count = 0;
    while count < 16 {
        masks[count] = (1 << (8 * count)) - 1;
        count += 1;
    }
    masks
};

/// What is done with the segments of a path; it is compiled for each way in which they are found.
pub trait Walk {
    type End;

    fn walk<'p>(self, segments: impl Iterator<Item = Segment<'p>> + Clone) -> Self::End;
}

/// Walks the path of a request's target. `text` begins with the target and goes on behind it; `path_of` finds the path
/// of a target that is not as most are.
#[inline]
pub fn walk<W: Walk>(target: &[u8], text: &[u8], path_of: fn(&[u8]) -> &[u8], walk: W) -> W::End {
    match ShortTarget::of(target, text) {
        Some(segments) => walk.walk(segments),
        None => walk_path(path_of(target), walk),
    }
}

/// Walks a path, which comes without its query.
#[inline(never)]
pub fn walk_path<W: Walk>(path: &[u8], walk: W) -> W::End {
    if has_dots(path) {
        // One more than any pattern has: a path that fills it ends nowhere, and only `*` can be left to follow it.
        let mut segments = [&b""[..]; SEGMENTS_MAX + 1];
        let count = split(path, &mut segments).min(segments.len());
        walk.walk(segments[..count].iter().copied().map(Segment::of))
    } else {
        // Most walks end at a segment or two: what follows is not even cut.
        walk.walk(Segments::of(path).map(Segment::of))
    }
}

/// What is wrong with a pattern, if anything is.
pub fn check_pattern(pattern: &str) -> Result<(), String> {
    let wrong = |why| format!("`{pattern}`: {why}");
    cut_pattern(pattern, &mut [&b""[..]; SEGMENTS_MAX + 1]).map(|_| ()).map_err(wrong)
}

/// Cuts a pattern into its segments and says how many there are, or what is wrong with it.
pub fn cut_pattern<'p>(
    pattern: &'p str,
    segments: &mut [&'p [u8]; SEGMENTS_MAX + 1],
) -> Result<usize, String> {
    if !pattern.starts_with('/') {
        return Err("a route must begin with `/`".to_owned());
    }
    if pattern.contains(['?', '#']) {
        return Err(
            "the query is cut off before routes are matched, so `?` and `#` cannot be in one".to_owned()
        );
    }
    let count = split(pattern.as_bytes(), segments);
    if count > SEGMENTS_MAX {
        return Err(format!("a route may have {SEGMENTS_MAX} segments at most"));
    }
    for segment in &segments[..count] {
        if *segment == b":" {
            return Err("`:` needs a name after it".to_owned());
        }
        if segment.len() > 1 && segment.contains(&b'*') {
            return Err("`*` stands for whole segments and cannot be a part of one".to_owned());
        }
    }
    Ok(count)
}

/// Cuts a path into segments as the head of this file says. The count that is returned goes on where
/// there is no more room for segments.
fn split<'p>(path: &'p [u8], segments: &mut [&'p [u8]]) -> usize {
    let mut count = 0usize;
    for segment in Segments::of(path) {
        match segment {
            b"." => {}
            b".." => count = count.saturating_sub(1),
            segment => {
                if let Some(room) = segments.get_mut(count) {
                    *room = segment;
                }
                count += 1;
            }
        }
    }
    count
}

/// Whether a segment begins with a dot: only then can one be `.` or `..`.
#[inline]
fn has_dots(path: &[u8]) -> bool {
    let mut at = find_byte(path, 0, b'.');
    while at < path.len() {
        if at == 0 || path[at - 1] == b'/' {
            return true;
        }
        at = find_byte(path, at + 1, b'.');
    }
    false
}

/// The segments of a target as most are: its path is shorter than sixty-four bytes, with a slash before all others,
/// and no segment begins with a dot. Where they begin and end is seen at once, without a search for each: one bit
/// stands for each byte.
///
/// ```text
/// target      /users//17?a=b/c
/// slashes     1.....11......1.
/// path_end    ..........1.....     the lowest `?`, `#` or end
/// in_path     1111111111......     below it
/// behind      .1.....11......1     behind slashes
/// starts      .1......1.......     behind slashes, no slash, in the path
/// ends        ......1...1.....     slashes in the path and its end, not behind slashes
/// ```
#[derive(Clone)]
struct ShortTarget<'t> {
    text: &'t [u8],
    starts: u64,
    ends: u64,
}

impl<'t> ShortTarget<'t> {
    /// None for a target that is otherwise, or where the text that begins with it is shorter.
    #[inline]
    fn of(target: &[u8], text: &'t [u8]) -> Option<ShortTarget<'t>> {
        // Most are shorter still.
        match text.first_chunk() {
            Some(block) if target.len() < 32 => ShortTarget::in_block::<32>(block, target, text),
            _ => ShortTarget::in_block::<64>(text.first_chunk()?, target, text),
        }
    }

    /// The same, where the path must end in the block that begins the text.
    #[inline]
    fn in_block<const N: usize>(block: &[u8; N], target: &[u8], text: &'t [u8]) -> Option<ShortTarget<'t>> {
        let path_end = short_path_end(block, target)?;
        let slashes = places(block, b'/', b'/');
        let (in_path, behind) = (path_end - 1, slashes << 1);
        if behind & places(block, b'.', b'.') & in_path != 0 {
            return None;
        }
        let (starts, ends) = (behind & !slashes & in_path, (slashes & in_path & !1 | path_end) & !behind);
        Some(ShortTarget { text, starts, ends })
    }
}

/// The bit behind a path that begins with a slash and ends in a block.
#[inline]
fn short_path_end<const N: usize>(block: &[u8; N], target: &[u8]) -> Option<u64> {
    let target_end =
        u32::try_from(target.len()).ok().and_then(|length| 1u64.checked_shl(length)).unwrap_or(0);
    let behind_path = places(block, b'?', b'#') | target_end;
    (target.first() == Some(&b'/') && behind_path != 0).then_some(lowest_bit(behind_path))
}

fn lowest_bit(bits: u64) -> u64 {
    bits & bits.wrapping_neg()
}

impl<'t> Iterator for ShortTarget<'t> {
    type Item = Segment<'t>;

    #[inline]
    fn next(&mut self) -> Option<Segment<'t>> {
        if self.starts == 0 {
            return None;
        }
        let (start, end) = (self.starts.trailing_zeros(), self.ends.trailing_zeros());
        self.starts &= self.starts - 1;
        self.ends &= self.ends - 1;
        let text = self.text.get(start as usize..)?;
        Some(Segment { text, length: end.saturating_sub(start) as usize })
    }
}

/// The segments of a path from a place on, those that are empty left out.
#[derive(Clone)]
struct Segments<'p> {
    path: &'p [u8],
    at: usize,
}

impl<'p> Segments<'p> {
    fn of(path: &'p [u8]) -> Segments<'p> {
        Segments { path, at: 0 }
    }
}

impl<'p> Iterator for Segments<'p> {
    type Item = &'p [u8];

    #[inline]
    fn next(&mut self) -> Option<&'p [u8]> {
        while self.path.get(self.at) == Some(&b'/') {
            self.at += 1;
        }
        let start = self.at;
        self.at = find_byte(self.path, start, b'/');
        self.path.get(start..self.at).filter(|segment| !segment.is_empty())
    }
}
