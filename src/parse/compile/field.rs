//! What a field of a log line is: its name, its shape, its meaning and its unit.
//!
//! What the languages (their tables of rows) compile into and the readers work from. Owns the roles a value can play
//! for a metric, and which of several fields plays a role when a format has more than one. Knows no syntax.

use crate::bytes::distance::is_one_off;
use crate::parse::read::text::{Escape, NEVER, OWN_UNIT};
use crate::parse::read::time::Style;

/// What a value is good for. A format gives some of these; `Format::source_of` says by which directive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    Status,
    /// The whole request line.
    Request,
    Method,
    /// The path, with the query where the server logs both in one.
    Path,
    Query,
    Protocol,
    Scheme,
    Vhost,
    BytesSent,
    BytesReceived,
    Duration,
    TimeToFirstByte,
    UpstreamDuration,
    UpstreamConnect,
    /// Time in a queue before an upstream server was free.
    UpstreamQueue,
    /// A part of the duration, to be added to the others and to the upstream's (AWS writes three).
    DurationPart,
    /// Whether the client went away before its answer was complete: see `Meaning::aborted`.
    Aborted,
    Timestamp,
    /// The day, where the time of the day stands in a column of its own; both are UTC.
    Date,
}

impl Role {
    pub const ALL: [Role; 19] = [
        Role::Status,
        Role::Request,
        Role::Method,
        Role::Path,
        Role::Query,
        Role::Protocol,
        Role::Scheme,
        Role::Vhost,
        Role::BytesSent,
        Role::BytesReceived,
        Role::Duration,
        Role::TimeToFirstByte,
        Role::UpstreamDuration,
        Role::UpstreamConnect,
        Role::UpstreamQueue,
        Role::DurationPart,
        Role::Aborted,
        Role::Timestamp,
        Role::Date,
    ];
}

/// Whose word a virtual host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The server's own name for it: a closed set.
    Server,
    /// Taken from the request: a stranger may send anything.
    Client,
}

/// What a number counts. Times are kept as the power of ten that turns them into nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Plain,
    Bytes,
    Nanos,
    Micros,
    Millis,
    Seconds,
    /// The value brings its unit along: `300.58ms`.
    Own,
}

impl Unit {
    /// The power of ten from this unit to nanoseconds; 0 for what is no time.
    pub const fn power(self) -> u32 {
        match self {
            Unit::Plain | Unit::Bytes | Unit::Nanos | Unit::Own => 0,
            Unit::Micros => 3,
            Unit::Millis => 6,
            Unit::Seconds => 9,
        }
    }
}

/// The shape of a value, which decides where it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No blank inside.
    Word,
    /// Anything, up to the literal that follows.
    Text,
    /// A path: like text, begins with a slash.
    Path,
    /// A query with its question mark, or nothing.
    Query,
    /// Anything between quotes of the format.
    Quoted,
    /// A value that brings its own quotes, or a bare `-`.
    MaybeQuoted,
    /// Digits, perhaps with a sign; or `-`.
    Integer,
    /// Digits with a fraction; or `-`.
    Decimal,
    /// Decimals of several upstreams: `0.004, 0.012 : -`.
    Decimals,
    /// Words of several upstreams, separated likewise.
    Words,
    Time(Style),
    /// What syslog puts before a message, up to `name[pid]: `; or nothing.
    SyslogHeader,
    /// A time with its unit (`1m2.5s`, `29.3µs`), or `-`.
    WithUnit,
    /// Blanks that align columns, or none.
    Blanks,
    /// Sequences that a terminal takes for colours (ECMA-48, SGR), or none.
    Colour,
    /// Digits with exactly four decimals.
    FourDecimals,
    /// A quote that stands around the whole line, or nothing.
    OpenQuote,
    /// That quote again, or a blank and two values in quotes with a blank between them, or nothing.
    RestOfCombined,
    /// HAProxy's captured headers in braces with the blank behind them, or nothing at all.
    Captured,
}

/// What a value means: the role it plays, its unit, its rank among others that play the same role (the lowest wins),
/// and how it says what is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meaning {
    pub role: Option<Role>,
    pub unit: Unit,
    pub rank: u8,
    /// The values that tell of a client that went away before its answer was complete; `*` stands for any bytes.
    pub aborted: &'static [&'static str],
    /// A number below nothing stands for what never happened. Elsewhere it is a clock that was set back.
    pub negative_is_absent: bool,
    /// An absolute URL in it names the virtual host, unless it is this one, which stands for none.
    pub host_but: Option<&'static str>,
}

impl Meaning {
    pub const NONE: Meaning = Meaning {
        role: None,
        unit: Unit::Plain,
        rank: 0,
        aborted: &[],
        negative_is_absent: false,
        host_but: None,
    };

    pub const fn of(role: Role, unit: Unit, rank: u8) -> Meaning {
        Meaning { role: Some(role), unit, rank, ..Meaning::NONE }
    }

    /// A time span. The finest unit wins, so the rank is how coarse the unit is.
    pub const fn span(role: Role, unit: Unit) -> Meaning {
        let rank = match unit {
            Unit::Plain | Unit::Bytes | Unit::Nanos => 0,
            Unit::Micros => 1,
            Unit::Own => 2,
            Unit::Millis => 3,
            Unit::Seconds => 4,
        };
        Meaning::of(role, unit, rank)
    }

    /// The same where a negative number stands for what never happened.
    pub const fn span_or_never(role: Role, unit: Unit) -> Meaning {
        Meaning { negative_is_absent: true, ..Meaning::span(role, unit) }
    }

    /// A virtual host: the server's word comes before the client's.
    pub const fn vhost(trust: Trust, rank: u8) -> Meaning {
        let base = match trust {
            Trust::Server => 0,
            Trust::Client => CLIENTS_WORD,
        };
        Meaning::of(Role::Vhost, Unit::Plain, base + rank)
    }

    /// A state of which some values mean that the client went away.
    pub const fn aborted_if(values: &'static [&'static str]) -> Meaning {
        Meaning { aborted: values, ..Meaning::of(Role::Aborted, Unit::Plain, 0) }
    }

    /// Of a target or a request line: an absolute URL in it names the host, unless it is the one given.
    pub const fn naming_host_but(self, nobody: &'static str) -> Meaning {
        Meaning { host_but: Some(nobody), ..self }
    }

    /// The power of ten from its unit to ours, and how what is absent is written.
    pub fn scale(self) -> u32 {
        let own = if self.unit == Unit::Own { OWN_UNIT } else { 0 };
        let never = if self.negative_is_absent { NEVER } else { 0 };
        self.unit.power() + own + never
    }

    pub fn trust(self) -> Trust {
        if self.rank < CLIENTS_WORD { Trust::Server } else { Trust::Client }
    }
}

/// Ranks of virtual hosts from here on are taken from the request.
const CLIENTS_WORD: u8 = 8;

/// One field of a format.
#[derive(Clone, Debug)]
pub struct Slot {
    /// The directive, variable or key as written.
    pub name: String,
    pub kind: Kind,
    pub meaning: Meaning,
    pub escape: Escape,
    /// Whether the server may print nothing at all.
    pub may_be_empty: bool,
    /// Whether `-` is a value here and not the sign of absence.
    pub dash_is_value: bool,
}

impl Slot {
    /// Whether this server prints nothing for what is absent.
    pub fn empty_is_absent(&self) -> bool {
        matches!(self.escape, Escape::Json | Escape::Hash | Escape::None)
    }
}

/// A row of a language: how a field is written there, what stands in the line for it, and what that means.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub name: &'static str,
    pub kind: Kind,
    pub meaning: Meaning,
    /// Whether the server may print nothing at all.
    pub may_be_empty: bool,
    /// What a person should know of it.
    pub remark: &'static str,
}

/// A row whose value is never nothing.
pub const fn row(name: &'static str, kind: Kind, meaning: Meaning) -> Row {
    Row { name, kind, meaning, may_be_empty: false, remark: "" }
}

/// A row whose value comes from headers, notes and the like, which may be set to nothing.
pub const fn row_or_empty(name: &'static str, kind: Kind, meaning: Meaning) -> Row {
    Row { may_be_empty: true, ..row(name, kind, meaning) }
}

impl Row {
    pub const fn remark(self, remark: &'static str) -> Row {
        Row { remark, ..self }
    }
}

/// Tables of rows, of which the first that has a name is heard.
pub type Tables = &'static [&'static [Row]];

pub fn find_row(tables: Tables, name: &str) -> Option<&'static Row> {
    tables.iter().flat_map(|table| table.iter()).find(|row| row.name == name)
}

/// Of shorter names, each is a letter off many others.
const LETTERS_MIN: usize = 4;

/// The name of the tables that was meant by one that is in none of them: it differs in the case of letters, or by one
/// letter that is too many, missing, another, or has changed places with the next.
pub fn near(tables: Tables, name: &str) -> Option<&'static str> {
    let known = || tables.iter().flat_map(|table| table.iter()).map(|row| row.name);
    let one_off = |known: &&str| {
        // `$skip2` is a second one of that name.
        let is_another = name.trim_end_matches(|c: char| c.is_ascii_digit()) == *known;
        !is_another && name.len().min(known.len()) >= LETTERS_MIN && is_one_off(name, known)
    };
    let in_case = known().find(|known| known.eq_ignore_ascii_case(name));
    in_case.or_else(|| known().find(one_off)).filter(|known| *known != name)
}

/// A compiled piece of a text format.
#[derive(Clone, Debug)]
pub enum Piece {
    Literal(Vec<u8>),
    Capture(Slot),
}

/// What the text of a format becomes.
#[derive(Debug)]
pub enum Compiled {
    Pieces(Vec<Piece>),
    /// The keys of a JSON object.
    Keys(Vec<Slot>),
}

/// Appends literal bytes to the pieces, so that literals that touch are one.
pub fn push_literal(pieces: &mut Vec<Piece>, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    match pieces.last_mut() {
        Some(Piece::Literal(literal)) => literal.extend_from_slice(bytes),
        _ => pieces.push(Piece::Literal(bytes.to_vec())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::compile::vocabulary::NAMES;

    #[test]
    fn one_letter_off_is_asked_about() {
        for (name, meant) in [
            ("reqest_time", Some("request_time")),
            ("request_times", Some("request_time")),
            ("request_tiem", Some("request_time")),
            ("Status", Some("status")),
            ("statuz", Some("status")),
            ("skip2", None),
            ("status", None),
            ("my_map", None),
            ("url2", None),
            ("requst_tim", None),
        ] {
            assert_eq!(near(NAMES, name), meant, "{name}");
        }
    }
}
