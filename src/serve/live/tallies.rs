//! What the live page shows of a page of metrics: requests, bytes and durations of everything and by some labels.

use crate::catalogue;
use crate::fixed_point::FixedPoint;
use crate::snapshot::page::{Histogram, Page, Series, Value, labels_of, pairs_of, unescaped};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The labels that have tables.
pub const LABELS: [&str; 3] = ["vhost", "route", "client"];

/// The families that are added up.
const ADDED_UP: [&catalogue::Metric; 4] =
    [&catalogue::REQUESTS, &catalogue::BYTES_SENT, &catalogue::BYTES_RECEIVED, &catalogue::DURATION];

/// What is told apart of statuses: others, then the five classes.
pub const CLASSES: usize = 6;
pub const ERRORS: usize = 5;

/// Counts of some requests.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    pub classes: [u64; CLASSES],
    pub sent: u64,
    pub received: u64,
    /// By the bounds of the sample, and one more; empty where there are no durations.
    pub buckets: Vec<u64>,
}

impl Tally {
    pub fn requests(&self) -> u64 {
        self.classes.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    pub fn add(&mut self, other: &Tally) {
        self.combine(other, u64::saturating_add);
    }

    /// What has come since; None where a counter has fallen.
    pub fn since(&self, before: &Tally) -> Option<Tally> {
        let fell = self.requests() < before.requests() || self.sent < before.sent;
        let mut news = self.clone();
        news.combine(before, u64::saturating_sub);
        (!fell).then_some(news)
    }

    fn combine(&mut self, other: &Tally, with: impl Fn(u64, u64) -> u64) {
        self.classes.iter_mut().zip(other.classes).for_each(|(ours, theirs)| *ours = with(*ours, theirs));
        self.sent = with(self.sent, other.sent);
        self.received = with(self.received, other.received);
        if self.buckets.len() < other.buckets.len() {
            self.buckets.resize(other.buckets.len(), 0);
        }
        self.buckets.iter_mut().zip(&other.buckets).for_each(|(ours, theirs)| *ours = with(*ours, *theirs));
    }

    /// As Prometheus' histogram_quantile: linear within a bucket, and the last bound beyond it.
    #[allow(clippy::cast_precision_loss, reason = "a figure for the eye")]
    pub fn quantile(&self, quantile: f64, bounds: &[f64]) -> Option<f64> {
        let all: u64 = self.buckets.iter().sum();
        let last = bounds.last()?;
        if all == 0 {
            return None;
        }
        let rank = quantile * all as f64;
        let (mut below, mut start) = (0.0, 0.0);
        for (count, bound) in self.buckets.iter().zip(bounds) {
            let count = *count as f64;
            if below + count >= rank && count > 0.0 {
                return Some(start + (bound - start) * (rank - below) / count);
            }
            (below, start) = (below + count, *bound);
        }
        Some(*last)
    }
}

/// One look at a page.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    pub total: Tally,
    /// By the values of each label; None where the page has no such label.
    pub by: [Option<BTreeMap<String, Tally>>; LABELS.len()],
    /// Upper bounds of the durations, in seconds.
    pub bounds: Arc<[f64]>,
    pub has_durations: bool,
    pub has_sent: bool,
    pub has_received: bool,
    /// The newest time in the log, in seconds since the epoch.
    pub newest: Option<f64>,
    /// Lines by outcome, and malformed ones by reason, since the start of it all.
    pub lines: Vec<(String, u64)>,
    pub malformed: Vec<(String, u64)>,
    /// Name, text and envelope.
    pub format: Option<[String; 3]>,
}

impl Sample {
    pub fn of(page: &Page) -> Sample {
        let mut sample = Sample { bounds: bounds_of(page), ..Sample::default() };
        let has = |metric: &catalogue::Metric| page.families.contains_key(metric.name);
        sample.has_durations = has(&catalogue::DURATION);
        sample.has_sent = has(&catalogue::BYTES_SENT);
        sample.has_received = has(&catalogue::BYTES_RECEIVED);
        for metric in ADDED_UP {
            for series in series_of(page, metric) {
                sample.enter(metric, series);
            }
        }
        let newest = series_of(page, &catalogue::LAST_REQUEST).first().and_then(number);
        sample.newest = newest.map(FixedPoint::to_f64);
        let named = |metric| {
            series_of(page, metric).iter().filter_map(|series| {
                let (_, name) = labels_of(&series.labels).pop()?;
                Some((name, number(series)?.to_count()?))
            })
        };
        sample.lines = named(&catalogue::LINES).collect();
        sample.malformed = named(&catalogue::MALFORMED).filter(|(_, count)| *count > 0).collect();
        sample.format = series_of(page, &catalogue::FORMAT_INFO).first().map(|series| {
            let labels = labels_of(&series.labels);
            let of = |name: &str| {
                let label = labels.iter().find(|(label, _)| label == name);
                label.map(|(_, value)| value.clone()).unwrap_or_default()
            };
            [of("format"), of("text"), of("envelope")]
        });
        sample
    }

    fn enter(&mut self, metric: &catalogue::Metric, series: &Series) {
        let value = |name: &str| {
            let (_, value) = pairs_of(&series.labels).find(|(label, _)| *label == name)?;
            Some(unescaped(value))
        };
        let tally = tally(metric, series, value("status_code").as_deref(), &self.bounds);
        self.total.add(&tally);
        for (name, rows) in LABELS.iter().zip(&mut self.by) {
            let Some(value) = value(name) else { continue };
            let rows = rows.get_or_insert_with(BTreeMap::new);
            match rows.get_mut(&*value) {
                Some(row) => row.add(&tally),
                None => drop(rows.insert(value.into_owned(), tally.clone())),
            }
        }
    }
}

fn series_of<'p>(page: &'p Page, metric: &catalogue::Metric) -> &'p [Series] {
    page.families.get(metric.name).map_or(&[], |family| &family.series)
}

fn number(series: &Series) -> Option<FixedPoint> {
    match &series.value {
        Value::Number { value, .. } => Some(*value),
        _ => None,
    }
}

/// The bounds that most of the page has: those of the first histogram.
fn bounds_of(page: &Page) -> Arc<[f64]> {
    let first = series_of(page, &catalogue::DURATION).iter().find_map(|series| match &series.value {
        Value::Histogram(histogram) => Some(histogram),
        _ => None,
    });
    first.map_or_else(Arc::default, |histogram| histogram.bounds.iter().map(|bound| bound.to_f64()).collect())
}

fn tally(metric: &catalogue::Metric, series: &Series, status: Option<&str>, bounds: &[f64]) -> Tally {
    let mut tally = Tally::default();
    match &series.value {
        Value::Number { value, .. } => {
            let count = value.to_count().unwrap_or(0);
            if metric.name == catalogue::BYTES_SENT.name {
                tally.sent = count;
            } else if metric.name == catalogue::BYTES_RECEIVED.name {
                tally.received = count;
            } else {
                tally.classes[class_of(status)] = count;
            }
        }
        Value::Histogram(histogram) => tally.buckets = buckets(histogram, bounds),
        Value::Summary(_) => {}
    }
    tally
}

fn class_of(status: Option<&str>) -> usize {
    match status.map(str::as_bytes) {
        Some([first @ b'1'..=b'5', _, _]) => usize::from(first - b'0'),
        _ => 0,
    }
}

/// Counts by the given bounds; of a histogram with others each goes into the next bucket that surely holds it.
fn buckets(histogram: &Histogram, bounds: &[f64]) -> Vec<u64> {
    let mut buckets = vec![0; bounds.len() + 1];
    for (number, count) in histogram.counts.iter().enumerate() {
        let bound = histogram.bounds.get(number).map(|bound| bound.to_f64());
        let place = bound.map_or(bounds.len(), |bound| bounds.partition_point(|ours| *ours < bound));
        buckets[place] += count;
    }
    buckets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_prometheus() {
        let tally = Tally { buckets: vec![10, 10, 20], ..Tally::default() };
        for (quantile, expected) in
            [(0.0, 0.0), (0.125, 0.05), (0.25, 0.1), (0.375, 0.15), (0.5, 0.2), (0.9, 0.2)]
        {
            let found = tally.quantile(quantile, &[0.1, 0.2]).unwrap();
            assert!((found - expected).abs() < 1e-9, "{quantile}: {found}");
        }
        assert_eq!(Tally::default().quantile(0.5, &[0.1]), None);
    }

    #[test]
    fn a_page_is_added_up_by_class_and_by_label() {
        let mut page = Page::default();
        let series = |labels: &str, count| Series::number(labels, FixedPoint::whole(count));
        let requests = vec![
            series("method=\"GET\",status_code=\"200\",vhost=\"a\"", 5),
            series("method=\"GET\",status_code=\"503\",vhost=\"a\"", 2),
            series("method=\"GET\",status_code=\"other\",vhost=\"b\\\"c\"", 1),
        ];
        page.insert(&catalogue::REQUESTS, requests);
        let sample = Sample::of(&page);
        assert_eq!(sample.total.classes, [1, 0, 5, 0, 0, 2]);
        let vhosts = sample.by[0].as_ref().unwrap();
        let named: Vec<(&str, u64)> =
            vhosts.iter().map(|(name, tally)| (name.as_str(), tally.requests())).collect();
        assert_eq!(named, [("a", 7), ("b\"c", 1)]);
        assert!(sample.by[1].is_none() && !sample.has_durations && sample.newest.is_none());
    }

    #[test]
    fn a_counter_that_fell_tells_nothing() {
        let with = |requests| Tally { classes: [requests, 0, 0, 0, 0, 0], ..Tally::default() };
        assert_eq!(with(5).since(&with(3)), Some(with(2)));
        assert_eq!(with(3).since(&with(5)), None);
    }
}
