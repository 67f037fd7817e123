//! Decimal digits and other short text, eight bytes at a time.
//!
//! A word holds eight bytes of the line, the first of them lowest. Numbers differ in length from line to line,
//! so a loop over their digits ends where the processor does not expect it to; a word has no such loop. Must
//! never read outside the slice, and does so in safe code.

use crate::bytes::words::chunk_at;
use crate::bytes::work::scanned;

/// The same byte eight times.
const fn all(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The eight bytes from `at`; behind the end of the text stand zeros.
#[inline(always)]
pub fn word_at(text: &[u8], at: usize) -> u64 {
    match chunk_at(text, at) {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => word_at_end(text, at),
    }
}

/// Fewer than eight bytes are left: the last eight of the text are shifted until those before `at` are gone.
#[inline(never)]
fn word_at_end(text: &[u8], at: usize) -> u64 {
    let Some(left) = text.len().checked_sub(at).filter(|&left| left > 0) else { return 0 };
    match text.last_chunk() {
        Some(bytes) => u64::from_le_bytes(*bytes) >> (64 - 8 * left),
        None => short_word(text) >> (8 * at),
    }
}

/// A text of fewer than eight bytes as a word, from two pieces that may overlap.
#[inline]
fn short_word(text: &[u8]) -> u64 {
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        return u64::from(u32::from_le_bytes(*first))
            | u64::from(u32::from_le_bytes(*last)) << (8 * (text.len() - 4));
    }
    match *text {
        [a, b, c] => u64::from_le_bytes([a, b, c, 0, 0, 0, 0, 0]),
        [a, b] => u16::from_le_bytes([a, b]).into(),
        [a] => a.into(),
        _ => 0,
    }
}

/// The highest bit of each byte that is no digit, given the word with `'0'` taken off each byte by xor.
#[inline(always)]
fn no_digits(digits: u64) -> u64 {
    (((digits & all(0x7f)) + all(0x80 - 10)) | digits) & all(0x80)
}

/// Whether so many digits stand at `at`, eight at most.
#[inline(always)]
pub fn are_digits(text: &[u8], at: usize, count: usize) -> bool {
    no_digits(word_at(text, at) ^ all(b'0')) & (u64::MAX >> (64 - 8 * count)) == 0
}

/// Whether the word is `dd:dd:dd`.
#[inline(always)]
pub fn is_clock(word: u64) -> bool {
    const COLONS: u64 = 0x0000_ff00_00ff_0000;
    no_digits(word ^ all(b'0')) & !COLONS == 0 && word & COLONS == all(b':') & COLONS
}

/// With how many capital letters the word begins.
#[inline(always)]
pub fn capitals(word: u64) -> usize {
    // Above `@`, below `[`, and without the highest bit, which sums of the other seven bits leave alone.
    let low = word & all(0x7f);
    let above = low + all(0x80 - b'A');
    let below = low + all(0x80 - b'[');
    let others = (!above | below | word) & all(0x80);
    others.trailing_zeros() as usize / 8
}

/// A number that begins a word and ends in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leading {
    pub length: usize,
    /// Its digits as one number, and how many of them follow the point.
    pub digits: u64,
    pub places: usize,
}

/// The number that the word begins with: digits, and with `fraction` perhaps a point and more of them. `None` where no
/// digit is, and where the number may go on behind the word.
#[inline(always)]
pub fn leading_number(word: u64, fraction: bool) -> Option<Leading> {
    let digits = word ^ all(b'0');
    let others = no_digits(digits);
    // Places in the word are counted in bits.
    let whole = others.trailing_zeros() & !7;
    if others == 0 || whole == 0 {
        return None;
    }
    let point = fraction && word >> whole & 0xff == u64::from(b'.');
    let after = others & (others - 1);
    if point && after == 0 {
        return None;
    }
    let end = after.trailing_zeros() & !7;
    if !point || end == whole + 8 {
        let digits = eight_digits(digits << (64 - whole));
        return Some(Leading { length: whole as usize / 8, digits, places: 0 });
    }
    // The digits behind the point move down by one place, over it; what follows the number is shifted out.
    let below = (1 << whole) - 1;
    let joined = digits & below | digits >> 8 & !below;
    let digits = eight_digits(joined << (72 - end));
    Some(Leading { length: end as usize / 8, digits, places: (end - whole) as usize / 8 - 1 })
}

/// The number that is the first three bytes of the word, if these are digits, whatever follows.
#[inline(always)]
pub fn three_digits(word: u64) -> Option<u64> {
    let digits = word ^ all(b'0');
    (no_digits(digits) & 0x80_8080 == 0).then(|| eight_digits(digits << 40))
}

/// Whether a text of eight bytes or more has no byte from `first` to `last`, both below 0x80; of a shorter one nothing
/// is known.
#[inline]
pub fn are_all_outside(text: &[u8], first: u8, last: u8) -> bool {
    let outside = |bytes: &[u8; 8]| {
        let word = u64::from_le_bytes(*bytes);
        let low = word & all(0x7f);
        (low + all(0x80 - first)) & !(low + all(0x7f - last)) & !word & all(0x80) == 0
    };
    text.as_chunks().0.iter().all(outside) && text.last_chunk().is_some_and(outside)
}

/// Where the digits that begin at `at` end.
#[inline(always)]
pub fn digits_end(line: &[u8], at: usize) -> usize {
    scanned(8);
    let others = no_digits(word_at(line, at) ^ all(b'0'));
    if others != 0 { at + others.trailing_zeros() as usize / 8 } else { many_digits_end(line, at + 8) }
}

#[cold]
fn many_digits_end(line: &[u8], mut at: usize) -> usize {
    while line.get(at).is_some_and(u8::is_ascii_digit) {
        scanned(1);
        at += 1;
    }
    at
}

/// The number at `start..end`: one to eight bytes that begin with a digit, all digits or with one point among
/// them. Its digits as one number, and how many of them follow the point. `None` for anything else, and where
/// the line has not eight bytes up to there.
#[inline(always)]
pub fn short_number(line: &[u8], start: usize, end: usize) -> Option<(u64, u32)> {
    let length = end.wrapping_sub(start);
    if !(1..=8).contains(&length) {
        return None;
    }
    // The number fills the upper end of the word; what stands before it in the line becomes leading zeros.
    let word = u64::from_le_bytes(*line.get(..end)?.last_chunk()?);
    let before = 64 - 8 * length;
    let digits = (word ^ all(b'0')) & (u64::MAX << before);
    let others = no_digits(digits);
    if others == 0 {
        return Some((eight_digits(digits), 0));
    }
    let point = others.trailing_zeros() as usize / 8 * 8;
    let alone = others & (others - 1) == 0 && (digits >> point) & 0xff == u64::from(b'.' ^ b'0');
    if !alone || point == before || point == 56 {
        return None;
    }
    // The digits before the point move up by one place, over it.
    let behind = u64::MAX << (point + 8);
    let joined = (digits & !behind & !(0xff << point)) << 8 | digits & behind;
    Some((eight_digits(joined), 7 - u32::try_from(point / 8).unwrap_or(0)))
}

/// Eight digits as a number: neighbours are joined to pairs, pairs to fours, fours to the whole.
#[inline(always)]
fn eight_digits(digits: u64) -> u64 {
    const PAIRS: u64 = 10 << 8 | 1;
    const FOURS: u64 = 100 << 16 | 1;
    const WHOLE: u64 = 10_000 << 32 | 1;
    let pairs = digits.wrapping_mul(PAIRS) >> 8 & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(FOURS) >> 16 & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(WHOLE) >> 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn short_numbers_are_read_and_others_refused() {
        for (text, want) in [
            ("0", Some((0, 0))),
            ("200", Some((200, 0))),
            ("12345678", Some((12_345_678, 0))),
            ("0.015", Some((15, 3))),
            ("123.4567", Some((1_234_567, 4))),
            ("123456789", None),
            ("", None),
            (".5", None),
            ("5.", None),
            ("1.2.3", None),
            ("1,2", None),
            ("-1", None),
            ("1e3", None),
        ] {
            let line = format!("[12:34:56] {text}");
            assert_eq!(short_number(line.as_bytes(), 11, line.len()), want, "{text}");
        }
        assert_eq!(short_number(b"1234567", 0, 7), None);
    }

    proptest! {
        #[test]
        fn numbers_at_the_start_of_a_word_are_those_of_a_walk(
            text in "[0-9]{0,5}([.][0-9]{0,5})?[ -~]{0,3}", fraction: bool,
        ) {
            let mut bytes = text.as_bytes().to_vec();
            bytes.resize(8, b' ');
            let word = u64::from_le_bytes(*bytes.first_chunk().unwrap());
            let digits = |from: usize| bytes[from..8].iter().take_while(|c| c.is_ascii_digit()).count();
            let whole = digits(0);
            let places = if fraction && bytes[whole] == b'.' { digits((whole + 1).min(8)) } else { 0 };
            let length = if places == 0 { whole } else { whole + 1 + places };
            let ends = length < 8 && !(fraction && whole == 7 && bytes[7] == b'.');
            let kept: String = text[..length].chars().filter(char::is_ascii_digit).collect();
            let want = kept.parse().ok().map(|digits| Leading { length, digits, places });
            prop_assert_eq!(leading_number(word, fraction), want.filter(|_| whole > 0 && ends));
        }

        #[test]
        fn bytes_outside_a_range_are_told(text in prop::collection::vec(b'7'..=b'^', 8..30), high in any::<u8>()) {
            let text = [&text[..], &[high]].concat();
            let walk = text.iter().all(|byte| !(b':'..=b'[').contains(byte));
            prop_assert_eq!(are_all_outside(&text, b':', b'['), walk);
        }

        #[test]
        fn three_digits_are_read_whatever_follows(text in "[0-9/:]{3}", behind in prop::array::uniform5(any::<u8>())) {
            let word = [text.as_bytes(), &behind].concat();
            let word = u64::from_le_bytes(*word.first_chunk().unwrap());
            prop_assert_eq!(three_digits(word), text.parse().ok());
        }

        #[test]
        fn digits_and_times_of_day_are_those_of_a_walk(
            text in "[0-9]{0,8}[/-;]{0,8}|[0-9]{2}[:;][0-9]{2}[:.][0-9/]{2}", at in 0usize..3, count in 1usize..9,
        ) {
            let bytes = text.as_bytes();
            let walk = bytes.get(at..at + count).is_some_and(|part| part.iter().all(u8::is_ascii_digit));
            prop_assert_eq!(are_digits(bytes, at, count), walk);
            let is_part = |(place, byte): (usize, &u8)| match place {
                2 | 5 => *byte == b':',
                _ => byte.is_ascii_digit(),
            };
            let walk = bytes.len() >= 8 && bytes[..8].iter().enumerate().all(is_part);
            prop_assert_eq!(is_clock(word_at(bytes, 0)), walk);
        }

        #[test]
        fn words_are_the_bytes_of_the_text(text in prop::collection::vec(any::<u8>(), 0..20), at in 0usize..24) {
            let mut bytes = text.get(at..).unwrap_or_default().to_vec();
            bytes.resize(bytes.len().max(8), 0);
            prop_assert_eq!(&word_at(&text, at).to_le_bytes(), &bytes[..8]);
        }

        #[test]
        fn capitals_are_counted(text in prop::array::uniform8(prop_oneof![b'@'..=b'[', any::<u8>()])) {
            let counted = text.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
            prop_assert_eq!(capitals(u64::from_le_bytes(text)), counted);
        }

        #[test]
        fn digits_end_where_a_walk_ends(text in "[0-9]{0,12}[ -~]{0,3}", at in 0usize..16) {
            let walk = text.bytes().skip(at).take_while(u8::is_ascii_digit).count();
            prop_assert_eq!(digits_end(text.as_bytes(), at), at + walk);
        }

        #[test]
        fn any_bytes_are_survived(
            line in prop::collection::vec(any::<u8>(), 0..20), start in 0usize..24, end in 0usize..24,
        ) {
            let _ = short_number(&line, start, end);
        }
    }
}
