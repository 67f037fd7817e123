//! What only some users ask of each request besides its counters and usual histograms: phases of the upstream's time,
//! exemplars, objectives and different values.
//!
//! One question per line, whether there are any, is all that it costs the others.

use crate::count::ledger::Ledger;
use crate::count::observer::Note;
use crate::count::slo::Objectives;
use crate::count::table::Key;
use crate::parse::compile::field::Role;
use crate::parse::read::record::{FieldRef, Record};

#[derive(Debug, Default)]
pub struct Extras {
    /// The histograms of phases, with `--upstream-phases`.
    pub phases: Vec<(usize, Role)>,
    /// The field of the id, and the nanoseconds that a request must have taken.
    pub exemplar: Option<(FieldRef, u64)>,
    pub objectives: Option<Objectives>,
    /// The fields of `--distinct`.
    pub distinct: Vec<FieldRef>,
}

/// A request that was counted.
pub struct Counted<'k> {
    pub key: &'k Key,
    pub status: Option<u16>,
    /// Its rows of requests and of histograms.
    pub row: usize,
    pub latency: usize,
    /// In nanoseconds.
    pub duration: Option<u64>,
}

const SECOND: u64 = 1_000_000_000;

impl Extras {
    /// None where nothing is asked for.
    pub fn new(
        exemplar: Option<(FieldRef, u64)>,
        objectives: Option<Objectives>,
        distinct: Vec<FieldRef>,
    ) -> Option<Box<Extras>> {
        let is_wanted = exemplar.is_some() || objectives.is_some() || !distinct.is_empty();
        is_wanted.then(|| Box::new(Extras { exemplar, objectives, distinct, ..Extras::default() }))
    }

    pub fn fields(&self) -> impl Iterator<Item = FieldRef> {
        let exemplar = self.exemplar.iter().map(|(field, _)| *field);
        let exemplar = exemplar.chain(self.distinct.iter().copied());
        exemplar.chain(self.objectives.iter().flat_map(Objectives::fields))
    }

    #[inline(never)]
    pub fn enter(
        &self,
        record: &Record<'_, '_>,
        counted: &Counted<'_>,
        scratch: &mut Vec<u8>,
        ledger: &mut Ledger,
        (now, note): (u64, &mut impl Note),
    ) {
        for (histogram, phase) in &self.phases {
            if let Some(nanos) = record.phase_nanos(*phase) {
                ledger.histograms.observe(counted.latency, *histogram, nanos);
                note.observed(&ledger.histograms, *histogram, nanos);
            }
        }
        self.exemplify(record, counted, scratch, ledger, now);
        if let Some(objectives) = &self.objectives {
            objectives.enter(record, (counted.key, counted.status), scratch, ledger, (now, note));
        }
        if let Some(distinct) = &mut ledger.distinct {
            let vhost = ledger.vhost.map_or(0, |place| counted.key.get(place));
            for (name, field) in self.distinct.iter().enumerate() {
                let value = record.value(*field, &record.request(), scratch);
                // Where nginx has no value, it writes none.
                if let Some(value) = value.filter(|value| !value.is_empty()) {
                    distinct.enter(name, vhost, value, now);
                }
            }
        }
    }

    /// Makes the request the exemplar of its counter and of its bucket, if it was slow enough and bears an id.
    fn exemplify(
        &self,
        record: &Record<'_, '_>,
        counted: &Counted<'_>,
        scratch: &mut Vec<u8>,
        ledger: &mut Ledger,
        now: u64,
    ) {
        let (Some((field, above)), Some((of_requests, of_durations))) =
            (&self.exemplar, &mut ledger.exemplars)
        else {
            return;
        };
        if counted.duration.unwrap_or(0) < *above {
            return;
        }
        let Some(id) = record.value(*field, &record.request(), scratch) else { return };
        of_requests.enter(counted.row, 0, id, SECOND, now);
        if let (Some((durations, exemplars)), Some(nanos)) = (of_durations, counted.duration) {
            let bucket = ledger.histograms.bucket(*durations, nanos);
            exemplars.enter(counted.latency, bucket, id, nanos, now);
        }
    }
}
