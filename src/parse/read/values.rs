//! Values that show their own end: numbers, lists, headers.
//!
//! Turns (line, start) into the place where a value ends, or `None` where none stands. What the value
//! means is decided in record.rs; what must follow it, in careful/mod.rs.

use crate::bytes::digits::digits_end;
use crate::bytes::scan::find_byte;
use crate::bytes::work::scanned;
use crate::parse::read::text::figure_and_unit;

/// Where the message behind a syslog header begins (RFC 3164 section 4.1.3: a tag with the process in
/// brackets, then a colon); without a header, right here.
pub fn syslog_header(line: &[u8], start: usize) -> usize {
    let open = find_byte(line, start, b'[');
    let at = digits_end(line, open + 1);
    let tagged = at > open + 1 && line.get(at..).is_some_and(|rest| rest.starts_with(b"]: "));
    if tagged { at + 3 } else { start }
}

/// Digits with an optional sign, or a lone `-`.
#[inline(always)]
pub fn integer(line: &[u8], start: usize) -> Option<usize> {
    let end = digits_end(line, start);
    if end > start { Some(end) } else { signed(line, start) }
}

#[inline(never)]
fn signed(line: &[u8], start: usize) -> Option<usize> {
    let sign = line.get(start).filter(|byte| matches!(byte, b'-' | b'+'))?;
    let end = digits_end(line, start + 1);
    (end > start + 1 || *sign == b'-').then_some(end)
}

/// The same with an optional fraction.
#[inline]
pub fn decimal(line: &[u8], start: usize) -> Option<usize> {
    let end = integer(line, start)?;
    if line.get(end) != Some(&b'.') {
        return Some(end);
    }
    let fraction = digits_end(line, end + 1);
    Some(if fraction > end + 1 { fraction } else { end })
}

/// A time with its units, such as `1m2.5s`, or a lone `-`.
pub fn with_unit(line: &[u8], start: usize) -> Option<usize> {
    let mut rest = line.get(start..)?;
    if rest.first() == Some(&b'-') {
        return Some(start + 1);
    }
    while let Some((_, _, behind)) = figure_and_unit(rest) {
        rest = behind;
    }
    let end = line.len() - rest.len();
    (end > start).then_some(end)
}

/// Behind the blanks, if there are any.
pub fn blanks(line: &[u8], start: usize) -> usize {
    start + line.iter().skip(start).take_while(|byte| **byte == b' ').count()
}

/// Behind the sequences `ESC [ ... m` that colour what follows, if there are any.
pub fn colour(line: &[u8], start: usize) -> usize {
    let mut at = start;
    while line.get(at) == Some(&0x1b) && line.get(at + 1) == Some(&b'[') {
        let digits = |byte: &&u8| byte.is_ascii_digit() || **byte == b';';
        let end = at + 2 + line.iter().skip(at + 2).take_while(digits).count();
        if line.get(end) != Some(&b'm') {
            break;
        }
        at = end + 1;
    }
    at
}

/// A number with exactly four decimals.
pub fn four_decimals(line: &[u8], start: usize) -> Option<usize> {
    let point = digits_end(line, start);
    let end = decimal(line, start)?;
    (point > start && end == point + 5).then_some(end)
}

/// Behind headers that HAProxy captured, `{a|b} ` with the blank; without them, right here.
pub fn captured(line: &[u8], start: usize) -> Option<usize> {
    if line.get(start) == Some(&b'{') { closing_brace(line, start) } else { Some(start) }
}

/// Behind the next brace that a blank follows. A header may have one inside, so the search goes on from an end.
pub fn closing_brace(line: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let brace = find_byte(line, at, b'}');
        scanned(brace - at + 1);
        at = brace + 1;
        match line.get(at) {
            Some(b' ') => return Some(at + 1),
            Some(_) => {}
            None => return (at == line.len()).then_some(at),
        }
    }
}

/// One or more characters that neither are blank nor part a list nor close a quote.
pub fn word(line: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    while line.get(at).is_some_and(|c| !matches!(c, b' ' | b',' | b'"' | b'\t')) {
        at += 1;
    }
    scanned(at - start + 1);
    (at > start).then_some(at)
}

/// Items separated by `,` (servers of one group) or ` : ` (groups), as ngx_http_upstream.c writes them.
#[inline(never)]
pub fn list(line: &[u8], start: usize, item: fn(&[u8], usize) -> Option<usize>) -> Option<usize> {
    std::iter::successors(item(line, start), |&end| one_more(line, end, item)).last()
}

/// Blanks before or behind a separator of a list; nginx writes one. Where there are more it is none, for they would be
/// counted again at each try.
const LIST_BLANKS_MAX: usize = 8;

/// The blanks at `from` that may stand around a separator.
pub fn blanks_of_list(line: &[u8], from: usize) -> usize {
    let count = line.iter().skip(from).take(LIST_BLANKS_MAX).take_while(|byte| **byte == b' ').count();
    scanned(count + 1);
    count
}

/// Where a list that could end at `end` ends with one more item.
pub fn one_more(line: &[u8], end: usize, item: fn(&[u8], usize) -> Option<usize>) -> Option<usize> {
    let at = end + blanks_of_list(line, end);
    // A colon counts with a blank before it, for addresses hold colons themselves.
    match line.get(at) {
        Some(b',') => {}
        Some(b':') if at > end => {}
        _ => return None,
    }
    item(line, at + 1 + blanks_of_list(line, at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The part of `text` that a scanner takes.
    fn taken(scan: impl Fn(&[u8], usize) -> Option<usize>, text: &str) -> Option<&str> {
        scan(text.as_bytes(), 0).map(|end| &text[..end])
    }

    #[test]
    fn each_value_ends_where_it_should() {
        assert_eq!(taken(integer, "12.5"), Some("12"));
        assert_eq!(taken(integer, "-1 "), Some("-1"));
        assert_eq!(taken(integer, "- "), Some("-"));
        assert_eq!(taken(integer, "+ "), None);
        assert_eq!(taken(integer, "x"), None);
        assert_eq!(taken(decimal, "0.25s"), Some("0.25"));
        assert_eq!(taken(decimal, "1. "), Some("1"));
        assert_eq!(taken(with_unit, "1m2.5s x"), Some("1m2.5s"));
        assert_eq!(taken(with_unit, "29.304µs"), Some("29.304µs"));
        assert_eq!(taken(with_unit, "1,502ms 7"), Some("1,502ms"));
        assert_eq!(taken(with_unit, "- "), Some("-"));
        assert_eq!(taken(with_unit, "0.25 "), None);
        assert_eq!(taken(with_unit, "s"), None);
        assert_eq!(taken(captured, "{a} b|c} \"GET"), Some("{a} "));
        assert_eq!(taken(captured, "\"GET"), Some(""));
        assert_eq!(taken(four_decimals, "0.0004 "), Some("0.0004"));
        assert_eq!(taken(four_decimals, "0.004 "), None);
        assert_eq!(taken(four_decimals, "12"), None);
        assert_eq!(colour(b"\x1b[35m\x1b[1mPOST", 0), 9);
        assert_eq!(colour(b"\x1b[35", 0), 0);
        assert_eq!(taken(captured, "{a"), None);
        assert_eq!(taken(word, "a b"), Some("a"));
        assert_eq!(taken(word, " b"), None);
        assert_eq!(taken(syslog_header_end, "Mar  5 lb haproxy[42]: x"), Some("Mar  5 lb haproxy[42]: "));
        assert_eq!(taken(syslog_header_end, "192.0.2.7:1 [05/Mar"), Some(""));
    }

    fn syslog_header_end(line: &[u8], start: usize) -> Option<usize> {
        Some(syslog_header(line, start))
    }

    #[test]
    fn lists_go_on_while_items_follow_their_separators() {
        let decimals = |line: &[u8], start: usize| list(line, start, decimal);
        let words = |line: &[u8], start: usize| list(line, start, word);
        assert_eq!(taken(decimals, "0.1, - : 0.2 200"), Some("0.1, - : 0.2"));
        assert_eq!(taken(decimals, "0.1,0.2\""), Some("0.1,0.2"));
        assert_eq!(taken(decimals, "0.1, x"), Some("0.1"));
        assert_eq!(
            taken(words, "10.0.0.1:80, unix:/s : [::1]:80 0.1"),
            Some("10.0.0.1:80, unix:/s : [::1]:80")
        );
    }
}
