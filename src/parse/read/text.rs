//! Text of values: decimal numbers, lists of them, escapes.
//!
//! Turns captured bytes into numbers and back into the bytes they stand for. Allocates nothing but what the
//! caller's scratch buffer needs, and saturates instead of overflowing. Follows `ap_escape_logitem` (Apache),
//! `ngx_http_log_escape` (nginx, escape=default) and RFC 8259 section 7 (JSON).

use crate::bytes::digits::short_number;
use crate::bytes::hex;

/// How a server escapes the bytes of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// `\"`, `\\`, `\n` and friends, `\xhh`.
    Apache,
    /// nginx `escape=default`: `\xHH` and nothing else.
    Hex,
    /// `\"`, `\\`, `\/`, `\n` and friends, `\uHHHH` with surrogates.
    Json,
    /// `+` for a blank and `%hh`, as forms are sent and as IIS and CloudFront write.
    Form,
    /// HAProxy: `#hh`.
    Hash,
    /// nginx `escape=none`: as it came.
    None,
}

impl Escape {
    /// Whether a backslash takes the meaning from a quote.
    pub fn has_backslashes(self) -> bool {
        !matches!(self, Escape::None | Escape::Hash)
    }
}

/// Significant digits kept of a number; 18 of them always fit in 64 bits, and no server prints more.
const DIGITS: u32 = 18;

/// What may be added to a power of ten in a scale: a negative number is absent, for it stands for what never happened.
pub const NEVER: u32 = 64;

/// The same: the value brings its unit along, and a number without one is absent.
pub const OWN_UNIT: u32 = 128;

/// The powers of ten that fit in 64 bits.
pub const POWERS: [u64; 20] = {
    let mut powers = [1; 20];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

/// `10^power`, saturating.
#[inline]
fn power_of_ten(power: u32) -> u64 {
    POWERS.get(power as usize).copied().unwrap_or(u64::MAX)
}

/// The decimal number at `start..end` of a line; see [`decimal`]. With the line around it, a short number is
/// read eight bytes at once. The scale is a power of ten, perhaps with `NEVER` or `OWN_UNIT` added.
#[inline(never)]
pub fn decimal_in(line: &[u8], start: usize, end: usize, scale: u32) -> Option<u64> {
    let power = scale % NEVER;
    match short_number(line, start, end) {
        Some((value, places)) if places <= power && scale < OWN_UNIT => {
            Some(value.saturating_mul(power_of_ten(power - places)))
        }
        _ => scaled(line.get(start..end)?, scale),
    }
}

/// The same for what is no short number.
pub fn scaled(text: &[u8], scale: u32) -> Option<u64> {
    match text {
        b"-" => None,
        [b'-', ..] if scale >= NEVER => None,
        _ if scale >= OWN_UNIT => with_units(text),
        _ => decimal(text, scale % NEVER),
    }
}

/// A decimal number (sign, fraction and exponent allowed) times `10^power`, rounded to a whole number.
///
/// Negative numbers become 0: a clock that was set back makes no request shorter than nothing.
#[inline(never)]
pub fn decimal(text: &[u8], power: u32) -> Option<u64> {
    // Digits and perhaps a point need none of the care below.
    if text.len() > DIGITS as usize || !text.first().is_some_and(u8::is_ascii_digit) {
        return careful_decimal(text, power);
    }
    let (mut value, mut shift, mut places) = (0u64, power, 0);
    for &c in text {
        let digit = c.wrapping_sub(b'0');
        if digit <= 9 {
            value = value * 10 + u64::from(digit);
            shift = shift.wrapping_sub(places);
        } else if c == b'.' && places == 0 {
            places = 1;
        } else {
            return careful_decimal(text, power);
        }
    }
    // More places than the unit has make the shift wrap around.
    if shift > power { careful_decimal(text, power) } else { Some(value.saturating_mul(power_of_ten(shift))) }
}

#[cold]
fn careful_decimal(text: &[u8], power: u32) -> Option<u64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let (mut mantissa, mut kept, mut shift, mut seen, mut point) =
        (0u64, 0u32, i64::from(power), false, false);
    let mut at = 0;
    while let Some(&c) = digits.get(at) {
        match c {
            b'0'..=b'9' => {
                seen = true;
                if kept < DIGITS {
                    mantissa = mantissa * 10 + u64::from(c - b'0');
                    kept += u32::from(mantissa > 0);
                    shift -= i64::from(point);
                } else {
                    shift += i64::from(!point);
                }
            }
            b'.' if !point => point = true,
            b'e' | b'E' if seen => {
                shift += exponent(&digits[at + 1..])?;
                break;
            }
            _ => return None,
        }
        at += 1;
    }
    if !seen {
        return None;
    }
    Some(if negative { 0 } else { shifted(mantissa, shift) })
}

/// A time with its units, as Go writes it (time.Duration.String): `1m2.5s`, `250µs`; in nanoseconds. Koa puts commas
/// between thousands.
#[cold]
pub fn with_units(text: &[u8]) -> Option<u64> {
    let (mut rest, mut sum) = (text, 0u64);
    while !rest.is_empty() {
        let (figure, nanos, behind) = figure_and_unit(rest)?;
        let (whole, fraction) =
            figure.split_at(figure.iter().position(|c| *c == b'.').unwrap_or(figure.len()));
        let mut digits = [0; 40];
        let mut length = 0;
        for &c in whole.iter().filter(|c| **c != b',').chain(fraction) {
            *digits.get_mut(length)? = c;
            length += 1;
        }
        // Billionths of the unit, so that a fraction of a minute is one too.
        let billionths = u128::from(decimal(&digits[..length], 9)?) * u128::from(nanos) / 1_000_000_000;
        sum = sum.saturating_add(u64::try_from(billionths).unwrap_or(u64::MAX));
        rest = behind;
    }
    (!text.is_empty()).then_some(sum)
}

/// A figure at the start of the text, the nanoseconds of the unit behind it, and what follows.
pub fn figure_and_unit(text: &[u8]) -> Option<(&[u8], u64, &[u8])> {
    const UNITS: [(&[u8], u64); 8] = [
        (b"ns", 1),
        ("\u{b5}s".as_bytes(), 1_000),
        ("\u{3bc}s".as_bytes(), 1_000),
        (b"us", 1_000),
        (b"ms", 1_000_000),
        (b"s", 1_000_000_000),
        (b"m", 60_000_000_000),
        (b"h", 3_600_000_000_000),
    ];
    let length = text.iter().take_while(|c| c.is_ascii_digit() || matches!(**c, b'.' | b',')).count();
    let (figure, behind) = text.split_at(length);
    let (unit, nanos) = UNITS.iter().find(|(unit, _)| behind.starts_with(unit))?;
    figure.first().filter(|c| c.is_ascii_digit())?;
    Some((figure, *nanos, &behind[unit.len()..]))
}

fn exponent(text: &[u8]) -> Option<i64> {
    let (sign, digits) = match text {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        _ => (1, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // Three digits are beyond any number we can hold, so the rest cannot matter.
    let size = digits.iter().fold(0i64, |sum, &c| (sum * 10 + i64::from(c - b'0')).min(999));
    Some(sign * size)
}

fn shifted(mantissa: u64, shift: i64) -> u64 {
    let places = u32::try_from(shift.unsigned_abs()).unwrap_or(u32::MAX);
    if mantissa == 0 {
        0
    } else if shift >= 0 {
        mantissa.saturating_mul(power_of_ten(places))
    } else if places > 19 {
        0
    } else {
        let divisor = power_of_ten(places);
        mantissa / divisor + u64::from(mantissa % divisor >= divisor.div_ceil(2))
    }
}

/// The sum of a list of numbers such as nginx writes for several upstreams: `0.004, 0.012 : -`.
/// `-` and empty items are skipped; `None` when no number is left.
#[inline(never)]
pub fn sum(list: &[u8], scale: u32) -> Option<u64> {
    if matches!(list, [b'-'] | []) {
        return None;
    }
    if let Some(value) = scaled(list, scale) {
        return Some(value);
    }
    let mut total = None;
    for item in list.split(|c| matches!(c, b',' | b':')) {
        if let Some(value) = scaled(item.trim_ascii(), scale) {
            total = Some(total.unwrap_or(0u64).saturating_add(value));
        }
    }
    total
}

/// Appends what `raw` stands for. Anything that is no escape of this kind is kept as it is.
pub fn unescape(raw: &[u8], escape: Escape, out: &mut Vec<u8>) {
    match escape {
        Escape::Form => return unescape_column(raw, out),
        Escape::Hash => return unescape_hash(raw, out),
        _ => {}
    }
    let mut rest = raw;
    while let Some(at) = rest.iter().position(|&c| c == b'\\') {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let used = match escape {
            Escape::Apache => unescape_apache(rest, out),
            Escape::Hex => unescape_hex(rest, out),
            Escape::Json => unescape_json(rest, out),
            Escape::Form | Escape::Hash | Escape::None => 0,
        };
        if used == 0 {
            out.push(b'\\');
        }
        rest = &rest[used.max(1)..];
    }
    out.extend_from_slice(rest);
}

/// As a form, and a quote within quotes stands twice (WD-logfile).
fn unescape_column(mut raw: &[u8], out: &mut Vec<u8>) {
    while let Some(at) = raw.windows(2).position(|pair| pair == b"\"\"") {
        percent_decode(&raw[..=at], out);
        raw = &raw[at + 2..];
    }
    percent_decode(raw, out);
}

/// What is not printable, and quotes (HAProxy's lf_encode_string).
fn unescape_hash(raw: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(&byte) = raw.get(at) {
        let pair = raw.get(at + 1..at + 3).filter(|_| byte == b'#');
        let decoded = pair.and_then(|pair| Some(hex::value(pair[0])? * 16 + hex::value(pair[1])?));
        out.push(decoded.unwrap_or(byte));
        at += if decoded.is_some() { 3 } else { 1 };
    }
}

/// `%hh` and `+` as forms write them (WHATWG URL, application/x-www-form-urlencoded).
pub fn percent_decode(raw: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(&byte) = raw.get(at) {
        let pair =
            raw.get(at + 1..at + 3).and_then(|pair| Some(hex::value(pair[0])? * 16 + hex::value(pair[1])?));
        match (byte, pair) {
            (b'%', Some(decoded)) => {
                out.push(decoded);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            _ => out.push(byte),
        }
        at += 1;
    }
}

/// `\n` and its like; the letters all three dialects share.
fn control(letter: u8) -> Option<u8> {
    Some(match letter {
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        _ => return None,
    })
}

fn unescape_apache(text: &[u8], out: &mut Vec<u8>) -> usize {
    match *text {
        [_, b'x', ..] => unescape_hex(text, out),
        [_, c @ (b'"' | b'\\'), ..] => {
            out.push(c);
            2
        }
        [_, c, ..] => control(c).map_or(0, |byte| {
            out.push(byte);
            2
        }),
        _ => 0,
    }
}

fn unescape_hex(text: &[u8], out: &mut Vec<u8>) -> usize {
    if let [_, b'x', high, low, ..] = *text
        && let (Some(high), Some(low)) = (hex::value(high), hex::value(low))
    {
        out.push(high * 16 + low);
        return 4;
    }
    0
}

fn unescape_json(text: &[u8], out: &mut Vec<u8>) -> usize {
    match *text {
        [_, b'u', ..] => {
            let Some((letter, used)) = utf16(text) else { return 0 };
            out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            used
        }
        [_, c @ (b'"' | b'\\' | b'/'), ..] => {
            out.push(c);
            2
        }
        [_, c, ..] if c != b'v' => control(c).map_or(0, |byte| {
            out.push(byte);
            2
        }),
        _ => 0,
    }
}

/// The character behind `\uHHHH` or a pair of surrogates, and the bytes used. A lone surrogate is U+FFFD.
fn utf16(text: &[u8]) -> Option<(char, usize)> {
    let unit = |at: usize| -> Option<u32> {
        let [b'\\', b'u', digits @ ..] = text.get(at..at + 6)? else { return None };
        digits.iter().try_fold(0, |sum, &d| Some(sum * 16 + u32::from(hex::value(d)?)))
    };
    let first = unit(0)?;
    if let (0xd800..=0xdbff, Some(second @ 0xdc00..=0xdfff)) = (first, unit(6)) {
        let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return char::from_u32(code).map(|letter| (letter, 12));
    }
    Some((char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 6))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimals_with_units() {
        for (text, power, want) in [
            ("0", 9, Some(0)),
            ("42", 3, Some(42_000)),
            ("0.004", 9, Some(4_000_000)),
            ("1.5", 0, Some(2)),
            ("7.314e-05", 9, Some(73_140)),
            ("0.00007314", 9, Some(73_140)),
            ("1E3", 0, Some(1000)),
            ("1e999999", 0, Some(u64::MAX)),
            ("1e-999999", 9, Some(0)),
            ("-3", 9, Some(0)),
            ("+17", 6, Some(17_000_000)),
            ("99999999999999999999999", 0, Some(u64::MAX)),
            ("0.0000000004", 9, Some(0)),
            ("0.0000000005", 9, Some(1)),
            ("-", 9, None),
            ("", 9, None),
            (".", 9, None),
            ("1.2.3", 9, None),
            ("12x", 0, None),
            ("1e", 0, None),
        ] {
            assert_eq!(decimal(text.as_bytes(), power), want, "{text}");
        }
    }

    #[test]
    fn lists_are_summed_and_gaps_skipped() {
        assert_eq!(sum(b"0.004, 0.012", 9), Some(16_000_000));
        assert_eq!(sum(b"0.100 , 0.400 : 0.200", 9), Some(700_000_000));
        assert_eq!(sum(b"1.000, -, 2.000", 9), Some(3_000_000_000));
        assert_eq!(sum(b"0.123,0.321", 9), Some(444_000_000));
        assert_eq!(sum(b"-", 9), None);
        assert_eq!(sum(b"", 9), None);
    }

    #[test]
    fn escapes_of_each_dialect() {
        for (raw, escape, want) in [
            (&br#"a\"b\\c\n\t\v\xe9"#[..], Escape::Apache, &b"a\"b\\c\n\t\x0b\xe9"[..]),
            (br"\q\", Escape::Apache, br"\q\"),
            (br"\x22\n\xZZ", Escape::Hex, b"\"\\n\\xZZ"),
            (br#"\u0016\"\/\ud83d\ude00\ud83d"#, Escape::Json, "\u{16}\"/\u{1f600}\u{fffd}".as_bytes()),
            (br"\x41\u00", Escape::Json, br"\x41\u00"),
            (br"\x41\n", Escape::None, br"\x41\n"),
        ] {
            let mut out = Vec::new();
            unescape(raw, escape, &mut out);
            assert_eq!(out, want, "{}", raw.escape_ascii());
        }
    }

    #[test]
    fn times_may_bring_their_units() {
        for (text, nanos) in [
            ("1.5ms", Some(1_500_000)),
            ("1m2.5s", Some(62_500_000_000)),
            ("1h0m0.25s", Some(3_600_250_000_000)),
            ("250\u{b5}s", Some(250_000)),
            ("0s", Some(0)),
            ("17ns", Some(17)),
            ("5", None),
            ("s", None),
            ("1.5 ms", None),
            ("", None),
            ("-", None),
        ] {
            assert_eq!(with_units(text.as_bytes()), nanos, "{text}");
        }
    }

    proptest! {
        #[test]
        fn whole_numbers_survive(value in 0u64..999_999_999_999_999_999) {
            prop_assert_eq!(decimal(value.to_string().as_bytes(), 0), Some(value));
        }

        #[test]
        fn seconds_survive(nanos in 0u64..9_000_000_000_000_000) {
            let text = format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000);
            prop_assert_eq!(decimal(text.as_bytes(), 9), Some(nanos));
        }

        #[test]
        fn any_bytes_are_survived(raw in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = (decimal(&raw, 9), sum(&raw, 9));
            for start in 0..raw.len() {
                prop_assert_eq!(decimal_in(&raw, start, raw.len(), 9), decimal(&raw[start..], 9));
            }
            for escape in [Escape::Apache, Escape::Hex, Escape::Json, Escape::None] {
                let mut out = Vec::new();
                unescape(&raw, escape, &mut out);
                prop_assert!(out.len() <= raw.len());
            }
        }
    }
}
