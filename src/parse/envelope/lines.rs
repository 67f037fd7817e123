//! Readers of text heads: each reads the start of a line and says where the line within begins.
//!
//! A head is anchored at the start and never searched for. What a reader looks at is bounded by the head's own length,
//! and no bytes make it panic. Sources: the CRI log format of Kubernetes (kuberuntime/logs), moby's `docker logs -t`,
//! daemontools' tai64n, s6-log(1), svlogd(8), kubectl logs --prefix, docker compose logs, stern's default template,
//! logcli's and the AWS command line's output, Fluentd's out_file, journalctl(1).

use crate::bytes::digits::{are_digits, is_clock, word_at};
use crate::calendar::MONTHS;
use crate::parse::envelope::facts::{Facts, Field, TimeKind};

/// Where the line within begins, and whether it goes on in the next line of its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inner {
    pub from: usize,
    pub is_piece: bool,
}

fn whole(from: usize) -> Inner {
    Inner { from, is_piece: false }
}

/// No name in a head is longer.
const NAME_BYTES_MAX: usize = 256;

/// Where a run of bytes ends, if it is one and not endless.
#[inline]
pub fn run(text: &[u8], start: usize, is_part: impl Fn(u8) -> bool) -> Option<usize> {
    let mut end = start;
    while end < text.len() && is_part(text[end]) {
        end += 1;
        if end - start > NAME_BYTES_MAX {
            return None;
        }
    }
    (end > start).then_some(end)
}

/// Where a word ends that has a blank behind it.
#[inline]
pub fn word(text: &[u8], start: usize) -> Option<usize> {
    run(text, start, |byte| byte > b' ').filter(|end| text.get(*end) == Some(&b' '))
}

/// Where `dd:dd:dd` ends.
#[inline(always)]
fn clock(text: &[u8], start: usize) -> Option<usize> {
    is_clock(word_at(text, start)).then_some(start + 8)
}

/// Where the digits behind a point or comma end, if there are any.
#[inline]
fn fraction(text: &[u8], start: usize) -> usize {
    match text.get(start) {
        Some(b'.' | b',') => run(text, start + 1, |byte| byte.is_ascii_digit()).unwrap_or(start),
        _ => start,
    }
}

/// Where `2026-11-26T12:42:22.5+01:00` ends; with a blank or an underline for the T, with or without fraction and zone.
#[inline]
pub fn iso(text: &[u8], start: usize) -> Option<usize> {
    let has = |at: usize, byte| text.get(start + at) == Some(&byte);
    let is_date = are_digits(text, start, 4) && has(4, b'-') && has(7, b'-');
    if !(is_date && matches!(text.get(start + 10), Some(b'T' | b't' | b' ' | b'_'))) {
        return None;
    }
    let end = fraction(text, clock(text, start + 11)?);
    let zone = |from: usize| match text.get(from)? {
        b'Z' | b'z' => Some(from + 1),
        b'+' | b'-' if are_digits(text, from + 1, 4) => Some(from + 5),
        b'+' | b'-' if are_digits(text, from + 1, 2) && text.get(from + 3) == Some(&b':') => {
            are_digits(text, from + 4, 2).then_some(from + 6)
        }
        _ => None,
    };
    Some(zone(end).unwrap_or(end))
}

/// The names of the months as words.
const MONTH_WORDS: [u64; 12] = {
    let (mut words, mut at) = ([0; 12], 0);
    while at < words.len() {
        let [a, b, c] = *MONTHS[at];
        words[at] = u64::from_le_bytes([a, b, c, 0, 0, 0, 0, 0]);
        at += 1;
    }
    words
};

/// Where `Nov 26 12:42:22` ends; with or without a year and a fraction.
#[inline]
pub fn bsd(text: &[u8], start: usize) -> Option<usize> {
    let month = word_at(text, start) & 0x00ff_ffff;
    let is_day = match text.get(start + 3..start + 7)? {
        [b' ', b' ' | b'0'..=b'3', digit, b' '] => digit.is_ascii_digit(),
        _ => false,
    };
    if !is_day || !MONTH_WORDS.contains(&month) {
        return None;
    }
    let year = if are_digits(text, start + 7, 4) && text.get(start + 11) == Some(&b' ') { 5 } else { 0 };
    clock(text, start + 7 + year).map(|end| fraction(text, end))
}

/// Where `1795696942.037000` ends.
pub fn unix(text: &[u8], start: usize) -> Option<usize> {
    let ten = are_digits(text, start, 8)
        && are_digits(text, start + 8, 2)
        && !text.get(start + 10).is_some_and(u8::is_ascii_digit);
    ten.then(|| fraction(text, start + 10))
}

/// Where the colours at a place end.
#[inline]
pub fn colours(text: &[u8], mut at: usize) -> usize {
    while text.get(at) == Some(&0x1b) && text.get(at + 1) == Some(&b'[') {
        let parameters =
            text[at + 2..].iter().take(16).take_while(|c| c.is_ascii_digit() || **c == b';').count();
        match text.get(at + 2 + parameters) {
            Some(b'm' | b'K') => at += parameters + 3,
            _ => return at,
        }
    }
    at
}

/// `STAMP stdout F LINE`.
pub fn cri(text: &[u8], facts: &mut Facts) -> Option<Inner> {
    let end = iso(text, 0)?;
    let stream = match text.get(end..end + 8)? {
        b" stdout " => &b"stdout"[..],
        b" stderr " => b"stderr",
        _ => return None,
    };
    // Behind the letter may stand more tags, with colons between.
    let tags = end + 8;
    let behind = match text.get(tags + 1) {
        Some(b':') => word(text, tags)?,
        Some(b' ') | None => tags + 1,
        Some(_) => return None,
    };
    let is_piece = match text.get(tags)? {
        b'F' => false,
        b'P' => true,
        _ => return None,
    };
    facts.set_time(TimeKind::Plain, &text[..end]);
    facts.set(Field::Stream, stream);
    Some(Inner { from: (behind + 1).min(text.len()), is_piece })
}

/// A bare stamp, as `docker logs -t`, `kubectl logs --timestamps`, s6-log and svlogd put it; perhaps in brackets.
pub fn stamp(text: &[u8], facts: &mut Facts) -> Option<Inner> {
    let start = usize::from(text.first() == Some(&b'['));
    let end = iso(text, start)?;
    let mut at = end + start;
    if start == 1 && text.get(end) != Some(&b']') {
        return None;
    }
    let blanks = text.get(at..)?.iter().take(2).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    if blanks == 0 && at < text.len() {
        return None;
    }
    at += blanks;
    facts.set_time(TimeKind::Plain, &text[start..end]);
    Some(whole(at))
}

/// `@4000000065a1b2c3075bcd15 LINE`.
pub fn tai64n(text: &[u8], facts: &mut Facts) -> Option<Inner> {
    let digits = text.strip_prefix(b"@")?.get(..24)?;
    if !digits.iter().all(u8::is_ascii_hexdigit) || !matches!(text.get(25), Some(b' ') | None) {
        return None;
    }
    facts.set_time(TimeKind::Tai64n, digits);
    Some(whole(text.len().min(26)))
}

/// `1795696942.037 LINE`.
pub fn unix_stamp(text: &[u8], facts: &mut Facts) -> Option<Inner> {
    let end = unix(text, 0).filter(|end| text.get(*end) == Some(&b' '))?;
    facts.set_time(TimeKind::Plain, &text[..end]);
    Some(whole(end + 1))
}

/// `Nov 26 12:42:22 LINE`, as ts(1) puts it.
pub fn bsd_stamp(text: &[u8], _: &mut Facts) -> Option<Inner> {
    bsd(text, 0).filter(|end| text.get(*end) == Some(&b' ')).map(|end| whole(end + 1))
}

/// `STAMP WORD LINE`: `aws logs tail`.
pub fn stamp_and_stream(text: &[u8], facts: &mut Facts) -> Option<Inner> {
    let end = iso(text, 0).filter(|end| text.get(*end) == Some(&b' '))?;
    let name = word(text, end + 1)?;
    facts.set_time(TimeKind::Plain, &text[..end]);
    facts.set(Field::Tag, &text[end + 1..name]);
    Some(whole(name + 1))
}

/// `STAMP<TAB>TAG<TAB>RECORD`: Fluentd's out_file.
pub fn fluentd(text: &[u8], facts: &mut Facts) -> Option<Inner> {
    let end = iso(text, 0).filter(|end| text.get(*end) == Some(&b'\t'))?;
    let tag = run(text, end + 1, |byte| byte > b' ').filter(|tag| text.get(*tag) == Some(&b'\t'))?;
    facts.set_time(TimeKind::Plain, &text[..end]);
    facts.set(Field::Tag, &text[end + 1..tag]);
    Some(whole(tag + 1))
}

/// `STAMP {app="web", pod="web-1"} LINE`: logcli.
pub fn logcli(text: &[u8], facts: &mut Facts) -> Option<Inner> {
    let end = iso(text, 0).filter(|end| text.get(*end..*end + 2) == Some(b" {"))?;
    let mut at = end + 2;
    facts.set_time(TimeKind::Plain, &text[..end]);
    while text.get(at) != Some(&b'}') {
        let equals = run(text, at, |byte| byte.is_ascii_alphanumeric() || byte == b'_')?;
        let value = text.get(equals..equals + 2).filter(|sign| *sign == b"=\"").map(|_| equals + 2)?;
        let length = text.get(value..)?.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
        if let Some(field) = label(&text[at..equals]) {
            facts.set_default(field, &text[value..value + length]);
        }
        at = end_of_string(text, value + length)?;
        at += text.get(at..)?.iter().take(2).take_while(|byte| matches!(byte, b',' | b' ')).count();
    }
    (text.get(at + 1) == Some(&b' ')).then_some(whole(at + 2))
}

/// Behind the quote that ends a string.
fn end_of_string(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// What Loki's usual labels are.
fn label(name: &[u8]) -> Option<Field> {
    Some(match name {
        b"pod" | b"pod_name" => Field::Pod,
        b"container" | b"container_name" => Field::Container,
        b"namespace" => Field::Namespace,
        b"service" | b"service_name" | b"app" => Field::Service,
        b"host" | b"hostname" | b"node_name" => Field::Host,
        b"stream" => Field::Stream,
        b"filename" => Field::File,
        _ => return None,
    })
}

/// Characters of the names that Kubernetes gives (RFC 1123).
fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.')
}

/// `[pod/NAME/CONTAINER] LINE`: kubectl logs --prefix.
pub fn pod(text: &[u8], facts: &mut Facts) -> Option<Inner> {
    let start = b"[pod/".len();
    text.strip_prefix(b"[pod/")?;
    let name = run(text, start, is_of_name).filter(|end| text.get(*end) == Some(&b'/'))?;
    let container = run(text, name + 1, is_of_name).filter(|end| text.get(*end) == Some(&b']'))?;
    facts.set(Field::Pod, &text[start..name]);
    facts.set(Field::Container, &text[name + 1..container]);
    match text.get(container + 1) {
        Some(b' ') => Some(whole(container + 2)),
        None => Some(whole(container + 1)),
        Some(_) => None,
    }
}

/// `web-1  | LINE`: docker compose logs, docker service logs, foreman and pm2; with or without colours.
pub fn compose(text: &[u8], facts: &mut Facts) -> Option<Inner> {
    let mut start = colours(text, 0);
    // Foreman has the time of day before the name.
    start = clock(text, start).filter(|end| text.get(*end) == Some(&b' ')).map_or(start, |end| end + 1);
    let name = run(text, start, |byte| byte > b' ' && byte != 0x7f)?;
    let blanks = run(text, colours(text, name), |byte| byte == b' ')?;
    if text.get(blanks) != Some(&b'|') {
        return None;
    }
    let mut at = colours(text, blanks + 1);
    match text.get(at) {
        Some(b' ') => at = colours(text, at + 1),
        None => {}
        Some(_) => return None,
    }
    let container = &text[start..name];
    let instance = container.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (service, number) = container.split_at(container.len() - instance);
    let service = match service.split_last() {
        Some((b'-' | b'_' | b'.', service)) if !number.is_empty() => service,
        _ => container,
    };
    facts.set(Field::Container, container);
    facts.set(Field::Service, service);
    Some(whole(at))
}

/// The words of Kubernetes at the start, each with a blank behind it.
fn names<const N: usize>(text: &[u8]) -> Option<([(usize, usize); N], usize)> {
    let (mut words, mut at) = ([(0, 0); N], 0);
    for word in &mut words {
        let start = colours(text, at);
        let end = run(text, start, is_of_name)?;
        *word = (start, end);
        at = colours(text, end);
        if text.get(at) != Some(&b' ') {
            return None;
        }
        at += 1;
    }
    Some((words, colours(text, at)))
}

/// Names of pods end in a hash or a number behind a dash.
fn is_pod(name: &[u8]) -> bool {
    name.contains(&b'-') && name.first().is_some_and(u8::is_ascii_lowercase)
}

/// `POD CONTAINER LINE`: stern.
pub fn stern(text: &[u8], facts: &mut Facts) -> Option<Inner> {
    let ([pod, container], from) = names::<2>(text)?;
    let of = |(start, end): (usize, usize)| &text[start..end];
    if !is_pod(of(pod)) || !of(container)[0].is_ascii_lowercase() {
        return None;
    }
    facts.set(Field::Pod, of(pod));
    facts.set(Field::Container, of(container));
    Some(whole(from))
}

/// `NAMESPACE POD CONTAINER LINE`: stern --all-namespaces.
pub fn stern_namespace(text: &[u8], facts: &mut Facts) -> Option<Inner> {
    let ([namespace, pod, container], from) = names::<3>(text)?;
    let of = |(start, end): (usize, usize)| &text[start..end];
    if !is_pod(of(pod)) || !of(container)[0].is_ascii_lowercase() {
        return None;
    }
    facts.set(Field::Namespace, of(namespace));
    facts.set(Field::Pod, of(pod));
    facts.set(Field::Container, of(container));
    Some(whole(from))
}

/// `[POD CONTAINER] LINE` or `[POD] LINE`: kubetail.
pub fn kubetail(text: &[u8], facts: &mut Facts) -> Option<Inner> {
    let start = colours(text, 0);
    let start = text.get(start).filter(|byte| **byte == b'[').map(|_| start + 1)?;
    let pod = run(text, start, is_of_name).filter(|end| is_pod(&text[start..*end]))?;
    let mut end = pod;
    if text.get(pod) == Some(&b' ') {
        end = run(text, pod + 1, is_of_name)?;
        facts.set(Field::Container, &text[pod + 1..end]);
    }
    facts.set(Field::Pod, &text[start..pod]);
    let at = text.get(end).filter(|byte| **byte == b']').map(|_| colours(text, end + 1))?;
    (text.get(at) == Some(&b' ')).then(|| whole(colours(text, at + 1)))
}

/// `FILE:LINE:` or `FILE:`, as grep and ripgrep put it.
pub fn grep(text: &[u8], facts: &mut Facts) -> Option<Inner> {
    let start = colours(text, 0);
    let name = run(text, start, |byte| byte > b' ' && !matches!(byte, b':' | b'"' | b'[' | b'{'))?;
    let file = &text[start..name];
    let is_file =
        file.starts_with(b"/") || file.starts_with(b"./") || file.windows(4).any(|part| part == b".log");
    let mut at = colours(text, name);
    if !is_file || text.get(at) != Some(&b':') {
        return None;
    }
    at = colours(text, at + 1);
    let number = run(text, at, |byte| byte.is_ascii_digit()).map(|end| (end, colours(text, end)));
    if let Some((_, colon)) = number.filter(|(_, colon)| text.get(*colon) == Some(&b':')) {
        at = colours(text, colon + 1);
    }
    facts.set_file(file);
    Some(whole(at))
}

/// The file that `tail` says the next lines come from: `==> FILE <==`.
pub fn tail_header(text: &[u8]) -> Option<&[u8]> {
    text.strip_prefix(b"==> ")?.strip_suffix(b" <==").filter(|name| !name.is_empty())
}

/// What docker compose says of a container among the lines of all: `web-1 exited with code 0`.
pub fn is_remark(line: &[u8]) -> bool {
    const SAYS: &[u8] = b" exited with code ";
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    // On a terminal it clears the line first.
    let line = line.strip_prefix(b"\x1b[K").unwrap_or(line);
    let Some(end) = run(line, 0, is_of_name).filter(|end| line[*end..].starts_with(SAYS)) else {
        return false;
    };
    line.get(end + SAYS.len()).is_some_and(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Reader = fn(&[u8], &mut Facts) -> Option<Inner>;

    /// What a reader makes of a line: the line within, whether it is a piece, and what the head tells.
    fn read(reader: Reader, line: &str) -> Option<(String, bool, String)> {
        let mut facts = Facts::default();
        let Inner { from, is_piece } = reader(line.as_bytes(), &mut facts)?;
        Some((line[from..].to_owned(), is_piece, facts.shown()))
    }

    fn is(line: &str, told: &str) -> Option<(String, bool, String)> {
        Some((line.to_owned(), false, told.to_owned()))
    }

    #[test]
    fn heads_of_container_runtimes() {
        assert_eq!(read(cri, "2031-03-05T04:05:06.7Z stdout F a b"), is("a b", "stream=stdout"));
        assert_eq!(read(cri, "2031-03-05T04:05:06.7+01:00 stderr F:x:y a"), is("a", "stream=stderr"));
        assert_eq!(read(cri, "2031-03-05T04:05:06Z stdout F "), is("", "stream=stdout"));
        assert_eq!(read(cri, "2031-03-05T04:05:06Z stdout F"), is("", "stream=stdout"));
        let piece = read(cri, "2031-03-05T04:05:06.7Z stdout P a ").unwrap();
        assert_eq!((piece.0.as_str(), piece.1), ("a ", true));
        for line in
            ["2031-03-05T04:05:06Z stdout X a", "2031-03-05T04:05:06Z stdin F a", "2031-03-05 stdout F a"]
        {
            assert_eq!(read(cri, line), None, "{line}");
        }
        let web = "pod=web-7d-x container=nginx";
        assert_eq!(read(pod, "[pod/web-7d-x/nginx] a"), is("a", web));
        assert_eq!(read(stern, "web-7d-x nginx a"), is("a", web));
        assert_eq!(read(stern, "\x1b[32mweb-7d-x\x1b[0m \x1b[92mnginx\x1b[0m a"), is("a", web));
        assert_eq!(read(kubetail, "[web-7d-x nginx] a"), is("a", web));
        assert_eq!(
            read(stern_namespace, "shop web-7d-x nginx a"),
            is("a", "pod=web-7d-x container=nginx namespace=shop")
        );
        assert_eq!(read(stern, "192.0.2.7 - a"), None);
        let composed = "container=web-1 service=web";
        assert_eq!(read(compose, "web-1  | a"), is("a", composed));
        assert_eq!(read(compose, "\x1b[36mweb-1  | \x1b[0ma"), is("a", composed));
        assert_eq!(read(compose, "04:05:06 web.1   | a"), is("a", "container=web.1 service=web"));
        assert_eq!(read(compose, "web-1  |"), is("", composed));
        assert_eq!(read(compose, "a || b"), None);
    }

    #[test]
    fn stamps_in_front() {
        for line in [
            "2031-03-05T04:05:06.123456789Z a",
            "2031-03-05 04:05:06.123456789  a",
            "2031-03-05_04:05:06.12345 a",
            "2031-03-05T04:05:06+0100\ta",
            "[2031-03-05 04:05:06,123] a",
        ] {
            assert_eq!(read(stamp, line), is("a", ""), "{line}");
        }
        assert_eq!(read(tai64n, "@400000006b082e2c2cdbd554 a"), is("a", ""));
        assert_eq!(read(tai64n, "@400000006b082e2c2cdbd5 a"), None);
        assert_eq!(read(unix_stamp, "1795696942.037000 a"), is("a", ""));
        assert_eq!(read(unix_stamp, "17956969421 a"), None);
        assert_eq!(read(bsd_stamp, "Mar  5 04:05:06 a"), is("a", ""));
        assert_eq!(
            read(stamp_and_stream, "2031-03-05T04:05:06+00:00 ecs/web/0a1b a"),
            is("a", "tag=ecs/web/0a1b")
        );
        assert_eq!(read(fluentd, "2031-03-05T04:05:06+00:00\tweb.access\t{}"), is("{}", "tag=web.access"));
        let told = "pod=web-1 namespace=shop service=web";
        let labels = r#"{app="web", namespace="shop", pod="web-1", x="\"}"}"#;
        assert_eq!(read(logcli, &format!("2031-03-05T04:05:06Z {labels} a")), is("a", told));
        assert_eq!(read(logcli, "2031-03-05T04:05:06Z {} a"), is("a", ""));
        assert_eq!(read(logcli, "2031-03-05T04:05:06Z {\"a\":1} a"), None);
    }

    #[test]
    fn names_of_files_in_front() {
        assert_eq!(read(grep, "/var/log/a.log:12:b"), is("b", "file=/var/log/a.log"));
        assert_eq!(read(grep, "a.log.1:b:c"), is("b:c", "file=a.log.1"));
        assert_eq!(
            read(grep, "\x1b[35m\x1b[Ka.log\x1b[m\x1b[K\x1b[36m\x1b[K:\x1b[m\x1b[Kb"),
            is("b", "file=a.log")
        );
        for line in ["2001:db8:1::2 - -", "shop.example:80 192.0.2.7 -", "::1 - -"] {
            assert_eq!(read(grep, line), None, "{line}");
        }
        assert_eq!(tail_header(b"==> /var/log/a b.log <=="), Some(&b"/var/log/a b.log"[..]));
        assert_eq!(tail_header(b"==> <=="), None);
    }

    const READERS: [Reader; 14] = [
        cri,
        stamp,
        tai64n,
        unix_stamp,
        bsd_stamp,
        stamp_and_stream,
        fluentd,
        logcli,
        pod,
        compose,
        stern,
        stern_namespace,
        kubetail,
        grep,
    ];

    proptest! {
        #[test]
        fn no_bytes_make_a_reader_panic(
            which in 0..READERS.len(),
            head in prop_oneof![
                Just("2031-03-05T04:05:06.7Z stdout F "), Just("2031-03-05T04:05:06Z {a=\"b\"} "), Just("web-1  | "),
                Just("[pod/a-b/c] "), Just("@400000006b082e2c2cdbd554 "), Just("\x1b[35ma.log\x1b[m:1:"), Just(""),
            ],
            cut in 0usize..40,
            rest in prop::collection::vec(prop_oneof![any::<u8>(), Just(b' '), Just(b'"'), Just(0x1b), Just(b'[')], 0..40),
        ) {
            let line = [&head.as_bytes()[..cut.min(head.len())], &rest].concat();
            let inner = READERS[which](&line, &mut Facts::default());
            prop_assert!(inner.is_none_or(|inner| inner.from <= line.len()));
            let _ = tail_header(&line);
        }
    }
}
