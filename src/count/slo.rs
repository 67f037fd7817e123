//! Objectives (`--slo`), compiled for a format: whether a request is meant, and whether it is good or bad.
//!
//! A request that fails a condition is bad. One whose line lacks the figure of another, and fails none, is neither:
//! that it was good is not known.

use crate::bytes::glob::Glob;
use crate::count::ledger::{Label, Ledger};
use crate::count::observer::Note;
use crate::count::slo_counts::SloCounts;
use crate::count::table::Key;
use crate::options::Options;
use crate::options::slo::{Bound, Objective, QuantityKind, Scope};
use crate::parse::Format;
use crate::parse::compile::field::Role;
use crate::parse::read::record::{FieldRef, Record};

#[derive(Debug)]
pub struct Objectives(Vec<Compiled>);

#[derive(Debug)]
struct Compiled {
    bounds: Vec<Bound>,
    scope: Vec<(Source, Scope)>,
}

/// Where the text of a scope comes from.
#[derive(Clone, Copy, Debug)]
enum Source {
    Field(FieldRef),
    Label(usize),
}

/// The labels that the series of objectives have by themselves.
const OWN_LABELS: [&str; 2] = ["slo", "result"];

impl Objectives {
    /// None where there is no `--slo`. An error names the option.
    pub fn compile(
        options: &Options,
        format: &mut Format,
        labels: &[Label],
    ) -> Result<Option<(Objectives, SloCounts)>, String> {
        if options.slos.is_empty() {
            return Ok(None);
        }
        let place = |name: &str| labels.iter().position(|label| label.name == name);
        let mut places = Vec::new();
        for name in &options.slo_labels {
            match place(name) {
                _ if OWN_LABELS.contains(&name.as_str()) => {
                    return Err(format!("--slo.labels: the label `{name}` is taken"));
                }
                Some(place) => places.push(place),
                None => return Err(format!("--slo.labels: there is no label {name}")),
            }
        }
        let compiled = options.slos.iter().map(|objective| {
            Compiled::of(objective, format, place).map_err(|why| format!("--slo {}: {why}", objective.name))
        });
        let compiled = compiled.collect::<Result<Vec<Compiled>, String>>()?;
        let names = options.slos.iter().map(|objective| objective.name.clone()).collect();
        let counts = SloCounts::new(names, places, options.max_series, crate::clock::now_nanos());
        Ok(Some((Objectives(compiled), counts)))
    }

    /// The fields that conditions are about, besides those that are always read.
    pub fn fields(&self) -> impl Iterator<Item = FieldRef> {
        self.0.iter().flat_map(|objective| &objective.scope).filter_map(|(source, _)| match source {
            Source::Field(field) => Some(*field),
            Source::Label(_) => None,
        })
    }

    /// Counts a request for each objective that it is meant by. `key` has the values of its labels.
    pub fn enter(
        &self,
        record: &Record<'_, '_>,
        (key, status): (&Key, Option<u16>),
        scratch: &mut Vec<u8>,
        ledger: &mut Ledger,
        (now, note): (u64, &mut impl Note),
    ) {
        let Ledger { slo: Some(counts), labels, .. } = ledger else { return };
        let row = counts.row(key, now);
        for (number, objective) in self.0.iter().enumerate() {
            let verdict = objective.judge(record, status);
            if let Some(is_good) = verdict.filter(|_| objective.means(record, key, labels, scratch)) {
                counts.enter(row, number, is_good);
                note.objective(row, number, is_good);
            }
        }
    }
}

impl Compiled {
    fn of(
        objective: &Objective,
        format: &mut Format,
        place: impl Fn(&str) -> Option<usize>,
    ) -> Result<Compiled, String> {
        for bound in &objective.bounds {
            if format.fields.source_of(role(bound.quantity.kind)).is_none() {
                return Err(format!("the format has no {}", bound.quantity.name));
            }
        }
        let mut scope = Vec::new();
        for part in &objective.scope {
            let source = match (part.name.as_str(), place(&part.name)) {
                ("path", _) => Source::Field(format.field("path")?),
                (_, Some(place)) => Source::Label(place),
                (name, None) => {
                    return Err(format!(
                        "there is no label {name}; conditions are on status, a time, bytes_sent, path or a label"
                    ));
                }
            };
            scope.push((source, part.clone()));
        }
        Ok(Compiled { bounds: objective.bounds.clone(), scope })
    }

    fn judge(&self, record: &Record<'_, '_>, status: Option<u16>) -> Option<bool> {
        let mut verdict = Some(true);
        for Bound { quantity, comparison, value: bound } in &self.bounds {
            let value = match quantity.kind {
                QuantityKind::Status => status.map(u64::from),
                QuantityKind::Duration => record.duration_nanos(),
                QuantityKind::FirstByte => record.time_to_first_byte_nanos(),
                QuantityKind::Upstream => record.upstream_nanos(),
                QuantityKind::BytesSent => record.bytes_sent(),
            };
            match value.map(|value| comparison.holds(value, *bound)) {
                Some(true) => {}
                Some(false) => return Some(false),
                None => verdict = None,
            }
        }
        verdict
    }

    fn means(&self, record: &Record<'_, '_>, key: &Key, labels: &[Label], scratch: &mut Vec<u8>) -> bool {
        self.scope.iter().all(|(source, scope)| {
            let matches = |text: &[u8]| scope.patterns.iter().any(|pattern: &Glob| pattern.matches(text));
            let is_one = match *source {
                Source::Field(field) => {
                    matches(record.value(field, &record.request(), scratch).unwrap_or_default())
                }
                Source::Label(place) => matches(labels[place].values.text(key.get(place)).as_bytes()),
            };
            is_one != scope.is_not
        })
    }
}

pub fn role(kind: QuantityKind) -> Role {
    match kind {
        QuantityKind::Status => Role::Status,
        QuantityKind::Duration => Role::Duration,
        QuantityKind::FirstByte => Role::TimeToFirstByte,
        QuantityKind::Upstream => Role::UpstreamDuration,
        QuantityKind::BytesSent => Role::BytesSent,
    }
}
