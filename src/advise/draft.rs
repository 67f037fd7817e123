//! A format drafted from lines that no known format reads.
//!
//! Turns lines of text into a log_format in nginx's way, each column named by what all its values look like, and
//! lines of JSON into a map of their keys. A column that is not recognized gets a placeholder, which reads any
//! text: only what separates and labels values becomes fixed text, never a value. A unit is never guessed. Whether the
//! draft reads the lines is for remedy.rs to try. Slow; for people.

use crate::advise::columns;
use crate::advise::columns::{Column, Table};
use crate::advise::paste::quotable;
use crate::parse::compile::field::Role;
use crate::parse::compile::nginx;
use crate::parse::detect::doubt::{is_address, is_host, is_usual_method};
use crate::parse::read::keyed::{members, pairs};
use crate::parse::read::request::{Request, RequestKind};
use crate::parse::read::text::{Escape, with_units};
use crate::parse::read::time;
use crate::parse::read::time::Style;

/// Words of no known meaning as fields with names of their own, and whether any of them is known by its label: in
/// nginx's way, and where the format has no such field yet. None when what is between them cannot be written.
pub fn neutral(texts: &[&str], format: &str, nginx: bool, first: usize) -> Option<(String, bool)> {
    let table = columns::cut(texts).filter(|table| table.lines.len() == texts.len())?;
    let (mut named, mut number, mut known) = (String::new(), first, false);
    let mut sheet = Sheet::of(&table.columns);
    if nginx {
        sheet.name_times();
    }
    for (column, name) in table.columns.iter().zip(&sheet.names) {
        let (fixed, close) = column.fixed();
        named.extend([column.before.as_str(), &fixed]);
        if is_mark(column) {
            named.push_str(column.values[0]);
            continue;
        }
        let time = if let Name::Variable(name, _) = name { Some(name.clone()) } else { None };
        let variable = labelled(column)
            .or(time)
            .filter(|name| nginx && name.starts_with('$') && !format.contains(name.as_str()));
        known |= variable.is_some();
        number += usize::from(variable.is_none());
        let placeholder = number - 1;
        named.push_str(&match variable {
            Some(variable) => variable,
            None if nginx => format!("$field{placeholder}"),
            None => format!("%{{field{placeholder}}}n"),
        });
        named.push_str(close);
        if column.padded {
            return None;
        }
    }
    named.push_str(&table.after);
    ((number > first || known) && is_writable(&table)).then_some((named, known))
}

/// Signs that separate values.
const MARKS: [&str; 6] = ["|", "||", ">", "->", "=>", "::"];

fn is_mark(column: &Column) -> bool {
    let first = column.values.first().copied().unwrap_or_default();
    MARKS.contains(&first) && column.values.iter().all(|value| *value == first)
}

/// Whether all fixed text can stand in a log_format.
fn is_writable(table: &Table) -> bool {
    let sound = |text: &str| !text.contains(['$', '{', '}', '\\']);
    table.columns.iter().all(|column| sound(&column.before) && sound(&column.fixed().0))
        && sound(&table.after)
}

/// What the label of a column and all its values evidently are.
fn labelled(column: &Column) -> Option<String> {
    let key = column.label.trim_end_matches(['=', ':', ' ']);
    if key.is_empty() {
        return None;
    }
    let first = column.present().next()?;
    let variable = variable_of_key(key, first)?;
    column.all(|value| variable_of_key(key, value).as_ref() == Some(&variable)).then_some(variable)
}

/// A log_format for lines of text, with the status that it is to find in each of the lines in its table.
#[derive(Debug)]
pub struct Draft {
    pub text: String,
    pub statuses: Vec<(usize, String)>,
}

pub fn of_text(lines: &[&str]) -> Option<Draft> {
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_end_matches('\r')).collect();
    let table = columns::cut(&lines).filter(is_writable)?;
    let mut sheet = Sheet::of(&table.columns);
    sheet.name_by_looks();
    sheet.name_bare_request();
    let status = sheet.name_status();
    sheet.name_size(status);
    sheet.name_times();
    sheet.name_host();
    let text = sheet.written() + &table.after;
    let values = |at: usize| table.columns[at].values.iter().map(|value| (*value).to_owned());
    let statuses = status.map(|at| table.lines.iter().copied().zip(values(at)).collect()).unwrap_or_default();
    Some(Draft { text, statuses })
}

/// The columns with the names that are found for them.
struct Sheet<'t, 'l> {
    columns: &'t [Column<'l>],
    names: Vec<Name>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    /// Not known yet; in the end a placeholder.
    Unknown,
    /// A variable, with the unit that stands behind each value.
    Variable(String, &'static str),
    /// A sign or a unit that is there in every line.
    Fixed,
    /// Part of what the variable before it reads.
    Joined,
}

impl<'t, 'l> Sheet<'t, 'l> {
    fn of(columns: &'t [Column<'l>]) -> Sheet<'t, 'l> {
        Sheet { names: vec![Name::Unknown; columns.len()], columns }
    }

    fn is_used(&self, variable: &str) -> bool {
        self.names.iter().any(|name| matches!(name, Name::Variable(used, _) if used == variable))
    }

    /// Names a column, unless another one has the name.
    fn name(&mut self, at: usize, variable: &str) {
        if !self.is_used(variable) && self.names[at] == Name::Unknown {
            self.names[at] = Name::Variable(variable.to_owned(), "");
        }
    }

    /// Where a column has no label, no quotes, and no name yet.
    fn is_bare(&self, at: usize) -> bool {
        let column = &self.columns[at];
        self.names[at] == Name::Unknown
            && column.label.is_empty()
            && column.open.is_empty()
            && !column.is_rest
    }

    fn position(&self, variables: &[&str]) -> Option<usize> {
        let is_one =
            |name: &Name| matches!(name, Name::Variable(known, _) if variables.contains(&known.as_str()));
        self.names.iter().position(is_one)
    }

    fn name_by_looks(&mut self) {
        for (at, column) in self.columns.iter().enumerate().filter(|(_, column)| !column.is_rest) {
            if is_mark(column) {
                self.names[at] = Name::Fixed;
            } else if let Some((variable, unit)) = with_unit(column) {
                if !self.is_used(variable) {
                    self.names[at] = Name::Variable(variable.to_owned(), unit);
                }
            } else if let Some(variable) = labelled(column) {
                self.name(at, &variable);
            } else if !column.label.is_empty() && !column.label.ends_with(' ') {
                // A key that is not known says more than the look of its values.
            } else if let Some((_, variable)) = LOOKS.iter().find(|(looks, _)| looks(column)) {
                self.name(at, variable);
            }
            // A number and a unit behind it.
            if at > 0 && self.is_bare(at) && self.is_bare(at - 1) && self.columns[at - 1].all(is_decimal) {
                let unit = UNITS.iter().find(|(unit, ..)| column.values.iter().all(|value| value == unit));
                if let Some((_, _, variable)) = unit.filter(|(_, _, variable)| !self.is_used(variable)) {
                    self.names[at - 1] = Name::Variable((*variable).to_owned(), "");
                    self.names[at] = Name::Fixed;
                }
            }
        }
    }

    /// A request without quotes is three words.
    fn name_bare_request(&mut self) {
        let is = |at: usize, variable: &str| self.names[at] == Name::Variable(variable.to_owned(), "");
        let bare = |at: usize| self.columns[at].open.is_empty() && self.columns[at].label.is_empty();
        let starts = (0..self.names.len().saturating_sub(2)).find(|&at| {
            is(at, "$request_method")
                && is(at + 2, "$server_protocol")
                && (at..at + 3).all(bare)
                && (at + 1..at + 3).all(|at| self.columns[at].before == " " && !self.columns[at].padded)
        });
        if let Some(at) = starts {
            self.names[at] = Name::Variable("$request".to_owned(), "");
            self.names[at + 1..at + 3].fill(Name::Joined);
        }
    }

    /// The status is a column of known statuses: in every line rather than in most, behind the request rather than
    /// before it, and near to it. What another server answered is a dash where none was asked.
    fn name_status(&mut self) -> Option<usize> {
        if let Some(named) = self.position(&["$status"]) {
            return Some(named);
        }
        let request = self.position(&["$request", "$request_uri", "$request_method"]).unwrap_or(0);
        let known = |at: &usize| self.is_bare(*at) && self.columns[*at].all(is_status);
        let candidates: Vec<usize> = (0..self.columns.len()).filter(known).collect();
        let absent =
            |at: usize| self.columns[at].values.iter().filter(|value| matches!(**value, "-" | "")).count();
        let at = candidates.into_iter().min_by_key(|&at| (absent(at), at < request, at.abs_diff(request)))?;
        self.name(at, "$status");
        Some(at)
    }

    /// A number right behind the status is the size where the request in its quotes is right before it, as nearly
    /// everywhere; else a single number behind it, with nothing unknown in between. Of several nobody can tell.
    fn name_size(&mut self, status: Option<usize>) {
        let Some(status) = status else { return };
        let number = |at: &usize| self.is_bare(*at) && self.columns[*at].all(is_integer);
        let numbers: Vec<usize> = (status + 1..self.columns.len()).filter(number).collect();
        let Some(&first) = numbers.first() else { return };
        let is_known = |at: usize| self.names[at] != Name::Unknown;
        let as_usual = status > 0
            && self.names[status - 1] == Name::Variable("$request".to_owned(), "")
            && self.columns[status - 1].open == "\""
            && first == status + 1;
        let alone = numbers.len() == 1 && (status + 1..first).all(is_known);
        if as_usual || alone {
            self.name(first, "$body_bytes_sent");
        }
    }

    /// Seconds as nginx writes them have three decimals, and those of fast answers are below a tenth; milliseconds
    /// hardly ever are. What upstreams took is no longer, and absent where none was asked.
    fn name_times(&mut self) {
        let of_nginx = |at: &usize| self.is_bare(*at) && self.columns[*at].all(is_list_of_nginx);
        let times: Vec<usize> = (0..self.columns.len()).filter(of_nginx).collect();
        let whole = |at: &usize| self.columns[*at].values.iter().all(|value| is_of_nginx(value));
        let fast = |at: &usize| self.columns[*at].values.iter().any(|value| value.starts_with("0.0"));
        let [total] = times.iter().copied().filter(whole).collect::<Vec<usize>>()[..] else { return };
        if !fast(&total) {
            return;
        }
        self.name(total, "$request_time");
        let below = |at: usize| {
            let pairs = self.columns[at].values.iter().zip(&self.columns[total].values);
            pairs
                .filter(|(part, _)| **part != "-")
                .all(|(part, whole)| seconds_of(part) <= seconds_of(whole) + 0.0015)
        };
        if let [other] = times.iter().copied().filter(|at| *at != total).collect::<Vec<usize>>()[..]
            && below(other)
        {
            self.name(other, "$upstream_response_time");
        }
    }

    /// A name of the domain name system beside the address of a client is the virtual host; with a port it always is.
    fn name_host(&mut self) {
        if self.position(&["$host", "$server_name"]).is_some() {
            return;
        }
        let client = self.position(&["$remote_addr", "$remote_addr:$remote_port", "$http_x_forwarded_for"]);
        let with_port = |value: &str| is_host(value) && value.contains(':');
        let found = (0..self.columns.len()).filter(|at| self.is_bare(*at)).find_map(|at| {
            let column = &self.columns[at];
            match () {
                () if column.all(with_port) => Some((at, "$host:$server_port")),
                () if client.is_some() && column.all(|value| is_host(value) && !value.contains(':')) => {
                    Some((at, "$host"))
                }
                () => None,
            }
        });
        if let Some((at, variable)) = found {
            self.name(at, variable);
        }
    }

    fn written(&self) -> String {
        let (mut text, mut number) = (String::new(), 0);
        let mut placeholder = || {
            number += 1;
            format!("$field{number}")
        };
        for (at, (column, name)) in self.columns.iter().zip(&self.names).enumerate() {
            if *name == Name::Joined {
                continue;
            }
            if column.padded {
                text.push_str(&placeholder());
            }
            let (fixed, close) = column.fixed();
            text.extend([column.before.as_str(), &fixed]);
            let (variable, unit): (String, &str) = match name {
                Name::Variable(variable, unit) => (variable.clone(), unit),
                Name::Fixed => (column.values[0].to_owned(), ""),
                _ if column.values.iter().all(|value| value.is_empty()) => (String::new(), ""),
                _ => (placeholder(), ""),
            };
            let behind = self.columns.get(at + 1).map_or("", |next| next.before.as_str());
            let touches = |text: &str| text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
            let braces = variable.starts_with('$')
                && (touches(unit) || (unit.is_empty() && close.is_empty() && touches(behind)));
            match variable.strip_prefix('$').filter(|_| braces) {
                Some(name) => text.push_str(&format!("${{{name}}}")),
                None => text.push_str(&variable),
            }
            text.extend([unit, close]);
        }
        text
    }
}

type Sound = fn(&str) -> bool;
type Look = fn(&Column) -> bool;

/// Units behind numbers, what the numbers are like, and the variable that they are then.
const UNITS: &[(&str, Sound, &str)] = &[
    ("ms", is_decimal, "$duration_ms"),
    ("s", |number| number.contains('.') && is_decimal(number), "$request_time"),
];

/// The variable of numbers with their unit right behind them.
fn with_unit(column: &Column) -> Option<(&'static str, &'static str)> {
    if column.is_rest {
        return None;
    }
    let found = UNITS.iter().find(|(unit, sound, _)| {
        let value = column.values.first().copied().unwrap_or_default();
        let all = column.values.iter().all(|value| value.strip_suffix(unit).is_some_and(sound));
        all && !value.is_empty()
    });
    found.map(|(unit, _, variable)| (*variable, *unit))
}

/// What columns without a label look like, and the variable that they are then.
const LOOKS: &[(Look, &str)] = &[
    (|column| column.all(|value| value.parse::<std::net::IpAddr>().is_ok()), "$remote_addr"),
    (|column| column.all(is_list_of_addresses), "$http_x_forwarded_for"),
    (|column| column.all(|value| is_address(value) && !value.starts_with('[')), "$remote_addr:$remote_port"),
    (|column| column.all(|value| is_stamp(Style::Clf, value)), "$time_local"),
    (|column| column.all(|value| is_stamp(Style::Iso, value)), "$time_iso8601"),
    (|column| column.all(is_epoch), "$msec"),
    (is_mostly_requests, "$request"),
    (|column| column.all(is_method), "$request_method"),
    (|column| column.all(is_target) && column.present().any(|value| value.len() > 1), "$request_uri"),
    (|column| column.all(|value| value.starts_with("HTTP/")), "$server_protocol"),
];

/// Strangers send what is no request.
fn is_mostly_requests(column: &Column) -> bool {
    let requests = column.present().filter(|value| is_request(value)).count();
    requests > 0 && requests * 2 >= column.present().count()
}

fn is_target(text: &str) -> bool {
    !text.contains(' ')
        && (text.starts_with('/') || text.starts_with("http://") || text.starts_with("https://"))
}

fn is_list_of_addresses(text: &str) -> bool {
    text.split(", ").all(|part| part.parse::<std::net::IpAddr>().is_ok())
}

fn seconds_of(list: &str) -> f64 {
    list.split([',', ':', ' ']).filter_map(|part| part.parse::<f64>().ok()).sum()
}

/// Ways to write keys with their values.
struct Notation {
    prefix: &'static str,
    what: &'static str,
    members: fn(&[u8]) -> Option<Members<'_>>,
}

type Members<'l> = Vec<(String, &'l [u8])>;

const NOTATIONS: &[Notation] = &[
    Notation { prefix: "json:", what: "these are JSON objects with keys of their own", members },
    Notation {
        prefix: "ltsv:",
        what: "these are labels and values (LTSV), in any order",
        members: |line| pairs::LTSV.members(line).filter(|found| found.len() >= PAIRS_MIN),
    },
    Notation {
        prefix: "logfmt:",
        what: "these are keys and values (logfmt), in any order",
        members: |line| pairs::LOGFMT.members(line).filter(|found| found.len() >= PAIRS_MIN),
    },
];

/// A line of fewer pairs may be a text with an equals sign.
const PAIRS_MIN: usize = 4;

/// The notation of more than half of the lines.
fn notation_of(lines: &[&[u8]]) -> Option<&'static Notation> {
    let reads = |notation: &Notation, line: &[u8]| (notation.members)(line).is_some();
    NOTATIONS
        .iter()
        .find(|notation| lines.iter().filter(|line| reads(notation, line)).count() * 2 > lines.len())
}

/// A map of the keys of lines, and the words for it. `own` is the map of JSON keys that the operator gave: those of its
/// keys that the lines have stay. None when no key of the lines is known to be the status.
pub fn of_keys(own: &str, lines: &[&[u8]]) -> Option<(String, String)> {
    let notation = notation_of(lines)?;
    let members = members_of(notation, lines);
    let has = |key: &str| members.iter().any(|(known, _)| known == key);
    let own = own.strip_prefix("json:").unwrap_or_default().split(',');
    let own = own.filter_map(|pair| pair.trim().rsplit_once('=')).filter(|(key, _)| has(key));
    let mut pairs: Vec<(String, String)> =
        own.map(|(key, field)| (key.to_owned(), field.to_owned())).collect();
    let mut unknown = Vec::new();
    for (key, values) in &members {
        let taken =
            |field: &str| pairs.iter().any(|(known, used)| known == key || plays_the_same(used, field));
        let present = || values.iter().filter(|value| !matches!(value.as_str(), "" | "-" | "null"));
        let variable = present().next().and_then(|value| variable_of_key(key, value));
        let variable = variable
            .filter(|variable| present().all(|value| variable_of_key(key, value).as_ref() == Some(variable)));
        match variable {
            Some(field) if !taken(&field) => pairs.push((key.clone(), field)),
            None if present().any(|value| is_time_span(key, value)) && !taken("$request_time") => {
                unknown.push(key.as_str());
            }
            _ => {}
        }
    }
    if !pairs.iter().any(|(_, field)| plays_the_same(field, "$status")) {
        return None;
    }
    let pairs: Vec<String> = pairs.iter().map(|(key, field)| format!("{key}={field}")).collect();
    let text = format!("{}{}", notation.prefix, pairs.join(","));
    let mut what = notation.what.to_owned();
    if let Some(key) = unknown.first() {
        let values = members.iter().filter(|(known, _)| known == key).flat_map(|(_, values)| values);
        let paste = |(field, name): (&str, &str)| {
            format!("--format {} for {name}", quotable(&format!("{text},{key}={field}")))
        };
        what.push_str(&format!(
            ", and only you know the unit of {}. If {key} is how long a request took, give {}; without it",
            unknown.join(" and "),
            likeliest_first(values).map(paste).join(", or ")
        ));
    }
    Some((what, text))
}

/// What a key may be that tells of a time, and not of its unit.
fn likeliest_first<'v>(values: impl Iterator<Item = &'v String>) -> [(&'static str, &'static str); 4] {
    let mut units = [
        ("$duration_ms", "milliseconds"),
        ("$duration_us", "microseconds"),
        ("$duration_ns", "nanoseconds"),
        ("$duration_s", "seconds"),
    ];
    let whole: Option<Vec<u64>> = values.map(|value| value.parse().ok()).collect();
    // Seconds are written with a fraction; of whole numbers, few requests take longer than a minute.
    match whole.and_then(|whole| whole.into_iter().max()) {
        None => units.rotate_right(1),
        Some(most) if most >= 60_000_000 => units.swap(0, 2),
        Some(most) if most >= 60_000 => units.swap(0, 1),
        Some(_) => {}
    }
    units
}

/// What to do about JSON lines that have no status that can be told.
pub fn hint_at_keys(lines: &[&[u8]]) -> Option<String> {
    let members = members_of(&NOTATIONS[0], lines);
    let keys: Vec<&str> = members.iter().map(|(key, _)| key.as_str()).take(KEYS_SHOWN).collect();
    (!keys.is_empty()).then(|| {
        format!(
            "these are JSON objects with keys of their own: --format 'json:KEY=$status,KEY=$request_method,\
             KEY=$request_uri,KEY=$request_time' with the lines' keys for KEY, which are {}",
            keys.join(", ")
        )
    })
}

/// Keys that are named in a message.
const KEYS_SHOWN: usize = 20;

/// The keys that can stand in a map, in the order in which they come, with their values in all lines.
fn members_of(notation: &Notation, lines: &[&[u8]]) -> Vec<(String, Vec<String>)> {
    let plain =
        |key: &str| !key.is_empty() && key.bytes().all(|c| c.is_ascii_graphic() && !b",'\\\"".contains(&c));
    let mut all: Vec<(String, Vec<String>)> = Vec::new();
    for (key, value) in lines.iter().flat_map(|line| (notation.members)(line).unwrap_or_default()) {
        let value = String::from_utf8_lossy(value).into_owned();
        match all.iter_mut().find(|(known, _)| *known == key) {
            Some((_, values)) => values.push(value),
            None if plain(&key) => all.push((key, vec![value])),
            None => {}
        }
    }
    all
}

fn plays_the_same(a: &str, b: &str) -> bool {
    let role = |field: &str| match field {
        "%D" => Some(Role::Duration),
        _ => nginx::variable(field.trim_start_matches('$'), Escape::Json).meaning.role,
    };
    let directive = |field: &str| field.starts_with('%') && field != "%D";
    match (directive(a), directive(b)) {
        (false, false) => role(a).is_some() && role(a) == role(b),
        // A directive of Apache's that means the status.
        _ => [a, b].iter().all(|field| field.ends_with('s') && !field.contains("bytes")),
    }
}

/// The words of a key: `response_timeMs` has three.
fn words_of(key: &str) -> Vec<String> {
    let last = key.rsplit('.').next().unwrap_or(key);
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in last.chars() {
        if !c.is_ascii_alphanumeric() || (c.is_ascii_uppercase() && before.is_ascii_lowercase()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_ascii_alphanumeric()) {
            word.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A word of the key, the test that its value has to pass, and the variable that it is then.
type Evidence = (&'static [&'static str], Sound, &'static str);

const EVIDENCE: &[Evidence] = &[
    (&["status", "code", "statuscode"], is_status, "$status"),
    (&["method", "verb"], is_method, "$request_method"),
    (&["uri", "url", "path", "request", "target"], |value| value.starts_with('/'), "$request_uri"),
    (&["proto", "protocol"], |value| value.starts_with("HTTP/"), "$server_protocol"),
    (&["host", "vhost", "domain", "authority"], is_name, "$host"),
    (&["bytes", "size"], is_integer, "$body_bytes_sent"),
    (&["ts", "time", "timestamp", "date"], is_moment, "$time"),
];

/// Labels of the example in nginx's manual ("Configuring Logging"), which many have taken over.
const OF_NGINX: &[(&str, &str)] = &[
    ("rt", "$request_time"),
    ("uct", "$upstream_connect_time"),
    ("uht", "$upstream_header_time"),
    ("urt", "$upstream_response_time"),
];

/// The variable that a key and its value evidently are.
fn variable_of_key(key: &str, value: &str) -> Option<String> {
    of_nginx(key, value).or_else(|| by_words(key, value).map(str::to_owned))
}

/// A name of nginx's own that plays a role, with a value that nginx writes there.
fn of_nginx(key: &str, value: &str) -> Option<String> {
    if nginx::is_ours(key) {
        return None;
    }
    let sound = match nginx::variable(key, Escape::Json).meaning.role? {
        Role::Duration
        | Role::UpstreamDuration
        | Role::UpstreamConnect
        | Role::UpstreamQueue
        | Role::TimeToFirstByte => is_list_of_nginx(value),
        Role::Status => is_status(value),
        Role::BytesSent | Role::BytesReceived => is_integer(value),
        Role::Timestamp => key != "time" && is_moment(value),
        Role::Request => is_request(value),
        Role::Method => is_method(value),
        Role::Vhost => is_name(value),
        _ => true,
    };
    sound.then(|| format!("${key}"))
}

fn by_words(key: &str, value: &str) -> Option<&'static str> {
    if let Some((_, variable)) = OF_NGINX.iter().find(|(label, _)| *label == key && is_list_of_nginx(value)) {
        return Some(variable);
    }
    let words = words_of(key);
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    // What other servers did is something else.
    if has(&["upstream", "origin", "backend", "upstreams"]) {
        return None;
    }
    if is_request(value) {
        return Some("$request");
    }
    if words == ["response"] && is_status(value) {
        return Some("$status");
    }
    if is_span_word(&words) && brings_its_unit(value) {
        return Some("$duration");
    }
    if is_decimal(value) && is_span_word(&words) && !is_since_1970(value) {
        return match words.last()?.as_str() {
            "ms" | "msec" | "millis" | "milliseconds" => Some("$duration_ms"),
            "us" | "usec" | "micros" | "microseconds" => Some("%D"),
            "ns" | "nanos" | "nanoseconds" => Some("$duration_ns"),
            "s" | "sec" | "seconds" => Some("$request_time"),
            // nginx's own name.
            _ => (key == "request_time").then_some("$request_time"),
        };
    }
    let found = EVIDENCE.iter().find(|(names, sound, _)| has(names) && sound(value));
    let (_, _, variable) = found?;
    let others = match *variable {
        "$body_bytes_sent" => has(&["received", "read", "in", "request", "client"]),
        "$host" => has(&["remote", "local"]) || (has(&["client"]) && !has(&["request"])),
        _ => false,
    };
    (!others).then_some(*variable)
}

/// Seconds, or a part of them, since 1970, and no request that has been answered for so long.
fn is_since_1970(value: &str) -> bool {
    value
        .split('.')
        .next()
        .is_some_and(|whole| whole.len() >= 10 && whole.bytes().all(|c| c.is_ascii_digit()))
}

/// A time as Go and others write it: `300.58ms`.
fn brings_its_unit(value: &str) -> bool {
    !is_decimal(value) && with_units(value.as_bytes()).is_some()
}

fn is_span_word(words: &[String]) -> bool {
    let spans = ["duration", "elapsed", "latency", "took", "taken", "time", "rt", "ms"];
    words.iter().any(|word| spans.contains(&word.as_str()))
}

/// Whether this is how long something took.
fn is_time_span(key: &str, value: &str) -> bool {
    is_decimal(value) && is_span_word(&words_of(key)) && !is_moment(value)
}

fn is_integer(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit())
}

fn is_decimal(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    is_integer(whole) && is_integer(fraction)
}

/// Seconds as nginx writes them, with three decimals.
pub fn is_of_nginx(text: &str) -> bool {
    is_decimal(text) && text.split_once('.').is_some_and(|(_, fraction)| fraction.len() == 3)
}

/// Times of several upstreams, as nginx lists them.
fn is_list_of_nginx(text: &str) -> bool {
    text.split([',', ':']).map(str::trim).all(|part| part == "-" || is_of_nginx(part)) && text.contains('.')
}

/// The statuses of the registry (RFC 9110 and others), and those that servers made up. Ports, sizes and times of
/// three digits are seldom among them.
fn is_status(text: &str) -> bool {
    let known =
        [100..=103, 200..=208, 226..=226, 300..=308, 400..=418, 421..=426, 428..=431, 444..=444, 449..=451];
    let known_too = [460..=464, 494..=499, 500..=511, 520..=530, 561..=561, 598..=599];
    let code = text.parse::<u16>().ok().filter(|_| text.len() == 3 && is_integer(text));
    code.is_some_and(|code| known.iter().chain(&known_too).any(|range| range.contains(&code)))
}

fn is_method(text: &str) -> bool {
    ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE"].contains(&text)
}

fn is_request(text: &str) -> bool {
    let request = Request::read(text.as_bytes(), || false);
    let method = str::from_utf8(request.method).unwrap_or_default();
    request.kind == RequestKind::Http && request.protocol.is_some() && is_usual_method(method)
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !is_address(text)
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_.:".contains(&c))
}

fn is_stamp(style: Style, text: &str) -> bool {
    time::scan(style, text.as_bytes()).is_some_and(|stamp| stamp.len == text.len() && stamp.len > 1)
}

/// Seconds since 1970 with a fraction, in this century.
fn is_epoch(text: &str) -> bool {
    text.len() > 10 && text.as_bytes()[10] == b'.' && is_decimal(text)
}

fn is_moment(text: &str) -> bool {
    is_epoch(text)
        || (is_integer(text) && text.len() == 10)
        || is_stamp(Style::Iso, text)
        || is_stamp(Style::Clf, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_of_text_is_named_by_its_looks() {
        for (line, draft) in [
            (
                "2026-02-03T04:05:06Z web7 PUT /things/9 201 8ms 77",
                "$time_iso8601 $field1 $request_method $request_uri $status ${duration_ms}ms $body_bytes_sent",
            ),
            (
                r#"https 1770087906.120 203.0.113.9:5000 - 200 "GET / HTTP/1.1" "a b" [x y] 0.25s"#,
                r#"$field1 $msec $remote_addr:$remote_port $field2 $status "$request" "$field3" [$field4] ${request_time}s"#,
            ),
            // Of several numbers nobody can tell which is the size.
            ("GET /a 200 5 7", "$request_method $request_uri $status $field1 $field2"),
            (
                "at=2026-02-03T04:05:06Z verb=GET path=/a status=200 took=5 latency=5ms ua=\"a b\"",
                "at=$field1 verb=$request_method path=$request_uri status=$status took=$field2 latency=${duration_ms}ms \
                 ua=\"$field3\"",
            ),
            (
                "time:03/Feb/2026:04:05:06 +0100\treq:GET /a HTTP/1.1\tstatus:200\tsize:5\tua:a b",
                "time:$time\treq:$request\tstatus:$status\tsize:$body_bytes_sent\tua:$field1",
            ),
            (
                "203.0.113.9 | GET | /a | 200 | x y",
                "$remote_addr | $request_method | $request_uri | $status | $field1",
            ),
            ("203.0.113.9,GET,/a,200", "$remote_addr,$request_method,$request_uri,$status"),
        ] {
            assert_eq!(of_text(&[line]).map(|draft| draft.text).as_deref(), Some(draft), "{line}");
        }
    }

    #[test]
    fn pairs_in_any_order_are_named_as_keys_are() {
        for (lines, text) in [
            (
                &[
                    "time=2026-02-03T04:05:06Z msg=request method=GET path=/a host=a.example status=200 took=29.3\u{b5}s",
                    "msg=request status=404 path=\"/a b\" host=\"\" method=GET took=1.5s",
                ][..],
                "logfmt:time=$time,method=$request_method,path=$request_uri,host=$host,status=$status,took=$duration",
            ),
            (
                &["time:03/Feb/2026:04:05:06 +0100\tverb:GET\turl:/a\tstatus:200\tdur_ms:7"][..],
                "ltsv:time=$time,verb=$request_method,url=$request_uri,status=$status,dur_ms=$duration_ms",
            ),
        ] {
            let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
            assert_eq!(of_keys("", &lines).unwrap().1, text);
        }
        // A list has blanks, so not every word is a pair.
        assert_eq!(of_keys("", &[b"status=200 method=GET path=/a times=0.1, 0.2 host=a"]), None);
    }

    #[test]
    fn keys_are_named_where_key_and_value_agree() {
        for (own, line, map) in [
            (
                "",
                r#"{"code":200,"verb":"GET","req":{"url":"/a"},"vhost":"v"}"#,
                "code=$status,verb=$request_method,req.url=$request_uri,vhost=$host",
            ),
            (
                "",
                r#"{"statusCode":"404","Size":5,"upstream_status":200,"responseTimeMs":7}"#,
                "statusCode=$status,Size=$body_bytes_sent,responseTimeMs=$duration_ms",
            ),
            (
                "",
                r#"{"status":200,"elapsed_us":7,"bytes_received":5,"ts":1770087906.5}"#,
                "status=$status,elapsed_us=%D,ts=$time",
            ),
            (
                "json:took=%D,sent=$status",
                r#"{"took":9,"status":200,"message":"GET /a HTTP/1.1"}"#,
                "took=%D,status=$status,message=$request",
            ),
            (
                "",
                r#"{"ClientRequestMethod":"GET","ClientRequestURI":"/a","ClientRequestBytes":9,"EdgeResponseBytes":5,"EdgeResponseStatus":200,"ClientHost":"v"}"#,
                "ClientRequestMethod=$request_method,ClientRequestURI=$request_uri,EdgeResponseBytes=$body_bytes_sent,EdgeResponseStatus=$status",
            ),
            ("json:s=%>s", r#"{"s":200,"status":200}"#, "s=%>s"),
        ] {
            let (_, text) = of_keys(own, &[line.as_bytes()]).unwrap();
            assert_eq!(text, format!("json:{map}"), "{line}");
        }
        assert_eq!(of_keys("", &[br#"{"status":"fine","code":7}"#]), None);
        let (what, text) = of_keys("", &[br#"{"status":200,"took":7}"#]).unwrap();
        assert!(what.contains("only you know the unit of took") && text == "json:status=$status", "{what}");
    }

    proptest! {
        #[test]
        fn any_line_is_survived(line in "[ -~\t\u{e9}\u{4e2d}]{0,80}", bytes: Vec<u8>) {
            let _ = (of_text(&[&line, "a \"b\" 200"]), neutral(&[&line], "", true, 1));
            let _ = (of_keys("", &[line.as_bytes(), &bytes]), hint_at_keys(&[&bytes]));
        }
    }
}
