//! What a record adds to the ledger: compiled once from the options and the format, then run line by line.
//!
//! It owns the choice of labels and histograms. Per line it looks up the numbers of the label values, finds the row
//! and adds; nothing is allocated, and the clock is not read (the time comes with the chunk).

use crate::bytes::digits;
use crate::bytes::glob::Glob;
use crate::bytes::words::spread;
use crate::catalogue;
use crate::catalogue::Metric;
use crate::count::dictionary::Dictionary;
use crate::count::distinct::DistinctCounts;
use crate::count::exemplars::Exemplars;
use crate::count::extras::{Counted, Extras};
use crate::count::histograms::Histograms;
use crate::count::labels::{Mapping, UserLabel, count_of};
use crate::count::ledger::{Derived, Label, LabelSet, Ledger, Usual, Values, status_id};
use crate::count::observer::{Note, Observer};
use crate::count::quantiles::Window;
use crate::count::routes::Routes;
use crate::count::routes::learned::Learner;
use crate::count::slo::Objectives;
use crate::count::table::Key;
use crate::count::totals::Outcome;
use crate::fixed_point::FixedPoint;
use crate::limits;
use crate::options::Options;
use crate::parse::Format;
use crate::parse::compile::field::{Role, Trust};
use crate::parse::read::record::{FieldRef, Record};
use crate::parse::read::request::{Request, RequestKind};
use std::sync::Arc;

/// Labels of ours that the user may ask for as well.
const ROUTE: &str = "route";
const VHOST: &str = "vhost";

/// Fields that are lists with an item for each upstream that nginx asked.
const UPSTREAM_LISTS: [&str; 3] = ["$upstream_addr", "$upstream_status", "$upstream_response_time"];

/// What a proxy did before an upstream server answered, and the histograms of it.
const PHASES: [(Role, &Metric); 2] = [
    (Role::UpstreamQueue, &catalogue::UPSTREAM_QUEUE),
    (Role::UpstreamConnect, &catalogue::UPSTREAM_CONNECT),
];

/// Places of our own labels in a key; those of the user follow.
const METHOD: usize = 0;
const STATUS: usize = 1;

/// What is read of a record, and where it goes.
#[derive(Debug)]
pub struct Meter {
    excludes: Vec<(FieldRef, Glob)>,
    methods: Methods,
    vhost: Option<Vhost>,
    route: Option<(usize, Route)>,
    labels: Vec<UserLabel>,
    /// A list with an item for each upstream that was asked.
    attempts: Option<FieldRef>,
    duration: Option<usize>,
    size: Option<usize>,
    first_byte: Option<usize>,
    upstream: Option<usize>,
    overhead: Option<usize>,
    extras: Option<Box<Extras>>,
    /// Room for a value without its escapes.
    scratch: Vec<u8>,
}

/// The methods seen lately, each with the number of its label value, by the word a request brings. A server sees a
/// handful, and takes their numbers from here without comparing text.
#[derive(Debug, Default)]
struct Methods([(u64, u16); 1 << METHODS_BITS]);

const METHODS_BITS: u32 = 4;

impl Methods {
    #[inline(always)]
    fn id(&mut self, request: &Request<'_>, ledger: &mut Ledger) -> u16 {
        let known = &mut self.0[spread(request.word, METHODS_BITS)];
        if known.0 == request.word && known.1 != 0 {
            return known.1;
        }
        let id = ledger.id(METHOD, request.method);
        // A method without a place is looked up each time, for so the lines under `other` are counted.
        if request.word != 0 {
            *known = (request.word, id);
        }
        id
    }
}

#[derive(Debug)]
struct Vhost {
    place: usize,
    trust: Trust,
    /// The field of `--label vhost=FIELD`, in place of the format's own, and room for its value without escapes.
    field: Option<(FieldRef, Vec<u8>)>,
    mapping: Option<Mapping>,
}

#[derive(Debug)]
enum Route {
    /// With the number of each pattern's label value: a pattern given twice has one.
    Patterns(Routes, Vec<u16>),
    /// `--route auto`.
    Learned(Box<Learner>),
}

impl Meter {
    /// Decides what this format and these options give, and the ledger that holds it. An error names the option.
    pub fn compile(
        options: &Options,
        format: &mut Format,
        observer: Option<&mut (dyn Observer + 'static)>,
    ) -> Result<(Meter, Ledger), String> {
        let mut labels = our_labels(options);
        let vhost = compile_vhost(options, format, &mut labels)?;
        let route = compile_route(options)?.map(|(route, label)| {
            labels.push(label);
            (labels.len() - 1, route)
        });
        let mut user_labels = Vec::new();
        for (name, field) in
            options.labels.iter().filter(|(name, field)| name != VHOST || field.starts_with('='))
        {
            let compiled = UserLabel::compile(options, (name, field), format, labels.len());
            let (user_label, label) = compiled.map_err(|e| format!("--label {name}: {e}"))?;
            user_labels.push(user_label);
            labels.push(label);
        }
        let excludes = compile_excludes(options, format)?;
        let exemplar = options.exemplar.as_ref().map(|field| format.field(field)).transpose();
        let exemplar = exemplar.map_err(|e| format!("--exemplar: {e}"))?;
        let exemplar = exemplar.map(|field| (field, nanos(options.exemplar_above)));
        let (objectives, slo) = Objectives::compile(options, format, &labels)?.unzip();

        let mut meter = Meter {
            excludes,
            methods: Methods::default(),
            vhost,
            route,
            labels: user_labels,
            attempts: UPSTREAM_LISTS
                .iter()
                .find(|name| format.fields.find(name).is_some())
                .map(|name| format.field(name))
                .transpose()?,
            duration: None,
            size: None,
            first_byte: None,
            upstream: None,
            overhead: None,
            extras: Extras::new(exemplar, objectives, compile_distinct(options, format)?),
            scratch: Vec::with_capacity(4096),
        };
        let derived = histogram_labels(options, &labels)?;
        let histograms = meter.choose_histograms(options, format);
        let kept = vec![METHOD, STATUS];
        let mut ledger = Ledger::new(labels, kept, derived, histograms, options.max_series);
        ledger.format = (format.name().to_owned(), format.text().to_owned());
        ledger.has_bytes_sent = format.fields.source_of(Role::BytesSent).is_some();
        ledger.has_bytes_received = format.fields.source_of(Role::BytesReceived).is_some();
        ledger.has_attempts = meter.attempts.is_some();
        ledger.slo = slo.map(Box::new);
        ledger.distinct = DistinctCounts::new(&options.distincts).map(Box::new);
        ledger.vhost = meter.vhost.as_ref().map(|vhost| vhost.place);
        if meter.duration.is_some() && !options.quantiles.is_empty() {
            ledger.quantiles = Some(Window::new(options.quantiles_window, &options.quantiles));
        }
        if exemplar.is_some() {
            let buckets = |histogram: usize| ledger.histograms.shapes()[histogram].bounds.len() + 1;
            let of_durations = meter.duration.map(|duration| (duration, Exemplars::new(buckets(duration))));
            ledger.exemplars = Some((Exemplars::new(1), of_durations));
        }
        let observed = observer.map_or_else(Vec::new, |observer| observer.fields(format));
        meter.tell_needs(format, &observed);
        begin_at_zero(options, &mut ledger);
        Ok((meter, ledger))
    }

    fn choose_histograms(&mut self, options: &Options, format: &Format) -> Histograms {
        let durations: Arc<[u64]> = options.duration_buckets.iter().map(|bound| nanos(*bound)).collect();
        let sizes: Arc<[u64]> = options.size_buckets.iter().filter_map(|bound| bound.to_count()).collect();
        let mut histograms = Histograms::new(options.histograms);
        let mut add = |role, metric: &'static Metric, per_unit, bounds: &Arc<[u64]>| {
            format.fields.source_of(role).map(|_| histograms.add(metric, per_unit, bounds))
        };
        self.duration = add(Role::Duration, &catalogue::DURATION, SECOND, &durations);
        self.size = add(Role::BytesSent, &catalogue::SIZE, 1, &sizes);
        self.first_byte = add(Role::TimeToFirstByte, &catalogue::FIRST_BYTE, SECOND, &durations);
        self.upstream = add(Role::UpstreamDuration, &catalogue::UPSTREAM, SECOND, &durations);
        if self.duration.is_some() && self.upstream.is_some() {
            self.overhead = Some(histograms.add(&catalogue::PROXY_OVERHEAD, SECOND, &durations));
        }
        if options.upstream_phases {
            let phases = PHASES.iter().filter(|(role, _)| format.fields.source_of(*role).is_some());
            let phases: Vec<_> =
                phases.map(|(role, metric)| (histograms.add(metric, SECOND, &durations), *role)).collect();
            if !phases.is_empty() {
                self.extras.get_or_insert_default().phases = phases;
            }
        }
        histograms
    }

    /// Whether there is a histogram of a phase of the upstream's time.
    pub fn has_phases(&self) -> bool {
        self.phases().next().is_some()
    }

    fn phases(&self) -> impl Iterator<Item = &(usize, Role)> {
        self.extras.iter().flat_map(|extras| &extras.phases)
    }

    /// Lets the format skip what nobody asks for.
    fn tell_needs(&self, format: &mut Format, observed: &[FieldRef]) {
        let mut roles = vec![Role::Status, Role::Request, Role::Method, Role::BytesSent, Role::BytesReceived];
        roles.extend([Role::Duration, Role::TimeToFirstByte, Role::UpstreamDuration]);
        roles.extend([Role::Aborted, Role::Timestamp, Role::Vhost, Role::Protocol]);
        roles.extend(self.phases().map(|(_, role)| *role));
        if self.route.is_some() {
            roles.push(Role::Path);
        }
        let vhost = self.vhost.as_ref().and_then(|vhost| vhost.field.as_ref()).map(|(field, _)| *field);
        let users = self.labels.iter().filter_map(UserLabel::field).chain(self.attempts).chain(vhost);
        let excludes = self.excludes.iter().map(|(field, _)| *field);
        let extras = self.extras.iter().flat_map(|extras| extras.fields());
        let observed = observed.iter().copied();
        let fields: Vec<FieldRef> = users.chain(excludes).chain(extras).chain(observed).collect();
        format.need(&roles, &fields);
    }

    /// Enters one record.
    #[inline]
    pub fn measure(&mut self, record: &Record<'_, '_>, ledger: &mut Ledger, now: u64) -> Outcome {
        self.measure_noting(record, ledger, now, &mut ())
    }

    /// The same, and takes note of what it adds. There are two of it and of all it calls, with notes and without them:
    /// where the compiler left it to a call, a line cost 50 instructions more.
    #[inline(always)]
    pub fn measure_noting(
        &mut self,
        record: &Record<'_, '_>,
        ledger: &mut Ledger,
        now: u64,
        note: &mut impl Note,
    ) -> Outcome {
        let request = record.request();
        if !self.excludes.is_empty() && self.excluded(record, &request) {
            return Outcome::Excluded;
        }
        let mut key = Key::default();
        let status = record.status();
        key.set(STATUS, status_id(status));
        match request.kind {
            RequestKind::Http => key.set(METHOD, self.methods.id(&request, ledger)),
            // A log that does not tell of requests has no invalid ones.
            kind if record.has_request() => {
                ledger.totals.invalid[invalid_place(kind)] += 1;
                note.invalid(invalid_place(kind));
            }
            _ => {}
        }
        self.free_labels(record, (&request, status), ledger, &mut key);
        let row = ledger.row(&key, now);
        let sent = record.bytes_sent();
        let received = record.bytes_received();
        let latency = ledger.enter(row, sent, received);
        note.row(&key, (row, latency), sent, received);
        if let Some(list) = self.attempts {
            // A number that was read along with the line is no list.
            let attempts = match record.is_number(list) {
                true => 1,
                false => count_of(record.value(list, &request, &mut self.scratch).unwrap_or_default()),
            };
            ledger.rows[row].upstream_attempts += attempts;
            note.attempts(attempts);
        }
        self.histograms(record, ledger, (row, latency, &key, status), sent, (now, note));
        if record.aborted(status) {
            note.aborted(ledger.abort(&key));
        }
        if let Some(time) = record.unix_time_nanos() {
            ledger.totals.see_time(time, now);
        }
        Outcome::Counted
    }

    /// Lets the learned routes be those that are on the page already, as well.
    pub fn know_routes(&mut self, known: &[LabelSet], ledger: &mut Ledger) {
        if let Some((place, Route::Learned(learner))) = &mut self.route {
            let labels = known.iter().flatten().filter(|(name, _)| name == ROUTE);
            learner
                .settle_known(labels.map(|(_, route)| route.as_str()), |route| ledger.place(*place, route));
        }
    }

    /// Looks at the paths of lines that will be counted later, if routes are learned from them.
    pub fn look_at(&mut self, record: &Record<'_, '_>) {
        let request = record.request();
        if !self.excludes.is_empty() && self.excluded(record, &request) {
            return;
        }
        if let (Some((_, Route::Learned(learner))), Some(path)) = (&mut self.route, request.path()) {
            learner.look_at(path, record.status());
        }
    }

    /// Settles the routes of the lines looked at, and counts them without learning until that is allowed again.
    pub fn settle_routes(&mut self, ledger: &mut Ledger) {
        if let Some((place, Route::Learned(learner))) = &mut self.route {
            learner.settle_sample(|route| ledger.place(*place, route));
            learner.learn(false);
        }
    }

    pub fn go_on_learning(&mut self) {
        if let Some((_, Route::Learned(learner))) = &mut self.route {
            learner.learn(true);
        }
    }

    fn excluded<'l>(&mut self, record: &Record<'_, 'l>, request: &Request<'l>) -> bool {
        let scratch = &mut self.scratch;
        let matches = |(field, glob): &(FieldRef, Glob)| {
            record.value(*field, request, scratch).is_some_and(|value| glob.matches(value))
        };
        self.excludes.iter().any(matches)
    }

    #[inline(always)]
    fn free_labels<'l>(
        &mut self,
        record: &Record<'_, 'l>,
        (request, status): (&Request<'l>, Option<u16>),
        ledger: &mut Ledger,
        key: &mut Key,
    ) {
        if let Some(Vhost { place, trust, field, mapping }) = &mut self.vhost {
            let value = match field {
                None => record.vhost().unwrap_or_default(),
                Some((field, scratch)) => record.value(*field, request, scratch).unwrap_or_default(),
            };
            let value = match trust {
                Trust::Server => value,
                Trust::Client => normal_host(value, &mut self.scratch),
            };
            let id = match mapping {
                None => ledger.id(*place, value),
                Some(mapping) => mapping.id(value, *place, ledger),
            };
            key.set(*place, id);
        }
        if let Some((place, route)) = &mut self.route {
            let text = record.text_from_target(request).unwrap_or_default();
            let id = match route {
                Route::Patterns(routes, ids) => {
                    routes.of(request, text).map_or(0, |index| ids[usize::from(index)])
                }
                Route::Learned(learner) => {
                    let id = learner.of(request, text, status);
                    if id == Some(0) {
                        ledger.overflow(*place);
                    }
                    if learner.is_due() {
                        learner.settle(|route| ledger.place(*place, route));
                    }
                    id.unwrap_or(0)
                }
            };
            key.set(*place, id);
        }
        for label in &mut self.labels {
            key.set(label.place, label.id(record, request, &mut self.scratch, ledger));
        }
    }

    #[inline(always)]
    fn histograms(
        &mut self,
        record: &Record<'_, '_>,
        ledger: &mut Ledger,
        (row, latency, key, status): (usize, usize, &Key, Option<u16>),
        sent: Option<u64>,
        (now, note): (u64, &mut impl Note),
    ) {
        let histograms = &mut ledger.histograms;
        // What no histogram takes is not decoded.
        let mut observe = |histogram: usize, value: u64| {
            histograms.observe(latency, histogram, value);
            note.observed(histograms, histogram, value);
            value
        };
        self.size.and_then(|size| Some(observe(size, sent?)));
        self.first_byte.and_then(|place| Some(observe(place, record.time_to_first_byte_nanos()?)));
        let upstream = self.upstream.and_then(|place| Some(observe(place, record.upstream_nanos()?)));
        let duration = self.duration.and_then(|place| Some(observe(place, record.duration_nanos()?)));
        if let (Some(place), Some(whole), Some(upstream)) = (self.overhead, duration, upstream) {
            // Both are rounded, and the upstream's clock may end a moment later.
            observe(place, whole.saturating_sub(upstream));
        }
        if let (Some(window), Some(duration)) = (&mut ledger.quantiles, duration) {
            window.observe(now / SECOND, duration);
            note.quantiled(duration);
        }
        if let Some(extras) = &self.extras {
            let counted = Counted { key, status, row, latency, duration };
            extras.enter(record, &counted, &mut self.scratch, ledger, (now, note));
        }
    }
}

/// Nanoseconds.
const SECOND: u64 = 1_000_000_000;

fn nanos(amount: FixedPoint) -> u64 {
    u64::try_from(amount.as_nanos()).unwrap_or(u64::MAX)
}

fn invalid_place(kind: RequestKind) -> usize {
    match kind {
        RequestKind::Empty => 0,
        RequestKind::Timeout => 1,
        RequestKind::Tls => 2,
        RequestKind::Malformed | RequestKind::Http => 3,
    }
}

fn our_labels(options: &Options) -> Vec<Label> {
    let methods = Values::Named(Dictionary::closed(&options.methods));
    vec![
        Label { name: "method".to_owned(), values: methods, open: false, is_constant: false },
        Label { name: "status_code".to_owned(), values: Values::Status, open: false, is_constant: false },
    ]
}

/// What every server answers sooner or later. These series are there from the start where the labels are only those of
/// closed sets, and else as soon as a vhost, a route or a value of a label has a request: `increase()` does not see a
/// counter that begins at 1, and the first error is one worth seeing.
const SOON: [(&str, &[u16]); 3] = [
    ("GET", &[200, 304, 404, 500, 502, 503, 504]),
    ("HEAD", &[200, 404, 500]),
    ("POST", &[200, 404, 500, 502, 503, 504]),
];

fn begin_at_zero(options: &Options, ledger: &mut Ledger) {
    let mut keys = Vec::new();
    let mut usual = Vec::new();
    for (method, statuses) in SOON.iter().filter(|(method, _)| options.methods.iter().any(|m| m == method)) {
        let statuses_of = statuses.iter().map(|status| status_id(Some(*status))).collect();
        usual.push((ledger.id(METHOD, method.as_bytes()), statuses_of));
        for status in *statuses {
            let mut key = Key::default();
            key.set(METHOD, ledger.id(METHOD, method.as_bytes()));
            key.set(STATUS, status_id(Some(*status)));
            keys.push(key);
        }
    }
    ledger.usual = Usual { method: METHOD, status: STATUS, statuses: usual };
    // Each with every value of the other labels, while these are closed and few; and never at the cost of real ones.
    let most = limits::ZEROES_MAX.min(options.max_series / 2);
    for place in STATUS + 1..ledger.labels.len() {
        let label = &ledger.labels[place];
        let (values, is_constant) = (label.values.count(), label.is_constant);
        if label.open || keys.len() * values > most {
            return;
        }
        let with = |key: &Key| {
            let key = *key;
            (usize::from(is_constant)..values).map(move |id| {
                let mut key = key;
                key.set(place, u16::try_from(id).unwrap_or(0));
                key
            })
        };
        keys = keys.iter().flat_map(with).collect();
    }
    let now = crate::clock::now_nanos();
    for key in keys.into_iter().take(most) {
        ledger.row(&key, now);
    }
}

/// The fields of `--distinct`, in the order of their names.
fn compile_distinct(options: &Options, format: &mut Format) -> Result<Vec<FieldRef>, String> {
    let fields = options.distincts.iter().map(|(name, field)| {
        let compiled = format.field(field);
        compiled.map_err(|e| format!("--distinct {name}: {e}"))
    });
    fields.collect()
}

fn compile_excludes(options: &Options, format: &mut Format) -> Result<Vec<(FieldRef, Glob)>, String> {
    let compiled = options.excludes.iter().map(|(field, pattern)| {
        let field = format.field(field).map_err(|e| format!("--exclude: {e}"))?;
        Ok((field, Glob::compile(pattern.as_bytes())))
    });
    compiled.collect()
}

/// The server's own names are taken as they come, a stranger's fall under the cap, and so does a field that a
/// person names.
fn compile_vhost(
    options: &Options,
    format: &mut Format,
    labels: &mut Vec<Label>,
) -> Result<Option<Vhost>, String> {
    let named = options.labels.iter().find(|(name, field)| name == VHOST && !field.starts_with('='));
    let is_constant = named.is_none() && options.labels.iter().any(|(name, _)| name == VHOST);
    let field = named.map(|(_, field)| format.field(field)).transpose();
    let field = field.map_err(|e| format!("--label {VHOST}: {e}"))?;
    let trust = if field.is_some() { Some(Trust::Client) } else { format.fields.trust_of_vhost() };
    let Some(trust) = trust.filter(|_| !is_constant) else { return Ok(None) };
    let closed = options.label_values.iter().find(|(label, _)| label == VHOST);
    let values = match (closed, trust) {
        (Some((_, values)), _) => Dictionary::closed(values),
        (None, Trust::Server) => Dictionary::open(limits::VHOSTS_MAX, false),
        (None, Trust::Client) => Dictionary::open(options.max_values, true),
    };
    let mapping = Mapping::of(options, VHOST).map_err(|e| format!("--label-map {VHOST}: {e}"))?;
    let place = labels.len();
    let (name, values) = (VHOST.to_owned(), Values::Named(values));
    labels.push(Label { name, values, open: closed.is_none(), is_constant: false });
    let field = field.map(|field| (field, Vec::new()));
    Ok(Some(Vhost { place, trust, field, mapping }))
}

fn compile_route(options: &Options) -> Result<Option<(Route, Label)>, String> {
    let (route, values, open) = match options.routes.as_slice() {
        [] => return Ok(None),
        [auto] if auto == "auto" => {
            let mut values = Dictionary::open(options.max_values, false);
            let learner = Learner::new(|route| values.place(route.as_bytes()).0);
            (Route::Learned(Box::new(learner)), values, true)
        }
        patterns => {
            let routes = Routes::compile(patterns).map_err(|(_, wrong)| format!("--route: {wrong}"))?;
            let mut values = Dictionary::closed(patterns);
            let ids = patterns.iter().map(|pattern| values.id_of(pattern.as_bytes()).0).collect();
            (Route::Patterns(routes, ids), values, false)
        }
    };
    Ok(Some((
        route,
        Label { name: ROUTE.to_owned(), values: Values::Named(values), open, is_constant: false },
    )))
}

/// How the histograms' labels come from the requests'. Those of the default list that this format lacks are left out.
fn histogram_labels(options: &Options, labels: &[Label]) -> Result<Vec<(String, Derived)>, String> {
    let place = |name: &str| labels.iter().position(|label| label.name == name);
    let mut derived = Vec::new();
    for name in &options.histogram_labels {
        match (name.as_str(), place(name)) {
            ("status_class", _) => derived.push((name.clone(), Derived::Class(STATUS))),
            (_, Some(place)) => derived.push((name.clone(), Derived::Same(place))),
            ("vhost" | "route", None) => {}
            (_, None) => return Err(format!("--histogram-labels: there is no label {name}")),
        }
    }
    Ok(derived)
}

/// The host of a `Host` header without its port and brackets, in lower case.
#[inline]
fn normal_host<'a>(host: &'a [u8], scratch: &'a mut Vec<u8>) -> &'a [u8] {
    // From `:` to `[` are what begins a port, capitals, and what begins a bare address.
    if digits::are_all_outside(host, b':', b'[') { host } else { normalized_host(host, scratch) }
}

#[inline(never)]
fn normalized_host<'a>(host: &'a [u8], scratch: &'a mut Vec<u8>) -> &'a [u8] {
    let host = match host.split_first() {
        Some((b'[', rest)) => rest.split(|byte| *byte == b']').next().unwrap_or_default(),
        // More than one colon is a bare IPv6 address, which cannot have a port.
        _ if host.iter().filter(|byte| **byte == b':').count() == 1 => {
            host.split(|byte| *byte == b':').next().unwrap_or_default()
        }
        _ => host,
    };
    if !host.iter().any(u8::is_ascii_uppercase) {
        return host;
    }
    scratch.clear();
    scratch.extend(host.iter().map(u8::to_ascii_lowercase));
    scratch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_apart_by_their_names_alone() {
        for (given, normal) in [
            ("Example.COM:443", "example.com"),
            ("example.com", "example.com"),
            ("[2001:DB8::1]:80", "2001:db8::1"),
            ("::1", "::1"),
            ("www.example.com", "www.example.com"),
            ("www.example.coM", "www.example.com"),
            ("www.example.com:8", "www.example.com"),
            ("a:8", "a"),
            ("M\u{fc}nchen.example", "m\u{fc}nchen.example"),
            ("", ""),
        ] {
            assert_eq!(normal_host(given.as_bytes(), &mut Vec::new()), normal.as_bytes());
        }
    }
}
