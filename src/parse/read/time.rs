//! Time stamps of log lines: their shape and what moment they name.
//!
//! Turns `10/Oct/2000:13:55:36 -0700` (Common Log Format) and `2000-10-10T13:55:36-07:00` (RFC 3339, ISO
//! 8601) into nanoseconds since 1970. A stamp without a zone has a shape but no moment: whose clock it was
//! is not guessed. Must never panic, whatever the bytes.

use crate::bytes::work::scanned;
use crate::calendar::{days_since_1970, month};

/// The two ways servers write a moment in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Clf,
    Iso,
}

const NANOS: i64 = 1_000_000_000;

/// A stamp found at the start of some bytes: its length and the moment, if it names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub len: usize,
    pub unix_nanos: Option<i64>,
}

/// The stamp at the start of `text`; `-` is the stamp of a server that had none.
pub fn scan(style: Style, text: &[u8]) -> Option<Stamp> {
    if text.first() == Some(&b'-') {
        return Some(Stamp { len: 1, unix_nanos: None });
    }
    let found = match style {
        Style::Clf => clf(text),
        Style::Iso => iso(text),
    };
    scanned(found.map_or(0, |stamp| stamp.len) + 26);
    found
}

/// A whole value that may be either style, also in brackets, or seconds (or what `power` says, in powers of ten
/// nanoseconds) since 1970 as a number.
pub fn moment(text: &[u8], power: u32) -> Option<i64> {
    if let Some(number) = super::text::decimal(text, power) {
        return i64::try_from(number).ok();
    }
    let text = text.strip_prefix(b"[").and_then(|text| text.strip_suffix(b"]")).unwrap_or(text);
    let stamp = iso(text).or_else(|| clf(text))?;
    if stamp.len == text.len() { stamp.unix_nanos } else { None }
}

/// A day (`2026-03-05`) and a time of that day, both in UTC.
pub fn of_day(date: &[u8], time_of_day: &[u8]) -> Option<i64> {
    let (year, month, day) = (digits::<4>(date, 0)?, digits::<2>(date, 5)?, digits::<2>(date, 8)?);
    if date.len() != 10 || date[4] != b'-' || date[7] != b'-' {
        return None;
    }
    let (seconds, nanos, end) = clock(time_of_day, 0)?;
    if end == time_of_day.len() { unix(days_since_1970(year, month, day)?, seconds, nanos) } else { None }
}

/// `N` digits at `at`, as a number.
#[inline]
fn digits<const N: usize>(text: &[u8], at: usize) -> Option<i64> {
    let field = text.get(at..)?.first_chunk::<N>()?;
    let mut value = 0;
    for &c in field {
        if !c.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(c - b'0');
    }
    Some(value)
}

fn clf(text: &[u8]) -> Option<Stamp> {
    let (day, year) = (digits::<2>(text, 0)?, digits::<4>(text, 7)?);
    let month = month(*text.get(3..)?.first_chunk::<3>()?)?;
    if text[2] != b'/' || text[6] != b'/' || text.get(11) != Some(&b':') {
        return None;
    }
    let date = days_since_1970(year, month, day)?;
    let (clock, nanos, at) = clock(text, 12)?;
    let (zone, len) = match text.get(at) {
        Some(b' ') => zone(text, at + 1).map_or((None, at), |(zone, end)| (Some(zone), end)),
        _ => (None, at),
    };
    Some(Stamp { len, unix_nanos: zone.and_then(|zone| unix(date, clock - zone, nanos)) })
}

fn iso(text: &[u8]) -> Option<Stamp> {
    let (year, month, day) = (digits::<4>(text, 0)?, digits::<2>(text, 5)?, digits::<2>(text, 8)?);
    if text[4] != b'-' || text[7] != b'-' || !matches!(text.get(10), Some(b'T' | b't' | b' ')) {
        return None;
    }
    let date = days_since_1970(year, month, day)?;
    let (clock, nanos, at) = clock(text, 11)?;
    // `%F %T %z` puts a blank before the zone.
    let (zone, len) = [at, at + 1]
        .into_iter()
        .filter(|&from| from == at || text.get(at) == Some(&b' '))
        .find_map(|from| zone(text, from))
        .map_or((None, at), |(zone, end)| (Some(zone), end));
    Some(Stamp { len, unix_nanos: zone.and_then(|zone| unix(date, clock - zone, nanos)) })
}

/// `HH:MM:SS` with an optional fraction after a point or a comma: seconds, nanoseconds, where it ends.
fn clock(text: &[u8], at: usize) -> Option<(i64, i64, usize)> {
    let (hour, minute, second) =
        (digits::<2>(text, at)?, digits::<2>(text, at + 3)?, digits::<2>(text, at + 6)?);
    if text[at + 2] != b':' || text[at + 5] != b':' || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (mut end, mut nanos, mut unit) = (at + 8, 0, NANOS);
    if matches!(text.get(end), Some(b'.' | b',')) && text.get(end + 1).is_some_and(u8::is_ascii_digit) {
        end += 1;
        while let Some(digit) = text.get(end).filter(|c| c.is_ascii_digit()) {
            unit /= 10;
            nanos += i64::from(digit - b'0') * unit;
            end += 1;
        }
    }
    Some((hour * 3600 + minute * 60 + second, nanos, end))
}

/// `Z`, `+hhmm` or `+hh:mm`: seconds east of Greenwich, and where it ends.
fn zone(text: &[u8], at: usize) -> Option<(i64, usize)> {
    let sign = match text.get(at)? {
        b'Z' | b'z' => return Some((0, at + 1)),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = digits::<2>(text, at + 1)?;
    let colon = usize::from(text.get(at + 3) == Some(&b':'));
    let minutes = digits::<2>(text, at + 3 + colon)?;
    Some((sign * (hours * 3600 + minutes * 60), at + 5 + colon))
}

fn unix(days: i64, seconds: i64, nanos: i64) -> Option<i64> {
    (days * 86_400 + seconds).checked_mul(NANOS)?.checked_add(nanos)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{Date, MONTHS};
    use proptest::prelude::*;

    #[test]
    fn moments_in_both_styles() {
        for (style, text, len, seconds) in [
            (Style::Clf, "10/Oct/2000:13:55:36 -0700]", 26, Some(971_211_336)),
            (Style::Clf, "01/Jan/1970:00:00:00 +0000", 26, Some(0)),
            (Style::Clf, "29/Feb/2024:12:00:00 +0530", 26, Some(1_709_188_200)),
            (Style::Clf, "09/Dec/2013:12:59:46.633] x", 24, None),
            (Style::Clf, "-] x", 1, None),
            (Style::Iso, "2000-10-10T13:55:36-07:00\"", 25, Some(971_211_336)),
            (Style::Iso, "2000-10-10T20:55:36Z", 20, Some(971_211_336)),
            (Style::Iso, "2000-10-10 13:55:36 -0700", 25, Some(971_211_336)),
            (Style::Iso, "2000-10-10T20:55:36", 19, None),
        ] {
            let want = Stamp { len, unix_nanos: seconds.map(|s: i64| s * NANOS) };
            assert_eq!(scan(style, text.as_bytes()), Some(want), "{text}");
        }
        assert_eq!(moment(b"2000-10-10T20:55:36.5Z", 9), Some(971_211_336 * NANOS + NANOS / 2));
        assert_eq!(moment(b"1716723772.6014807", 9), Some(1_716_723_772_601_480_700));
    }

    #[test]
    fn what_is_no_time() {
        for text in [
            "",
            "10/Okt/2000:13:55:36 -0700",
            "10-Oct-2000:13:55:36 -0700",
            "10/Oct/2000 13:55:36",
            "[",
            "32/Oct/2000:00:00:00 +0000",
        ] {
            assert_eq!(scan(Style::Clf, text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_stamp_that_is_cut_off_is_survived() {
        for (style, stamp) in
            [(Style::Clf, "05/Mar/2031:04:05:06 +0100"), (Style::Iso, "2031-03-05T04:05:06+01:00")]
        {
            for length in 0..stamp.len() {
                let cut = &stamp.as_bytes()[..length];
                assert!(scan(style, cut).is_none_or(|stamp| stamp.len <= length), "{length}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            for style in [Style::Clf, Style::Iso] {
                prop_assert!(scan(style, &text).is_none_or(|stamp| stamp.len <= text.len()));
            }
            let _ = moment(&text, 9);
        }

        #[test]
        fn a_date_that_is_written_is_read_as_the_same_moment(seconds in 0u64..4_000_000_000) {
            let Date { year, month, day, hour, minute, second } = Date::of(seconds);
            let name = str::from_utf8(MONTHS[usize::try_from(month - 1).unwrap()]).unwrap();
            let clock = format!("{hour:02}:{minute:02}:{second:02}");
            for text in [
                format!("{year:04}-{month:02}-{day:02}T{clock}Z"),
                format!("{day:02}/{name}/{year:04}:{clock} +0000"),
            ] {
                let nanos = i64::try_from(seconds).unwrap() * NANOS;
                prop_assert_eq!(moment(text.as_bytes(), 9), Some(nanos), "{}", text);
            }
        }
    }
}
