//! The request line: method, target and protocol, as far as it is one.
//!
//! Turns the bytes a server logged for `%r` or `$request` (still escaped as in the log) into method, target
//! and protocol, and says what kind of request it was. Nothing here fails: bytes that are no
//! request line have a kind of their own. Follows RFC 9112 section 3 and RFC 9110 section 5.6.2 (token).

use crate::bytes::digits::capitals;
use crate::bytes::digits::word_at;
use crate::bytes::scan::{find_byte, find_either};

/// What a request line turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestKind {
    /// `TOKEN SP target SP HTTP/x`, or the two words of HTTP/0.9.
    Http,
    /// No request line, or one without a byte in it.
    Empty,
    /// No request line came before the server lost patience (status 408).
    Timeout,
    /// A TLS handshake sent to a port that speaks plain HTTP.
    Tls,
    /// Anything else.
    Malformed,
}

/// A request line in its parts; slices of the log line, still escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'l> {
    /// The first word when it is a token and something follows it; empty otherwise.
    pub method: &'l [u8],
    pub target: Option<&'l [u8]>,
    pub protocol: Option<&'l [u8]>,
    pub kind: RequestKind,
    /// The method and the blank behind it, if these are up to eight bytes of a log line and the method is capitals:
    /// a word to know it by. Otherwise 0.
    pub word: u64,
}

const fn is_token(c: u8) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(
            c,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

/// The same for every byte, to be looked up.
const TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0u8;
    while byte < 0x80 {
        table[byte as usize] = is_token(byte);
        byte += 1;
    }
    table
};

impl<'l> Request<'l> {
    /// The path of the target, without query, still escaped as in the log.
    #[inline]
    pub fn path(&self) -> Option<&'l [u8]> {
        self.target.map(path_of)
    }

    /// Reads a request line. `timed_out` tells whether the status is 408, and is asked only when it matters.
    #[inline(always)]
    pub fn read(line: &'l [u8], timed_out: impl FnOnce() -> bool) -> Request<'l> {
        let (length, word) = first_word(line);
        let (method, [b' ', rest @ ..]) = line.split_at(length) else {
            return Request::invalid(kind_of_invalid(line, timed_out()));
        };
        if method.is_empty() || rest.is_empty() {
            return Request::invalid(kind_of_invalid(line, timed_out()));
        }
        let (target, protocol, sound) = match last_word(rest) {
            // A target may even be missing, as long as the line is a request in every other way.
            Some((target, protocol, sound)) => (target, Some(protocol), sound),
            // HTTP/0.9 has two words; two words of another protocol do not look like a path.
            None => (rest, None, find_byte(rest, 0, b' ') == rest.len() && is_target(rest)),
        };
        let kind = if sound { RequestKind::Http } else { RequestKind::Malformed };
        Request { method, target: Some(target), protocol, kind, word }
    }

    fn invalid(kind: RequestKind) -> Request<'l> {
        Request { method: b"", target: None, protocol: None, kind, word: 0 }
    }

    /// The same from parts that were logged each on its own; `method` is the word as logged, and the eight bytes of the
    /// line that begin with it.
    pub fn of_parts(
        (method, bytes): (&'l [u8], u64),
        target: Option<&'l [u8]>,
        protocol: Option<&'l [u8]>,
        timed_out: impl FnOnce() -> bool,
    ) -> Request<'l> {
        let length = capitals(bytes);
        if length == method.len() && (1..8).contains(&length) {
            // As it would stand in a request line, with the blank behind it.
            let word = bytes & u64::MAX >> (64 - 8 * length) | u64::from(b' ') << (8 * length);
            return Request { method, target, protocol, kind: RequestKind::Http, word };
        }
        if !method.is_empty() && method != b"-" && method.iter().all(|&c| TOKEN[usize::from(c)]) {
            return Request { method, target, protocol, kind: RequestKind::Http, word: 0 };
        }
        Request { target, protocol, ..Request::invalid(kind_of_invalid(method, timed_out())) }
    }
}

/// Where the token that begins the line ends, and it as a word. Methods are words of capitals, all of them seen at
/// once.
#[inline(always)]
fn first_word(line: &[u8]) -> (usize, u64) {
    let word = word_at(line, 0);
    let length = capitals(word);
    if length < 8 && word >> (8 * length) & 0xff == u64::from(b' ') {
        return (length, word & u64::MAX >> (56 - 8 * length));
    }
    (token(line), 0)
}

#[inline(never)]
fn token(line: &[u8]) -> usize {
    line.iter().position(|&c| !TOKEN[usize::from(c)]).unwrap_or(line.len())
}

/// The target's path: without scheme and authority, without query and fragment.
pub fn path_of(target: &[u8]) -> &[u8] {
    let target = match scheme_of(target) {
        Some(scheme) => {
            let after = scheme.len() + 3;
            let slash = find_byte(target, after, b'/');
            if slash == target.len() { b"/" } else { &target[slash..] }
        }
        None => target,
    };
    &target[..find_either(target, 0, b'?', b'#')]
}

/// The scheme of a target in absolute form (RFC 9112 section 3.2.2).
pub fn scheme_of(target: &[u8]) -> Option<&[u8]> {
    let end = target.iter().position(|c| !c.is_ascii_alphanumeric())?;
    (end > 0 && target[end..].starts_with(b"://")).then(|| &target[..end])
}

/// The host, perhaps with a port, that a target in absolute form names.
pub fn authority_of(target: &[u8]) -> Option<&[u8]> {
    let rest = &target[scheme_of(target)?.len() + 3..];
    let end = rest.iter().position(|c| matches!(c, b'/' | b'?' | b'#' | b' ')).unwrap_or(rest.len());
    // The host stands behind the user's name and password.
    let host = rest[..end].rsplit(|c| *c == b'@').next();
    host.filter(|host| !host.is_empty())
}

/// The query of a target, without the question mark.
pub fn query_of(target: &[u8]) -> Option<&[u8]> {
    let start = find_byte(target, 0, b'?');
    target.get(start + 1..)
}

/// Target and protocol, when the last word is a protocol, and whether that is a sound version. All versions in
/// use are eight bytes or six, so the usual line is not searched.
#[inline(always)]
fn last_word(rest: &[u8]) -> Option<(&[u8], &[u8], bool)> {
    if let Some((target, [b' ', version @ ..])) = rest.split_last_chunk::<9>()
        && is_usual(u64::from_le_bytes(*version))
    {
        return Some((target, &rest[target.len() + 1..], true));
    }
    searched_last_word(rest)
}

/// Whether the word is `HTTP/0.0` with any two digits.
#[inline]
fn is_usual(word: u64) -> bool {
    const ZEROS: u64 = u64::from_le_bytes(*b"HTTP/0.0");
    const DIGITS: u64 = u64::from_le_bytes([0, 0, 0, 0, 0, 0x0f, 0, 0x0f]);
    // What is above nine overflows its four bits when six are added.
    const SIX: u64 = u64::from_le_bytes([0, 0, 0, 0, 0, 6, 0, 6]);
    let others = word ^ ZEROS;
    (others | others.wrapping_add(SIX)) & !DIGITS == 0
}

#[inline(never)]
fn searched_last_word(rest: &[u8]) -> Option<(&[u8], &[u8], bool)> {
    let at = rest.iter().rposition(|&c| c == b' ')?;
    let (target, word) = (&rest[..at], &rest[at + 1..]);
    let protocol = word.len() >= 4 && word[..4].eq_ignore_ascii_case(b"HTTP");
    protocol.then(|| (target, word, is_version(word)))
}

/// `HTTP/1.1`, `HTTP/2`, and `HTTP/2.0` with any digits: the protocol is the client's word.
fn is_version(protocol: &[u8]) -> bool {
    let Some(version) = protocol.strip_prefix(b"HTTP/") else { return false };
    let mut parts = version.splitn(2, |&c| c == b'.');
    let number = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    parts.next().is_some_and(number) && parts.next().is_none_or(number)
}

fn is_target(target: &[u8]) -> bool {
    target.first() == Some(&b'/') || target == b"*" || scheme_of(target).is_some()
}

#[cold]
fn kind_of_invalid(line: &[u8], timed_out: bool) -> RequestKind {
    if matches!(line, b"" | b"-") {
        return if timed_out { RequestKind::Timeout } else { RequestKind::Empty };
    }
    // 0x16 opens a TLS record (RFC 8446 section 5.1): raw, as Apache and nginx write it, as JSON writes it.
    let hello = [&b"\x16"[..], b"\\x16", b"\\u0016"].iter().any(|mark| line.starts_with(mark));
    if hello { RequestKind::Tls } else { RequestKind::Malformed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use RequestKind::{Empty, Http, Malformed, Timeout, Tls};
    use proptest::prelude::*;

    #[test]
    fn request_lines() {
        for (line, method, target, protocol, kind) in [
            ("GET / HTTP/1.1", "GET", "/", "HTTP/1.1", Http),
            ("HEAD /x HTTP/2", "HEAD", "/x", "HTTP/2", Http),
            ("get /x HTTP/1.0", "get", "/x", "HTTP/1.0", Http),
            ("M-SEARCH * HTTP/1.1", "M-SEARCH", "*", "HTTP/1.1", Http),
            ("CONNECT a.example:443 HTTP/1.1", "CONNECT", "a.example:443", "HTTP/1.1", Http),
            ("GET /a b HTTP/1.1", "GET", "/a b", "HTTP/1.1", Http),
            ("GET /", "GET", "/", "", Http),
            ("GET http://a.example/", "GET", "http://a.example/", "", Http),
            ("hello world", "hello", "world", "", Malformed),
            ("GET / HTTP/V1.0", "GET", "/", "HTTP/V1.0", Malformed),
            ("GET /foo http", "GET", "/foo", "http", Malformed),
            ("GET /a b", "GET", "/a b", "", Malformed),
            ("GET  HTTP/1.1", "GET", "", "HTTP/1.1", Http),
            ("GET", "", "", "", Malformed),
            ("GET ", "", "", "", Malformed),
            (r"Gh0st\xad", "", "", "", Malformed),
            (r"\n", "", "", "", Malformed),
            ("27;wget%20x HTTP/1.0", "", "", "", Malformed),
            ("", "", "", "", Empty),
            ("-", "", "", "", Empty),
            (r"\x16\x03\x01", "", "", "", Tls),
            (r"\u0016\u0003", "", "", "", Tls),
            ("\x16\x03", "", "", "", Tls),
        ] {
            let request = Request::read(line.as_bytes(), || false);
            assert_eq!(request.method, method.as_bytes(), "{line}");
            assert_eq!(request.target.unwrap_or_default(), target.as_bytes(), "{line}");
            assert_eq!(request.protocol.unwrap_or_default(), protocol.as_bytes(), "{line}");
            assert_eq!(request.kind, kind, "{line}");
        }
        assert_eq!(Request::read(b"-", || true).kind, Timeout);
        assert_eq!(Request::read(b"", || true).kind, Timeout);
        assert_eq!(Request::read(b"GET / HTTP/1.1", || true).kind, Http);
    }

    #[test]
    fn targets_in_parts() {
        for (target, path, scheme, query) in [
            ("/a/b?c=d", "/a/b", None, Some("c=d")),
            ("http://h.example:80/x?y", "/x", Some("http"), Some("y")),
            ("https://h.example", "/", Some("https"), None),
            ("*", "*", None, None),
            ("/a?", "/a", None, Some("")),
            ("", "", None, None),
        ] {
            let text = target.as_bytes();
            assert_eq!(path_of(text), path.as_bytes());
            assert_eq!(scheme_of(text), scheme.map(str::as_bytes));
            assert_eq!(query_of(text), query.map(str::as_bytes));
        }
    }

    #[test]
    fn a_method_is_known_by_the_same_word_in_a_request_line_and_alone() {
        for method in ["GET", "A", "DELETE", "OPTIONS", "PROPFIND", "M-SEARCH", "get", "GE"] {
            let request = format!("{method} / HTTP/1.1");
            for behind in ["\",\"uri\":", "", "T", " "] {
                let logged = format!("{method}{behind}");
                let bytes = word_at(logged.as_bytes(), 0);
                let alone =
                    Request::of_parts((method.as_bytes(), bytes), Some(b"/"), Some(b"HTTP/1.1"), || false);
                let read = Request::read(request.as_bytes(), || false);
                let word = if behind == "T" { 0 } else { read.word };
                assert_eq!(alone, Request { word, ..read }, "{logged}");
            }
        }
        assert_eq!(Request::of_parts((b"", 0), None, None, || false).kind, Empty);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(line in proptest::collection::vec(any::<u8>(), 0..60), late: bool) {
            let request = Request::read(&line, || late);
            let _ = request.target.map(|t| (path_of(t).len(), query_of(t), scheme_of(t)));
        }
    }
}
