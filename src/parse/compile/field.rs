//! What a field of a log line is: its name, its shape, its meaning and its unit.
//!
//! The vocabulary that the dialects (apache.rs, nginx.rs, json.rs) compile into and the readers (steps.rs,
//! record.rs) work from. Owns the roles a value can play for a metric, and which of several directives
//! plays a role when a format has more than one. Knows no syntax.

use crate::parse::read::text::Escape;
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
    /// The state of the connection (`%X`): `X` is one the client broke.
    Aborted,
    Timestamp,
}

impl Role {
    pub const ALL: [Role; 16] = [
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
        Role::Aborted,
        Role::Timestamp,
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
}

impl Unit {
    /// The power of ten from this unit to nanoseconds; 0 for what is no time.
    pub const fn power(self) -> u32 {
        match self {
            Unit::Plain | Unit::Bytes | Unit::Nanos => 0,
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
}

/// What a value means: the role it plays, its unit, and its rank among others that play the same role (the
/// lowest wins).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meaning {
    pub role: Option<Role>,
    pub unit: Unit,
    pub rank: u8,
}

impl Meaning {
    pub const NONE: Meaning = Meaning { role: None, unit: Unit::Plain, rank: 0 };

    pub const fn of(role: Role, unit: Unit, rank: u8) -> Meaning {
        Meaning { role: Some(role), unit, rank }
    }

    /// A time span. The finest unit wins, so the rank is how coarse the unit is.
    pub const fn span(role: Role, unit: Unit) -> Meaning {
        let rank = match unit {
            Unit::Plain | Unit::Bytes | Unit::Nanos => 0,
            Unit::Micros => 1,
            Unit::Millis => 2,
            Unit::Seconds => 3,
        };
        Meaning::of(role, unit, rank)
    }

    /// A virtual host: the server's word comes before the client's.
    pub const fn vhost(trust: Trust, rank: u8) -> Meaning {
        let base = match trust {
            Trust::Server => 0,
            Trust::Client => CLIENTS_WORD,
        };
        Meaning::of(Role::Vhost, Unit::Plain, base + rank)
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

/// A compiled piece of a text format.
#[derive(Clone, Debug)]
pub enum Piece {
    Literal(Vec<u8>),
    Capture(Slot),
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
