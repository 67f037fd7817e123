//! nginx log_format strings.
//!
//! Turns the text of a `log_format`, after its quotes are gone, into literals and captures. Follows
//! `ngx_http_log_compile_format` and the variables of ngx_http_variables.c and ngx_http_upstream.c. A
//! variable it has never heard of (maps and modules define their own) is text. Owns also the few names by
//! which presets speak of fields of other servers. Knows nothing of lines.

use crate::parse::FormatError;
use crate::parse::compile::field::{Kind, Meaning, Piece, Role, Slot, Trust, Unit, push_literal};
use crate::parse::read::text::Escape;
use crate::parse::read::time::Style;

/// Variables that play a role, or whose shape helps to find their end.
const VARIABLES: &[(&str, Kind, Meaning)] = &[
    ("args", Kind::Text, Meaning::of(Role::Query, Unit::Plain, 0)),
    ("body_bytes_sent", Kind::Integer, Meaning::of(Role::BytesSent, Unit::Bytes, 2)),
    ("bytes_sent", Kind::Integer, Meaning::of(Role::BytesSent, Unit::Bytes, 4)),
    ("connection", Kind::Integer, Meaning::NONE),
    ("connection_requests", Kind::Integer, Meaning::NONE),
    ("gzip_ratio", Kind::Decimal, Meaning::NONE),
    ("host", Kind::Word, Meaning::vhost(Trust::Client, 0)),
    ("hostname", Kind::Word, Meaning::NONE),
    ("http_host", Kind::Text, Meaning::vhost(Trust::Client, 1)),
    ("msec", Kind::Decimal, Meaning::of(Role::Timestamp, Unit::Seconds, 2)),
    ("pid", Kind::Integer, Meaning::NONE),
    ("pipe", Kind::Word, Meaning::NONE),
    ("query_string", Kind::Text, Meaning::of(Role::Query, Unit::Plain, 0)),
    ("remote_addr", Kind::Word, Meaning::NONE),
    ("remote_port", Kind::Integer, Meaning::NONE),
    ("request", Kind::Text, Meaning::of(Role::Request, Unit::Plain, 0)),
    ("request_id", Kind::Word, Meaning::NONE),
    ("request_length", Kind::Integer, Meaning::of(Role::BytesReceived, Unit::Bytes, 0)),
    ("request_method", Kind::Text, Meaning::of(Role::Method, Unit::Plain, 0)),
    ("request_time", Kind::Decimal, Meaning::span(Role::Duration, Unit::Seconds)),
    ("request_uri", Kind::Path, Meaning::of(Role::Path, Unit::Plain, 0)),
    ("scheme", Kind::Word, Meaning::of(Role::Scheme, Unit::Plain, 0)),
    ("server_addr", Kind::Word, Meaning::NONE),
    ("server_name", Kind::Word, Meaning::vhost(Trust::Server, 0)),
    ("server_port", Kind::Integer, Meaning::NONE),
    ("server_protocol", Kind::Word, Meaning::of(Role::Protocol, Unit::Plain, 0)),
    ("ssl_cipher", Kind::Word, Meaning::NONE),
    ("ssl_protocol", Kind::Word, Meaning::NONE),
    ("status", Kind::Integer, Meaning::of(Role::Status, Unit::Plain, 0)),
    ("time_iso8601", Kind::Time(Style::Iso), Meaning::of(Role::Timestamp, Unit::Plain, 1)),
    ("time_local", Kind::Time(Style::Clf), Meaning::of(Role::Timestamp, Unit::Plain, 0)),
    ("upstream_addr", Kind::Words, Meaning::NONE),
    ("upstream_bytes_received", Kind::Words, Meaning::NONE),
    ("upstream_bytes_sent", Kind::Words, Meaning::NONE),
    ("upstream_connect_time", Kind::Decimals, Meaning::span(Role::UpstreamConnect, Unit::Seconds)),
    ("upstream_header_time", Kind::Decimals, Meaning::span(Role::TimeToFirstByte, Unit::Seconds)),
    ("upstream_response_length", Kind::Words, Meaning::NONE),
    ("upstream_response_time", Kind::Decimals, Meaning::span(Role::UpstreamDuration, Unit::Seconds)),
    ("upstream_status", Kind::Words, Meaning::NONE),
    ("uri", Kind::Path, Meaning::of(Role::Path, Unit::Plain, 1)),
    // No variables of nginx: names for what other servers write, used by presets.
    ("millis", Kind::Integer, Meaning::span(Role::Duration, Unit::Millis)),
    ("nanos", Kind::Integer, Meaning::span(Role::Duration, Unit::Nanos)),
    ("nanos_upstream", Kind::Integer, Meaning::span(Role::UpstreamDuration, Unit::Nanos)),
    ("quoted_or_dash", Kind::MaybeQuoted, Meaning::NONE),
    ("syslog_header", Kind::SyslogHeader, Meaning::NONE),
    ("time", Kind::Text, Meaning::of(Role::Timestamp, Unit::Seconds, 0)),
];

/// Variables that are never empty (ngx_http_log_module.c, ngx_http_variables.c).
const ALWAYS_THERE: &[&str] = &[
    "body_bytes_sent",
    "bytes_sent",
    "connection",
    "connection_requests",
    "millis",
    "msec",
    "nanos",
    "nanos_upstream",
    "pid",
    "remote_addr",
    "request_length",
    "request_time",
    "status",
    "time_iso8601",
    "time_local",
];

/// Names for what other servers write, and those that advice makes up.
pub fn is_ours(name: &str) -> bool {
    let made_up = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    ["millis", "nanos", "nanos_upstream", "quoted_or_dash", "syslog_header", "time"].contains(&name)
        || name.strip_prefix("field").is_some_and(made_up)
}

/// The slot of a variable.
pub fn variable(name: &str, escape: Escape) -> Slot {
    let found = VARIABLES.iter().find(|(known, _, _)| *known == name);
    let (kind, meaning) = found.map_or((Kind::Text, Meaning::NONE), |&(_, kind, meaning)| (kind, meaning));
    // escape=json and escape=none print nothing for what is absent; the default prints `-`. Values that are found but
    // empty print nothing in every mode: the protocol of a bad request, the name of a server without one, the port of a
    // socket in the file system. Only what nginx works out itself for every line is always there.
    let may_be_empty = !matches!(escape, Escape::Hex) || !ALWAYS_THERE.contains(&name);
    Slot { name: format!("${name}"), kind, meaning, escape, may_be_empty, dash_is_value: false }
}

/// Compiles a log_format. `text` pairs each byte with its column in what the user wrote.
pub fn compile(text: &[(u8, usize)], escape: Escape) -> Result<Vec<Piece>, FormatError> {
    let bytes: Vec<u8> = text.iter().map(|&(byte, _)| byte).collect();
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'$' {
            push_literal(&mut pieces, &bytes[at..=at]);
            at += 1;
            continue;
        }
        let column = text[at].1;
        let braced = bytes.get(at + 1) == Some(&b'{');
        let start = at + 1 + usize::from(braced);
        let len = bytes[start.min(bytes.len())..]
            .iter()
            .position(|&c| !is_name(c))
            .unwrap_or(bytes.len() - start.min(bytes.len()));
        let end = start + len;
        if len == 0 {
            return Err(FormatError::new(
                column,
                format!("$ without the name of a variable at column {column}"),
            ));
        }
        if braced && bytes.get(end) != Some(&b'}') {
            return Err(FormatError::new(column, format!("${{ without its }} at column {column}")));
        }
        let name = String::from_utf8_lossy(&bytes[start..end]).into_owned();
        pieces.push(Piece::Capture(variable(&name, escape)));
        at = end + usize::from(braced);
    }
    Ok(pieces)
}

fn is_name(c: u8) -> bool {
    c.is_ascii_alphanumeric() || c == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Result<String, FormatError> {
        let pieces = compile(&text.bytes().zip(1..).collect::<Vec<_>>(), Escape::Hex)?;
        let words: Vec<String> = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Literal(bytes) => format!("{:?}", String::from_utf8_lossy(bytes)),
                Piece::Capture(slot) => slot.name.clone(),
            })
            .collect();
        Ok(words.join(" "))
    }

    #[test]
    fn names_with_and_without_braces() {
        assert_eq!(names("$status ${uri}x$a$b%").unwrap(), r#"$status " " $uri "x" $a $b "%""#);
    }

    #[test]
    fn what_nginx_refuses() {
        for (text, column) in [("a $ b", 3), ("${uri", 1), ("x$", 2), ("${}", 1)] {
            assert_eq!(names(text).unwrap_err().column, column, "{text}");
        }
    }

    #[test]
    fn an_unknown_variable_is_text() {
        assert_eq!(variable("my_map", Escape::Hex).kind, Kind::Text);
    }
}
