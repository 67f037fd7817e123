//! HAProxy's log-format: `%ci`, `%{+Q}r`, `%[expression]`, `%(name)ST`.
//!
//! Turns the text of a `log-format` into literals and captures, or, where it asks for JSON (`%{+json}o`), into the
//! keys of an object. Follows the configuration manual, section 8.2.6 ("Custom log format"), and what src/log.c makes
//! of it: `+Q` puts texts into quotes, blanks that touch are one, so a value of nothing takes the blank behind it
//! along. All times are milliseconds, -1 for what was never reached, with a `+` before them under `option logasap`.
//! What is not printable is `#hh`. Knows nothing of lines.

use crate::parse::compile::error::FormatError;
use crate::parse::compile::field::{
    Compiled, Kind, Meaning, Piece, Role, Row, Slot, Tables, Trust, Unit, find_row, near, push_literal, row,
    row_or_empty,
};
use crate::parse::read::text::Escape;
use crate::parse::read::time::Style;

const fn span(name: &'static str, role: Role, unit: Unit) -> Row {
    row(name, Kind::Integer, Meaning::span_or_never(role, unit))
}

/// A state of which the first letter is who ended the session.
const fn state(name: &'static str) -> Row {
    row(name, Kind::Word, Meaning::aborted_if(&["C*", "c*"])).remark("begins with C or c")
}

/// The variables; a name in brackets is a sample expression of the same meaning (3.1 and later).
pub const HAPROXY: &[Row] = &[
    row("ci", Kind::Word, Meaning::NONE),
    row("cp", Kind::Integer, Meaning::NONE),
    row("tr", Kind::Time(Style::Clf), Meaning::NONE).remark("without a zone"),
    row("t", Kind::Time(Style::Clf), Meaning::NONE).remark("without a zone"),
    row("trg", Kind::Time(Style::Clf), Meaning::of(Role::Timestamp, Unit::Plain, 0)),
    row("trl", Kind::Time(Style::Clf), Meaning::of(Role::Timestamp, Unit::Plain, 0)),
    row("T", Kind::Time(Style::Clf), Meaning::of(Role::Timestamp, Unit::Plain, 1)),
    row("Tl", Kind::Time(Style::Clf), Meaning::of(Role::Timestamp, Unit::Plain, 1)),
    row("Ts", Kind::Integer, Meaning::of(Role::Timestamp, Unit::Seconds, 2)),
    row("ms", Kind::Integer, Meaning::NONE),
    row("ft", Kind::Word, Meaning::NONE),
    row("f", Kind::Word, Meaning::NONE),
    row("b", Kind::Word, Meaning::vhost(Trust::Server, 0)).remark("the backend"),
    row("s", Kind::Word, Meaning::NONE),
    row("H", Kind::Word, Meaning::NONE),
    span("Ta", Role::Duration, Unit::Millis).remark("from the request's first byte to the answer's last"),
    row("Tt", Kind::Integer, Meaning { rank: 6, ..Meaning::span_or_never(Role::Duration, Unit::Millis) })
        .remark("with the time before the request"),
    row("Tu", Kind::Integer, Meaning { rank: 5, ..Meaning::span_or_never(Role::Duration, Unit::Millis) })
        .remark("as the client sees it"),
    span("Tr", Role::UpstreamDuration, Unit::Millis).remark("until the server's headers"),
    row("TR", Kind::Integer, Meaning::NONE),
    span("Tw", Role::UpstreamQueue, Unit::Millis),
    span("Tc", Role::UpstreamConnect, Unit::Millis),
    row("Td", Kind::Integer, Meaning::NONE),
    row("Th", Kind::Integer, Meaning::NONE),
    row("Ti", Kind::Integer, Meaning::NONE),
    row("Tq", Kind::Integer, Meaning::NONE),
    row("ST", Kind::Integer, Meaning::of(Role::Status, Unit::Plain, 0)),
    row("B", Kind::Integer, Meaning::of(Role::BytesSent, Unit::Bytes, 0)).remark("with headers"),
    row("U", Kind::Integer, Meaning::of(Role::BytesReceived, Unit::Bytes, 0)).remark("with headers"),
    row_or_empty("CC", Kind::Text, Meaning::NONE),
    row_or_empty("CS", Kind::Text, Meaning::NONE),
    state("ts"),
    state("tsc"),
    row("ac", Kind::Integer, Meaning::NONE),
    row("fc", Kind::Integer, Meaning::NONE),
    row("bc", Kind::Integer, Meaning::NONE),
    row("sc", Kind::Integer, Meaning::NONE),
    row("rc", Kind::Integer, Meaning::NONE),
    row("sq", Kind::Integer, Meaning::NONE),
    row("bq", Kind::Integer, Meaning::NONE),
    row("lc", Kind::Integer, Meaning::NONE),
    row("rt", Kind::Integer, Meaning::NONE),
    row("pid", Kind::Integer, Meaning::NONE),
    row("bi", Kind::Word, Meaning::NONE),
    row("bp", Kind::Integer, Meaning::NONE),
    row("fi", Kind::Word, Meaning::NONE),
    row("fp", Kind::Integer, Meaning::NONE),
    row("si", Kind::Word, Meaning::NONE),
    row("sp", Kind::Integer, Meaning::NONE),
    row("sslc", Kind::Word, Meaning::NONE),
    row("sslv", Kind::Word, Meaning::NONE),
    row_or_empty("ID", Kind::Text, Meaning::NONE),
    row_or_empty("hr", Kind::Captured, Meaning::NONE),
    row_or_empty("hs", Kind::Captured, Meaning::NONE),
    row_or_empty("hrl", Kind::Text, Meaning::NONE),
    row_or_empty("hsl", Kind::Text, Meaning::NONE),
    row_or_empty("r", Kind::Text, Meaning::of(Role::Request, Unit::Plain, 0)),
    row_or_empty("HM", Kind::Text, Meaning::of(Role::Method, Unit::Plain, 0)),
    row_or_empty("HU", Kind::Text, Meaning::of(Role::Path, Unit::Plain, 0)).remark("with the query"),
    row_or_empty("HP", Kind::Text, Meaning::of(Role::Path, Unit::Plain, 1)).remark("without the query"),
    row_or_empty("HPO", Kind::Text, Meaning::of(Role::Path, Unit::Plain, 1)).remark("without the query"),
    row_or_empty("HQ", Kind::Text, Meaning::of(Role::Query, Unit::Plain, 0)),
    row_or_empty("HV", Kind::Word, Meaning::of(Role::Protocol, Unit::Plain, 0)),
    row("[txn.timer.total]", Kind::Integer, Meaning::span_or_never(Role::Duration, Unit::Millis)),
    row(
        "[fc.timer.total]",
        Kind::Integer,
        Meaning { rank: 6, ..Meaning::span_or_never(Role::Duration, Unit::Millis) },
    ),
    row(
        "[txn.timer.user]",
        Kind::Integer,
        Meaning { rank: 5, ..Meaning::span_or_never(Role::Duration, Unit::Millis) },
    ),
    span("[res.timer.hdr]", Role::UpstreamDuration, Unit::Millis),
    span("[req.timer.queue]", Role::UpstreamQueue, Unit::Millis),
    span("[bc.timer.connect]", Role::UpstreamConnect, Unit::Millis),
    row("[status]", Kind::Integer, Meaning::of(Role::Status, Unit::Plain, 1)),
    row("[txn.status]", Kind::Integer, Meaning::of(Role::Status, Unit::Plain, 0)),
    row_or_empty("[method]", Kind::Text, Meaning::of(Role::Method, Unit::Plain, 1)),
    row_or_empty("[capture.req.method]", Kind::Text, Meaning::of(Role::Method, Unit::Plain, 1)),
    row_or_empty("[capture.req.uri]", Kind::Text, Meaning::of(Role::Path, Unit::Plain, 1)),
    row_or_empty("[capture.req.ver]", Kind::Text, Meaning::of(Role::Protocol, Unit::Plain, 1)),
    row_or_empty("[pathq]", Kind::Text, Meaning::of(Role::Path, Unit::Plain, 1)),
    row_or_empty("[path]", Kind::Text, Meaning::of(Role::Path, Unit::Plain, 2)),
    row_or_empty("[query]", Kind::Text, Meaning::of(Role::Query, Unit::Plain, 1)),
    row_or_empty("[req.hdr(host)]", Kind::Text, Meaning::vhost(Trust::Client, 0)),
    row_or_empty("[hdr(host)]", Kind::Text, Meaning::vhost(Trust::Client, 0)),
    row_or_empty("[ssl_fc_sni]", Kind::Text, Meaning::vhost(Trust::Client, 2)),
];

/// Flags in braces, as far as they change what is printed.
#[derive(Clone, Copy, Default)]
struct Flags {
    quote: bool,
    json: bool,
}

/// A field as written.
struct Written {
    /// In parentheses before it: the key in JSON.
    key: String,
    name: String,
    flags: Flags,
    end: usize,
}

pub fn compile(text: &[(u8, usize)], tables: Tables) -> Result<Compiled, FormatError> {
    let bytes: Vec<u8> = text.iter().map(|&(byte, _)| byte).collect();
    let (mut pieces, mut keys) = (Vec::new(), Vec::new());
    let mut flags = Flags::default();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        if rest.starts_with(b"%%") {
            push_literal(&mut pieces, b"%");
            at += 2;
        } else if rest.starts_with(b"\\ ") {
            push_literal(&mut pieces, b" ");
            at += 2;
        } else if rest[0] == b'%' {
            let written = field(&bytes, at, flags).ok_or_else(|| {
                let column = text[at].1;
                FormatError::new(
                    column,
                    format!("% without a variable or a closing bracket at column {column}"),
                )
            })?;
            at = written.end;
            if written.name == "o" {
                flags = written.flags;
                continue;
            }
            let slot = slot_of(&written, tables, text[at - written.name.len()].1)?;
            keys.push(Slot { name: written.key.clone(), escape: Escape::Json, ..slot.clone() });
            // Headers that were not captured leave nothing, and then the blank behind them is one too many.
            at += usize::from(vanishes(&slot) && bytes.get(at) == Some(&b' '));
            push_field(slot, written.flags, &mut pieces);
        } else {
            // Blanks that touch are one, and none begins the line.
            let second = match pieces.last() {
                None => rest[0] == b' ',
                Some(Piece::Literal(before)) => rest[0] == b' ' && before.ends_with(b" "),
                Some(Piece::Capture(_)) => false,
            };
            push_literal(&mut pieces, if second { b"" } else { &rest[..1] });
            at += 1;
        }
    }
    if flags.json {
        keys.retain(|slot| !slot.name.is_empty());
        return Ok(Compiled::Keys(keys));
    }
    Ok(Compiled::Pieces(pieces))
}

/// Reads `%(name:type){flags}variable` or `%{flags}[expression]`.
fn field(bytes: &[u8], at: usize, outer: Flags) -> Option<Written> {
    let mut end = at + 1;
    let mut within = |open: u8, close: u8| {
        if bytes.get(end) != Some(&open) {
            return Some(String::new());
        }
        let length = bytes[end..].iter().position(|c| *c == close)?;
        let inner = String::from_utf8_lossy(&bytes[end + 1..end + length]).into_owned();
        end += length + 1;
        Some(inner)
    };
    let key = within(b'(', b')')?;
    let written = within(b'{', b'}')?;
    let mut flags = outer;
    for flag in written.split(',') {
        match flag.trim() {
            "+Q" => flags.quote = true,
            "-Q" => flags.quote = false,
            "+json" => flags.json = true,
            _ => {}
        }
    }
    let key = key.split(':').next().unwrap_or_default().to_owned();
    let start = end;
    if bytes.get(end) == Some(&b'[') {
        let mut depth = 0;
        let length = bytes[end..].iter().position(|c| {
            depth += i32::from(*c == b'[') - i32::from(*c == b']');
            depth == 0
        })?;
        end += length + 1;
    } else {
        end += bytes[end..].iter().take_while(|c| c.is_ascii_alphanumeric()).count();
    }
    let name = String::from_utf8_lossy(&bytes[start..end]).into_owned();
    (!name.is_empty()).then_some(Written { key, name, flags, end })
}

fn slot_of(written: &Written, tables: Tables, column: usize) -> Result<Slot, FormatError> {
    let Written { name, flags, .. } = written;
    let expression = name.starts_with('[');
    // Converters change how a value is written, not what it is; of a name they hide nothing.
    let plain = match name.split_once(',') {
        Some((fetch, _)) if expression => format!("{fetch}]"),
        _ => name.clone(),
    };
    let found = find_row(tables, &plain.replace(' ', ""));
    if found.is_none() && !expression {
        return Err(FormatError::new(
            column,
            format!("unknown variable %{name} at column {column}{}", asked(tables, name)),
        ));
    }
    let (kind, meaning) = found.map_or((Kind::Text, Meaning::NONE), |row| (row.kind, row.meaning));
    Ok(Slot {
        name: if flags.json { written.key.clone() } else { format!("%{name}") },
        kind,
        meaning,
        escape: Escape::Hash,
        may_be_empty: found.is_none_or(|row| row.may_be_empty),
        dash_is_value: false,
    })
}

fn asked(tables: Tables, name: &str) -> String {
    near(tables, name).map(|near| format!("; is %{near} meant?")).unwrap_or_default()
}

/// Whether the value may be nothing at all, with one of the blanks around it.
fn vanishes(slot: &Slot) -> bool {
    ["%hr", "%hs", "%hrl", "%hsl"].contains(&slot.name.as_str())
}

/// Adds a field, in quotes if it is a text and they are asked for.
fn push_field(slot: Slot, flags: Flags, pieces: &mut Vec<Piece>) {
    let text = matches!(slot.kind, Kind::Word | Kind::Text) && slot.meaning.aborted.is_empty();
    let quote: &[u8] = if flags.quote && text && !vanishes(&slot) { b"\"" } else { b"" };
    push_literal(pieces, quote);
    pieces.push(Piece::Capture(slot));
    push_literal(pieces, quote);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(text: &str) -> Result<Compiled, FormatError> {
        compile(&text.bytes().zip(1..).collect::<Vec<_>>(), &[HAPROXY])
    }

    fn shown(text: &str) -> String {
        let Ok(Compiled::Pieces(pieces)) = compiled(text) else { panic!("{text}") };
        let words = pieces.iter().map(|piece| match piece {
            Piece::Literal(bytes) => format!("{:?}", String::from_utf8_lossy(bytes)),
            Piece::Capture(slot) => slot.name.clone(),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn variables_flags_and_expressions() {
        assert_eq!(shown("%ci:%cp [%tr] %%"), r#"%ci ":" %cp " [" %tr "] %""#);
        assert_eq!(shown("%{+Q}r"), r#""\"" %r "\"""#);
        assert_eq!(shown("%{+Q}o %ft %ST %{-Q}ci"), r#""\"" %ft "\" " %ST " " %ci"#);
        assert_eq!(shown("%[capture.req.hdr(0),lower] %(x)ST"), r#"%[capture.req.hdr(0),lower] " " %ST"#);
        assert_eq!(shown("%bq %hr %hs %{+Q}r"), r#"%bq " " %hr %hs "\"" %r "\"""#);
    }

    #[test]
    fn an_expression_may_mean_what_a_variable_means() {
        let Ok(Compiled::Pieces(pieces)) = compiled("%[req.hdr(host),lower]") else { panic!() };
        assert!(matches!(&pieces[0], Piece::Capture(slot) if slot.meaning.role == Some(Role::Vhost)));
    }

    #[test]
    fn keys_where_json_is_asked_for() {
        let Ok(Compiled::Keys(keys)) =
            compiled("%{+json}o %(status)ST %(took:sint)Ta %(host)[ssl_fc_sni] %B")
        else {
            panic!()
        };
        let names: Vec<&str> = keys.iter().map(|slot| slot.name.as_str()).collect();
        assert_eq!(names, ["status", "took", "host"]);
    }

    #[test]
    fn what_is_no_variable_is_refused_with_its_column() {
        for (text, column) in [("%ci %zz", 6), ("a %", 3), ("%[method", 1), ("%{+Q", 1)] {
            assert_eq!(compiled(text).unwrap_err().column, column, "{text}");
        }
    }
}
