//! Page collection: a copy of the ledger, the program's own metrics and what the system knows of it become a page.

use crate::catalogue;
use crate::catalogue::{Kind, Metric};
use crate::count::distinct::Sketches;
use crate::count::exemplars;
use crate::count::ledger::{Derived, Ledger, Traffic, class_text};
use crate::count::table::{KEY_LABELS, Key, Table};
use crate::count::totals::{INVALID_NAMES, Outcome};
use crate::fixed_point::FixedPoint;
use crate::order;
use crate::parse::Reason;
use crate::self_metrics::{BUILD, SelfMetrics};
use crate::snapshot::page::{
    Exemplar, Family, Histogram, Page, Quantile, Series, Summary, Value, push_label,
};
use std::borrow::Cow;
use std::sync::Arc;

/// Everything this process can say of itself.
pub fn page(ledger: &Ledger, self_metrics: &SelfMetrics, now_seconds: u64, kept: &mut Kept) -> Page {
    let mut page = Page::default();
    traffic(ledger, &mut kept.traffic, &mut page);
    histograms(ledger, &mut kept.latency, &mut page);
    quantiles(ledger, now_seconds, &mut page);
    objectives(ledger, &mut page);
    if let Some(sketches) = distinct_of(ledger) {
        insert_distinct(&sketches, now_seconds, &mut page);
    }
    totals(ledger, &mut page);
    overflow(ledger, &mut page);
    own_families(self_metrics, &mut page);
    super::process::insert(&mut page);
    mark_created(&mut page, FixedPoint::nanos(u128::from(self_metrics.since)));
    page
}

/// What is there from the start has counted since the start (OpenMetrics: counters and summaries have a Created).
fn mark_created(page: &mut Page, since: FixedPoint) {
    let counting = |family: &&mut Family| matches!(family.kind, Kind::Counter | Kind::Summary);
    for family in page.families.values_mut().filter(counting) {
        for series in &mut family.series {
            series.created.get_or_insert(since);
        }
    }
}

/// One label of a table, with what its values look like on the page.
struct Column {
    /// Where the label stands in a key.
    place: usize,
    /// By the number of the value: `name="value"`, and the value's rank in the order of these texts.
    pairs: Vec<(String, u16)>,
}

impl Column {
    /// Only values that some row has are written.
    fn new<'v>(place: usize, name: &str, table: &Table, text: impl Fn(u16) -> Cow<'v, str>) -> Column {
        let mut pairs: Vec<(String, u16)> = Vec::new();
        for row in 0..table.len() {
            let id = table.key(row).get(place);
            if pairs.len() <= usize::from(id) {
                pairs.resize(usize::from(id) + 1, Default::default());
            }
            let (pair, _) = &mut pairs[usize::from(id)];
            if pair.is_empty() {
                push_label(pair, name, &text(id));
            }
        }
        let order = order::places_by(pairs.len(), &|a, b| pairs[a].0.cmp(&pairs[b].0));
        for (rank, id) in (0..).zip(order) {
            pairs[id].1 = rank;
        }
        Column { place, pairs }
    }

    fn pair(&self, key: &Key) -> &(String, u16) {
        &self.pairs[usize::from(key.get(self.place))]
    }
}

/// What is the same on every page, kept from one to the next.
#[derive(Debug, Default)]
pub struct Kept {
    traffic: Rows,
    latency: Rows,
}

/// The labels of a table's rows as text, in the order of the text, each with its row. Rows do not go away and keep
/// their labels, so this is written anew only when rows were added.
#[derive(Debug, Default)]
struct Rows {
    /// The table, and how many rows it had.
    of: Option<(Arc<()>, usize)>,
    labels: Vec<(Arc<str>, usize)>,
    /// Whether no two texts are the same.
    distinct: bool,
}

impl Rows {
    fn update<'n>(&mut self, table: &Table, columns: impl FnOnce() -> Vec<(&'n str, Column)>) {
        let known = |(identity, rows): &(Arc<()>, usize)| {
            Arc::ptr_eq(identity, table.identity()) && *rows == table.len()
        };
        if !self.of.as_ref().is_some_and(known) {
            self.labels = labels(table, &by_name(columns()));
            self.distinct = self.labels.is_sorted_by(|one, next| one.0 < next.0);
            self.of = Some((Arc::clone(table.identity()), table.len()));
        }
    }

    /// Puts a family on the page that has a series for each row.
    fn insert(&self, page: &mut Page, metric: &'static Metric, series: impl Fn(usize) -> (Value, u64)) {
        let series = self.labels.iter().map(|(labels, row)| {
            let (value, opened) = series(*row);
            Series { labels: Arc::clone(labels), value, created: Some(FixedPoint::nanos(u128::from(opened))) }
        });
        match self.distinct {
            true => page.insert_in_order(metric, series.collect()),
            false => page.insert(metric, series.collect()),
        }
    }
}

/// Rows are put in order by the ranks of their values, which is that of the text: a value ends in a quote, and so none
/// is the beginning of another.
fn labels(table: &Table, columns: &[Column]) -> Vec<(Arc<str>, usize)> {
    let ranked = |row: usize| {
        let (key, mut ranks) = (table.key(row), [0u64; KEY_LABELS.div_ceil(4)]);
        for (number, column) in columns.iter().enumerate() {
            ranks[number / 4] |= u64::from(column.pair(&key).1) << (48 - 16 * (number % 4));
        }
        (ranks, row)
    };
    let mut order: Vec<_> = (0..table.len()).map(ranked).collect();
    order.sort_unstable();
    let mut labels = String::new();
    let written = order.into_iter().map(|(_, row)| {
        labels.clear();
        for column in columns {
            if !labels.is_empty() {
                labels.push(',');
            }
            labels.push_str(&column.pair(&table.key(row)).0);
        }
        (Arc::from(labels.as_str()), row)
    });
    written.collect()
}

/// The columns in the order of their labels' names, which series are told apart by.
fn by_name(mut columns: Vec<(&str, Column)>) -> Vec<Column> {
    order::sort_by(&mut columns, |(a, _), (b, _)| a.cmp(b));
    columns.into_iter().map(|(_, column)| column).collect()
}

fn traffic_columns(ledger: &Ledger) -> Vec<(&str, Column)> {
    let columns = ledger.labels.iter().enumerate().map(|(place, label)| {
        let column = Column::new(place, &label.name, &ledger.traffic, |id| label.values.text(id));
        (label.name.as_str(), column)
    });
    columns.collect()
}

fn latency_columns(ledger: &Ledger) -> Vec<(&str, Column)> {
    let columns = ledger.derived.iter().enumerate().map(|(place, (name, from))| {
        let text = |id| match *from {
            Derived::Class(_) => class_text(id).into(),
            Derived::Same(label) => ledger.labels[label].values.text(id),
        };
        (name.as_str(), Column::new(place, name, &ledger.latency, text))
    });
    columns.collect()
}

/// The labels of each row of requests, and of each row of histograms, by the number of the row.
pub fn labels_of_rows(ledger: &Ledger) -> [Vec<Arc<str>>; 2] {
    let by_row = |table: &Table, columns: Vec<(&str, Column)>| {
        let mut texts: Vec<Arc<str>> = vec![Arc::default(); table.len()];
        labels(table, &by_name(columns)).into_iter().for_each(|(text, row)| texts[row] = text);
        texts
    };
    [by_row(&ledger.traffic, traffic_columns(ledger)), by_row(&ledger.latency, latency_columns(ledger))]
}

fn traffic(ledger: &Ledger, rows: &mut Rows, page: &mut Page) {
    rows.update(&ledger.traffic, || traffic_columns(ledger));
    let mut family = |metric: &'static Metric, count: fn(&Traffic) -> u64| {
        let requests = ledger.exemplars.as_ref().filter(|_| metric.name == catalogue::REQUESTS.name);
        rows.insert(page, metric, |row| {
            let exemplar = requests.and_then(|(requests, _)| exemplar(requests.of(row).first()?));
            let value = Value::Number { value: FixedPoint::whole(count(&ledger.rows[row])), exemplar };
            (value, ledger.traffic.opened(row))
        });
    };
    family(&catalogue::REQUESTS, |figures| figures.requests);
    if ledger.has_bytes_sent {
        family(&catalogue::BYTES_SENT, |figures| figures.bytes_sent);
    }
    if ledger.has_bytes_received {
        family(&catalogue::BYTES_RECEIVED, |figures| figures.bytes_received);
    }
    if ledger.has_attempts {
        family(&catalogue::UPSTREAM_ATTEMPTS, |figures| figures.upstream_attempts);
    }
}

fn histograms(ledger: &Ledger, rows: &mut Rows, page: &mut Page) {
    rows.update(&ledger.latency, || latency_columns(ledger));
    for (number, shape) in ledger.histograms.shapes().iter().enumerate() {
        let bounds: Arc<[FixedPoint]> =
            shape.bounds.iter().map(|bound| amount(*bound, shape.per_unit)).collect();
        rows.insert(page, shape.metric, |row| {
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
                sum: FixedPoint::nanos(sum),
                exemplars,
                native: reading.native.map(Arc::new),
            };
            (Value::Histogram(Box::new(histogram)), ledger.latency.opened(row))
        });
    }
}

/// A number of the smallest unit, of which there are `per_unit` in a unit.
fn amount(value: u64, per_unit: u64) -> FixedPoint {
    FixedPoint::nanos(u128::from(value) * u128::from(1_000_000_000 / per_unit))
}

fn exemplar(slot: &Option<Box<exemplars::Exemplar>>) -> Option<Box<Exemplar>> {
    let slot = slot.as_ref()?;
    let mut labels = String::new();
    push_label(&mut labels, exemplars::LABEL, &slot.id);
    let time = Some(FixedPoint::nanos(u128::from(slot.time)));
    Some(Box::new(Exemplar { labels, value: FixedPoint::nanos(u128::from(slot.value)), time }))
}

fn quantiles(ledger: &Ledger, now_seconds: u64, page: &mut Page) {
    let Some(window) = &ledger.quantiles else { return };
    let quantile =
        |(quantile, value): (f64, Option<f64>)| Quantile { quantile, value: value.unwrap_or(f64::NAN) };
    let value = Value::Summary(Box::new(Summary {
        quantiles: window.summary(now_seconds).into_iter().map(quantile).collect(),
        sum: FixedPoint::nanos(window.sum_nanos()),
        count: window.count(),
    }));
    page.insert(&catalogue::QUANTILES, vec![Series { labels: "".into(), value, created: None }]);
}

fn objectives(ledger: &Ledger, page: &mut Page) {
    let Some(slo) = &ledger.slo else { return };
    let figures = labels_of_objectives(ledger).into_iter().zip(slo.figures());
    let series = figures.enumerate().map(|(place, (labels, count))| {
        let opened = slo.rows.opened(place / (2 * slo.names.len()));
        let created = Some(FixedPoint::nanos(u128::from(opened)));
        Series { created, ..Series::number(labels, FixedPoint::whole(count)) }
    });
    page.insert(&catalogue::SLO_REQUESTS, series.collect());
}

/// The labels of the figures of objectives, in their order.
pub fn labels_of_objectives(ledger: &Ledger) -> Vec<String> {
    let mut texts = Vec::new();
    let Some(slo) = &ledger.slo else { return texts };
    for row in 0..slo.rows.len() {
        let key = slo.rows.key(row);
        let values = slo.labels.iter().zip(0..).map(|(label, place)| {
            let label = &ledger.labels[*label];
            (label.name.as_str(), label.values.text(key.get(place)))
        });
        let values: Vec<(&str, Cow<'_, str>)> = values.collect();
        for name in &slo.names {
            for result in ["good", "bad"] {
                let mut pairs = values.clone();
                pairs.extend([("slo", name.as_str().into()), ("result", result.into())]);
                order::sort_by(&mut pairs, |(a, _), (b, _)| a.cmp(b));
                let mut labels = String::new();
                pairs.iter().for_each(|(name, value)| push_label(&mut labels, name, value));
                texts.push(labels);
            }
        }
    }
    texts
}

/// The sketches of different values that this process has seen.
pub fn distinct_of(ledger: &Ledger) -> Option<Sketches> {
    let vhosts = ledger.vhost.map(|place| &ledger.labels[place].values);
    let text = |number| vhosts.map_or_else(String::new, |values| values.text(number).into_owned());
    Some(ledger.distinct.as_ref()?.sketches(text))
}

/// What the sketches tell, of this process or of all that share a state.
pub fn insert_distinct(sketches: &Sketches, now_seconds: u64, page: &mut Page) {
    let figures = sketches.figures(now_seconds.saturating_mul(1_000_000_000));
    let series = figures.into_iter().map(|((name, vhost, window), count)| {
        let mut labels = String::new();
        push_label(&mut labels, "name", name);
        if !vhost.is_empty() {
            push_label(&mut labels, "vhost", vhost);
        }
        push_label(&mut labels, "window", window);
        Series::number(labels, count)
    });
    page.insert(&catalogue::DISTINCT, series.collect());
}

fn totals(ledger: &Ledger, page: &mut Page) {
    let totals = &ledger.totals;
    insert_named(page, &catalogue::LINES, &Outcome::NAMES, &totals.lines);
    insert_named(page, &catalogue::MALFORMED, &Reason::ALL.map(Reason::as_str), &totals.malformed);
    insert_named(page, &catalogue::INVALID, &INVALID_NAMES, &totals.invalid);
    if let Some(time) = totals.last_request {
        let time = FixedPoint::nanos(u128::try_from(time).unwrap_or(0));
        page.insert_number(&catalogue::LAST_REQUEST, time);
    }
    let aborted = match ledger.vhost.map(|label| &ledger.labels[label]) {
        None => vec![Series::number("", whole(totals.aborted.first()))],
        Some(vhost) => {
            let aborted = totals.aborted.iter().zip(0..).filter(|(count, _)| **count > 0);
            let series = aborted.map(|(count, id)| {
                let mut labels = String::new();
                push_label(&mut labels, &vhost.name, &vhost.values.text(id));
                Series::number(labels, FixedPoint::whole(*count))
            });
            series.collect()
        }
    };
    page.insert(&catalogue::ABORTED, aborted);
    let ready = ledger.why_not_ready().is_none();
    page.insert_number(&catalogue::READY, FixedPoint::whole(u64::from(ready)));
    let mut build = String::new();
    for (name, value) in BUILD {
        push_label(&mut build, name, value);
    }
    page.insert(&catalogue::BUILD_INFO, vec![Series::number(build, FixedPoint::whole(1))]);
    if ledger.format_known {
        let mut format = String::new();
        push_label(&mut format, "envelope", &ledger.envelope);
        push_label(&mut format, "format", &ledger.format.0);
        push_label(&mut format, "text", &ledger.format.1);
        page.insert(&catalogue::FORMAT_INFO, vec![Series::number(format, FixedPoint::whole(1))]);
    }
}

fn whole(count: Option<&u64>) -> FixedPoint {
    FixedPoint::whole(count.copied().unwrap_or(0))
}

/// A family of one label with a closed set of values, all there from the start.
fn insert_named(page: &mut Page, metric: &'static Metric, names: &[&str], counts: &[u64]) {
    let series = names.iter().zip(counts).map(|(name, count)| {
        let mut labels = String::new();
        push_label(&mut labels, metric.labels, name);
        Series::number(labels, FixedPoint::whole(*count))
    });
    page.insert(metric, series.collect());
}

fn overflow(ledger: &Ledger, page: &mut Page) {
    let open = ledger.labels.iter().filter(|label| label.open);
    let labels = open.map(|label| (label.name.as_str(), label.values.overflow()));
    let tables = [(SERIES, ledger.series_overflow), (HISTOGRAMS, ledger.histogram_overflow)];
    let slo = ledger.slo.iter().map(|slo| (SLO, slo.overflow));
    let distinct = ledger.distinct.iter().map(|distinct| (DISTINCT, distinct.overflow));
    let series = labels.chain(tables).chain(slo).chain(distinct).map(|(name, count)| {
        let mut labels = String::new();
        push_label(&mut labels, "label", name);
        Series::number(labels, FixedPoint::whole(count))
    });
    page.insert(&catalogue::OVERFLOW, series.collect());
}

/// These stand in the overflow's label for the bounds on all series together.
const SERIES: &str = "(series)";
const HISTOGRAMS: &str = "(histograms)";
const SLO: &str = "(slo)";
const DISTINCT: &str = "(distinct)";

fn own_families(self_metrics: &SelfMetrics, page: &mut Page) {
    for family in self_metrics.registry.gather() {
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
            Series::number(labels, FixedPoint::from_f64(value))
        });
        page.insert(metric, series.collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The labels on a page of a table with rows of these statuses.
    fn shown(rows: &mut Rows, table: &Table) -> Vec<String> {
        rows.update(table, || vec![("a", Column::new(0, "a", table, |id| format!("{}", id % 10).into()))]);
        let mut page = Page::default();
        rows.insert(&mut page, &catalogue::REQUESTS, |row| {
            (Value::Number { value: FixedPoint::whole(row as u64 + 1), exemplar: None }, 0)
        });
        let series = &page.families[catalogue::REQUESTS.name].series;
        series.iter().map(|series| format!("{} {:?}", series.labels, series.value)).collect()
    }

    fn table(ids: &[u16]) -> Table {
        let mut table = Table::new(9);
        for id in ids {
            add(&mut table, *id);
        }
        table
    }

    fn add(table: &mut Table, id: u16) {
        let mut key = Key::default();
        key.set(0, id);
        table.row(&key, 0);
    }

    #[test]
    fn rows_are_kept_while_they_are_those_of_the_table() {
        let (mut kept, mut ours) = (Rows::default(), table(&[7, 3]));
        assert_eq!(shown(&mut kept, &ours), shown(&mut Rows::default(), &ours));
        assert_eq!(shown(&mut kept, &ours.clone()), shown(&mut Rows::default(), &ours));
        add(&mut ours, 5);
        assert_eq!(shown(&mut kept, &ours).len(), 3);
        // As many rows, but of another table.
        let other = table(&[1, 2, 9]);
        assert_eq!(shown(&mut kept, &other), shown(&mut Rows::default(), &other));
        // Two ids with the same text are one series, on every page.
        add(&mut ours, 13);
        for _ in 0..2 {
            assert_eq!(shown(&mut kept, &ours).len(), 3);
        }
    }
}
