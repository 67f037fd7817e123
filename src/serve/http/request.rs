//! Request heads: httparse reads the grammar, and this file says what is answered and what is refused (RFC 9112
//! sections 2 to 6).
//!
//! A pure function over bytes: no socket, no clock, no panic whatever the bytes. A line may end in a bare LF
//! (section 2.2 allows it, and people type requests by hand); a CR anywhere else, a folded line, a doubled length
//! or a length beside a transfer coding are refused. A body is never read: a request that has one is answered, and
//! the connection ends with the answer, so nothing can hide behind it.

use httparse::{Error, Status};

use crate::serve::http::negotiate;
use crate::snapshot::exposition::Form;

/// Header lines of one request; browsers and proxies send 30 at most.
const FIELDS_MAX: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Other,
}

/// What a head asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    pub method: Method,
    /// As it was sent, without the query.
    pub path: String,
    /// The client speaks HTTP/1.0 and has to be told when we keep the connection.
    pub old: bool,
    pub keep_alive: bool,
    pub form: Form,
    pub gzip: bool,
    /// Who asks, where it is said.
    pub authorization: Option<Vec<u8>>,
}

/// Why a head is not answered with what it asks for. The connection ends after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    pub code: u16,
    pub reason: &'static str,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Head {
    /// The empty line that ends a head has not come yet.
    Partial,
    /// A request, and how many bytes it took.
    Complete(Request, usize),
    Refused(Refusal),
}

fn bad(reason: &'static str) -> Refusal {
    Refusal { code: 400, reason }
}

/// Bytes of the empty lines before a request, which are ignored (section 2.2): some clients end theirs with one.
pub fn length_of_blank(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count()
}

pub fn parse_head(bytes: &[u8]) -> Head {
    let skipped = length_of_blank(bytes);
    let head = &bytes[skipped..];
    let mut headers = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut parsed = httparse::Request::new(&mut headers);
    match parsed.parse(head) {
        Ok(Status::Complete(length)) => match understand(&parsed) {
            Ok(request) => Head::Complete(request, skipped + length),
            Err(refusal) => Head::Refused(refusal),
        },
        Ok(Status::Partial) => Head::Partial,
        Err(error) => Head::Refused(refusal_of(error)),
    }
}

fn refusal_of(error: Error) -> Refusal {
    match error {
        // A TLS handshake, for one.
        Error::Token => bad("the request line is not METHOD TARGET VERSION; this port speaks plain HTTP"),
        Error::Version => Refusal { code: 505, reason: "only HTTP/1.0 and HTTP/1.1 are supported" },
        Error::HeaderName => bad("a header line is not NAME: VALUE"),
        Error::HeaderValue => bad("a header value holds a control character"),
        Error::TooManyHeaders => Refusal { code: 431, reason: "there are too many header lines" },
        Error::NewLine | Error::Status => bad("a line does not end in CR LF"),
    }
}

/// What this server makes of a head whose grammar is right.
fn understand(parsed: &httparse::Request<'_, '_>) -> Result<Request, Refusal> {
    let method = match parsed.method {
        Some("GET") => Method::Get,
        Some("HEAD") => Method::Head,
        _ => Method::Other,
    };
    let old = parsed.version == Some(0);
    let fields = Fields::of(parsed.headers);
    if !old && fields.hosts.len() != 1 || fields.hosts.len() > 1 {
        return Err(bad("one Host header is needed"));
    }
    if !fields.hosts.iter().all(|host| is_host(host)) {
        return Err(bad("the Host is not a host with a port"));
    }
    let has_body = fields.has_body()?;
    let path = read_target(parsed.path.unwrap_or_default(), method)?;
    let wants = |token| fields.connection.iter().any(|value| has_token(value, token));
    let keep_alive = !wants("close") && (!old || wants("keep-alive")) && !has_body;
    Ok(Request {
        method,
        path: path.to_owned(),
        old,
        keep_alive,
        form: negotiate::form(fields.accept.into_iter()),
        gzip: negotiate::gzip(fields.accept_encoding.into_iter()),
        authorization: fields.authorization.map(<[u8]>::to_vec),
    })
}

/// The path of a target in origin form or absolute form (section 3.2), as it was sent: no page has a path that
/// would have to be percent-encoded.
fn read_target(target: &str, method: Method) -> Result<&str, Refusal> {
    if !target.is_ascii() {
        return Err(bad("the target holds bytes that must be percent-encoded"));
    }
    let scheme = ["http://", "https://"]
        .into_iter()
        .find(|scheme| target.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    let local = match scheme {
        Some(scheme) => {
            let rest = &target[scheme.len()..];
            &rest[rest.find(['/', '?']).unwrap_or(rest.len())..]
        }
        // `OPTIONS *` and `CONNECT host:port` are requests as well; they are told which methods there are.
        None if target.starts_with('/') || method == Method::Other => target,
        None => return Err(bad("the target is neither a path nor a URL")),
    };
    let path = local.split('?').next().unwrap_or_default();
    Ok(if path.is_empty() { "/" } else { path })
}

/// The header fields that matter here.
#[derive(Default)]
struct Fields<'a> {
    hosts: Vec<&'a [u8]>,
    lengths: Vec<&'a [u8]>,
    transfer_codings: usize,
    connection: Vec<&'a [u8]>,
    accept: Vec<&'a str>,
    accept_encoding: Vec<&'a str>,
    authorization: Option<&'a [u8]>,
}

impl<'a> Fields<'a> {
    fn of(headers: &[httparse::Header<'a>]) -> Fields<'a> {
        let mut fields = Fields::default();
        for &httparse::Header { name, value } in headers {
            // A list with bytes that are no text asks for nothing we have.
            let list = || std::str::from_utf8(value).unwrap_or_default();
            match name.to_ascii_lowercase().as_str() {
                "host" => fields.hosts.push(value),
                "content-length" => fields.lengths.push(value),
                "transfer-encoding" => fields.transfer_codings += 1,
                "connection" => fields.connection.push(value),
                "accept" => fields.accept.push(list()),
                "accept-encoding" => fields.accept_encoding.push(list()),
                "authorization" => {
                    fields.authorization.get_or_insert(value);
                }
                _ => {}
            }
        }
        fields
    }

    /// Section 6.3. Two lengths are what request smuggling is made of, also when they are equal.
    fn has_body(&self) -> Result<bool, Refusal> {
        match (self.lengths.as_slice(), self.transfer_codings) {
            ([], 0) => Ok(false),
            ([], 1) => Ok(true),
            ([length], 0) if !length.is_empty() && length.iter().all(u8::is_ascii_digit) => {
                Ok(length.iter().any(|&digit| digit != b'0'))
            }
            ([_], 0) => Err(bad("the Content-Length is not a number")),
            _ => Err(bad("the length of the body is given twice")),
        }
    }
}

/// A list is read as bytes: one strange word must not hide the others.
fn has_token(list: &[u8], token: &str) -> bool {
    list.split(|&b| b == b',').any(|word| word.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

/// `uri-host [ ":" port ]`, RFC 9110 section 7.2 and RFC 3986 section 3.2.2; it may be empty.
fn is_host(value: &[u8]) -> bool {
    let literal = value.first() == Some(&b'[');
    let end = if literal {
        value.iter().position(|&b| b == b']').map_or(0, |at| at + 1)
    } else {
        value.iter().position(|&b| b == b':').unwrap_or(value.len())
    };
    let (host, port) = value.split_at(end);
    let is_name = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%".contains(&b);
    let well = match host {
        [b'[', inner @ .., b']'] => inner.iter().all(|&b| is_name(b) || b == b':'),
        name => !literal && name.iter().copied().all(is_name),
    };
    well && (port.is_empty() || port[0] == b':' && port[1..].iter().all(u8::is_ascii_digit))
}

/// What holds for any bytes, however they come.
#[cfg(any(test, fuzzing))]
pub fn check(bytes: &[u8]) {
    let whole = parse_head(bytes);
    match &whole {
        Head::Complete(request, length) => {
            assert!(*length <= bytes.len());
            assert!(request.method == Method::Other || request.path.starts_with('/'), "{request:?}");
            // What comes after a head has no say in it.
            assert_eq!(parse_head(&bytes[..*length]), whole);
            assert_eq!(parse_head(&bytes[..*length - 1]), Head::Partial);
        }
        Head::Refused(refusal) => assert!([400, 431, 505].contains(&refusal.code)),
        // A head that is wanting is never wanting for ever: its end decides.
        Head::Partial => assert_ne!(parse_head(&[bytes, b"x\n\n"].concat()), Head::Partial),
    }
}
