//! Readers of the heads that syslog puts in front: RFC 3164 and 5424, on the wire, in files and in journalctl's output.
//!
//! Few writers keep to the RFCs, so every part may be there or not: an octet count (RFC 6587), `<PRI>`, a stamp in
//! either style, the host, the tag with or without its process. What must be there is a tag with its colon, or the
//! version.

use crate::parse::envelope::facts::{Facts, Field, TimeKind};
use crate::parse::envelope::lines::{Inner, bsd, iso, run, unix, word};

/// RFC 5424 section 6.2.1: 24 facilities of eight severities.
const PRIORITY_MAX: u16 = 191;

pub fn syslog(text: &[u8], facts: &mut Facts) -> Option<Inner> {
    let start = octet_count(text);
    let (at, has_priority) = match priority(text, start) {
        Some(end) => (end, true),
        None if start > 0 => return None,
        None => (0, false),
    };
    let version = text.get(at..at + 2) == Some(b"1 ");
    let from = match version.then(|| structured(text, at + 2, facts)).flatten() {
        Some(from) => from,
        None => traditional(text, at, has_priority, facts)?,
    };
    Some(Inner { from, is_piece: false })
}

/// `STAMP HOST TAG MSG`: rsyslog puts no colon behind a name that came in a message of RFC 5424, where it has none.
pub fn without_colon(text: &[u8], facts: &mut Facts) -> Option<Inner> {
    let end = bsd(text, 0).or_else(|| iso(text, 0))?;
    let at = run(text, end, |byte| byte == b' ')?;
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/');
    let host = run(text, at, is_of_name).filter(|end| text.get(*end) == Some(&b' '))?;
    if matches!(&text[at..host], b"stdout" | b"stderr") {
        return None;
    }
    let tag = run(text, host + 1, is_of_name).filter(|end| text.get(*end) == Some(&b' '))?;
    facts.set_time(TimeKind::Plain, &text[..end]);
    facts.set(Field::Host, &text[at..host]);
    facts.set(Field::Tag, &text[host + 1..tag]);
    Some(Inner { from: tag + 1, is_piece: false })
}

/// Where the count of RFC 6587 ends, if there is one.
fn octet_count(text: &[u8]) -> usize {
    let digits = run(text, 0, |byte| byte.is_ascii_digit()).filter(|end| *end <= 6);
    digits.filter(|end| text.get(*end..*end + 2) == Some(b" <")).map_or(0, |end| end + 1)
}

/// Where `<PRI>` ends.
fn priority(text: &[u8], start: usize) -> Option<usize> {
    text.get(start).filter(|byte| **byte == b'<')?;
    let end = run(text, start + 1, |byte| byte.is_ascii_digit()).filter(|end| *end <= start + 4)?;
    let value: u16 = str::from_utf8(&text[start + 1..end]).ok()?.parse().ok()?;
    (text.get(end) == Some(&b'>') && value <= PRIORITY_MAX).then_some(end + 1)
}

/// RFC 5424 behind its version: `STAMP HOST APP PROCID MSGID SD MSG`.
fn structured(text: &[u8], start: usize, facts: &mut Facts) -> Option<usize> {
    let stamp = if text.get(start..start + 2) == Some(b"- ") { start + 1 } else { iso(text, start)? };
    text.get(stamp).filter(|byte| **byte == b' ')?;
    let host = word(text, stamp + 1)?;
    let app = word(text, host + 1)?;
    let process = word(text, app + 1)?;
    let message_id = run(text, process + 1, |byte| byte > b' ')?;
    facts.set_time(TimeKind::Plain, &text[start..stamp]);
    let mut set = |field, value: &[u8]| {
        if value != b"-" {
            facts.set(field, value);
        }
    };
    set(Field::Host, &text[stamp + 1..host]);
    set(Field::Tag, &text[host + 1..app]);
    // Heroku leaves the structured data out.
    let data = (message_id + 1).min(text.len());
    let mut at = structured_data(text, data).unwrap_or(message_id);
    at = (at + 1).min(text.len());
    at += if text[at..].starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    // rsyslog keeps the blank that stood behind the tag.
    Some(at + usize::from(text.get(at) == Some(&b' ')))
}

/// Where `-` or `[id name="value" ...]...` ends.
fn structured_data(text: &[u8], start: usize) -> Option<usize> {
    let is_end = |at: usize| matches!(text.get(at), Some(b' ') | None);
    if text.get(start) == Some(&b'-') && is_end(start + 1) {
        return Some(start + 1);
    }
    let is_name = |byte: u8| byte > b' ' && !matches!(byte, b'=' | b']' | b'"');
    let mut at = start;
    while text.get(at) == Some(&b'[') {
        at = run(text, at + 1, is_name)?;
        while text.get(at) == Some(&b' ') {
            at = run(text, at + 1, is_name)?;
            text.get(at..at + 2).filter(|sign| *sign == b"=\"")?;
            at = end_of_value(text, at + 2)?;
        }
        text.get(at).filter(|byte| **byte == b']')?;
        at += 1;
    }
    (at > start && is_end(at)).then_some(at)
}

/// Behind the quote that ends the value of a parameter.
fn end_of_value(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// `STAMP HOST TAG[PID]: MSG`.
fn traditional(text: &[u8], start: usize, has_priority: bool, facts: &mut Facts) -> Option<usize> {
    let at = match stamp(text, start) {
        Some(end) => {
            facts.set_time(TimeKind::Plain, &text[start..end]);
            run(text, end, |byte| byte == b' ')?
        }
        // Some programs leave all to the daemon.
        None if has_priority => start,
        None => return None,
    };
    if let Some((name, end)) = tag(text, at) {
        facts.set(Field::Tag, &text[at..name]);
        return Some(end);
    }
    let host = word(text, at)?;
    let (name, end) = tag(text, host + 1)?;
    facts.set(Field::Host, &text[at..host]);
    facts.set(Field::Tag, &text[host + 1..name]);
    Some(end)
}

/// Where a stamp ends, in any of the ways of syslog daemons and journalctl.
fn stamp(text: &[u8], start: usize) -> Option<usize> {
    let plain = bsd(text, start).or_else(|| iso(text, start)).or_else(|| unix(text, start));
    plain.or_else(|| full(text, start)).or_else(|| monotonic(text, start))
}

/// `Thu 2026-11-26 12:42:22 UTC`: journalctl -o short-full and with-unit.
fn full(text: &[u8], start: usize) -> Option<usize> {
    let day = run(text, start, |byte| byte.is_ascii_alphabetic()).filter(|end| *end == start + 3)?;
    let stamp = iso(text, day + 1).filter(|end| text.get(*end) == Some(&b' '))?;
    word(text, stamp + 1)
}

/// `[   12.345678]`: journalctl -o short-monotonic.
fn monotonic(text: &[u8], start: usize) -> Option<usize> {
    text.get(start).filter(|byte| **byte == b'[')?;
    let end = run(text, start + 1, |byte| byte.is_ascii_digit() || matches!(byte, b' ' | b'.'))?;
    (text.get(end) == Some(&b']')).then_some(end + 1)
}

/// Where the name in `TAG[PID]: ` ends, and where all of it does.
fn tag(text: &[u8], start: usize) -> Option<(usize, usize)> {
    let name = run(text, start, |byte| byte > b' ' && !matches!(byte, b':' | b'[' | b'"' | b'{'))?;
    let mut at = name;
    if text.get(at) == Some(&b'[') {
        at = run(text, at + 1, |byte| byte > b' ' && byte != b']')?;
        text.get(at).filter(|byte| **byte == b']')?;
        at += 1;
        // rsyslog puts no colon behind what came in a message of RFC 5424.
        if text.get(at) == Some(&b' ') {
            return Some((name, at + 1));
        }
    }
    text.get(at).filter(|byte| **byte == b':')?;
    match text.get(at + 1) {
        Some(b' ') => Some((name, at + 2)),
        None => Some((name, at + 1)),
        Some(_) => None,
    }
}

/// What journalctl says between the lines: `-- Boot 0dc874... --`, `-- Reboot --`, `-- No entries --`.
pub fn is_remark(text: &[u8]) -> bool {
    text.starts_with(b"-- ") && (text.ends_with(b" --") || text.starts_with(b"-- Logs begin"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The line within, the host and the tag.
    fn read(line: &str) -> Option<(String, String, String)> {
        let mut facts = Facts::default();
        let inner = syslog(line.as_bytes(), &mut facts)?;
        let told = |field| String::from_utf8_lossy(facts.get(field)).into_owned();
        let rest = String::from_utf8_lossy(&line.as_bytes()[inner.from..]).into_owned();
        Some((rest, told(Field::Host), told(Field::Tag)))
    }

    #[test]
    fn heads_of_every_shape() {
        for (line, host, tag) in [
            ("Mar  5 04:05:06 web1 nginx: a b", "web1", "nginx"),
            ("Mar 15 04:05:06 web1 httpd[4242]: a b", "web1", "httpd"),
            ("Mar 15 2031 04:05:06 web1 httpd[4242]: a b", "web1", "httpd"),
            ("Mar 15 04:05:06.123456 web1 httpd[4242]: a b", "web1", "httpd"),
            ("2031-03-05T04:05:06.492060+00:00 web1 nginx: a b", "web1", "nginx"),
            ("2031-03-05T04:05:06+0000 web1 nginx[1]: a b", "web1", "nginx"),
            ("2031-03-05T04:05:06.4+00:00 app[web.1]: a b", "", "app"),
            ("<190>Mar  5 04:05:06 web1 nginx: a b", "web1", "nginx"),
            ("<134>Mar  5 04:05:06 haproxy[104]: a b", "", "haproxy"),
            ("<134>haproxy[104]: a b", "", "haproxy"),
            ("<190>1 2031-03-05T04:05:06.7+00:00 web1 nginx - - - a b", "web1", "nginx"),
            ("<190>1 2031-03-05T04:05:06Z - haproxy 104 - -  a b", "", "haproxy"),
            ("<190>1 - web1 nginx 1 x [a@1 b=\"c\\\"]\"][d] \u{feff}a b", "web1", "nginx"),
            ("66 <158>1 2031-03-05T04:05:06+00:00 d.1 heroku router - a b", "d.1", "heroku"),
            ("49 <134>Mar  5 04:05:06 web1 nginx: a b", "web1", "nginx"),
            ("Mar  5 04:05:06 web1 httpd[4242] a b", "web1", "httpd"),
            ("1795696942.037000 web1 nginx[4]: a b", "web1", "nginx"),
            ("Thu 2031-03-05 04:05:06 UTC web1 nginx.service[4]: a b", "web1", "nginx.service"),
            ("[   12.345678] web1 nginx[4]: a b", "web1", "nginx"),
        ] {
            let want = ("a b".to_owned(), host.to_owned(), tag.to_owned());
            assert_eq!(read(line), Some(want), "{line}");
        }
    }

    #[test]
    fn what_is_no_head() {
        for line in [
            "",
            "192.0.2.7 - - [05/Mar/2031:04:05:06 +0100] \"GET / HTTP/1.1\" 200 17",
            "Mar  5 04:05:06 a line without a tag",
            "<192>Mar  5 04:05:06 web1 nginx: a",
            "<1900>Mar  5 04:05:06 web1 nginx: a",
            "2031-03-05T04:05:06Z stdout F a",
            "12 a",
            "<134>192.0.2.7 - - a",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
        assert!(is_remark(b"-- Boot 0dc874d3fbd44bdbb6fbcfaa27481492 --"));
    }

    #[test]
    fn a_name_without_a_colon() {
        for line in ["Mar  5 04:05:06 web1 caddy a b", "2031-03-05T04:05:06.7Z web1 caddy a b"] {
            let mut facts = Facts::default();
            let inner = without_colon(line.as_bytes(), &mut facts).unwrap();
            let told = (&line[inner.from..], facts.get(Field::Host), facts.get(Field::Tag));
            assert_eq!(told, ("a b", &b"web1"[..], &b"caddy"[..]), "{line}");
        }
        assert_eq!(without_colon(b"Mar  5 04:05:06 web1 caddy: a", &mut Facts::default()), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            head in "(12 )?(<[0-9]{1,4}>)?(1 )?(Mar  5 04:05:06|2031-03-05T04:05:06Z|-) ?(h |- )?(t\\[1\\]: ?|a - - )?",
            rest in prop::collection::vec(prop_oneof![any::<u8>(), Just(b' '), Just(b'['), Just(b'"'), Just(b':')], 0..40),
        ) {
            let line = [head.as_bytes(), &rest].concat();
            for reader in [syslog, without_colon] {
                let inner = reader(&line, &mut Facts::default());
                prop_assert!(inner.is_none_or(|inner| inner.from <= line.len()));
            }
        }
    }
}
