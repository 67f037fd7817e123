//! Series: the labels of each row as text, with those of the scrape; and rows whose labels are the same.

use crate::catalogue::{self, Metric};
use crate::count::ledger::Ledger;
use crate::count::totals::INVALID_NAMES;
use crate::history::increment::{
    ABORTED, ATTEMPTS, BYTES_RECEIVED, BYTES_SENT, HISTOGRAMS, INVALID, Place, QUANTILES, REQUESTS, SLO,
};
use crate::snapshot::collect;
use crate::snapshot::page::push_label;
use std::collections::HashMap;
use std::sync::Arc;

/// The labels of all rows, by the kind of row.
#[derive(Debug)]
pub struct Labels {
    traffic: Rows,
    latency: Rows,
    aborted: Rows,
    invalid: Rows,
    slo: Rows,
}

/// Texts by row, and by row the first one that has the same text.
#[derive(Debug)]
struct Rows {
    texts: Vec<Arc<str>>,
    first: Vec<usize>,
}

impl Rows {
    fn new(texts: Vec<Arc<str>>) -> Rows {
        let mut known: HashMap<&str, usize> = HashMap::new();
        let first = texts.iter().enumerate().map(|(row, text)| *known.entry(text).or_insert(row)).collect();
        Rows { texts, first }
    }
}

impl Labels {
    pub fn new(ledger: &Ledger) -> Labels {
        let [traffic, latency] = collect::labels_of_rows(ledger).map(Rows::new);
        let one = |name: &str, value: &str| {
            let mut labels = String::new();
            push_label(&mut labels, name, value);
            Arc::from(labels)
        };
        let aborted = match ledger.vhost.map(|label| &ledger.labels[label]) {
            None => vec![Arc::from("")],
            Some(vhost) => {
                let places = u16::try_from(ledger.totals.aborted.len()).unwrap_or(u16::MAX);
                (0..places).map(|id| one(&vhost.name, &vhost.values.text(id))).collect()
            }
        };
        let invalid = INVALID_NAMES.iter().map(|name| one(catalogue::INVALID.labels, name)).collect();
        let slo = collect::labels_of_objectives(ledger).into_iter().map(Arc::from).collect();
        let [aborted, invalid, slo] = [aborted, invalid, slo].map(Rows::new);
        Labels { traffic, latency, aborted, invalid, slo }
    }

    /// None where there is one row without labels.
    fn rows(&self, family: u64) -> Option<&Rows> {
        match family {
            REQUESTS..=ATTEMPTS => Some(&self.traffic),
            ABORTED => Some(&self.aborted),
            INVALID => Some(&self.invalid),
            SLO => Some(&self.slo),
            QUANTILES => None,
            _ => Some(&self.latency),
        }
    }

    pub fn of(&self, family: u64, row: usize) -> &str {
        self.rows(family).and_then(|rows| rows.texts.get(row)).map_or("", |text| text)
    }

    /// The row that stands for this one.
    pub fn row_of(&self, place: Place) -> usize {
        let rows = self.rows(place.family());
        rows.and_then(|rows| rows.first.get(place.row())).copied().unwrap_or(place.row())
    }
}

/// The metric of a family.
pub fn metric_of(family: u64, ledger: &Ledger) -> Option<&'static Metric> {
    match family {
        REQUESTS => Some(&catalogue::REQUESTS),
        BYTES_SENT => Some(&catalogue::BYTES_SENT),
        BYTES_RECEIVED => Some(&catalogue::BYTES_RECEIVED),
        ATTEMPTS => Some(&catalogue::UPSTREAM_ATTEMPTS),
        ABORTED => Some(&catalogue::ABORTED),
        INVALID => Some(&catalogue::INVALID),
        SLO => Some(&catalogue::SLO_REQUESTS),
        QUANTILES => Some(&catalogue::QUANTILES),
        _ => {
            let place = usize::try_from(family - HISTOGRAMS).ok()?;
            ledger.histograms.shapes().get(place).map(|shape| shape.metric)
        }
    }
}
