//! The labels of the user: where each value comes from (`--label`), and what it becomes (`--label-map`, `client`).

use crate::bytes::glob_set::GlobSet;
use crate::count::clients::{self, Clients};
use crate::count::dictionary::{Dictionary, OTHER};
use crate::count::ledger::{Label, Ledger, Values};
use crate::count::memo::Memo;
use crate::options::Options;
use crate::parse::Format;
use crate::parse::read::record::{FieldRef, Record};
use crate::parse::read::request::Request;

/// A label, compiled: its place in the key, and how a record's value is found.
#[derive(Debug)]
pub struct UserLabel {
    pub place: usize,
    source: Source,
    mapping: Option<Mapping>,
}

#[derive(Debug)]
enum Source {
    /// The same text in every line, which has the first number of its dictionary.
    Constant,
    Field(FieldRef),
    /// The last of a list, as of the upstreams that nginx asked: that is the one that answered.
    Last(FieldRef),
}

/// The number of a constant.
const CONSTANT: u16 = 1;

/// Where user agents stand: in Apache's way, nginx's, and under the keys of JSON lines.
const AGENTS: [&str; 7] = [
    "%{User-Agent}i",
    "$http_user_agent",
    "request.headers.User-Agent",
    "request_User-Agent",
    "http_user_agent",
    "user_agent",
    "userAgent",
];

impl UserLabel {
    /// An error does not name the option.
    pub fn compile(
        options: &Options,
        (name, field): (&str, &str),
        format: &mut Format,
        place: usize,
    ) -> Result<(UserLabel, Label), String> {
        let mut mapping = Mapping::of(options, name)?;
        if let Some(text) = field.strip_prefix('=') {
            let values = Values::Named(Dictionary::closed(&[text.to_owned()]));
            let label = Label { name: name.to_owned(), values, open: false, is_constant: true };
            return Ok((UserLabel { place, source: Source::Constant, mapping: None }, label));
        }
        let agent = if field == "client" { Some(agent_of(format)?) } else { None };
        let of_client = match agent {
            None => field.strip_prefix("client:").map(|field| format.field(field)).transpose()?,
            agent => agent,
        };
        let closed = options.label_values.iter().find(|(label, _)| label == name);
        let mut values = closed.map(|(_, values)| values.clone());
        let source = match of_client {
            Some(field) => {
                mapping.get_or_insert_with(Mapping::new).clients = Some(Clients::compile()?);
                let is_mapped = options.label_maps.iter().any(|map| map.name == name);
                let kinds = || {
                    clients::KINDS[..clients::KINDS.len() - 1].iter().map(|kind| (*kind).to_owned()).collect()
                };
                values = values.or_else(|| (!is_mapped).then(kinds));
                Source::Field(field)
            }
            None if field.trim_start_matches('$').starts_with("upstream_") => {
                Source::Last(format.field(field)?)
            }
            None => Source::Field(format.field(field)?),
        };
        let open = values.is_none();
        let values = values
            .map_or_else(|| Dictionary::open(options.max_values, true), |values| Dictionary::closed(&values));
        let label = Label { name: name.to_owned(), values: Values::Named(values), open, is_constant: false };
        Ok((UserLabel { place, source, mapping }, label))
    }

    /// The field it is read from.
    pub fn field(&self) -> Option<FieldRef> {
        match self.source {
            Source::Constant => None,
            Source::Field(field) | Source::Last(field) => Some(field),
        }
    }

    /// The number of a record's value.
    #[inline]
    pub fn id<'l>(
        &mut self,
        record: &Record<'_, 'l>,
        request: &Request<'l>,
        scratch: &mut Vec<u8>,
        ledger: &mut Ledger,
    ) -> u16 {
        let (field, of_list) = match self.source {
            Source::Constant => return CONSTANT,
            Source::Field(field) => (field, false),
            Source::Last(field) => (field, true),
        };
        let value = |scratch| {
            let value = record.value(field, request, scratch).unwrap_or_default();
            if of_list { last_of(value) } else { value }
        };
        let Some(mapping) = &mut self.mapping else { return ledger.id(self.place, value(scratch)) };
        // What was seen lately is known by its bytes in the line, whatever they mean.
        match record.logged(field) {
            Some(logged) => {
                let hash = mapping.memo.hash(logged);
                mapping.known(hash).unwrap_or_else(|| mapping.map(hash, value(scratch), self.place, ledger))
            }
            None => mapping.id(value(scratch), self.place, ledger),
        }
    }
}

/// Where the address of the client stands, likewise.
const ADDRESSES: [&str; 12] = [
    "%h",
    "%a",
    "$remote_addr",
    "%ci",
    "%(h)s",
    "%(addr)",
    "c-ip",
    "request.client_ip",
    "ClientHost",
    "client_ip",
    "remote_ip",
    "remote_addr",
];

/// The field of a format that holds the address of the client.
pub fn address_of(format: &mut Format) -> Option<FieldRef> {
    let by_name = |format: &Format| match format.name() {
        "caddy" => Some("request.client_ip"),
        "traefik-json" => Some("ClientHost"),
        _ => None,
    };
    let known = ADDRESSES.into_iter().find(|name| format.fields.find(name).is_some());
    let name = known.or_else(|| by_name(format))?;
    format.field(name).ok()
}

/// The field of a format that holds the user agent.
pub fn agent_of(format: &mut Format) -> Result<FieldRef, String> {
    let known = AGENTS.iter().find(|name| format.fields.find(name).is_some());
    // A key of JSON lines need not have been asked for yet.
    let name =
        known.or_else(|| AGENTS.iter().find(|name| format.name() == "caddy" && name.contains("headers")));
    let name = name
        .or_else(|| AGENTS.iter().find(|name| format.name() == "traefik-json" && name.contains("request_")));
    let none = || "the format has no field known to be the user agent; name it as client:FIELD".to_owned();
    name.map_or_else(|| Err(none()), |name| format.field(name))
}

/// The last of a list in nginx's way: servers of a group are parted by `, `, groups by ` : ` (ngx_http_upstream.c).
pub fn last_of(list: &[u8]) -> &[u8] {
    let end = |at: usize| &list[at..];
    let comma = list.windows(2).rposition(|pair| pair == b", ").map(|at| at + 2);
    let colon = list.windows(3).rposition(|three| three == b" : ").map(|at| at + 3);
    comma.max(colon).map_or(list, end)
}

/// How many a list in nginx's way has; none where nobody was asked.
pub fn count_of(list: &[u8]) -> u64 {
    if list.is_empty() || list == b"-" {
        return 0;
    }
    let parts = list.windows(2).filter(|pair| *pair == b", " || *pair == b" :").count();
    parts as u64 + 1
}

/// Values whose mapping is remembered: a busy site sees a few thousand user agents.
pub const MAPPED_PLACES: usize = 1 << 12;

/// What values become before they are counted.
#[derive(Debug)]
pub struct Mapping {
    clients: Option<Clients>,
    /// With the value of each pattern.
    globs: Option<(GlobSet, Vec<String>)>,
    memo: Memo,
}

impl Mapping {
    fn new() -> Mapping {
        Mapping { clients: None, globs: None, memo: Memo::new(MAPPED_PLACES) }
    }

    /// That of a label, if it has one.
    pub fn of(options: &Options, name: &str) -> Result<Option<Mapping>, String> {
        let maps: Vec<_> = options.label_maps.iter().filter(|map| map.name == name).collect();
        if maps.is_empty() {
            return Ok(None);
        }
        let patterns: Vec<(String, bool)> =
            maps.iter().map(|map| (map.pattern.clone(), map.any_case)).collect();
        let globs = Some((GlobSet::compile(&patterns)?, maps.iter().map(|map| map.value.clone()).collect()));
        Ok(Some(Mapping { globs, ..Mapping::new() }))
    }

    /// The number of what a value becomes.
    #[inline]
    pub fn id(&mut self, value: &[u8], place: usize, ledger: &mut Ledger) -> u16 {
        let hash = self.memo.hash(value);
        self.known(hash).unwrap_or_else(|| self.map(hash, value, place, ledger))
    }

    #[inline]
    fn known(&self, hash: u64) -> Option<u16> {
        self.memo.get(hash).and_then(|id| u16::try_from(id).ok())
    }

    #[inline(never)]
    fn map(&mut self, hash: u64, value: &[u8], place: usize, ledger: &mut Ledger) -> u16 {
        let value = self.clients.as_ref().map_or(value, |clients| clients.kind_of(value).as_bytes());
        let mapped = self.globs.as_mut().and_then(|(globs, values)| {
            let number = globs.first_match(value)?;
            values.get(number).map(String::as_bytes)
        });
        let mapped = mapped.unwrap_or(value);
        let id = ledger.id(place, mapped);
        // A value without a place is looked up each time, for so the lines under `other` are counted.
        if id != 0 || !ledger.labels[place].open || mapped == OTHER.as_bytes() {
            self.memo.put(hash, id.into());
        }
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::HistogramKinds;
    use crate::count::histograms::Histograms;

    #[test]
    fn a_list_of_upstreams_has_a_last_one_and_a_count() {
        for (list, last, count) in [
            ("", "", 0),
            ("-", "-", 0),
            ("10.0.0.1:80", "10.0.0.1:80", 1),
            ("10.0.0.1:80, 10.0.0.2:80", "10.0.0.2:80", 2),
            ("504, 502 : 200", "200", 3),
            ("a:1 : b:2, unix:/run/x.sock", "unix:/run/x.sock", 3),
            ("[::1]:80 : [::2]:80", "[::2]:80", 2),
        ] {
            assert_eq!(last_of(list.as_bytes()), last.as_bytes(), "{list}");
            assert_eq!(count_of(list.as_bytes()), count, "{list}");
        }
    }

    /// `other` is also what a person writes for all that is left, and such values come as often as any.
    #[test]
    fn what_a_pattern_calls_other_is_remembered_and_what_has_no_place_is_not() {
        let values = Values::Named(Dictionary::open(1, false));
        let label = Label { name: "agent".to_owned(), values, open: true, is_constant: false };
        let histograms = Histograms::new(HistogramKinds::BOTH);
        let mut ledger = Ledger::new(vec![label], vec![0], Vec::new(), histograms, 10);
        let patterns = GlobSet::compile(&[("left*".to_owned(), false)]).unwrap();
        let mut mapping = Mapping { globs: Some((patterns, vec![OTHER.to_owned()])), ..Mapping::new() };
        for (value, id, is_remembered) in [("left over", 0, true), ("first", 1, true), ("second", 0, false)] {
            assert_eq!(mapping.id(value.as_bytes(), 0, &mut ledger), id, "{value}");
            let hash = mapping.memo.hash(value.as_bytes());
            assert_eq!(mapping.known(hash).is_some(), is_remembered, "{value}");
        }
    }
}
