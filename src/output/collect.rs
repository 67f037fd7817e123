//! Makes a page of a copy of the ledger, the vitals and what the system knows of the process.

use super::page::{Exemplar, Family, Histogram, Page, Quantile, Series, Value, push_label};
use crate::amount::Amount;
use crate::catalogue::{self, Kind, Metric};
use crate::count::exemplars;
use crate::count::ledger::{Derived, Ledger, Traffic, class_text};
use crate::count::totals::{INVALID_NAMES, Outcome};
use crate::parse::Reason;
use crate::vitals::Vitals;
use std::sync::Arc;

/// Everything this process can say of itself.
pub fn page(ledger: &Ledger, vitals: &Vitals, now_seconds: u64) -> Page {
    let mut page = Page::default();
    traffic(ledger, &mut page);
    histograms(ledger, &mut page);
    quantiles(ledger, now_seconds, &mut page);
    totals(ledger, &mut page);
    overflow(ledger, &mut page);
    pulse(vitals, &mut page);
    super::process::insert(&mut page);
    mark_created(&mut page, Amount::nanos(u128::from(vitals.since)));
    page
}

/// What is there from the start has counted since the start (OpenMetrics: counters and summaries have a Created).
fn mark_created(page: &mut Page, since: Amount) {
    let counting = |family: &&mut Family| matches!(family.kind, Kind::Counter | Kind::Summary);
    for family in page.families.values_mut().filter(counting) {
        for series in &mut family.series {
            series.created.get_or_insert(since);
        }
    }
}

/// The places of labels in the order of their names: series are told apart by the text of their labels.
fn by_name<'a>(names: impl Iterator<Item = &'a str>) -> Vec<usize> {
    let mut places: Vec<(&str, usize)> = names.zip(0..).collect();
    places.sort_unstable();
    places.into_iter().map(|(_, place)| place).collect()
}

fn traffic(ledger: &Ledger, page: &mut Page) {
    let order = by_name(ledger.labels.iter().map(|label| label.name.as_str()));
    // Put in order once for all families; `insert` finds them so.
    let mut rows: Vec<(String, usize)> =
        (0..ledger.rows.len()).map(|row| (traffic_labels(ledger, row, &order), row)).collect();
    rows.sort_unstable();
    let mut family = |metric: &'static Metric, count: fn(&Traffic) -> u64| {
        let series = rows.iter().map(|(labels, row)| {
            let requests = ledger.exemplars.as_ref().filter(|_| metric.name == catalogue::REQUESTS.name);
            let exemplar = requests.and_then(|(requests, _)| exemplar(requests.of(*row).first()?));
            let value = Value::Number { value: Amount::whole(count(&ledger.rows[*row])), exemplar };
            let created = Some(Amount::nanos(u128::from(ledger.traffic.opened(*row))));
            Series { labels: labels.clone(), value, created }
        });
        page.insert(metric, series.collect());
    };
    family(&catalogue::REQUESTS, |figures| figures.requests);
    if ledger.has_bytes_sent {
        family(&catalogue::BYTES_SENT, |figures| figures.bytes_sent);
    }
    if ledger.has_bytes_received {
        family(&catalogue::BYTES_RECEIVED, |figures| figures.bytes_received);
    }
}

/// The labels of most series fit in this: what grows by and by is copied again and again.
const LABELS_BYTES: usize = 96;

fn traffic_labels(ledger: &Ledger, row: usize, order: &[usize]) -> String {
    let key = ledger.traffic.key(row);
    let mut labels = String::with_capacity(LABELS_BYTES);
    for &place in order {
        let label = &ledger.labels[place];
        push_label(&mut labels, &label.name, &label.values.text(key.get(place)));
    }
    labels
}

fn histograms(ledger: &Ledger, page: &mut Page) {
    let order = by_name(ledger.derived.iter().map(|(name, _)| name.as_str()));
    let rows: Vec<String> =
        (0..ledger.latency.len()).map(|row| latency_labels(ledger, row, &order)).collect();
    for (number, shape) in ledger.histograms.shapes().iter().enumerate() {
        let bounds: Arc<[Amount]> = shape.bounds.iter().map(|bound| amount(*bound, shape.per_unit)).collect();
        let series = rows.iter().enumerate().map(|(row, labels)| {
            let reading = ledger.histograms.read(row, number);
            let sum = reading.sum * u128::from(1_000_000_000 / shape.per_unit);
            let exemplars = match &ledger.exemplars {
                Some((_, Some((of, exemplars)))) if *of == number => {
                    exemplars.of(row).iter().map(exemplar).collect()
                }
                _ => Vec::new(),
            };
            let histogram = Histogram {
                bounds: bounds.clone(),
                counts: reading.counts.to_vec(),
                sum: Amount::nanos(sum),
                exemplars,
            };
            let created = Some(Amount::nanos(u128::from(ledger.latency.opened(row))));
            Series { labels: labels.clone(), value: Value::Histogram(histogram), created }
        });
        page.insert(shape.metric, series.collect());
    }
}

fn latency_labels(ledger: &Ledger, row: usize, order: &[usize]) -> String {
    let key = ledger.latency.key(row);
    let mut labels = String::new();
    for &place in order {
        let (name, from) = &ledger.derived[place];
        match *from {
            Derived::Class(_) => push_label(&mut labels, name, class_text(key.get(place))),
            Derived::Same(label) => {
                push_label(&mut labels, name, &ledger.labels[label].values.text(key.get(place)));
            }
        }
    }
    labels
}

/// A number of the smallest unit, of which there are `per_unit` in a unit.
fn amount(value: u64, per_unit: u64) -> Amount {
    Amount::nanos(u128::from(value) * u128::from(1_000_000_000 / per_unit))
}

fn exemplar(slot: &Option<Box<exemplars::Exemplar>>) -> Option<Box<Exemplar>> {
    let slot = slot.as_ref()?;
    let mut labels = String::new();
    push_label(&mut labels, exemplars::LABEL, &slot.id);
    let time = Some(Amount::nanos(u128::from(slot.time)));
    Some(Box::new(Exemplar { labels, value: Amount::nanos(u128::from(slot.value)), time }))
}

fn quantiles(ledger: &Ledger, now_seconds: u64, page: &mut Page) {
    let Some(window) = &ledger.quantiles else { return };
    let quantile =
        |(quantile, value): (f64, Option<f64>)| Quantile { quantile, value: value.unwrap_or(f64::NAN) };
    let value = Value::Summary {
        quantiles: window.summary(now_seconds).into_iter().map(quantile).collect(),
        sum: Amount::nanos(window.sum_nanos()),
        count: window.count(),
    };
    page.insert(&catalogue::QUANTILES, vec![Series { labels: String::new(), value, created: None }]);
}

fn totals(ledger: &Ledger, page: &mut Page) {
    let totals = &ledger.totals;
    insert_named(page, &catalogue::LINES, &Outcome::NAMES, &totals.lines);
    insert_named(page, &catalogue::MALFORMED, &Reason::ALL.map(Reason::as_str), &totals.malformed);
    insert_named(page, &catalogue::INVALID, &INVALID_NAMES, &totals.invalid);
    if let Some(time) = totals.last_request {
        let time = Amount::nanos(u128::try_from(time).unwrap_or(0));
        page.insert_number(&catalogue::LAST_REQUEST, time);
    }
    let aborted = match ledger.vhost.map(|label| &ledger.labels[label]) {
        None => vec![Series::number(String::new(), whole(totals.aborted.first()))],
        Some(vhost) => {
            let aborted = totals.aborted.iter().zip(0..).filter(|(count, _)| **count > 0);
            let series = aborted.map(|(count, id)| {
                let mut labels = String::new();
                push_label(&mut labels, &vhost.name, &vhost.values.text(id));
                Series::number(labels, Amount::whole(*count))
            });
            series.collect()
        }
    };
    page.insert(&catalogue::ABORTED, aborted);
    let ready = ledger.why_not_ready().is_none();
    page.insert_number(&catalogue::READY, Amount::whole(u64::from(ready)));
    let mut version = String::new();
    push_label(&mut version, "version", env!("CARGO_PKG_VERSION"));
    page.insert(&catalogue::BUILD_INFO, vec![Series::number(version, Amount::whole(1))]);
    if ledger.format_known {
        let mut format = String::new();
        push_label(&mut format, "format", &ledger.format.0);
        push_label(&mut format, "text", &ledger.format.1);
        page.insert(&catalogue::FORMAT_INFO, vec![Series::number(format, Amount::whole(1))]);
    }
}

fn whole(count: Option<&u64>) -> Amount {
    Amount::whole(count.copied().unwrap_or(0))
}

/// A family of one label with a closed set of values, all there from the start.
fn insert_named(page: &mut Page, metric: &'static Metric, names: &[&str], counts: &[u64]) {
    let series = names.iter().zip(counts).map(|(name, count)| {
        let mut labels = String::new();
        push_label(&mut labels, metric.labels, name);
        Series::number(labels, Amount::whole(*count))
    });
    page.insert(metric, series.collect());
}

fn overflow(ledger: &Ledger, page: &mut Page) {
    let open = ledger.labels.iter().filter(|label| label.open);
    let labels = open.map(|label| (label.name.as_str(), label.values.overflow()));
    let series = labels.chain([(SERIES, ledger.series_overflow)]).map(|(name, count)| {
        let mut labels = String::new();
        push_label(&mut labels, "label", name);
        Series::number(labels, Amount::whole(count))
    });
    page.insert(&catalogue::OVERFLOW, series.collect());
}

/// Stands in the overflow's label for the bound on all series together.
const SERIES: &str = "(series)";

fn pulse(vitals: &Vitals, page: &mut Page) {
    for family in vitals.registry.gather() {
        let Some(metric) = catalogue::find(family.name()) else { continue };
        let series = family.get_metric().iter().map(|sample| {
            let mut labels = String::new();
            for pair in sample.get_label() {
                push_label(&mut labels, pair.name(), pair.value());
            }
            let value = match metric.kind {
                Kind::Counter => sample.get_counter().get_value(),
                _ => sample.get_gauge().get_value(),
            };
            Series::number(labels, Amount::from_f64(value))
        });
        page.insert(metric, series.collect());
    }
}
