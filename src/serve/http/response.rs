//! Response: turns a status code, a body and the options of a request into the bytes of an answer.
//!
//! The head is printed by tiny_http (status line, Date, Content-Length). `Connection` is the one header its
//! `Response` does not let through, so it is written before the head's last line. The body is never copied:
//! all receivers of a page share it.

use std::io::{self, Write};
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use tiny_http::{HTTPVersion, Header, Response, StatusCode};

use crate::serve::http::request::{Method, Refusal, Request};

/// A rendered page, for any number of requests.
#[derive(Debug, Clone)]
pub struct Body {
    pub code: u16,
    pub content_type: &'static str,
    pub bytes: Arc<Vec<u8>>,
    /// The same body compressed, where a request wants it and it is shorter.
    pub gzip: Option<Arc<Vec<u8>>>,
    /// Which request headers had a say in it.
    pub vary: Option<&'static str>,
}

pub const PLAIN: &str = "text/plain; charset=utf-8";
pub const HTML: &str = "text/html; charset=utf-8";
pub const JSON: &str = "application/json";

/// With every HTML page: it loads from here alone and runs nothing inline, nobody frames it, and no text can
/// become markup by way of a script. Label values come from strangers.
const HTML_FIELDS: [(&str, &str); 2] = [
    (
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
         trusted-types 'none'",
    ),
    ("Referrer-Policy", "no-referrer"),
];

impl Body {
    pub fn new(content_type: &'static str, body: Vec<u8>) -> Body {
        Body { code: 200, content_type, bytes: Arc::new(body), gzip: None, vary: Some("Accept-Encoding") }
    }

    /// A few words in place of a page.
    pub fn note(code: u16, words: &str) -> Body {
        let body = format!("{code} {}: {words}\n", StatusCode(code).default_reason_phrase());
        Body { code, content_type: PLAIN, bytes: Arc::new(body.into_bytes()), gzip: None, vary: None }
    }

    pub fn refusal(refusal: Refusal) -> Body {
        Body::note(refusal.code, refusal.reason)
    }

    /// Adds the compressed form. Level 1: level 6 takes 13 times as long for a page that is 13 % smaller.
    /// Where memory is short the page is sent as it is.
    pub fn compress(&mut self, gzip_from: usize) {
        if self.code == 200 && self.bytes.len() >= gzip_from && self.gzip.is_none() {
            let mut encoder = GzEncoder::new(Frugal(Vec::new()), Compression::fast());
            if encoder.write_all(&self.bytes).is_ok() {
                self.gzip = encoder.finish().ok().map(|Frugal(bytes)| Arc::new(bytes));
            }
        }
    }
}

/// A `Vec` that reports a lack of memory as an error instead of ending the process.
struct Frugal(Vec<u8>);

impl Write for Frugal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_reserve(bytes.len())?;
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What of a request outlives its head: how the answer is to be sent.
#[derive(Debug, Clone, Copy)]
pub struct ResponseOptions {
    head_only: bool,
    pub gzip: bool,
    old: bool,
    pub keep_alive: bool,
}

impl ResponseOptions {
    pub fn of(request: &Request) -> ResponseOptions {
        ResponseOptions {
            head_only: request.method == Method::Head,
            gzip: request.gzip,
            old: request.old,
            keep_alive: request.keep_alive,
        }
    }

    /// For requests that were not, or not wholly, understood.
    pub fn last(head_only: bool) -> ResponseOptions {
        ResponseOptions { head_only, gzip: false, old: false, keep_alive: false }
    }
}

/// An answer on its way.
#[derive(Debug)]
pub struct ResponseWriter {
    head: Vec<u8>,
    body: Option<Arc<Vec<u8>>>,
    /// Bytes of both that have gone.
    sent: usize,
}

impl ResponseWriter {
    /// `headers` are those that the operator asks for; they stand in the place of ours.
    pub fn new(page: &Body, options: ResponseOptions, headers: &[(String, String)]) -> ResponseWriter {
        let compressed = page.gzip.as_ref().filter(|_| options.gzip);
        let body = compressed.unwrap_or(&page.bytes);
        let fields = fields_of(page, compressed.is_some(), headers);
        let connection = match options {
            ResponseOptions { keep_alive: false, .. } => Some("close"),
            ResponseOptions { old: true, .. } => Some("keep-alive"),
            _ => None,
        };
        let head = print_head(page.code, &fields, body.len(), connection);
        ResponseWriter { head, body: (!options.head_only).then(|| Arc::clone(body)), sent: 0 }
    }

    /// Sends what the socket takes; `true` when all has gone.
    pub fn send(&mut self, mut socket: impl Write) -> io::Result<bool> {
        let body: &[u8] = self.body.as_ref().map_or(&[], |body| body);
        let all = self.head.len() + body.len();
        while self.sent < all {
            let head = &self.head[self.sent.min(self.head.len())..];
            let body = &body[self.sent.saturating_sub(self.head.len())..];
            match socket.write_vectored(&[io::IoSlice::new(head), io::IoSlice::new(body)]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    pub fn sent(&self) -> usize {
        self.sent
    }

    /// The page it carries, to tell which answers share one.
    pub fn body(&self) -> Option<&Arc<Vec<u8>>> {
        self.body.as_ref()
    }
}

fn fields_of<'h>(
    page: &Body,
    is_compressed: bool,
    headers: &'h [(String, String)],
) -> Vec<(&'h str, &'h str)> {
    let mut fields: Vec<(&'h str, &'h str)> = vec![
        ("Server", "httpd_exporter"),
        ("Content-Type", page.content_type),
        ("X-Content-Type-Options", "nosniff"),
        // Figures are of the moment, and the rest belongs to this version of the program.
        ("Cache-Control", "no-store"),
    ];
    if page.content_type == HTML {
        fields.extend(HTML_FIELDS);
    }
    fields.extend(page.vary.map(|vary| ("Vary", vary)));
    if is_compressed {
        fields.push(("Content-Encoding", "gzip"));
    }
    if page.code == 405 {
        fields.push(("Allow", "GET, HEAD"));
    }
    if page.code == 401 {
        fields.push(("WWW-Authenticate", "Basic realm=\"httpd_exporter\", charset=\"UTF-8\""));
    }
    fields.retain(|(name, _)| !headers.iter().any(|(other, _)| other == name));
    fields.extend(headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    fields
}

fn print_head(code: u16, fields: &[(&str, &str)], length: usize, connection: Option<&str>) -> Vec<u8> {
    // All of them are ASCII, those of the operator too; one that tiny_http refuses must not be missing without a word.
    let header = |(name, value): &(&str, &str)| Header::from_bytes(name.as_bytes(), value.as_bytes());
    let headers = fields.iter().map(|field| header(field).expect("a name and a value in ASCII")).collect();
    let mut head = Vec::with_capacity(512);
    // Printing into memory does not fail. The threshold keeps chunked coding away from large pages.
    let _ = Response::new(StatusCode(code), headers, io::empty(), Some(length), None)
        .with_chunked_threshold(usize::MAX)
        .raw_print(&mut head, HTTPVersion(1, 1), &[], true, None);
    if let Some(connection) = connection {
        head.truncate(head.len().saturating_sub(2));
        head.extend_from_slice(format!("Connection: {connection}\r\n\r\n").as_bytes());
    }
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(page: &Body, options: ResponseOptions) -> String {
        let mut sent = Vec::new();
        assert!(ResponseWriter::new(page, options, &[]).send(&mut sent).unwrap());
        String::from_utf8(sent).unwrap()
    }

    #[test]
    fn a_head_says_all_it_must() {
        let keep = ResponseOptions { keep_alive: true, ..ResponseOptions::last(false) };
        let sent = text(&Body::new(HTML, b"<p>".to_vec()), keep);
        let (head, body) = sent.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        for field in [
            "Content-Type: text/html; charset=utf-8",
            "Referrer-Policy: no-referrer",
            "Cache-Control: no-store",
            "Content-Length: 3",
            "X-Content-Type-Options: nosniff",
            "Vary: Accept-Encoding",
            "Server: httpd_exporter",
        ] {
            assert!(head.lines().any(|line| line == field), "{field} in {head}");
        }
        assert!(
            head.contains("\r\nContent-Security-Policy: default-src 'none'; script-src 'self';"),
            "{head}"
        );
        assert!(head.contains("\r\nDate: ") && !head.contains("Connection"), "{head}");
        assert_eq!(body, "<p>");
    }

    /// tiny_http leaves out what it takes for its own, and its parser refuses what is no ASCII.
    #[test]
    fn no_field_gets_lost_in_print() {
        let mut pages = vec![
            Body::new(HTML, vec![b'x'; 5_000]),
            Body::new(PLAIN, vec![]),
            Body::note(405, "no"),
            Body::note(401, "no"),
        ];
        let headers = [
            ("X-Frame-Options".to_owned(), "deny".to_owned()),
            ("Content-Security-Policy".to_owned(), "default-src 'self'".to_owned()),
        ];
        pages.iter_mut().for_each(|page| page.compress(100));
        let options = ResponseOptions { gzip: true, ..ResponseOptions::last(false) };
        for page in &pages {
            let sent = ResponseWriter::new(page, options, &headers);
            let head = String::from_utf8(sent.head.clone()).unwrap();
            for (name, value) in fields_of(page, page.gzip.is_some(), &headers) {
                assert!(head.contains(&format!("\r\n{name}: {value}\r\n")), "{name} in {head}");
                assert_eq!(head.matches(&format!("\r\n{name}: ")).count(), 1, "{name} in {head}");
            }
        }
    }

    #[test]
    fn the_last_answer_says_so() {
        let sent = text(&Body::note(405, "no"), ResponseOptions::last(false));
        assert!(sent.contains("\r\nAllow: GET, HEAD\r\n") && sent.contains("\r\nConnection: close\r\n\r\n"));
        assert!(sent.ends_with("405 Method Not Allowed: no\n"));
        let old = ResponseOptions { keep_alive: true, old: true, ..ResponseOptions::last(false) };
        assert!(text(&Body::note(404, "no"), old).contains("\r\nConnection: keep-alive\r\n\r\n"));
    }

    #[test]
    fn head_has_the_length_and_no_body() {
        let page = Body::new(PLAIN, vec![b'x'; 100_000]);
        let sent = text(&page, ResponseOptions::last(true));
        assert!(sent.contains("\r\nContent-Length: 100000\r\n") && sent.ends_with("\r\n\r\n"));
    }

    #[test]
    fn a_large_page_is_never_chunked_and_leaves_in_pieces() {
        struct Slow(Vec<u8>);
        impl Write for Slow {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.extend_from_slice(&bytes[..bytes.len().min(7)]);
                Ok(bytes.len().min(7))
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let page = Body::new(PLAIN, (0..100_000u32).map(|n| b'a' + (n % 26) as u8).collect());
        let mut slow = Slow(Vec::new());
        assert!(ResponseWriter::new(&page, ResponseOptions::last(false), &[]).send(&mut slow).unwrap());
        assert!(slow.0.ends_with(&page.bytes));
        let head = String::from_utf8_lossy(&slow.0[..slow.0.len() - page.bytes.len()]).into_owned();
        assert!(head.contains("\r\nContent-Length: 100000\r\n") && !head.contains("chunked"), "{head}");
    }

    #[test]
    fn gzip_holds_the_same_bytes() {
        use std::io::Read;
        let mut page = Body::new(PLAIN, b"httpd_requests_total 1\n".repeat(1000));
        page.compress(100);
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(page.gzip.unwrap().as_slice()).read_to_end(&mut plain).unwrap();
        assert_eq!(plain, *page.bytes);
        let mut small = Body::new(PLAIN, b"x".to_vec());
        small.compress(100);
        assert!(small.gzip.is_none());
    }
}
