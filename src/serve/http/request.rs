//! Turns the bytes of a request's head into a `Request` or a `Refusal`, after RFC 9112 sections 2 to 6.
//!
//! A pure function over bytes: no socket, no clock, no panic whatever the bytes. A line may end in a bare
//! LF (section 2.2 allows it, and people type requests by hand); a CR anywhere else, a folded line, a
//! doubled length or a length beside a transfer coding are refused. A body is never read: a request that
//! has one is answered, and the connection ends with the answer, so nothing can hide behind it.

use crate::serve::http::negotiate;
use crate::snapshot::exposition::Form;

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
    /// Percent-decoded, without the query.
    pub path: String,
    /// The client speaks HTTP/1.0 and has to be told when we keep the connection.
    pub old: bool,
    pub keep_alive: bool,
    pub form: Form,
    pub gzip: bool,
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

/// Whether an answer has no body, for a head that was not or not wholly understood.
pub fn begins_with_head(bytes: &[u8]) -> bool {
    bytes[length_of_blank(bytes)..].starts_with(b"HEAD ")
}

pub fn parse_head(bytes: &[u8]) -> Head {
    let skipped = length_of_blank(bytes);
    let head = &bytes[skipped..];
    if head.first().is_some_and(|&b| !is_token(b)) {
        // A TLS handshake, for one: it holds no line end to wait for.
        return Head::Refused(bad("this port speaks plain HTTP"));
    }
    let Some(length) = length_of_head(head) else { return Head::Partial };
    match read_head(&head[..length]) {
        Ok(request) => Head::Complete(request, skipped + length),
        Err(refusal) => Head::Refused(refusal),
    }
}

/// Where the empty line ends.
fn length_of_head(head: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = head[from..].iter().position(|&b| b == b'\n') {
        from += at + 1;
        match head[from..] {
            [b'\n', ..] => return Some(from + 1),
            [b'\r', b'\n', ..] => return Some(from + 2),
            _ => {}
        }
    }
    None
}

fn read_head(head: &[u8]) -> Result<Request, Refusal> {
    let mut lines = head.split(|&b| b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let (method, target, minor) = read_request_line(lines.next().unwrap_or_default())?;
    let fields = Fields::read(lines.take_while(|line| !line.is_empty()))?;
    if minor > 0 && fields.hosts.len() != 1 || fields.hosts.len() > 1 {
        return Err(bad("one Host header is needed"));
    }
    if !fields.hosts.iter().all(|host| is_host(host)) {
        return Err(bad("the Host is not a host with a port"));
    }
    let has_body = fields.has_body()?;
    let path = read_target(target, method)?;
    let wants = |token| fields.connection.iter().any(|value| has_token(value, token));
    let keep_alive = !wants("close") && (minor > 0 || wants("keep-alive")) && !has_body;
    Ok(Request {
        method,
        path,
        old: minor == 0,
        keep_alive,
        form: negotiate::form(fields.accept.into_iter()),
        gzip: negotiate::gzip(fields.accept_encoding.into_iter()),
    })
}

/// `GET /metrics HTTP/1.1` as method, target and the minor version.
fn read_request_line(line: &[u8]) -> Result<(Method, &str, u8), Refusal> {
    let line = std::str::from_utf8(line).map_err(|_| bad("the request line is not ASCII"))?;
    let mut words = line.split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(bad("the request line is not METHOD TARGET VERSION"));
    };
    if method.is_empty() || !method.bytes().all(is_token) {
        return Err(bad("the method is not a token"));
    }
    if target.is_empty() || !target.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(bad("the target holds bytes that must be percent-encoded"));
    }
    let minor = match version.strip_prefix("HTTP/").map(str::as_bytes) {
        Some(&[b'1', b'.', minor @ b'0'..=b'9']) => minor - b'0',
        Some(&[b'0'..=b'9', b'.', b'0'..=b'9'] | &[b'2'..=b'9']) => {
            return Err(Refusal { code: 505, reason: "HTTP/1.0 and HTTP/1.1 are spoken here" });
        }
        _ => return Err(bad("the request line does not end in an HTTP version")),
    };
    let method = match method {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        _ => Method::Other,
    };
    Ok((method, target, minor))
}

/// The path of a target in origin form or absolute form (section 3.2), decoded.
fn read_target(target: &str, method: Method) -> Result<String, Refusal> {
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
    percent_decoded(if path.is_empty() { "/" } else { path })
}

/// Bytes that are no UTF-8 after decoding become replacement characters: no page has them in its path.
fn percent_decoded(path: &str) -> Result<String, Refusal> {
    let hex = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
    let mut decoded = Vec::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let (Some(high), Some(low)) = (hex(bytes.next()), hex(bytes.next())) else {
            return Err(bad("a percent sign is not followed by two hexadecimal digits"));
        };
        decoded.push(high << 4 | low);
    }
    Ok(String::from_utf8_lossy(&decoded).into_owned())
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
}

impl<'a> Fields<'a> {
    fn read(lines: impl Iterator<Item = &'a [u8]>) -> Result<Fields<'a>, Refusal> {
        let mut fields = Fields::default();
        for line in lines {
            let (name, value) = read_field(line)?;
            // A list with bytes that are no text asks for nothing we have.
            let list = || std::str::from_utf8(value).unwrap_or_default();
            match name.to_ascii_lowercase().as_slice() {
                b"host" => fields.hosts.push(value),
                b"content-length" => fields.lengths.push(value),
                b"transfer-encoding" => fields.transfer_codings += 1,
                b"connection" => fields.connection.push(value),
                b"accept" => fields.accept.push(list()),
                b"accept-encoding" => fields.accept_encoding.push(list()),
                _ => {}
            }
        }
        Ok(fields)
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

/// `Name: value`, section 5. No white space before the colon, no folded line, no control characters.
fn read_field(line: &[u8]) -> Result<(&[u8], &[u8]), Refusal> {
    let colon = line.iter().position(|&b| b == b':').ok_or(bad("a header line has no colon"))?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    if name.is_empty() || !name.iter().copied().all(is_token) {
        return Err(bad("a header name is not a token"));
    }
    if value.iter().any(|&b| b < b' ' && b != b'\t' || b == 0x7f) {
        return Err(bad("a header value holds a control character"));
    }
    Ok((name, value.trim_ascii()))
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

/// RFC 9110 section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
