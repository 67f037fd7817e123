//! Apache LogFormat strings.
//!
//! Turns the text of a `LogFormat` (as it stands in httpd.conf, or already unescaped) into literals and
//! captures. Follows the grammar of mod_log_config.c (`parse_log_item`, `parse_log_misc_string`) and its
//! table of directives, with those of mod_logio and mod_ssl. Knows nothing of lines.

use crate::parse::FormatError;
use crate::parse::compile::field::{Kind, Meaning, Piece, Role, Slot, Trust, Unit, push_literal};
use crate::parse::read::text::Escape;
use crate::parse::read::time::Style;

/// A directive: its letter, and what it prints.
struct Directive {
    letter: &'static str,
    kind: Kind,
    meaning: Meaning,
    may_be_empty: bool,
}

const fn plain(letter: &'static str, kind: Kind, meaning: Meaning) -> Directive {
    Directive { letter, kind, meaning, may_be_empty: false }
}

/// A directive whose value comes from headers, notes and the like, which may be set to nothing.
const fn empty(letter: &'static str, kind: Kind, meaning: Meaning) -> Directive {
    Directive { letter, kind, meaning, may_be_empty: true }
}

/// Every directive of Apache 2.4. Those that depend on their argument (`%t %T %p %P`) are refined below.
const DIRECTIVES: &[Directive] = &[
    plain("a", Kind::Word, Meaning::NONE),
    plain("A", Kind::Word, Meaning::NONE),
    plain("b", Kind::Integer, Meaning::of(Role::BytesSent, Unit::Bytes, 1)),
    plain("B", Kind::Integer, Meaning::of(Role::BytesSent, Unit::Bytes, 0)),
    empty("c", Kind::Text, Meaning::NONE),
    empty("C", Kind::Text, Meaning::NONE),
    plain("D", Kind::Integer, Meaning::span(Role::Duration, Unit::Micros)),
    empty("e", Kind::Text, Meaning::NONE),
    empty("f", Kind::Text, Meaning::NONE),
    plain("^FB", Kind::Integer, Meaning::span(Role::TimeToFirstByte, Unit::Micros)),
    plain("h", Kind::Word, Meaning::NONE),
    empty("H", Kind::Text, Meaning::of(Role::Protocol, Unit::Plain, 0)),
    empty("i", Kind::Text, Meaning::NONE),
    plain("I", Kind::Integer, Meaning::of(Role::BytesReceived, Unit::Bytes, 0)),
    plain("k", Kind::Integer, Meaning::NONE),
    plain("l", Kind::Word, Meaning::NONE),
    plain("L", Kind::Word, Meaning::NONE),
    empty("m", Kind::Text, Meaning::of(Role::Method, Unit::Plain, 0)),
    empty("n", Kind::Text, Meaning::NONE),
    empty("o", Kind::Text, Meaning::NONE),
    plain("O", Kind::Integer, Meaning::of(Role::BytesSent, Unit::Bytes, 3)),
    plain("p", Kind::Integer, Meaning::NONE),
    plain("P", Kind::Integer, Meaning::NONE),
    empty("q", Kind::Query, Meaning::of(Role::Query, Unit::Plain, 0)),
    empty("r", Kind::Text, Meaning::of(Role::Request, Unit::Plain, 0)),
    plain("R", Kind::Text, Meaning::NONE),
    plain("s", Kind::Integer, Meaning::of(Role::Status, Unit::Plain, ORIGINAL)),
    plain("S", Kind::Integer, Meaning::NONE),
    plain("t", Kind::Time(Style::Clf), Meaning::of(Role::Timestamp, Unit::Plain, 0)),
    empty("^ti", Kind::Text, Meaning::NONE),
    empty("^to", Kind::Text, Meaning::NONE),
    plain("T", Kind::Integer, Meaning::span(Role::Duration, Unit::Seconds)),
    plain("u", Kind::Text, Meaning::NONE),
    empty("U", Kind::Path, Meaning::of(Role::Path, Unit::Plain, 0)),
    plain("v", Kind::Word, Meaning::vhost(Trust::Server, 0)),
    // With HttpProtocolOptions Unsafe any byte may be in it, and `GET http:// HTTP/1.1` leaves nothing of it.
    empty("V", Kind::Text, Meaning::vhost(Trust::Client, 0)),
    empty("x", Kind::Text, Meaning::NONE),
    plain("X", Kind::Word, Meaning::of(Role::Aborted, Unit::Plain, 0)),
];

/// Ranks of `%s`: without a modifier it is the status before internal redirects, and so is `%<s`; the one
/// that was sent is `%>s`.
const ORIGINAL: u8 = 1;

/// A directive as parsed, before it is known what it means.
#[derive(Default)]
struct Written {
    argument: Option<Vec<u8>>,
    last_request: bool,
    /// Only for some statuses: for others a bare `-`, whatever the directive prints.
    conditional: bool,
}

/// Compiles a LogFormat. `text` pairs each byte with its column in what the user wrote.
pub fn compile(text: &[(u8, usize)]) -> Result<Vec<Piece>, FormatError> {
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
                let end = directive(&bytes, at, column, &mut pieces)?;
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
    let mut slots = compile(&columns)?.into_iter().filter_map(|piece| match piece {
        Piece::Capture(slot) => Some(slot),
        Piece::Literal(_) => None,
    });
    slots.next().ok_or_else(|| FormatError::new(column, format!("{text} is no directive")))
}

/// Compiles the directive at `at` and says where the text goes on.
fn directive(bytes: &[u8], at: usize, column: usize, pieces: &mut Vec<Piece>) -> Result<usize, FormatError> {
    let off_the_end = || {
        let shown = String::from_utf8_lossy(&bytes[at..]).into_owned();
        FormatError::new(column, format!("{shown} runs off the end of the format at column {column}"))
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
                written.argument = Some(bytes[end + 1..end + close].to_vec());
                end += close + 1;
            }
            Some(_) => break,
        }
    }
    let rest = &bytes[end..];
    let name_len = if rest[0] == b'^' { 3.min(rest.len()) } else { 1 };
    let known = DIRECTIVES.iter().find(|d| rest.starts_with(d.letter.as_bytes()));
    let Some(known) = known else {
        let shown = String::from_utf8_lossy(&rest[..name_len]).into_owned();
        return Err(FormatError::new(column, format!("unknown directive %{shown} at column {column}")));
    };
    let end = end + known.letter.len();
    let name = String::from_utf8_lossy(&bytes[at..end]).into_owned();
    refine(known, name, &written, pieces);
    Ok(end)
}

/// Adds the pieces of a directive, as its argument and modifiers make it.
fn refine(known: &Directive, name: String, written: &Written, pieces: &mut Vec<Piece>) {
    let argument = written.argument.as_deref().unwrap_or_default();
    let mut slot = Slot {
        name,
        kind: known.kind,
        meaning: known.meaning,
        escape: Escape::Apache,
        may_be_empty: known.may_be_empty,
        dash_is_value: known.letter == "X",
    };
    match known.letter {
        "s" if written.last_request => slot.meaning.rank = 0,
        "i" if argument.eq_ignore_ascii_case(b"host") => slot.meaning = Meaning::vhost(Trust::Client, 1),
        "t" if written.conditional => (slot.kind, slot.meaning) = (Kind::Text, Meaning::NONE),
        "t" => return time(argument, slot, pieces),
        "T" => match argument.to_ascii_lowercase().as_slice() {
            b"" | b"s" => {}
            b"ms" => slot.meaning = Meaning::span(Role::Duration, Unit::Millis),
            b"us" => slot.meaning = Meaning::span(Role::Duration, Unit::Micros),
            // Not Apache's: the unit of Traefik's JSON, for key maps.
            b"ns" => slot.meaning = Meaning::span(Role::Duration, Unit::Nanos),
            _ => return push_literal(pieces, argument), // Apache prints what it does not know.
        },
        "p" if !matches!(argument, b"" | b"canonical" | b"local" | b"remote") => {
            return push_literal(pieces, argument);
        }
        "P" => match argument {
            b"" | b"pid" | b"tid" => {}
            b"hextid" => slot.kind = Kind::Word,
            _ => return push_literal(pieces, argument),
        },
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
        slot.meaning = Meaning { role, unit, rank: 2 };
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
        compile(&text.bytes().zip(1..).collect::<Vec<_>>())
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
            ("%h %", 4, "% runs off the end of the format at column 4"),
            ("%h %{Referer", 4, "%{Referer runs off the end of the format at column 4"),
            ("%>", 1, "%> runs off the end of the format at column 1"),
        ] {
            let error = compiled(text).unwrap_err();
            assert_eq!((error.column, error.to_string().as_str()), (column, message));
        }
        assert!(compiled("%{}i %^FB %{X}^ti %{c}a").is_ok());
    }
}
