//! Formats made of names in parentheses: gunicorn's `%(h)s` and uWSGI's `%(addr)`.
//!
//! Turns the text of `access_log_format` (gunicorn, glogging.py; hypercorn, logging.py) or of `log-format` (uWSGI,
//! core/logging.c and the page "Formatting uWSGI requests logs") into literals and captures. Neither escapes blanks;
//! gunicorn escapes quotes. Knows nothing of lines.

use crate::parse::compile::error::FormatError;
use crate::parse::compile::field::{
    Kind, Meaning, Piece, Role, Row, Slot, Tables, Trust, Unit, find_row, push_literal, row, row_or_empty,
};
use crate::parse::read::text::Escape;
use crate::parse::read::time::Style;

/// gunicorn's and hypercorn's; `%({X}i)s` is a header.
pub const GUNICORN: &[Row] = &[
    row("h", Kind::Word, Meaning::NONE),
    row("l", Kind::Word, Meaning::NONE),
    row("u", Kind::Text, Meaning::NONE),
    row("t", Kind::Time(Style::Clf), Meaning::of(Role::Timestamp, Unit::Plain, 0))
        .remark("with its brackets"),
    row_or_empty("r", Kind::Text, Meaning::of(Role::Request, Unit::Plain, 0)),
    row_or_empty("R", Kind::Text, Meaning::of(Role::Request, Unit::Plain, 1)).remark("hypercorn's"),
    row_or_empty("m", Kind::Text, Meaning::of(Role::Method, Unit::Plain, 0)),
    row("U", Kind::Path, Meaning::of(Role::Path, Unit::Plain, 1)).remark("without the query"),
    row("Uq", Kind::Path, Meaning::of(Role::Path, Unit::Plain, 0)).remark("hypercorn's, with the query"),
    row_or_empty("q", Kind::Text, Meaning::of(Role::Query, Unit::Plain, 0)),
    row("H", Kind::Word, Meaning::of(Role::Protocol, Unit::Plain, 0)),
    row("S", Kind::Word, Meaning::of(Role::Scheme, Unit::Plain, 0)),
    row("s", Kind::Integer, Meaning::of(Role::Status, Unit::Plain, 0)),
    row_or_empty("st", Kind::Text, Meaning::NONE),
    row("B", Kind::Integer, Meaning::of(Role::BytesSent, Unit::Bytes, 0)),
    row("b", Kind::Integer, Meaning::of(Role::BytesSent, Unit::Bytes, 1)),
    row_or_empty("f", Kind::Text, Meaning::NONE),
    row_or_empty("a", Kind::Text, Meaning::NONE),
    row("T", Kind::Integer, Meaning::span(Role::Duration, Unit::Seconds)).remark("whole ones"),
    row("M", Kind::Integer, Meaning::span(Role::Duration, Unit::Millis)),
    row("D", Kind::Integer, Meaning::span(Role::Duration, Unit::Micros)),
    row("L", Kind::Decimal, Meaning::of(Role::Duration, Unit::Seconds, 2)).remark("with decimals"),
    row("p", Kind::Word, Meaning::NONE),
    row_or_empty("{Host}i", Kind::Text, Meaning::vhost(Trust::Client, 1)),
];

/// uWSGI's; what it does not know is `-`.
pub const UWSGI: &[Row] = &[
    row_or_empty("uri", Kind::Path, Meaning::of(Role::Path, Unit::Plain, 0)),
    row_or_empty("method", Kind::Text, Meaning::of(Role::Method, Unit::Plain, 0)),
    row_or_empty("user", Kind::Text, Meaning::NONE),
    row_or_empty("addr", Kind::Word, Meaning::NONE),
    row_or_empty("host", Kind::Text, Meaning::vhost(Trust::Client, 0)),
    row_or_empty("proto", Kind::Word, Meaning::of(Role::Protocol, Unit::Plain, 0)),
    row_or_empty("uagent", Kind::Text, Meaning::NONE),
    row_or_empty("referer", Kind::Text, Meaning::NONE),
    row("status", Kind::Integer, Meaning::of(Role::Status, Unit::Plain, 0)),
    row("size", Kind::Integer, Meaning::of(Role::BytesSent, Unit::Bytes, 0)).remark("with headers"),
    row("rsize", Kind::Integer, Meaning::of(Role::BytesSent, Unit::Bytes, 1)).remark("without headers"),
    row("hsize", Kind::Integer, Meaning::NONE),
    row("headers", Kind::Integer, Meaning::NONE),
    row("cl", Kind::Integer, Meaning::of(Role::BytesReceived, Unit::Bytes, 0)).remark("without headers"),
    row("msecs", Kind::Integer, Meaning::span(Role::Duration, Unit::Millis)),
    row("micros", Kind::Integer, Meaning::span(Role::Duration, Unit::Micros)),
    row("secs", Kind::Decimal, Meaning::span(Role::Duration, Unit::Seconds)),
    row("time", Kind::Integer, Meaning::of(Role::Timestamp, Unit::Seconds, 3)),
    row("epoch", Kind::Integer, Meaning::of(Role::Timestamp, Unit::Seconds, 2)),
    row("tmsecs", Kind::Integer, Meaning::of(Role::Timestamp, Unit::Millis, 1)),
    row("tmicros", Kind::Integer, Meaning::of(Role::Timestamp, Unit::Micros, 1)),
    row("ltime", Kind::Time(Style::Clf), Meaning::of(Role::Timestamp, Unit::Plain, 0)),
    row("ctime", Kind::Text, Meaning::NONE),
    row("ftime", Kind::Text, Meaning::NONE),
    row("pid", Kind::Integer, Meaning::NONE),
    row("wid", Kind::Integer, Meaning::NONE),
    row("core", Kind::Integer, Meaning::NONE),
    row("switches", Kind::Integer, Meaning::NONE),
    row("vars", Kind::Integer, Meaning::NONE),
    row("pktsize", Kind::Integer, Meaning::NONE),
];

/// Compiles a format. `letter` is what stands behind the parentheses.
pub fn compile(
    text: &[(u8, usize)],
    tables: Tables,
    letter: &[u8],
    escape: Escape,
) -> Result<Vec<Piece>, FormatError> {
    let bytes: Vec<u8> = text.iter().map(|&(byte, _)| byte).collect();
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        if rest.starts_with(b"%%") && !letter.is_empty() {
            push_literal(&mut pieces, b"%");
            at += 2;
        } else if rest.starts_with(b"%(") {
            let column = text[at].1;
            let behind = |close: usize| rest[close + 1..].starts_with(letter);
            let Some(close) = rest.iter().position(|c| *c == b')').filter(|close| behind(*close)) else {
                let end = String::from_utf8_lossy(letter);
                return Err(FormatError::new(column, format!("%( without its ){end} at column {column}")));
            };
            let name = String::from_utf8_lossy(&rest[2..close]).into_owned();
            field(&name, tables, (letter, escape), &mut pieces);
            at += close + 1 + letter.len();
        } else {
            push_literal(&mut pieces, &bytes[at..=at]);
            at += 1;
        }
    }
    Ok(pieces)
}

fn field(name: &str, tables: Tables, (letter, escape): (&[u8], Escape), pieces: &mut Vec<Piece>) {
    let host = name.eq_ignore_ascii_case("{host}i");
    let found = find_row(tables, if host { "{Host}i" } else { name });
    let (kind, meaning) = found.map_or((Kind::Text, Meaning::NONE), |row| (row.kind, row.meaning));
    let slot = Slot {
        name: format!("%({name}){}", String::from_utf8_lossy(letter)),
        kind,
        meaning,
        escape,
        may_be_empty: found.is_none_or(|row| row.may_be_empty),
        dash_is_value: false,
    };
    // gunicorn's time has its brackets, as Apache's %t.
    let brackets = name == "t" && !letter.is_empty();
    push_literal(pieces, if brackets { b"[" } else { b"" });
    pieces.push(Piece::Capture(slot));
    push_literal(pieces, if brackets { b"]" } else { b"" });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, tables: Tables, letter: &[u8]) -> Result<String, FormatError> {
        let columns: Vec<(u8, usize)> = text.bytes().zip(1..).collect();
        let words: Vec<String> = compile(&columns, tables, letter, Escape::None)?
            .iter()
            .map(|piece| match piece {
                Piece::Literal(bytes) => format!("{:?}", String::from_utf8_lossy(bytes)),
                Piece::Capture(slot) => slot.name.clone(),
            })
            .collect();
        Ok(words.join(" "))
    }

    #[test]
    fn names_in_parentheses_and_what_stands_between() {
        let gunicorn = |text| shown(text, &[GUNICORN], b"s");
        assert_eq!(gunicorn("%(h)s %% %({x-id}i)s").unwrap(), r#"%(h)s " % " %({x-id}i)s"#);
        assert_eq!(gunicorn("%(t)s").unwrap(), r#""[" %(t)s "]""#);
        assert_eq!(shown("%(uri)%(x)%", &[UWSGI], b"").unwrap(), r#"%(uri) %(x) "%""#);
    }

    #[test]
    fn a_name_that_is_never_closed() {
        assert_eq!(shown("a %(h", &[GUNICORN], b"s").unwrap_err().column, 3);
        assert_eq!(shown("%(h)", &[GUNICORN], b"s").unwrap_err().column, 1);
    }
}
