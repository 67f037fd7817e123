//! The parser of heads against the standard, line by line, and against whatever bytes there are.

use proptest::prelude::*;

use crate::serve::http::request::{Head, Method, Request, check, parse_head};
use crate::snapshot::exposition::Form;

fn request(head: &str) -> Request {
    match parse_head(head.as_bytes()) {
        Head::Complete(request, length) => {
            assert_eq!(length, head.len(), "{head:?}");
            request
        }
        other => panic!("{head:?}: {other:?}"),
    }
}

fn code(head: impl AsRef<[u8]>) -> u16 {
    match parse_head(head.as_ref()) {
        Head::Refused(refusal) => refusal.code,
        other => panic!("{:?}: {other:?}", String::from_utf8_lossy(head.as_ref())),
    }
}

#[test]
fn a_scrape_as_prometheus_sends_it() {
    let head = "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:19117\r\nUser-Agent: Prometheus/2.42.0+ds\r\n\
                Accept: application/openmetrics-text;version=1.0.0,*/*;q=0.1\r\nAccept-Encoding: gzip\r\n\
                X-Prometheus-Scrape-Timeout-Seconds: 10\r\n\r\n";
    let expected = Request {
        method: Method::Get,
        path: "/metrics".into(),
        old: false,
        keep_alive: true,
        form: Form::OpenMetrics,
        gzip: true,
        authorization: None,
    };
    assert_eq!(request(head), expected);
    for length in 0..head.len() {
        assert_eq!(parse_head(&head.as_bytes()[..length]), Head::Partial, "{length}");
    }
}

#[test]
fn what_follows_a_head_is_left() {
    let (first, rest) = ("GET /a HTTP/1.1\r\nHost: x\r\n\r\n", "GET /b HTTP/1.1\r\n");
    let Head::Complete(request, length) = parse_head(format!("{first}{rest}").as_bytes()) else { panic!() };
    assert_eq!((request.path.as_str(), length), ("/a", first.len()));
}

#[test]
fn lines_may_end_in_a_bare_lf_and_empty_ones_come_first() {
    assert_eq!(request("GET / HTTP/1.0\n\n").path, "/");
    assert_eq!(request("\r\n\r\nGET / HTTP/1.1\nHost: x\r\n\n").path, "/");
    assert_eq!(request("GET / HTTP/1.0\n\r\n").path, "/");
}

#[test]
fn targets_in_every_form() {
    for (target, path) in [
        ("/", "/"),
        ("/a%20b", "/a%20b"),
        ("/x?y=/z", "/x"),
        ("/?", "/"),
        ("//x", "//x"),
        ("http://h", "/"),
        ("HTTP://h:1/x?y", "/x"),
        ("https://h?y", "/"),
        ("/%ff", "/%ff"),
        ("/%", "/%"),
    ] {
        assert_eq!(request(&format!("GET {target} HTTP/1.0\r\n\r\n")).path, path, "{target}");
    }
    for target in ["*", "x", "h:80", "/\u{e9}", "/\x7f", "/\t", "", "ftp://h/x"] {
        assert_eq!(code(format!("GET {target} HTTP/1.0\r\n\r\n")), 400, "{target:?}");
    }
    assert_eq!(request("OPTIONS * HTTP/1.0\r\n\r\n").method, Method::Other);
    assert_eq!(request("CONNECT h:80 HTTP/1.0\r\n\r\n").method, Method::Other);
}

#[test]
fn versions() {
    for version in ["HTTP/2.0", "HTTP/2", "HTTP/0.9", "HTTP/3.0", "HTTP/9.9", "http/1.1", "HTTQ/1.1"] {
        assert_eq!(code(format!("GET / {version}\r\n\r\n")), 505, "{version}");
    }
    for line in [
        "GET /",
        "GET / ",
        "GET",
        "GET  / HTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET / HTTP/1.10",
        "GET / x HTTP/1.1",
    ] {
        let code = code(format!("{line}\r\nHost: x\r\n\r\n"));
        assert!([400, 505].contains(&code), "{line:?}");
    }
}

#[test]
fn header_lines_are_bounded() {
    let with = |lines: usize| format!("GET / HTTP/1.0\r\n{}\r\n", "a: b\r\n".repeat(lines));
    assert_eq!(request(&with(100)).path, "/");
    assert_eq!(code(with(101)), 431);
}

#[test]
fn hosts_are_one() {
    assert_eq!(code("GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n"), 400);
    assert_eq!(code("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
}

#[test]
fn a_host_is_a_name_or_an_address_with_a_port() {
    for host in ["", "a", "a.b-c_d:80", "192.0.2.1:", "[::1]", "[2001:db8::1]:443", "caf%c3%a9", "a,b;c=d"] {
        assert_eq!(request(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")).path, "/", "{host}");
    }
    for host in
        ["a b", "a/b@c,d", "a:b", "a:1:2", "[::1", "[::1]80", "[a/b]", "::1", "]", "[", "caf\u{e9}", "a\"b"]
    {
        assert_eq!(code(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")), 400, "{host}");
        assert_eq!(code(format!("GET / HTTP/1.0\r\nHost: {host}\r\n\r\n")), 400, "{host}");
    }
}

#[test]
fn a_strange_word_hides_no_other() {
    let head = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close, \xe9\r\n\r\n";
    let Head::Complete(request, _) = parse_head(head) else { panic!() };
    assert!(!request.keep_alive);
}

#[test]
fn lengths_are_clear_or_refused() {
    let with = |fields: &str| format!("GET / HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n");
    for (fields, keep_alive) in [
        ("Content-Length: 0", true),
        ("Content-Length: 000", true),
        ("Content-Length: 1", false),
        ("Content-Length: 30000000000", false),
        ("Content-Length: 99999999999999999999999999999999999", false),
        ("Transfer-Encoding: chunked", false),
        ("Transfer-Encoding: gzip, nonsense", false),
    ] {
        assert_eq!(request(&with(fields)).keep_alive, keep_alive, "{fields}");
    }
    for fields in [
        "Content-Length: ",
        "Content-Length: +1",
        "Content-Length: -1",
        "Content-Length: 0x1",
        "Content-Length: 1, 1",
        "Content-Length: 1\r\nContent-Length: 1",
        "Content-Length: 0\r\nCONTENT-LENGTH: 1",
        "Content-Length: 1\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Content-Length : 1",
        "Content-Length: 1\r\n 2",
        "Transfer-Encoding\t: chunked",
        "X: a\rContent-Length: 5",
        "X: a\0b",
        "X: a\x7fb",
        "X",
        ": x",
        "X Y: z",
        "X\u{e9}: z",
    ] {
        assert_eq!(code(with(fields)), 400, "{fields:?}");
        assert_eq!(code(with(&format!("Connection: close\r\n{fields}"))), 400, "{fields:?}");
        assert_eq!(code(with(fields).replace("HTTP/1.1", "HTTP/1.0")), 400, "{fields:?}");
    }
    assert!(request(&with("X-Name: caf\u{e9} \t, \"quoted\"")).keep_alive);
}

#[test]
fn what_is_no_text_is_refused_at_its_first_byte() {
    for bytes in [&b"\x16\x03\x01"[..], b"\x00", b" GET", b"\xff", b"(", b"\r\n\r\n\x80"] {
        assert_eq!(code(bytes), 400, "{bytes:?}");
    }
}

/// Pieces a head is made of, whole and broken.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "GET ", "HEAD ", "POST ", "PRI * HTTP/2.0", "/", "/metrics", "http://h/", "*", "%", "%4", "%41", "?", " ",
    "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", " HTTP/1.1\r\nHost: x\r\n", "\r\n", "\n", "\r", "\r\n\r\n", "\n\n",
    "\0", "Host: ", "Content-Length: ", "30000000000", "-1", "Transfer-Encoding: chunked", "Connection: ",
    "close", "keep-alive", "Accept: ", "application/openmetrics-text;version=1.0.0", ";q=0.", "q=", ",", ";",
    "=", ":", "Accept-Encoding: ", "gzip", "\t", "\u{e9}", "\u{7f}", "SM\r\n\r\n",
];

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => proptest::sample::select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// A good head with a few bytes changed, taken out or put in.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<proptest::sample::Index>(), any::<u8>(), 0..3u8);
    proptest::collection::vec(change, 1..5).prop_map(|changes| {
        let mut head = b"GET /metrics?a=%41 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\
                         Accept: text/plain;q=0.5\r\nConnection: close\r\n\r\n"
            .to_vec();
        for (index, byte, kind) in changes {
            let at = index.index(head.len());
            match kind {
                0 => head[at] = byte,
                1 => drop(head.remove(at)),
                _ => head.insert(at, byte),
            }
        }
        head
    })
}

/// 2,000 cases each; HEAD_CASES asks for more.
fn cases() -> ProptestConfig {
    let cases = std::env::var("HEAD_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(2_000);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn any_bytes_are_a_request_or_a_refusal(bytes in bytes()) {
        check(&bytes);
    }

    #[test]
    fn mutated_heads_are_a_request_or_a_refusal(bytes in mutated()) {
        check(&bytes);
    }
}
