//! Parser: turns the bytes of one log line into a record, or into the reason why there is none.
//!
//! A format (a preset's name, an Apache LogFormat, an nginx log_format, a map of JSON keys) is compiled
//! once; every line is then matched against it without regular expressions, anchored at both ends, and its
//! values are decoded on demand. Knows no metric, no clock and no option, does no input or output,
//! allocates nothing per line, and no bytes of a line can make it panic.
//!
//! `compile` turns the text of a format into steps, `read` runs them over lines, `detect` finds a format for lines.

pub mod compile;
pub mod detect;
pub mod envelope;
pub mod foreign;
pub mod read;
pub mod within;

#[cfg(test)]
mod tests;

use crate::bytes::distance::distance;
use crate::bytes::glob::Glob;
use crate::bytes::scan::{Simd, find_byte};
pub use crate::parse::compile::error::FormatError;
use crate::parse::compile::field::{Compiled, Meaning, Piece, Role, Slot};
use crate::parse::compile::language::Grammar;
use crate::parse::compile::map::{self, Map, Notation};
use crate::parse::compile::presets::PRESETS;
use crate::parse::compile::w3c::{self, Writer};
use crate::parse::compile::{dialect, language, nginx};
use crate::parse::envelope::facts::Field as Told;
use crate::parse::foreign::{Condition, Foreign};
use crate::parse::read::careful::{Failure, Steps, What};
use crate::parse::read::columns::{Columns, NoRow};
use crate::parse::read::fields::{Fields, NO_SLOT};
use crate::parse::read::keyed::pairs::{self, Punctuation};
use crate::parse::read::keyed::{Keys, PARTS_MAX, Unreadable};
use crate::parse::read::record::{FieldRef, Part, Record};
use crate::parse::read::retry::Budget;
use crate::parse::read::spans::{Span, Spans};
use crate::parse::read::text::Escape;

/// Captures a format may have; more is a mistake, and places are kept in 16 bits.
const MAX_FIELDS: usize = 1000;
const _: () = assert!(MAX_FIELDS * PARTS_MAX < u16::MAX as usize);

/// A line format, compiled.
#[derive(Debug)]
pub struct Format {
    name: String,
    text: String,
    pub body: Body,
    pub fields: Fields,
    /// Which lines are no requests.
    foreign: Foreign,
}

#[derive(Debug)]
pub enum Body {
    Text(Steps),
    Json(Keys),
    /// LTSV and logfmt.
    Pairs(Punctuation, Keys),
    /// W3C.
    Columns(Columns),
}

/// Why a line is no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRecord {
    /// It should be a request and does not fit.
    Malformed(Malformed),
    /// It is not a request, and was not meant to be one.
    Foreign,
}

/// Why a line does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    pub reason: Reason,
    /// Where in the line, from 1, the reading that came furthest into the format ended.
    pub column: usize,
}

/// The kinds of reasons; few, since they become values of a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The line is empty.
    Empty,
    /// Fixed text of the format is not there.
    Literal,
    /// A value is not of its kind.
    Value,
    /// There is more behind the end of the format.
    Trailing,
    /// The line ends before the format does.
    Truncated,
    /// Not a JSON object.
    Json,
    /// A JSON object without the key of the status.
    Missing,
}

impl Reason {
    pub const ALL: [Reason; 7] = [
        Reason::Empty,
        Reason::Literal,
        Reason::Value,
        Reason::Trailing,
        Reason::Truncated,
        Reason::Json,
        Reason::Missing,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Empty => "empty",
            Reason::Literal => "literal",
            Reason::Value => "value",
            Reason::Trailing => "trailing",
            Reason::Truncated => "truncated",
            Reason::Json => "json",
            Reason::Missing => "missing",
        }
    }
}

impl Format {
    /// Compiles the name of a preset, an Apache LogFormat, an nginx log_format, or a map of JSON keys:
    /// `json:KEY.PATH=FIELD,...`, where FIELD is the directive or variable that means the same.
    pub fn compile(spec: &str) -> Result<Format, FormatError> {
        let Some(preset) = PRESETS.iter().find(|preset| preset.name == spec) else {
            return Format::compile_text(spec);
        };
        let mut format = Format { name: preset.name.to_owned(), ..Format::compile_text(preset.text)? };
        for (field, text) in preset.conditions {
            format.add_condition(field, text).map_err(|wrong| FormatError::new(1, wrong))?;
        }
        format.foreign.others = foreign::others(preset.others);
        for (field, values) in preset.aborted {
            format.add_aborted(field, values).map_err(|wrong| FormatError::new(1, wrong))?;
        }
        Ok(format)
    }

    /// Demands that a field of every request has one of these values; other lines that fit are foreign.
    fn add_condition(&mut self, field: &str, text: &str) -> Result<(), String> {
        let slot = self.slot_named(field)?;
        self.foreign.conditions.push(Condition::new(usize::from(slot), text));
        Ok(())
    }

    /// The place of a field, which may have the name of a part of the request.
    fn slot_named(&mut self, field: &str) -> Result<u16, String> {
        if let Some(slot) = self.fields.slots.iter().position(|slot| slot.name == field) {
            return u16::try_from(slot).map_err(|_| "too many fields".to_owned());
        }
        match self.field(field)? {
            FieldRef(Part::Slot(slot)) => Ok(slot),
            _ => Err(format!("a condition cannot be on {field}, a part of the request")),
        }
    }

    /// Some values of a field tell that the client went away.
    fn add_aborted(&mut self, field: &str, values: &[&str]) -> Result<(), String> {
        let slot = self.slot_named(field)?;
        self.fields
            .aborted
            .push((slot, values.iter().map(|value| Glob::compile(value.as_bytes())).collect()));
        Ok(())
    }

    /// Lets every line that does not fit be foreign.
    pub fn mix(&mut self, mixed: bool) {
        self.foreign.mixed = mixed;
    }

    /// Which lines are no requests.
    pub fn foreign(&self) -> &Foreign {
        &self.foreign
    }

    fn compile_text(spec: &str) -> Result<Format, FormatError> {
        if let Some((notation, text)) = Notation::named(spec) {
            let Map { mut slots, conditions } = map::compile(notation, text, MAX_FIELDS)?;
            if notation == Notation::Json {
                map::complete(&mut slots);
            }
            let mut format = match notation {
                Notation::W3c => Format::of_columns(spec, slots),
                _ => Format::of_keys(notation, spec, slots),
            };
            for (key, text) in conditions {
                format.add_condition(key, text).map_err(|wrong| FormatError::new(1, wrong))?;
            }
            return Ok(format);
        }
        let dialect::Given { language, text, escape } = dialect::of(spec)?;
        let mut pieces = match language.compile(&text, escape)? {
            Compiled::Pieces(pieces) => pieces,
            Compiled::Keys(slots) if slots.is_empty() => {
                return Err(FormatError::new(1, without_fields(spec)));
            }
            Compiled::Keys(slots) => return Ok(Format::of_keys(Notation::Json, spec, slots)),
        };
        drop_line_end(&mut pieces);
        let (mut steps, slots) = Steps::new(pieces);
        if language.grammar == Grammar::LogFormat {
            let of = |role| slots.iter().position(|slot| slot.meaning.role == Some(role));
            // Syslog cuts long lines; the request is the last that HAProxy logs, with what is wanted before it.
            if let (Some(status), Some(request)) = (of(Role::Status), of(Role::Request))
                && status < request
            {
                steps.may_be_cut_in(request);
            }
        }
        if slots.is_empty() {
            return Err(FormatError::new(1, without_fields(spec)));
        }
        if slots.len() > MAX_FIELDS {
            return Err(FormatError::new(1, format!("a format of more than {MAX_FIELDS} fields")));
        }
        Ok(Format::new(language.name, shown(&text), Body::Text(steps), slots))
    }

    fn of_keys(notation: Notation, spec: &str, slots: Vec<Slot>) -> Format {
        let keys = Keys::new(slots.iter().map(|slot| slot.name.as_str()).zip(0..));
        let body = match notation {
            Notation::Ltsv => Body::Pairs(pairs::LTSV, keys),
            Notation::Logfmt => Body::Pairs(pairs::LOGFMT, keys),
            Notation::Json | Notation::W3c => Body::Json(keys),
        };
        let mut format = Format::new(notation.name(), spec.to_owned(), body, slots);
        format.fields.line_up();
        format
    }

    /// The columns that are known, except those that the operator maps to something else.
    fn of_columns(spec: &str, mut slots: Vec<Slot>) -> Format {
        let told = slots.len();
        let mut wanted: Vec<(String, Option<Writer>)> =
            slots.iter().map(|slot| (slot.name.clone(), None)).collect();
        for (writer, row) in w3c::COLUMNS {
            if !slots[..told].iter().any(|slot| slot.name.eq_ignore_ascii_case(row.name)) {
                let slot = Notation::W3c.slot(row.name, row.meaning);
                // Targets stay as they were sent.
                let target = matches!(row.meaning.role, Some(Role::Path | Role::Query));
                slots.push(if target { Slot { escape: Escape::None, ..slot } } else { slot });
                wanted.push((row.name.to_owned(), *writer));
            }
        }
        let columns = Columns::new(wanted.iter().map(|(name, writer)| (name.as_str(), *writer)).zip(0..));
        let mut format = Format::new("w3c", spec.to_owned(), Body::Columns(columns), slots);
        format.fields.line_up();
        format
    }

    fn new(name: &str, text: String, body: Body, slots: Vec<Slot>) -> Format {
        let (name, fields) = (name.to_owned(), Fields::new(slots));
        Format { name, text, body, fields, foreign: Foreign::default() }
    }

    /// The preset's name, or `apache`, `nginx` or `json` for a format given in full.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The format as understood.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A field under a name that only this program knows, not the configuration of the server.
    pub fn name_of_ours(&self) -> Option<&str> {
        let bare =
            |name: &str| name.trim_start_matches(['$', '%', '{']).trim_end_matches(['n', '}']).to_owned();
        self.fields.slots.iter().map(|slot| slot.name.as_str()).find(|name| nginx::is_ours(&bare(name)))
    }

    /// Lines that begin with # are remarks in every log that has them, unless all its lines do.
    fn is_remark(&self, line: &[u8]) -> bool {
        let begins = |steps: &Steps| steps.literal(0).first() == Some(&b'#');
        line.first() == Some(&b'#') && !matches!(&self.body, Body::Text(steps) if begins(steps))
    }

    /// Finds a field by name: a directive (`%{Referer}i`; modifiers may be left out), a `$variable`, a JSON
    /// key (`request.headers.User-Agent`), or a part of the request: `method`, `path`, `protocol`,
    /// `scheme`, `query:NAME`, or what the head of the line tells: `envelope:pod`. A key that a JSON format did
    /// not read yet is read from then on.
    pub fn field(&mut self, name: &str) -> Result<FieldRef, String> {
        if let Some(part) = self.request_part(name) {
            return Ok(FieldRef(part));
        }
        if let Some(told) = name.strip_prefix("envelope:") {
            let unknown = || format!("an envelope has no {told}; it may have {}", Told::names());
            return Told::named(told).map(|told| FieldRef(Part::Envelope(told))).ok_or_else(unknown);
        }
        let slot = match (self.fields.find(name), &self.body) {
            (Some(slot), _) => slot,
            (None, Body::Json(_) | Body::Pairs(..) | Body::Columns(_))
                if self.fields.slots.len() < MAX_FIELDS && !name.is_empty() =>
            {
                let notation = self.notation();
                notation.check(name)?;
                self.fields.slots.push(notation.slot(name, Meaning::NONE));
                self.look_for(&|_| true);
                self.fields.slots.len() - 1
            }
            _ => {
                let names: Vec<&str> = self.fields.slots.iter().map(|slot| slot.name.as_str()).collect();
                let of_request = if self.fields.source_of(Role::Method).is_some() {
                    ", and method, path, query:KEY, protocol and scheme of the request"
                } else {
                    ""
                };
                return Err(format!("the format has no {name}; it has {}{of_request}", names.join(" ")));
            }
        };
        u16::try_from(slot).map(|slot| FieldRef(Part::Slot(slot))).map_err(|_| "too many fields".to_owned())
    }

    fn request_part(&mut self, name: &str) -> Option<Part> {
        let has = |role| self.fields.source_of(role).is_some();
        match name {
            "method" if has(Role::Method) => Some(Part::Method),
            "path" if has(Role::Path) => Some(Part::Path),
            "protocol" if has(Role::Protocol) => Some(Part::Protocol),
            "scheme" if has(Role::Scheme) || has(Role::Path) => Some(Part::Scheme),
            _ => {
                let parameter = name.strip_prefix("query:").filter(|p| !p.is_empty())?;
                if !has(Role::Query) && !has(Role::Path) {
                    return None;
                }
                self.fields.queries.push(parameter.to_owned());
                u16::try_from(self.fields.queries.len() - 1).ok().map(Part::Query)
            }
        }
    }

    /// Says what will be asked of the records; what is in neither list may then be `None`. Text is matched
    /// as a whole all the same; of JSON only the needed keys (and the status) are looked up.
    pub fn need(&mut self, roles: &[Role], fields: &[FieldRef]) {
        let about_request =
            [Role::Request, Role::Method, Role::Path, Role::Protocol, Role::Query, Role::Scheme];
        let request = roles.iter().any(|role| about_request.contains(role))
            || fields.iter().any(|field| !matches!(field.0, Part::Slot(_) | Part::Envelope(_)));
        for role in Role::ALL {
            let derived = match role {
                Role::Status => true,
                Role::DurationPart => roles.contains(&Role::Duration),
                Role::Date => roles.contains(&Role::Timestamp),
                _ => request && about_request.contains(&role),
            };
            if !(roles.contains(&role) || derived) {
                self.fields.roles[role as usize] = (NO_SLOT, 0);
            }
        }
        if !roles.contains(&Role::Aborted) {
            self.fields.aborted.clear();
        }
        if self.is_keyed() {
            let beside = self.fields.aborted.iter().map(|(slot, _)| slot).chain(&self.fields.parts).copied();
            let beside: Vec<usize> = beside.map(usize::from).collect();
            let asked: Vec<bool> = (0..self.fields.slots.len())
                .map(|index| {
                    beside.contains(&index)
                        || Role::ALL.iter().any(|&role| self.fields.players(role).any(|slot| slot == index))
                        || self.foreign.conditions.iter().any(|condition| condition.slot == index)
                        || fields
                            .iter()
                            .any(|field| matches!(field.0, Part::Slot(slot) if usize::from(slot) == index))
                })
                .collect();
            self.look_for(&|index| asked[index]);
        }
    }

    /// Looks for these names in the lines from now on.
    fn look_for(&mut self, asked: &dyn Fn(usize) -> bool) {
        let names = || {
            self.fields
                .slots
                .iter()
                .map(|slot| slot.name.as_str())
                .zip(0..)
                .filter(|&(_, index)| asked(index))
        };
        self.body = match &self.body {
            Body::Text(_) => return,
            Body::Json(_) => Body::Json(Keys::new(names())),
            Body::Pairs(punctuation, _) => Body::Pairs(*punctuation, Keys::new(names())),
            Body::Columns(columns) => Body::Columns(columns.only(names())),
        };
    }

    fn notation(&self) -> Notation {
        match &self.body {
            Body::Pairs(punctuation, _) if *punctuation == pairs::LTSV => Notation::Ltsv,
            Body::Pairs(..) => Notation::Logfmt,
            Body::Columns(_) => Notation::W3c,
            Body::Text(_) | Body::Json(_) => Notation::Json,
        }
    }

    /// The line that a text begins with, and what comes of it.
    #[inline(always)]
    pub fn first<'a, 'l, L: Simd>(
        &'a self,
        lanes: L,
        text: &'l [u8],
        spans: &'a mut Spans,
    ) -> (&'l [u8], Result<Record<'a, 'l>, NoRecord>) {
        if let Body::Text(steps) = &self.body {
            // So that no place in it is that of a value which is not there.
            let text = &text[..text.len().min(Span::NULL.start as usize - 1)];
            spans.reset_with_numbers(self.fields.slots.len());
            if let Some(end) = steps.read_quickly(lanes, text, spans).filter(|&end| end > 0) {
                self.fields.leave_out_quotes(text, spans);
                let record = Record { fields: &self.fields, text, spans };
                let is_request = self.foreign.conditions.is_empty() || self.is_request(text, record.spans);
                return (&text[..end], if is_request { Ok(record) } else { Err(NoRecord::Foreign) });
            }
        }
        let line = &text[..find_byte(text, 0, b'\n')];
        (line, self.parse(line, spans))
    }

    /// Reads a line, given without its newline; a carriage return at its end is no part of it.
    pub fn parse<'a, 'l>(&'a self, line: &'l [u8], spans: &'a mut Spans) -> Result<Record<'a, 'l>, NoRecord> {
        spans.budget = Budget::of_line(line.len());
        self.parse_on(line, spans)
    }

    /// The same for a line that was tried in another envelope: with what that has left of the budget.
    pub fn parse_on<'a, 'l>(
        &'a self,
        line: &'l [u8],
        spans: &'a mut Spans,
    ) -> Result<Record<'a, 'l>, NoRecord> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match self.read(line, spans) {
            Ok(()) => Ok(Record { fields: &self.fields, text: line, spans }),
            Err(NoRecord::Malformed(_)) if self.foreign.owns(line) || self.is_remark(line) => {
                Err(NoRecord::Foreign)
            }
            Err(why) => Err(why),
        }
    }

    /// Fills the spans of a line.
    fn read(&self, line: &[u8], spans: &mut Spans) -> Result<(), NoRecord> {
        let malformed = |reason, column| NoRecord::Malformed(Malformed { reason, column });
        if line.is_empty() || line.len() >= Span::NULL.start as usize {
            return Err(malformed(Reason::Empty, 1));
        }
        spans.reset(self.fields.slots.len());
        match &self.body {
            Body::Text(steps) => {
                steps.read(line, spans).map_err(|failure| NoRecord::Malformed(failure.on(line)))?;
                self.fields.leave_out_quotes(line, spans);
            }
            Body::Json(keys) => {
                let unreadable = |Unreadable { at, .. }| malformed(Reason::Json, at + 1);
                keys.read(line, spans).map_err(unreadable)?;
                self.fields.read_stamp(line, spans);
            }
            Body::Pairs(punctuation, keys) => {
                let unreadable = |Unreadable { at, .. }| malformed(Reason::Value, at + 1);
                punctuation.read(keys, line, spans).map_err(unreadable)?;
                self.fields.read_stamp(line, spans);
            }
            Body::Columns(columns) => columns.read(line, spans).map_err(|no_row| match no_row {
                NoRow::Header => NoRecord::Foreign,
                NoRow::Unnamed => malformed(Reason::Missing, 1),
                NoRow::TooMany(at) => malformed(Reason::Trailing, at + 1),
            })?,
        }
        if !self.foreign.conditions.is_empty() && !self.is_request(line, spans) {
            return Err(NoRecord::Foreign);
        }
        if self.is_keyed() && !self.is_proven() && !self.fields.has_status(spans) {
            return Err(malformed(Reason::Missing, line.len() + 1));
        }
        Ok(())
    }

    /// Whether the conditions alone say that a line is a request, even one without a status.
    fn is_proven(&self) -> bool {
        self.foreign.conditions.iter().any(|condition| !condition.absent)
    }

    /// Whether all conditions hold.
    #[inline(never)]
    fn is_request(&self, text: &[u8], spans: &Spans) -> bool {
        let value = |slot: usize| spans.at.get(slot).and_then(|span| span.of(text));
        self.foreign.conditions.iter().all(|condition| condition.holds(value(condition.slot)))
    }

    /// Whether lines are JSON objects.
    pub fn is_json(&self) -> bool {
        matches!(self.body, Body::Json(_))
    }

    /// Whether values stand under names, some of which may be absent, and not in a fixed order.
    pub fn is_keyed(&self) -> bool {
        !matches!(self.body, Body::Text(_))
    }
}

impl Failure {
    #[cold]
    fn on(self, line: &[u8]) -> Malformed {
        let reason = match self.what {
            What::Trailing => Reason::Trailing,
            _ if self.at >= line.len() => Reason::Truncated,
            What::Value => Reason::Value,
            What::Head(_) | What::Tail(_) => Reason::Literal,
        };
        Malformed { reason, column: self.at + 1 }
    }
}

/// What is said of a format that would read nothing from a line.
fn without_fields(spec: &str) -> String {
    let single = spec.replace("%%", "%");
    if single == spec {
        let plain =
            format!("{spec} is neither a preset nor a format: it has no % directive and no $variable");
        // Only what encloses the fields is left after a shell has expanded them as its own variables.
        let emptied = ["\"\"", "[]", "- -"].iter().any(|rest| spec.contains(rest)) || spec.trim().is_empty();
        let near = PRESETS.iter().map(|preset| (distance(spec, preset.name), preset.name)).min();
        return match near {
            _ if emptied => plain + "; in a shell it has to stand in single quotes",
            // Of a short name little is left after two slips.
            Some((slips, name)) if slips <= 2 && 3 * slips <= name.len() => {
                format!("{plain}; did you mean {name}?")
            }
            _ => plain,
        };
    }
    let plain = format!("{spec} has no directive: %% is a plain percent sign");
    match Format::compile(&single) {
        // Text copied from a unit file has it doubled.
        Ok(_) => format!("{plain}; only systemd's unit files double it, elsewhere give '{single}'"),
        Err(_) => plain,
    }
}

/// The end of a line is no part of it.
fn drop_line_end(pieces: &mut Vec<Piece>) {
    let Some(Piece::Literal(last)) = pieces.last_mut() else { return };
    for end in [b'\n', b'\r'] {
        if last.last() == Some(&end) {
            last.pop();
        }
    }
    if last.is_empty() {
        pieces.pop();
    }
}

fn shown(text: &language::Text) -> String {
    let bytes: Vec<u8> = text.iter().map(|&(byte, _)| byte).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}
