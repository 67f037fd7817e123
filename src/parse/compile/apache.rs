//! Formats made of letters behind a percent sign: Apache's LogFormat, and what others made of it.
//!
//! Turns the text of a `LogFormat` (as it stands in httpd.conf, or already unescaped) into literals and captures.
//! Follows the grammar of mod_log_config.c (`parse_log_item`, `parse_log_misc_string`) and its table of directives,
//! with those of mod_logio and mod_ssl. Tomcat, Undertow, Varnish and h2o have the grammar and other meanings: each is
//! a table that is heard before Apache's. A row with an argument (`{ms}T`) comes before the letter alone. Knows
//! nothing of lines.

use crate::parse::compile::error::FormatError;
use crate::parse::compile::field::{
    Kind, Meaning, Piece, Role, Row, Slot, Tables, Trust, Unit, near, push_literal, row, row_or_empty,
};
use crate::parse::read::text::Escape;
use crate::parse::read::time::Style;

/// Ranks of `%s`: without a modifier it is the status before internal redirects, and so is `%<s`; the one
/// that was sent is `%>s`.
const ORIGINAL: u8 = 1;

/// Every directive of Apache 2.4. `%t` is refined below.
pub const APACHE: &[Row] = &[
    row("a", Kind::Word, Meaning::NONE),
    row("A", Kind::Word, Meaning::NONE),
    row("b", Kind::Integer, Meaning::of(Role::BytesSent, Unit::Bytes, 1)).remark("without headers"),
    row("B", Kind::Integer, Meaning::of(Role::BytesSent, Unit::Bytes, 0)).remark("without headers"),
    row_or_empty("c", Kind::Text, Meaning::NONE),
    row_or_empty("C", Kind::Text, Meaning::NONE),
    row("D", Kind::Integer, Meaning::span(Role::Duration, Unit::Micros)),
    row_or_empty("e", Kind::Text, Meaning::NONE),
    row_or_empty("f", Kind::Text, Meaning::NONE),
    row("^FB", Kind::Integer, Meaning::span(Role::TimeToFirstByte, Unit::Micros))
        .remark("with LogIOTrackTTFB ON"),
    row("h", Kind::Word, Meaning::NONE),
    row_or_empty("H", Kind::Text, Meaning::of(Role::Protocol, Unit::Plain, 0)),
    row_or_empty("{Host}i", Kind::Text, Meaning::vhost(Trust::Client, 1)),
    row_or_empty("i", Kind::Text, Meaning::NONE),
    row("I", Kind::Integer, Meaning::of(Role::BytesReceived, Unit::Bytes, 0)).remark("with headers"),
    row("k", Kind::Integer, Meaning::NONE),
    row("l", Kind::Word, Meaning::NONE),
    row("L", Kind::Word, Meaning::NONE),
    row_or_empty("m", Kind::Text, Meaning::of(Role::Method, Unit::Plain, 0)),
    row_or_empty("n", Kind::Text, Meaning::NONE),
    row_or_empty("o", Kind::Text, Meaning::NONE),
    row("O", Kind::Integer, Meaning::of(Role::BytesSent, Unit::Bytes, 3)).remark("with headers"),
    row("p", Kind::Integer, Meaning::NONE),
    row("{hextid}P", Kind::Word, Meaning::NONE),
    row("P", Kind::Integer, Meaning::NONE),
    row_or_empty("q", Kind::Query, Meaning::of(Role::Query, Unit::Plain, 0)),
    row_or_empty("r", Kind::Text, Meaning::of(Role::Request, Unit::Plain, 0)),
    row("R", Kind::Text, Meaning::NONE),
    row("s", Kind::Integer, Meaning::of(Role::Status, Unit::Plain, ORIGINAL))
        .remark("%>s is the one that was sent"),
    row("S", Kind::Integer, Meaning::NONE),
    row("t", Kind::Time(Style::Clf), Meaning::of(Role::Timestamp, Unit::Plain, 0)),
    row_or_empty("^ti", Kind::Text, Meaning::NONE),
    row_or_empty("^to", Kind::Text, Meaning::NONE),
    row("{ms}T", Kind::Integer, Meaning::span(Role::Duration, Unit::Millis)),
    row("{us}T", Kind::Integer, Meaning::span(Role::Duration, Unit::Micros)),
    row("{ns}T", Kind::Integer, Meaning::span(Role::Duration, Unit::Nanos)).remark("not Apache's own"),
    row("{s}T", Kind::Integer, Meaning::span(Role::Duration, Unit::Seconds)),
    row("T", Kind::Integer, Meaning::span(Role::Duration, Unit::Seconds)).remark("whole ones"),
    row("u", Kind::Text, Meaning::NONE),
    row_or_empty("U", Kind::Path, Meaning::of(Role::Path, Unit::Plain, 0)),
    row("v", Kind::Word, Meaning::vhost(Trust::Server, 0)),
    // With HttpProtocolOptions Unsafe any byte may be in it, and `GET http:// HTTP/1.1` leaves nothing of it.
    row_or_empty("V", Kind::Text, Meaning::vhost(Trust::Client, 0)),
    row_or_empty("x", Kind::Text, Meaning::NONE),
    row("X", Kind::Word, Meaning::aborted_if(&["X"])).remark("X where the client went away"),
];

/// Tomcat since 10.1 (AccessLogValve; apache/tomcat#720 and #721): `%D` was milliseconds before.
pub const TOMCAT: &[Row] = &[
    row("D", Kind::Integer, Meaning::span(Role::Duration, Unit::Micros)).remark("milliseconds up to 9.0"),
    row("F", Kind::Integer, Meaning::span_or_never(Role::TimeToFirstByte, Unit::Millis))
        .remark("until the answer is committed"),
    row("I", Kind::Text, Meaning::NONE).remark("the name of a thread"),
    row("O", Kind::Word, Meaning::NONE),
    row_or_empty("q", Kind::Query, Meaning::of(Role::Query, Unit::Plain, 0)).remark("- where there is none"),
    row("S", Kind::Word, Meaning::NONE).remark("the session"),
    row("{fracsec}T", Kind::Decimal, Meaning::span(Role::Duration, Unit::Seconds)),
    row("T", Kind::Decimal, Meaning::span(Role::Duration, Unit::Seconds))
        .remark("whole ones since 10.1, decimals before"),
    row("s", Kind::Integer, Meaning::of(Role::Status, Unit::Plain, 0)),
    row("v", Kind::Word, Meaning::vhost(Trust::Client, 0)).remark("the name that was asked for"),
    // ConnectionStatusElement: whenever the connector may no longer read or write.
    row("X", Kind::Word, Meaning::NONE).remark("X also where Tomcat itself broke the connection off"),
];

/// Tomcat up to 9.0, and JBoss Web.
pub const TOMCAT_9: &[Row] = &[row("D", Kind::Integer, Meaning::span(Role::Duration, Unit::Millis))];

/// Undertow, as WildFly and Spring Boot use it (AccessLogHandler and io.undertow.attribute).
pub const UNDERTOW: &[Row] = &[
    row("D", Kind::Integer, Meaning::span(Role::Duration, Unit::Millis)),
    row("T", Kind::Decimal, Meaning::span(Role::Duration, Unit::Seconds)).remark("with three decimals"),
    row("I", Kind::Text, Meaning::NONE).remark("the name of a thread"),
    row("S", Kind::Word, Meaning::NONE),
    row("s", Kind::Integer, Meaning::of(Role::Status, Unit::Plain, 0)),
    row("v", Kind::Word, Meaning::vhost(Trust::Client, 0)).remark("the name that was asked for"),
    row_or_empty("{i,Host}", Kind::Text, Meaning::vhost(Trust::Client, 1)),
    row("{RESPONSE_CODE}", Kind::Integer, Meaning::of(Role::Status, Unit::Plain, 0)),
    row("{BYTES_SENT}", Kind::Integer, Meaning::of(Role::BytesSent, Unit::Bytes, 1)),
    row("{RESPONSE_TIME}", Kind::Integer, Meaning::span(Role::Duration, Unit::Millis)),
    row("{RESPONSE_TIME_MICROS}", Kind::Integer, Meaning::span(Role::Duration, Unit::Micros)),
    row("{RESPONSE_TIME_NANOS}", Kind::Integer, Meaning::span(Role::Duration, Unit::Nanos)),
    row_or_empty("{REQUEST_LINE}", Kind::Text, Meaning::of(Role::Request, Unit::Plain, 0)),
    row_or_empty("{METHOD}", Kind::Text, Meaning::of(Role::Method, Unit::Plain, 0)),
    row("{REQUEST_URL}", Kind::Path, Meaning::of(Role::Path, Unit::Plain, 0)),
    row_or_empty("{QUERY_STRING}", Kind::Query, Meaning::of(Role::Query, Unit::Plain, 0)),
    row("{PROTOCOL}", Kind::Word, Meaning::of(Role::Protocol, Unit::Plain, 0)),
    row("{REMOTE_IP}", Kind::Word, Meaning::NONE),
    row("{REMOTE_USER}", Kind::Text, Meaning::NONE),
    row("{LOCAL_SERVER_NAME}", Kind::Word, Meaning::vhost(Trust::Client, 0)),
    row("{DATE_TIME}", Kind::Text, Meaning::NONE),
];

/// Varnish's varnishncsa(1): the target is an absolute URL, with `localhost` for a host that was never named.
pub const VARNISH: &[Row] = &[
    row_or_empty("r", Kind::Text, Meaning::of(Role::Request, Unit::Plain, 0).naming_host_but(""))
        .remark("its absolute URL names the virtual host"),
    row("s", Kind::Integer, Meaning::of(Role::Status, Unit::Plain, 0)).remark("- for what was piped"),
    row("{Varnish:time_firstbyte}x", Kind::Decimal, Meaning::span(Role::TimeToFirstByte, Unit::Seconds)),
    row("{Varnish:handling}x", Kind::Word, Meaning::NONE),
    row("{Varnish:hitmiss}x", Kind::Word, Meaning::NONE),
    row("{Varnish:side}x", Kind::Word, Meaning::NONE),
    row("{Varnish:vxid}x", Kind::Word, Meaning::NONE),
    row_or_empty("U", Kind::Path, Meaning::of(Role::Path, Unit::Plain, 0)),
];

/// h2o's access-log (h2o.examp1e.net, "Access Log Directives"): durations in seconds, `-` when unknown.
pub const H2O: &[Row] = &[
    row("{duration}x", Kind::Decimal, Meaning::span(Role::Duration, Unit::Seconds)),
    row("{total-time}x", Kind::Decimal, Meaning::span(Role::Duration, Unit::Seconds)),
    row("{request-total-time}x", Kind::Decimal, Meaning::NONE),
    row("{process-time}x", Kind::Decimal, Meaning::NONE),
    row("{connect-time}x", Kind::Decimal, Meaning::NONE),
    row("{request-header-time}x", Kind::Decimal, Meaning::NONE),
    row("{request-body-time}x", Kind::Decimal, Meaning::NONE),
    row("{response-time}x", Kind::Decimal, Meaning::NONE),
    row("{proxy.response-time}x", Kind::Decimal, Meaning::NONE),
    row("{proxy.total-time}x", Kind::Decimal, Meaning::span(Role::UpstreamDuration, Unit::Seconds)),
    row("s", Kind::Integer, Meaning::of(Role::Status, Unit::Plain, 0)),
];

/// A directive as parsed, before it is known what it means.
#[derive(Default)]
struct Written {
    argument: Option<Vec<u8>>,
    last_request: bool,
    /// Only for some statuses: for others a bare `-`, whatever the directive prints.
    conditional: bool,
}

/// Compiles a LogFormat by these tables. `text` pairs each byte with its column in what the user wrote.
pub fn compile(text: &[(u8, usize)], tables: Tables) -> Result<Vec<Piece>, FormatError> {
    let bytes: Vec<u8> = text.iter().map(|&(byte, _)| byte).collect();
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'%' if bytes.get(at + 1) == Some(&b'%') => {
                push_literal(&mut pieces, b"%");
                at += 2;
            }
            b'%' => {
                let column = text[at].1;
                let end = directive(&bytes, at, column, tables, &mut pieces)?;
                at = end;
            }
            b'\\' => {
                let (byte, used) = match bytes.get(at + 1) {
                    Some(b'n') => (b'\n', 2),
                    Some(b'r') => (b'\r', 2),
                    Some(b't') => (b'\t', 2),
                    Some(&c @ (b'\\' | b'"')) => (c, 2),
                    // httpd.conf goes on in the next line.
                    Some(b'\n') => {
                        at += 2;
                        continue;
                    }
                    _ => (b'\\', 1),
                };
                push_literal(&mut pieces, &[byte]);
                at += used;
            }
            byte => {
                push_literal(&mut pieces, &[byte]);
                at += 1;
            }
        }
    }
    Ok(pieces)
}

/// The directive written as `text`, alone, from this column on: the form in which fields are named elsewhere
/// (`%{Referer}i`).
pub fn one(text: &str, column: usize) -> Result<Slot, FormatError> {
    let columns: Vec<(u8, usize)> = text.bytes().zip(column..).collect();
    let mut slots = compile(&columns, &[APACHE])?.into_iter().filter_map(|piece| match piece {
        Piece::Capture(slot) => Some(slot),
        Piece::Literal(_) => None,
    });
    slots.next().ok_or_else(|| FormatError::new(column, format!("{text} is not a directive")))
}

/// Compiles the directive at `at` and says where the text goes on.
fn directive(
    bytes: &[u8],
    at: usize,
    column: usize,
    tables: Tables,
    pieces: &mut Vec<Piece>,
) -> Result<usize, FormatError> {
    let off_the_end = || {
        let shown = String::from_utf8_lossy(&bytes[at..]).into_owned();
        FormatError::new(
            column,
            format!("{shown} is not complete at the end of the format at column {column}"),
        )
    };
    let mut written = Written::default();
    let mut end = at + 1;
    loop {
        match bytes.get(end) {
            None => return Err(off_the_end()),
            Some(b'!' | b',') => end += 1,
            Some(b'0'..=b'9') => {
                written.conditional = true;
                end += 1;
            }
            Some(&sign @ (b'<' | b'>')) => {
                written.last_request = sign == b'>';
                end += 1;
            }
            Some(b'{') => {
                let close = bytes[end..].iter().position(|&c| c == b'}').ok_or_else(off_the_end)?;
                let argument = &bytes[end + 1..end + close];
                end += close + 1;
                if let Some(known) = find_named(tables, argument) {
                    let name = String::from_utf8_lossy(&bytes[at..end]).into_owned();
                    pieces.push(Piece::Capture(slot_of(&known, name)));
                    return Ok(end);
                }
                written.argument = Some(argument.to_vec());
            }
            Some(_) => break,
        }
    }
    let rest = &bytes[end..];
    let name_len = if rest[0] == b'^' { 3.min(rest.len()) } else { 1 };
    let letter = String::from_utf8_lossy(&rest[..name_len]).into_owned();
    let argument = written.argument.as_deref().unwrap_or_default();
    let Some(known) = find_directive(tables, argument, &letter) else {
        return Err(FormatError::new(column, unknown(tables, &letter, column)));
    };
    let end = end + letter.len();
    let name = String::from_utf8_lossy(&bytes[at..end]).into_owned();
    refine(known, name, &written, pieces);
    Ok(end)
}

/// The row of a letter, with this argument if there is one for it.
fn find_directive(tables: Tables, argument: &[u8], letter: &str) -> Option<&'static Row> {
    let rows = || tables.iter().flat_map(|table| table.iter());
    let same = |row: &&Row| {
        let named = row.name.strip_prefix('{').and_then(|name| name.rsplit_once('}'));
        named.is_some_and(|(known, of)| of == letter && known.as_bytes().eq_ignore_ascii_case(argument))
    };
    let with_argument = if argument.is_empty() { None } else { rows().find(same) };
    with_argument.or_else(|| rows().find(|row| row.name == letter))
}

/// The row of a name in braces, which has no letter behind it. Undertow's headers are named so (`%{i,Referer}`).
fn find_named(tables: Tables, argument: &[u8]) -> Option<Row> {
    let rows = tables.iter().flat_map(|table| table.iter());
    let mut in_braces = rows.filter(|row| row.name.ends_with('}')).peekable();
    in_braces.peek()?;
    let inner = |row: &Row| row.name.trim_start_matches('{').trim_end_matches('}').to_owned();
    let known = in_braces.find(|row| inner(row).as_bytes().eq_ignore_ascii_case(argument)).copied();
    let header = argument.get(1) == Some(&b',');
    known.or_else(|| header.then(|| row_or_empty("", Kind::Text, Meaning::NONE)))
}

/// What is said of a letter that no table has.
fn unknown(tables: Tables, letter: &str, column: usize) -> String {
    let asked = near(tables, letter).map(|near| format!("; is %{near} meant?")).unwrap_or_default();
    format!("unknown directive %{letter} at column {column}{asked}")
}

fn slot_of(known: &Row, name: String) -> Slot {
    Slot {
        name,
        kind: known.kind,
        meaning: known.meaning,
        escape: Escape::Apache,
        may_be_empty: known.may_be_empty,
        dash_is_value: known.name == "X",
    }
}

/// Adds the pieces of a directive, as its argument and modifiers make it.
fn refine(known: &Row, name: String, written: &Written, pieces: &mut Vec<Piece>) {
    let argument = written.argument.as_deref().unwrap_or_default();
    let mut slot = slot_of(known, name);
    match known.name {
        "s" if written.last_request => slot.meaning.rank = 0,
        "t" if written.conditional => (slot.kind, slot.meaning) = (Kind::Text, Meaning::NONE),
        "t" => return time(argument, slot, pieces),
        // Apache prints an argument that it does not know.
        "T" if !argument.is_empty() => return push_literal(pieces, argument),
        "p" if !matches!(argument, b"" | b"canonical" | b"local" | b"remote") => {
            return push_literal(pieces, argument);
        }
        "P" if !matches!(argument, b"" | b"pid" | b"tid") => return push_literal(pieces, argument),
        _ => {}
    }
    pieces.push(Piece::Capture(slot));
}

/// `%t` in all its forms. What strftime prints between its first and its last conversion is one capture, or one for
/// each word, so that a word behind it is not taken for a part of the time.
fn time(argument: &[u8], mut slot: Slot, pieces: &mut Vec<Piece>) {
    let format =
        argument.strip_prefix(b"begin:").or_else(|| argument.strip_prefix(b"end:")).unwrap_or(argument);
    let mut number = |unit, role| {
        slot.kind = Kind::Integer;
        slot.meaning = Meaning { role, unit, rank: 2, ..Meaning::NONE };
        pieces.push(Piece::Capture(slot.clone()));
    };
    match format {
        b"" | b"begin" | b"end" => {
            push_literal(pieces, b"[");
            pieces.push(Piece::Capture(slot));
            push_literal(pieces, b"]");
        }
        b"sec" | b"%s" => number(Unit::Seconds, Some(Role::Timestamp)),
        b"msec" => number(Unit::Millis, Some(Role::Timestamp)),
        b"usec" => number(Unit::Micros, Some(Role::Timestamp)),
        b"msec_frac" | b"usec_frac" => number(Unit::Plain, None),
        _ => {
            let first = format.iter().position(|&c| c == b'%').unwrap_or(format.len());
            let last = format.iter().rposition(|&c| c == b'%').map_or(first, |at| (at + 2).min(format.len()));
            push_literal(pieces, &format[..first]);
            if last > first {
                strftime(&format[first..last], slot, pieces);
                push_literal(pieces, &format[last..]);
            }
        }
    }
}

/// Conversions of strftime whose text may hold blanks or be empty: the others print one word.
const LOOSE: &[u8] = b"+cekEhlnOpPrtxX";

/// The captures of what strftime prints for `format`.
fn strftime(format: &[u8], mut slot: Slot, pieces: &mut Vec<Piece>) {
    let spelled = String::from_utf8_lossy(format).replace("%F", "%Y-%m-%d").replace("%T", "%H:%M:%S");
    let iso = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"].iter().any(|known| spelled.starts_with(known));
    if spelled == "%d/%b/%Y:%H:%M:%S %z" {
        slot.meaning.rank = 1;
        return pieces.push(Piece::Capture(slot));
    }
    if iso && matches!(&spelled[17..], "%z" | " %z") {
        slot.kind = Kind::Time(Style::Iso);
        slot.meaning.rank = 1;
        return pieces.push(Piece::Capture(slot));
    }
    (slot.kind, slot.meaning) = (Kind::Text, Meaning::NONE);
    if format.windows(2).any(|pair| pair[0] == b'%' && LOOSE.contains(&pair[1])) {
        return pieces.push(Piece::Capture(slot));
    }
    for (i, word) in format.split(|&c| c == b' ').enumerate() {
        push_literal(pieces, if i > 0 { b" " } else { b"" });
        if word.contains(&b'%') {
            pieces.push(Piece::Capture(slot.clone()));
        } else {
            push_literal(pieces, word);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(text: &str) -> Result<Vec<Piece>, FormatError> {
        compile(&text.bytes().zip(1..).collect::<Vec<_>>(), &[APACHE])
    }

    /// The pieces in short: literals in quotes, captures by name and kind.
    fn shown(text: &str) -> String {
        let words: Vec<String> = compiled(text)
            .unwrap()
            .iter()
            .map(|piece| match piece {
                Piece::Literal(bytes) => format!("{:?}", String::from_utf8_lossy(bytes)),
                Piece::Capture(slot) => format!("{}:{:?}", slot.name, slot.kind),
            })
            .collect();
        words.join(" ")
    }

    #[test]
    fn modifiers_in_any_order_belong_to_the_directive() {
        for text in ["%>s", "%<s", "%<>s", "%,404!s", "%!200,304s", "%><{s}!200>s", "%200<s"] {
            let slot = one(text, 1).unwrap();
            assert_eq!((slot.name.as_str(), slot.kind), (text, Kind::Integer));
            assert_eq!(slot.meaning.role, Some(Role::Status));
        }
        assert_eq!(one("%>s", 1).unwrap().meaning.rank, 0);
        assert_eq!(one("%<>s", 1).unwrap().meaning.rank, 0);
        assert_eq!(one("%s", 1).unwrap().meaning.rank, ORIGINAL);
        assert_eq!(one("%><s", 1).unwrap().meaning.rank, ORIGINAL);
    }

    #[test]
    fn literals_and_their_escapes() {
        assert_eq!(shown("%h \\\n %b"), r#"%h:Word "  " %b:Integer"#);
        assert_eq!(shown(r#"a\tb\"%%\q%h\\"#), r#""a\tb\"%\\q" %h:Word "\\""#);
    }

    #[test]
    fn times_in_all_forms() {
        assert_eq!(shown("%t"), r#""[" %t:Time(Clf) "]""#);
        assert_eq!(shown("%{end}t"), r#""[" %{end}t:Time(Clf) "]""#);
        assert_eq!(shown("%{begin:[%d/%b/%Y:%T %z]}t"), r#""[" %{begin:[%d/%b/%Y:%T %z]}t:Time(Clf) "]""#);
        assert_eq!(shown("%{%FT%T%z}t"), "%{%FT%T%z}t:Time(Iso)");
        assert_eq!(shown("%{usec}t"), "%{usec}t:Integer");
        assert_eq!(shown("%{%H h}t"), r#"%{%H h}t:Text " h""#);
        assert_eq!(shown("%{%d %H}t"), r#"%{%d %H}t:Text " " %{%d %H}t:Text"#);
        assert_eq!(shown("%{%e %H}t"), "%{%e %H}t:Text");
        assert_eq!(shown("%{%FT%T}t.%{msec_frac}t"), r#"%{%FT%T}t:Text "." %{msec_frac}t:Integer"#);
        assert_eq!(shown("%!200t"), "%!200t:Text");
        assert_eq!(shown("%{noon}t"), r#""noon""#);
    }

    #[test]
    fn units_come_from_the_argument() {
        for (text, unit) in [
            ("%D", Unit::Micros),
            ("%T", Unit::Seconds),
            ("%{ms}T", Unit::Millis),
            ("%{MS}T", Unit::Millis),
            ("%{us}T", Unit::Micros),
        ] {
            assert_eq!(one(text, 1).unwrap().meaning.unit, unit, "{text}");
        }
        assert_eq!(shown("%{foo}T"), r#""foo""#);
        assert_eq!(shown("%{x}p %{hextid}P"), r#""x " %{hextid}P:Word"#);
    }

    #[test]
    fn what_apache_refuses_is_refused_with_its_column() {
        for (text, column, message) in [
            ("%h %l %z", 7, "unknown directive %z at column 7"),
            ("%h % ", 4, "unknown directive %  at column 4"),
            ("%^x", 1, "unknown directive %^x at column 1"),
            ("%h %", 4, "% is not complete at the end of the format at column 4"),
            ("%h %{Referer", 4, "%{Referer is not complete at the end of the format at column 4"),
            ("%>", 1, "%> is not complete at the end of the format at column 1"),
        ] {
            let error = compiled(text).unwrap_err();
            assert_eq!((error.column, error.to_string().as_str()), (column, message));
        }
        assert!(compiled("%{}i %^FB %{X}^ti %{c}a").is_ok());
    }
}
