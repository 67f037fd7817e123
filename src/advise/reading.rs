//! Readings: how a line is read, for people.
//!
//! Turns a line into its fields by name, raw text and value with unit, or into the first place where it does
//! not fit: what was expected there, before which directive, and what stood there instead. Allocates freely;
//! never called on the hot path.

use std::fmt;

use crate::log::printable;
use crate::parse::compile::field::{Kind, Role, Slot, Unit};
use crate::parse::compile::presets;
use crate::parse::detect::doubt;
use crate::parse::detect::doubt::Doubt;
use crate::parse::read::careful::{Failure, Steps, What};
use crate::parse::read::record::Record;
use crate::parse::read::request::Request;
use crate::parse::read::spans::Span;
use crate::parse::read::spans::Spans;
use crate::parse::read::text::{decimal, sum, unescape};
use crate::parse::read::time;
use crate::parse::{Body, Format, Malformed, NoRecord, Reason};

/// Longest piece of a line that is shown; a line of the terminal holds it.
const EXCERPT: usize = 60;

/// One field of a line as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The directive, variable or key as written.
    pub name: String,
    /// The bytes of the line, made printable.
    pub raw: String,
    /// What they mean, with the unit.
    pub value: String,
    /// Where, as a column of the line, and why this can hardly be what the server wrote here.
    pub doubt: Option<(usize, String)>,
}

impl Reading {
    /// The doubt in words, if there is one.
    pub fn in_doubt(&self) -> Option<String> {
        let (column, why) = self.doubt.as_ref()?;
        Some(format!("{} at column {column}, \"{}\": {why}", self.name, self.raw))
    }
}

/// What should stand where a line does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Fixed text of the format.
    Literal(String),
    /// A value, or something else in words.
    Words(String),
    /// Nothing: the last field has ended.
    End,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expected::Literal(text) => write!(f, "{text:?}"),
            Expected::Words(words) => f.write_str(words),
            Expected::End => f.write_str("the end of the line"),
        }
    }
}

/// The first place where a line does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Where in the line, in bytes from 1.
    pub column: usize,
    pub expected: Expected,
    /// The directive the expected value belongs to, or the one after the expected literal.
    pub before: Option<String>,
    /// What stood there, made printable and cut; empty at the end of the line.
    pub found: String,
    /// How many fields fitted.
    pub reached: usize,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} at column {}", self.expected, self.column)?;
        if let Some(before) = &self.before {
            let word = if matches!(self.expected, Expected::Literal(_)) { "before" } else { "for" };
            write!(f, " ({word} {before})")?;
        }
        match self.found.as_str() {
            "" => f.write_str(", found the end of the line"),
            found => write!(f, ", found \"{found}\""),
        }
    }
}

pub fn explain(format: &Format, line: &[u8]) -> Result<Vec<Reading>, Mismatch> {
    explain_after(format, line, &mut Spans::new())
}

/// The same behind other lines, whose headers may say what this one has: `spans` has read them.
pub fn explain_after(format: &Format, line: &[u8], spans: &mut Spans) -> Result<Vec<Reading>, Mismatch> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match format.parse(line, spans) {
        Err(NoRecord::Malformed(malformed)) => return Err(mismatch(format, line, malformed)),
        Err(NoRecord::Foreign) => return Err(no_request(format, line)),
        Ok(_) => {}
    }
    let doubts = doubt::of_line(&format.fields.slots, line, spans);
    let record = Record { fields: &format.fields, text: line, spans };
    let fields = format.fields.slots.iter().zip(&spans.at).enumerate();
    let readings = fields.filter_map(|(place, (slot, span))| {
        let raw = span.of(line)?;
        let doubt = doubts.iter().find(|doubt| doubt.slot == place);
        let doubt = doubt.map(|doubt| (span.start as usize + doubt.at + 1, doubt.why.clone()));
        let value = counted(&record, slot).unwrap_or_else(|| value(slot, raw));
        Some(Reading { name: slot.name.clone(), raw: printable(raw, EXCERPT), value, doubt })
    });
    let mut readings: Vec<Reading> = readings.collect();
    if let [only] = readings.as_mut_slice()
        && format.is_keyed()
        && format.fields.slots.len() > 1
    {
        // The key of a condition need not be in the line.
        let keys = format.fields.slots.iter().filter(|slot| slot.meaning.role.is_some()).count();
        let why = format!("of the {keys} keys of the format, the line has only this");
        only.doubt =
            spans.at.iter().find(|span| **span != Span::NONE).map(|span| (span.start as usize + 1, why));
    }
    Ok(readings)
}

/// The first doubt about lines that fit, if there is one about more than half of all; or what none of them has.
pub fn doubt(format: &Format, lines: &[&[u8]]) -> Option<String> {
    let lines: Vec<&&[u8]> = lines.iter().filter(|line| foreign(format, line).is_none()).collect();
    let readings: Vec<Vec<Reading>> = lines.iter().filter_map(|line| explain(format, line).ok()).collect();
    let doubt = |readings: &Vec<Reading>| readings.iter().find_map(Reading::in_doubt);
    let mut doubts = readings.iter().filter_map(doubt).collect::<Vec<String>>().into_iter();
    if doubts.len() > lines.len() / 2 { doubts.next() } else { unknown_key(format, &readings) }
}

/// Roles that every access log plays, if it plays them at all.
const CONSTANT: [Role; 8] = [
    Role::Request,
    Role::Method,
    Role::Path,
    Role::Protocol,
    Role::Vhost,
    Role::BytesSent,
    Role::Duration,
    Role::Timestamp,
];

/// Whether a line is read and no value is in doubt.
pub fn suits(format: &Format, line: &[u8]) -> bool {
    suits_after(format, line, &mut Spans::new())
}

/// The same behind other lines.
pub fn suits_after(format: &Format, line: &[u8], spans: &mut Spans) -> bool {
    let is_certain = |readings: Vec<Reading>| readings.iter().all(|reading| reading.doubt.is_none());
    explain_after(format, line, spans).is_ok_and(is_certain)
}

/// A key of a map given in full that is in no line, and neither is an alternative to it. (Presets have keys for many
/// servers.)
fn unknown_key(format: &Format, readings: &[Vec<Reading>]) -> Option<String> {
    if !format.is_keyed()
        || readings.is_empty()
        || format.name() != "json"
        || presets::of_text(format.text()).is_some()
    {
        return None;
    }
    let read = |key: &str| readings.iter().flatten().any(|reading| reading.name == key);
    let missing = |role: &Role| {
        let keys: Vec<&str> = format.fields.keys_of(*role).collect();
        let first = *keys.first()?;
        (!keys.iter().any(|key| read(key))).then(|| format!("no line has the key {first}"))
    };
    CONSTANT.iter().find_map(missing)
}

/// What is counted for the field that plays a role, where that differs from the field itself: a host without its port,
/// a status that is out of range.
fn counted(record: &Record, slot: &Slot) -> Option<String> {
    let role = slot.meaning.role.filter(|role| record.fields.source_of(*role) == Some(slot.name.as_str()))?;
    let time = |nanos: Option<u64>| {
        nanos.map_or_else(|| "absent".to_owned(), |nanos| format!("{} s", seconds(nanos)))
    };
    let size =
        |bytes: Option<u64>| bytes.map_or_else(|| "absent".to_owned(), |bytes| format!("{bytes} bytes"));
    match role {
        Role::Status => Some(record.status().map_or_else(|| "other".to_owned(), |status| status.to_string())),
        Role::Vhost => {
            Some(record.vhost().map_or_else(|| "absent".to_owned(), |host| printable(host, EXCERPT)))
        }
        Role::BytesSent => Some(size(record.bytes_sent())),
        Role::BytesReceived => Some(size(record.bytes_received())),
        Role::Duration => Some(time(record.duration_nanos())),
        Role::UpstreamDuration => Some(time(record.upstream_nanos())),
        Role::TimeToFirstByte => Some(time(record.time_to_first_byte_nanos())),
        _ => None,
    }
}

/// A value in words.
fn value(slot: &Slot, raw: &[u8]) -> String {
    let absent = || "absent".to_owned();
    if (raw == b"-" && !slot.dash_is_value && slot.meaning.role != Some(Role::Request))
        || (raw.is_empty() && slot.empty_is_absent())
    {
        return absent();
    }
    let scale = slot.meaning.scale();
    match (slot.meaning.role, slot.meaning.unit) {
        (Some(Role::Request), _) => request(raw),
        (Some(Role::Timestamp), _) => time::moment(raw, scale).map_or_else(
            || "a time without a zone".to_owned(),
            |nanos| format!("{} s since 1970", seconds(nanos.unsigned_abs())),
        ),
        (_, Unit::Bytes) => decimal(raw, 0).map_or_else(absent, |bytes| format!("{bytes} bytes")),
        (_, Unit::Own | Unit::Nanos | Unit::Micros | Unit::Millis | Unit::Seconds) => {
            sum(raw, scale).map_or_else(absent, |nanos| format!("{} s", seconds(nanos)))
        }
        _ => {
            let mut out = Vec::new();
            unescape(raw, slot.escape, &mut out);
            printable(&out, EXCERPT)
        }
    }
}

fn request(raw: &[u8]) -> String {
    let request = Request::read(raw, || false);
    let part = |bytes: Option<&[u8]>| printable(bytes.unwrap_or_default(), EXCERPT);
    match request.method {
        b"" => format!("{:?}", request.kind).to_ascii_lowercase(),
        method => format!("{} {} {}", part(Some(method)), part(request.target), part(request.protocol)),
    }
}

/// Nanoseconds as seconds, without needless zeros.
fn seconds(nanos: u64) -> String {
    let text = format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn mismatch(format: &Format, line: &[u8], malformed: Malformed) -> Mismatch {
    let Malformed { reason, column } = malformed;
    let found = printable(line.get(column - 1..).unwrap_or_default(), EXCERPT);
    let plain = |expected: &str, before: Option<String>| Mismatch {
        column,
        expected: Expected::Words(expected.to_owned()),
        before,
        found: found.clone(),
        reached: 0,
    };
    if reason == Reason::Empty {
        return plain("a line that is not empty", None);
    }
    match &format.body {
        Body::Text(steps) => match steps.read(line, &mut sized(format)) {
            Err(failure) => of_doubt(format, steps, line, failure)
                .unwrap_or_else(|| of_failure(format, steps, failure, found)),
            Ok(()) => plain("another format", None),
        },
        Body::Columns(_) => plain(columns_of(reason), None),
        Body::Json(_) | Body::Pairs(..) => {
            let mut spans = sized(format);
            let read = match &format.body {
                Body::Json(keys) => keys.read(line, &mut spans),
                Body::Pairs(punctuation, keys) => punctuation.read(keys, line, &mut spans),
                Body::Text(_) | Body::Columns(_) => Ok(()),
            };
            match read {
                Err(unreadable) => plain(unreadable.expected, None),
                Ok(()) => Mismatch {
                    reached: spans.at.iter().filter(|span| **span != Span::NONE).count(),
                    ..plain("the key", format.fields.source_of(Role::Status).map(str::to_owned))
                },
            }
        }
    }
}

/// What a line of columns should have. Without the header that was before it, only the reason tells.
fn columns_of(reason: Reason) -> &'static str {
    match reason {
        Reason::Missing => "a line #Fields: before it, and the status that this names",
        _ => "no more values than the line #Fields: before it has names",
    }
}

/// Why a line that was counted did not fit, in words; None when it fits.
pub fn why_not(format: &Format, line: &[u8], reason: Reason) -> Option<String> {
    match format.body {
        Body::Columns(_) => Some(format!("expected {}", columns_of(reason))),
        _ => explain(format, line).err().map(|mismatch| mismatch.to_string()),
    }
}

/// Why a line is no request, in words; None when it is one, or should be.
pub fn foreign(format: &Format, line: &[u8]) -> Option<String> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut spans = sized(format);
    if format.parse(line, &mut spans).err() != Some(NoRecord::Foreign) {
        return None;
    }
    let failing = format.foreign().conditions.iter().find_map(|condition| {
        let value = spans.at.get(condition.slot).and_then(|span| span.of(line));
        let name = format.fields.slots.get(condition.slot).map(|slot| slot.name.as_str())?;
        let found = value.map_or_else(|| "absent".to_owned(), |value| printable(value, EXCERPT));
        (!condition.holds(value)).then(|| format!("{name} is {found}, of requests {}", condition.text))
    });
    Some(failing.unwrap_or_else(|| "it does not fit, and need not".to_owned()))
}

fn no_request(format: &Format, line: &[u8]) -> Mismatch {
    let found = printable(line, EXCERPT);
    let before = foreign(format, line);
    Mismatch { column: 1, expected: Expected::Words("a request".to_owned()), before, found, reached: 0 }
}

fn sized(format: &Format) -> Spans {
    let mut spans = Spans::new();
    spans.reset(format.fields.slots.len());
    spans
}

/// Before the place where the line stopped to fit, a value may contain what no server writes there; then that is the
/// place to show.
fn of_doubt(format: &Format, steps: &Steps, line: &[u8], failure: Failure) -> Option<Mismatch> {
    let mut spans = sized(format);
    spans.clear();
    steps.walk(line, &mut spans);
    let doubts = doubt::of_line(&format.fields.slots, line, &spans);
    let Doubt { slot, at, expected, .. } = doubts.into_iter().find(|doubt| doubt.certain)?;
    let column = spans.at.get(slot)?.start as usize + at;
    let (expected, before) = match (expected, steps.literal(slot + 1)) {
        ("", b"") => return None,
        ("", literal) => (of_literal(literal), format.fields.slots.get(slot + 1)),
        (expected, _) => (Expected::Words(expected.to_owned()), format.fields.slots.get(slot)),
    };
    let (before, found) = (before.map(|slot| slot.name.clone()), printable(line.get(column..)?, EXCERPT));
    (column < failure.at).then_some(Mismatch { column: column + 1, expected, before, found, reached: slot })
}

fn of_failure(format: &Format, steps: &Steps, failure: Failure, found: String) -> Mismatch {
    let Failure { reached, at, what } = failure;
    let slot = format.fields.slots.get(reached);
    let expected = match what {
        What::Value => Expected::Words(slot.map_or("a value", |slot| words(slot.kind)).to_owned()),
        What::Trailing => Expected::End,
        What::Head(matched) | What::Tail(matched) => {
            of_literal(steps.literal(reached).get(matched..).unwrap_or_default())
        }
    };
    let before = slot.filter(|_| what != What::Trailing).map(|slot| slot.name.clone());
    Mismatch { column: at + 1, expected, before, found, reached }
}

fn of_literal(bytes: &[u8]) -> Expected {
    Expected::Literal(String::from_utf8_lossy(bytes).into_owned())
}

/// What a value of this kind looks like.
fn words(kind: Kind) -> &'static str {
    match kind {
        Kind::Word => "a word",
        Kind::Text | Kind::Quoted => "a text",
        Kind::Path => "a path",
        Kind::Query => "a query with its ? or nothing",
        Kind::MaybeQuoted => "a quoted text or -",
        Kind::Integer => "digits or -",
        Kind::Decimal => "a number or -",
        Kind::Decimals => "numbers or -",
        Kind::Words => "words or -",
        Kind::SyslogHeader => "a syslog header or nothing",
        Kind::WithUnit => "a time with its unit or -",
        Kind::Blanks => "blanks or nothing",
        Kind::Colour => "a colour or nothing",
        Kind::FourDecimals => "a number with four decimals",
        Kind::Captured => "headers in braces or nothing",
        Kind::OpenQuote => "a quote or nothing",
        Kind::RestOfCombined => "two quoted texts or nothing",
        Kind::Time(time::Style::Clf) => "a time like 10/Oct/2000:13:55:36 -0700",
        Kind::Time(time::Style::Iso) => "a time like 2000-10-10T13:55:36-07:00",
    }
}
