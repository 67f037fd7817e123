//! Envoy's command operators: `%RESPONSE_CODE%`, `%REQ(X?Y):60%`.
//!
//! Turns the text of a `text_format`, or a template of `json_format`, into literals and captures. Follows Envoy's
//! "Access logging, command operators". Nothing is escaped in text: a quote in a user agent stands bare. What is absent
//! is `-` in text and null in JSON. Istio, Envoy Gateway, Contour and Cilium speak it too. Knows nothing of lines.

use crate::parse::compile::error::FormatError;
use crate::parse::compile::field::{
    Kind, Meaning, Piece, Role, Row, Slot, Tables, Trust, Unit, find_row, push_literal, row, row_or_empty,
};
use crate::parse::compile::vocabulary::DOWNSTREAM_GONE;
use crate::parse::read::text::Escape;
use crate::parse::read::time::Style;

/// A command, or a command with its argument where that changes the meaning.
pub const ENVOY: &[Row] = &[
    row("START_TIME", Kind::Time(Style::Iso), Meaning::of(Role::Timestamp, Unit::Plain, 0)),
    row_or_empty("REQ(:METHOD)", Kind::Text, Meaning::of(Role::Method, Unit::Plain, 0)),
    row_or_empty("REQ(X-ENVOY-ORIGINAL-PATH)", Kind::Text, Meaning::of(Role::Path, Unit::Plain, 0))
        .remark("also with ?:PATH behind it"),
    row_or_empty("REQ(:PATH)", Kind::Text, Meaning::of(Role::Path, Unit::Plain, 1)),
    row_or_empty("PATH", Kind::Text, Meaning::of(Role::Path, Unit::Plain, 2))
        .remark("whatever of it is asked for"),
    row_or_empty("REQ(:AUTHORITY)", Kind::Text, Meaning::vhost(Trust::Client, 0)),
    row_or_empty("REQ(HOST)", Kind::Text, Meaning::vhost(Trust::Client, 1)),
    row_or_empty("REQ(:SCHEME)", Kind::Word, Meaning::of(Role::Scheme, Unit::Plain, 0)),
    row("PROTOCOL", Kind::Word, Meaning::of(Role::Protocol, Unit::Plain, 0)),
    row("RESPONSE_CODE", Kind::Integer, Meaning::of(Role::Status, Unit::Plain, 0))
        .remark("0 where no answer was begun"),
    row("RESPONSE_FLAGS", Kind::Word, Meaning::aborted_if(DOWNSTREAM_GONE)).remark("DC among them"),
    row("RESPONSE_FLAGS_LONG", Kind::Word, Meaning::aborted_if(DOWNSTREAM_GONE))
        .remark("DownstreamConnectionTermination among them"),
    row("BYTES_SENT", Kind::Integer, Meaning::of(Role::BytesSent, Unit::Bytes, 0)).remark("without headers"),
    row("BYTES_RECEIVED", Kind::Integer, Meaning::of(Role::BytesReceived, Unit::Bytes, 0))
        .remark("without headers"),
    row("DURATION", Kind::Integer, Meaning::span(Role::Duration, Unit::Millis)),
    row(
        "COMMON_DURATION(DS_RX_BEG:DS_TX_END:us)",
        Kind::Integer,
        Meaning::span(Role::Duration, Unit::Micros),
    ),
    row("COMMON_DURATION(DS_RX_BEG:DS_TX_END:ns)", Kind::Integer, Meaning::span(Role::Duration, Unit::Nanos)),
    row(
        "COMMON_DURATION(DS_RX_BEG:DS_TX_END:ms)",
        Kind::Integer,
        Meaning::span(Role::Duration, Unit::Millis),
    ),
    row(
        "COMMON_DURATION(DS_RX_BEG:DS_TX_BEG:us)",
        Kind::Integer,
        Meaning::span(Role::TimeToFirstByte, Unit::Micros),
    ),
    row(
        "COMMON_DURATION(DS_RX_BEG:DS_TX_BEG:ns)",
        Kind::Integer,
        Meaning::span(Role::TimeToFirstByte, Unit::Nanos),
    ),
    row(
        "COMMON_DURATION(DS_RX_BEG:DS_TX_BEG:ms)",
        Kind::Integer,
        Meaning::span(Role::TimeToFirstByte, Unit::Millis),
    ),
    row("COMMON_DURATION", Kind::Integer, Meaning::NONE),
    row("RESPONSE_DURATION", Kind::Integer, Meaning::span(Role::TimeToFirstByte, Unit::Millis))
        .remark("to the first byte of the upstream"),
    row("RESPONSE_TX_DURATION", Kind::Integer, Meaning::NONE),
    row("REQUEST_DURATION", Kind::Integer, Meaning::NONE),
    row("REQUEST_TX_DURATION", Kind::Integer, Meaning::NONE),
    row("ROUNDTRIP_DURATION", Kind::Integer, Meaning::NONE),
    row(
        "RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)",
        Kind::Integer,
        Meaning::span(Role::UpstreamDuration, Unit::Millis),
    ),
    row(
        "REQ(X-ENVOY-UPSTREAM-SERVICE-TIME)",
        Kind::Integer,
        Meaning::span(Role::UpstreamDuration, Unit::Millis),
    ),
    row("UPSTREAM_REQUEST_ATTEMPT_COUNT", Kind::Integer, Meaning::NONE),
    row("CONNECTION_ID", Kind::Integer, Meaning::NONE),
    row("UPSTREAM_HOST", Kind::Word, Meaning::NONE),
    row("UPSTREAM_CLUSTER", Kind::Word, Meaning::NONE),
    row("UPSTREAM_LOCAL_ADDRESS", Kind::Word, Meaning::NONE),
    row("DOWNSTREAM_LOCAL_ADDRESS", Kind::Word, Meaning::NONE),
    row("DOWNSTREAM_REMOTE_ADDRESS", Kind::Word, Meaning::NONE),
    row("DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", Kind::Word, Meaning::NONE),
];

/// Compiles a text format.
pub fn compile(text: &[(u8, usize)], tables: Tables) -> Result<Vec<Piece>, FormatError> {
    let bytes: Vec<u8> = text.iter().map(|&(byte, _)| byte).collect();
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        if rest.starts_with(b"%%") {
            push_literal(&mut pieces, b"%");
            at += 2;
        } else if rest[0] == b'%' {
            let column = text[at].1;
            let Some(length) = command(rest) else {
                let shown = String::from_utf8_lossy(&rest[..rest.len().min(20)]).into_owned();
                let message = format!("{shown} is not a command between two % at column {column}");
                return Err(FormatError::new(column, message));
            };
            let name = String::from_utf8_lossy(&rest[..length]).into_owned();
            pieces.push(Piece::Capture(slot(&name, tables)));
            at += length;
        } else {
            push_literal(&mut pieces, &bytes[at..=at]);
            at += 1;
        }
    }
    Ok(pieces)
}

/// The length of `%NAME(ARGUMENT):60%` at the start of some text. A stamp's argument has percent signs of its own.
fn command(text: &[u8]) -> Option<usize> {
    let name = text[1..].iter().take_while(|c| c.is_ascii_alphanumeric() || **c == b'_').count();
    let mut at = 1 + name;
    if text.get(at) == Some(&b'(') {
        at += text[at..].iter().position(|c| *c == b')')? + 1;
    }
    if text.get(at) == Some(&b':') {
        at += 1 + text[at + 1..].iter().take_while(|c| c.is_ascii_digit()).count();
    }
    (name > 0 && text.get(at) == Some(&b'%')).then_some(at + 1)
}

/// The field that a command with its percent signs prints.
pub fn slot(written: &str, tables: Tables) -> Slot {
    let command = written.trim_matches('%');
    // `:60` cuts the value; where the first of two headers is absent, the second stands there.
    let uncut = match command.rsplit_once(':') {
        Some((rest, digits)) if digits.bytes().all(|c| c.is_ascii_digit()) && !digits.is_empty() => rest,
        _ => command,
    };
    let (name, argument) = uncut.split_once('(').unwrap_or((uncut, ""));
    let argument = argument.trim_end_matches(')');
    let upper = |text: &str| text.to_ascii_uppercase();
    let named = match name {
        "REQ" | "RESP" => {
            argument.split('?').find_map(|header| find_row(tables, &format!("{name}({})", upper(header))))
        }
        "COMMON_DURATION" => find_row(tables, uncut).or_else(|| find_row(tables, name)),
        _ => find_row(tables, name),
    };
    let (mut kind, mut meaning) = named.map_or((Kind::Text, Meaning::NONE), |row| (row.kind, row.meaning));
    if name == "START_TIME" && !argument.is_empty() {
        (kind, meaning) = start_time(argument);
    }
    Slot {
        name: written.to_owned(),
        kind,
        meaning,
        escape: Escape::None,
        may_be_empty: named.is_none_or(|row| row.may_be_empty),
        dash_is_value: false,
    }
}

/// What `%START_TIME(FORMAT)%` prints: a stamp that we know, seconds, or some text.
fn start_time(format: &str) -> (Kind, Meaning) {
    let stamp = |unit, kind| (kind, Meaning::of(Role::Timestamp, unit, 0));
    match format.replace("%F", "%Y-%m-%d").replace("%T", "%H:%M:%S").as_str() {
        "%s" => stamp(Unit::Seconds, Kind::Integer),
        "%s.%3f" | "%s.%6f" | "%s.%9f" | "%s.%f" => stamp(Unit::Seconds, Kind::Decimal),
        "%d/%b/%Y:%H:%M:%S %z" => stamp(Unit::Plain, Kind::Time(Style::Clf)),
        spelled
            if spelled.starts_with("%Y-%m-%dT%H:%M:%S")
                && (spelled.ends_with("%z") || spelled.ends_with('Z')) =>
        {
            stamp(Unit::Plain, Kind::Time(Style::Iso))
        }
        _ => (Kind::Text, Meaning::NONE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(text: &str) -> Result<Vec<Piece>, FormatError> {
        compile(&text.bytes().zip(1..).collect::<Vec<_>>(), &[ENVOY])
    }

    #[test]
    fn commands_with_arguments_and_lengths() {
        let role = |command: &str| slot(command, &[ENVOY]).meaning.role;
        assert_eq!(role("%RESPONSE_CODE%"), Some(Role::Status));
        assert_eq!(role("%REQ(X-ENVOY-ORIGINAL-PATH?:PATH):60%"), Some(Role::Path));
        assert_eq!(role("%REQ(X-FORWARDED-HOST?:AUTHORITY)%"), Some(Role::Vhost));
        assert_eq!(role("%req(:method)%"), None);
        assert_eq!(role("%REQ(:method)%"), Some(Role::Method));
        assert_eq!(role("%COMMON_DURATION(DS_RX_BEG:DS_TX_END:us)%"), Some(Role::Duration));
        assert_eq!(role("%COMMON_DURATION(US_TX_BEG:US_TX_END:us)%"), None);
        assert_eq!(slot("%START_TIME(%s.%3f)%", &[ENVOY]).kind, Kind::Decimal);
        assert_eq!(slot("%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%", &[ENVOY]).kind, Kind::Time(Style::Iso));
        assert_eq!(slot("%START_TIME(%H:%M)%", &[ENVOY]).kind, Kind::Text);
    }

    #[test]
    fn text_and_commands() {
        let pieces = compiled("[%START_TIME(%F %T)%] 100%% %PROTOCOL%").unwrap();
        assert_eq!(pieces.len(), 4);
        for (text, column) in [("a %RESPONSE_CODE", 3), ("%REQ(:PATH%", 1), ("% ", 1)] {
            assert_eq!(compiled(text).unwrap_err().column, column, "{text}");
        }
    }
}
