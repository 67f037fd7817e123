//! A page of metrics as data: families of series, which can be added to one another and written as text.
//!
//! A page is built from a copy of the ledger (collect.rs), read from a state file or summed from both (state.rs), and
//! written by exposition/mod.rs. Series are told apart by the text of their labels, sorted by name, so that pages of
//! processes with other label sets can be added up series by series.

use crate::catalogue::{HistogramKinds, Kind, Merge, Metric, zero_exponent};
use crate::count::native::NativeCounts;
use crate::fixed_point::FixedPoint;
use crate::order;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Families by name, in alphabetical order as Prometheus' own libraries write them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    pub families: BTreeMap<String, Family>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    pub kind: Kind,
    pub merge: Merge,
    pub help: String,
    /// Sorted by labels, each set of labels once.
    pub series: Vec<Series>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// `a="x",b="y"`: sorted by name, values escaped as the text formats want it. Families with the same labels share
    /// the text, and so do copies of the page.
    pub labels: Arc<str>,
    pub value: Value,
    /// When the series began, in seconds since the epoch: OpenMetrics' `_created`.
    pub created: Option<FixedPoint>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Number { value: FixedPoint, exemplar: Option<Box<Exemplar>> },
    // Boxed, for a page is mostly numbers, and ten thousand of them are made for every scrape.
    Histogram(Box<Histogram>),
    Summary(Box<Summary>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// Upper bounds, ascending, without +Inf.
    pub bounds: Arc<[FixedPoint]>,
    /// Observations per bucket (not cumulative); one more than there are bounds, the last for +Inf.
    pub counts: Vec<u64>,
    pub sum: FixedPoint,
    /// One slot per bucket, or empty where no exemplars are kept.
    pub exemplars: Vec<Option<Box<Exemplar>>>,
    /// The same observations in native buckets; None where they were not counted so.
    pub native: Option<Arc<NativeCounts>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    pub quantiles: Vec<Quantile>,
    pub sum: FixedPoint,
    pub count: u64,
}

#[derive(Clone, Debug)]
pub struct Quantile {
    pub quantile: f64,
    /// NaN while nothing was observed in the window.
    pub value: f64,
}

impl PartialEq for Quantile {
    /// Of pages, not of numbers: nothing observed is the same as nothing observed.
    fn eq(&self, other: &Quantile) -> bool {
        let same = |a: f64, b: f64| a == b || (a.is_nan() && b.is_nan());
        same(self.quantile, other.quantile) && same(self.value, other.value)
    }
}

/// A request that stands for a bucket or a counter (OpenMetrics 1.0, section Exemplars).
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar {
    pub labels: String,
    pub value: FixedPoint,
    pub time: Option<FixedPoint>,
}

impl Family {
    pub fn new(metric: &Metric) -> Family {
        Family { kind: metric.kind, merge: metric.merge, help: metric.help.to_owned(), series: Vec::new() }
    }
}

impl Series {
    pub fn number(labels: impl Into<Arc<str>>, value: FixedPoint) -> Series {
        Series { labels: labels.into(), value: Value::Number { value, exemplar: None }, created: None }
    }
}

impl Page {
    /// Adds a family. Its series are put in order here, so that callers need not, and series that have got
    /// the same labels are added up: two values of other bytes may have the same text once they are printable.
    pub fn insert(&mut self, metric: &Metric, mut series: Vec<Series>) {
        if !series.is_sorted_by(|a, b| a.labels < b.labels) {
            series.sort_unstable_by(|a, b| a.labels.cmp(&b.labels));
            series.dedup_by(|later, kept| later.labels == kept.labels && kept.add(later, metric.merge));
        }
        self.insert_in_order(metric, series);
    }

    /// The same for series that are known to be in order, each with labels of its own.
    pub fn insert_in_order(&mut self, metric: &Metric, series: Vec<Series>) {
        debug_assert!(series.is_sorted_by(|a, b| a.labels < b.labels));
        let family = Family { series, ..Family::new(metric) };
        self.families.insert(metric.name.to_owned(), family);
    }

    /// Adds a family of one series without labels.
    pub fn insert_number(&mut self, metric: &Metric, value: FixedPoint) {
        self.insert(metric, vec![Series::number("", value)]);
    }

    /// Adds another page to this one, family by family and series by series. What cannot be added is left out of the
    /// sum and its family's name returned: another type under the same name, a histogram with other buckets.
    pub fn add(&mut self, other: &Page) -> Vec<String> {
        let mut left_out = Vec::new();
        for (name, family) in other.families.iter().filter(|(_, family)| family.merge != Merge::Own) {
            match self.families.get_mut(name) {
                None => {
                    self.families.insert(name.clone(), family.clone());
                }
                Some(ours) if ours.kind == family.kind && ours.merge != Merge::Own => {
                    if !ours.add(family) {
                        left_out.push(name.clone());
                    }
                }
                Some(_) => left_out.push(name.clone()),
            }
        }
        left_out
    }

    /// The series that are new or other than they were; None where one has gone, or is of another kind.
    pub fn changes_since(&self, old: &Page) -> Option<Page> {
        if !old.families.keys().all(|name| self.families.contains_key(name)) {
            return None;
        }
        let mut changes = Page::default();
        for (name, family) in &self.families {
            let changed = match old.families.get(name) {
                None => family.series.clone(),
                Some(old) if old.kind == family.kind && old.help == family.help => {
                    family.changes_since(old)?
                }
                Some(_) => return None,
            };
            if !changed.is_empty() || !old.families.contains_key(name) {
                let (kind, merge, help) = (family.kind, family.merge, family.help.clone());
                changes.families.insert(name.clone(), Family { kind, merge, help, series: changed });
            }
        }
        Some(changes)
    }

    /// Puts these series in the place of those with the same labels.
    pub fn overwrite(&mut self, changes: Page) {
        for (name, family) in changes.families {
            match self.families.get_mut(&name) {
                Some(ours) => ours.overwrite(family.series),
                None => drop(self.families.insert(name, family)),
            }
        }
    }

    /// The part that outlives the process: what a state file holds. Quantiles are those of the moment.
    pub fn lasting(&self) -> Page {
        let lasting = self.families.iter().filter(|(_, family)| family.merge != Merge::Own);
        let lasting = lasting.map(|(name, family)| (name.clone(), family.clone()));
        let mut page = Page { families: order::map(lasting) };
        for series in page.families.values_mut().flat_map(|family| &mut family.series) {
            if let Value::Summary(summary) = &mut series.value {
                summary.quantiles.clear();
            }
        }
        page
    }

    /// Gives histograms native counts that were counted without, as far as their buckets tell. Whoever reads a page of
    /// others does so before it is added up: the bounds of the sum may be wider.
    pub fn complete_native(&mut self) {
        for (name, family) in &mut self.families {
            for series in &mut family.series {
                if let Value::Histogram(histogram) = &mut series.value
                    && histogram.native.is_none()
                {
                    histogram.native = Some(Arc::new(histogram.native_of_buckets(zero_exponent(name))));
                }
            }
        }
    }

    /// Leaves out of histograms what is not to be shown, whoever has counted it.
    pub fn show_only(&mut self, kinds: HistogramKinds) {
        for series in self.families.values_mut().flat_map(|family| &mut family.series) {
            let Value::Histogram(histogram) = &mut series.value else { continue };
            if !kinds.native {
                histogram.native = None;
            }
            if !kinds.classic && !histogram.bounds.is_empty() {
                histogram.join_buckets();
            }
        }
    }

    /// The number of series, a histogram counting once.
    pub fn series(&self) -> usize {
        self.families.values().map(|family| family.series.len()).sum()
    }
}

impl Family {
    fn changes_since(&self, old: &Family) -> Option<Vec<Series>> {
        let mut before = old.series.iter().peekable();
        let mut changed = Vec::new();
        for series in &self.series {
            match before.next_if(|old| old.labels <= series.labels) {
                Some(old) if old.labels != series.labels => return None,
                Some(old) if old == series => {}
                _ => changed.push(series.clone()),
            }
        }
        before.next().is_none().then_some(changed)
    }

    fn overwrite(&mut self, changes: Vec<Series>) {
        let mut ours = std::mem::take(&mut self.series).into_iter().peekable();
        let mut merged = Vec::with_capacity(ours.len().max(changes.len()));
        for series in changes {
            while let Some(before) = ours.next_if(|ours| ours.labels < series.labels) {
                merged.push(before);
            }
            ours.next_if(|ours| ours.labels == series.labels);
            merged.push(series);
        }
        merged.extend(ours);
        self.series = merged;
    }

    /// Merges two sorted lists of series. False when a series could not be added.
    fn add(&mut self, other: &Family) -> bool {
        let merge = self.merge;
        let mut fits = true;
        let mut merged = Vec::with_capacity(self.series.len().max(other.series.len()));
        let mut ours = std::mem::take(&mut self.series).into_iter().peekable();
        for theirs in &other.series {
            while let Some(before) = ours.next_if(|series| series.labels < theirs.labels) {
                merged.push(before);
            }
            match ours.next_if(|series| series.labels == theirs.labels) {
                Some(mut both) => {
                    fits &= both.add(theirs, merge);
                    merged.push(both);
                }
                None => merged.push(theirs.clone()),
            }
        }
        merged.extend(ours);
        self.series = merged;
        fits
    }
}

impl Series {
    /// False where they cannot be added.
    pub fn add(&mut self, other: &Series, merge: Merge) -> bool {
        let fits = match (&mut self.value, &other.value) {
            (
                Value::Number { value, exemplar },
                Value::Number { value: theirs, exemplar: their_exemplar },
            ) => {
                match merge {
                    Merge::Max => *value = (*value).max(*theirs),
                    Merge::Sum | Merge::Own => *value += *theirs,
                }
                newer(exemplar, their_exemplar.as_deref());
                true
            }
            (Value::Histogram(ours), Value::Histogram(theirs)) => ours.add(theirs),
            (Value::Summary(ours), Value::Summary(theirs)) => {
                // Quantiles of two processes cannot be added; those of this process stand.
                ours.sum += theirs.sum;
                ours.count = ours.count.saturating_add(theirs.count);
                true
            }
            _ => false,
        };
        self.created = match (self.created, other.created) {
            (Some(ours), Some(theirs)) => Some(ours.min(theirs)),
            (ours, theirs) => ours.or(theirs),
        };
        fits
    }
}

impl Histogram {
    fn add(&mut self, other: &Histogram) -> bool {
        if self.counts.len() != self.bounds.len() + 1 || other.counts.len() != other.bounds.len() + 1 {
            return false;
        }
        self.add_native(other);
        // Where the bounds differ, a bucket's counts go into the next that surely holds them.
        for (number, theirs) in other.counts.iter().enumerate() {
            let bound = other.bounds.get(number);
            let place =
                bound.map_or(self.bounds.len(), |bound| self.bounds.partition_point(|ours| ours < bound));
            self.counts[place] = self.counts[place].saturating_add(*theirs);
        }
        self.sum += other.sum;
        if self.bounds != other.bounds {
            return true;
        }
        if self.exemplars.is_empty() {
            self.exemplars.clone_from(&other.exemplars);
        } else {
            for (ours, theirs) in self.exemplars.iter_mut().zip(&other.exemplars) {
                newer(ours, theirs.as_deref());
            }
        }
        true
    }

    /// Before the buckets are added, for what they tell.
    fn add_native(&mut self, other: &Histogram) {
        let Some(zero) = [&*self, other].iter().find_map(|it| Some(it.native.as_ref()?.zero_exponent()))
        else {
            return;
        };
        let mut sum = self.native.take().map_or_else(|| self.native_of_buckets(zero), Arc::unwrap_or_clone);
        match &other.native {
            Some(theirs) => sum.add(theirs),
            None => sum.add(&other.native_of_buckets(zero)),
        }
        self.native = Some(Arc::new(sum));
    }

    fn native_of_buckets(&self, zero_exponent: i8) -> NativeCounts {
        NativeCounts::of_classic(self.bounds.iter().map(|bound| bound.to_f64()), &self.counts, zero_exponent)
    }

    /// All observations, whatever bucket they are in.
    pub fn total(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    fn join_buckets(&mut self) {
        self.counts = vec![self.total()];
        self.bounds = Arc::from([]);
        let newest =
            std::mem::take(&mut self.exemplars).into_iter().flatten().max_by_key(|exemplar| exemplar.time);
        self.exemplars.extend(newest.map(Some));
    }
}

/// Keeps the younger of two exemplars.
fn newer(ours: &mut Option<Box<Exemplar>>, theirs: Option<&Exemplar>) {
    if let Some(theirs) = theirs.filter(|theirs| ours.as_ref().is_none_or(|ours| ours.time < theirs.time)) {
        *ours = Some(Box::new(theirs.clone()));
    }
}

/// Writes one `name="value"` pair, with a comma before it unless it is the first.
pub fn push_label(labels: &mut String, name: &str, value: &str) {
    if !labels.is_empty() {
        labels.push(',');
    }
    labels.push_str(name);
    labels.push_str("=\"");
    if value.bytes().any(|byte| matches!(byte, b'\\' | b'"' | b'\n')) {
        push_escaped(labels, value);
    } else {
        labels.push_str(value);
    }
    labels.push('"');
}

/// The pairs that `push_label` has written.
pub fn labels_of(labels: &str) -> Vec<(String, String)> {
    pairs_of(labels).map(|(name, value)| (name.to_owned(), unescaped(value).into_owned())).collect()
}

/// The same without taking them out of the text: values as they are written.
pub fn pairs_of(labels: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = labels;
    std::iter::from_fn(move || {
        let (name, text) = rest.split_once("=\"")?;
        let mut is_escaped = false;
        let ends = |byte: u8| {
            let ends = byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            ends
        };
        let end = text.bytes().position(ends).unwrap_or(text.len());
        rest = text.get(end + 1..).unwrap_or("").trim_start_matches(',');
        Some((name, &text[..end]))
    })
}

/// A value without its escapes.
pub fn unescaped(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return value.into();
    }
    let (mut text, mut chars) = (String::with_capacity(value.len()), value.chars());
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some('n') => text.push('\n'),
                Some(other) => text.push(other),
                None => break,
            },
            other => text.push(other),
        }
    }
    text.into()
}

/// The escapes are the same in the text format 0.0.4 and in OpenMetrics (section ABNF, escaped-string).
fn push_escaped(labels: &mut String, value: &str) {
    for part in value.split_inclusive(['\\', '"', '\n']) {
        let (text, last) = part.split_at(part.len() - usize::from(part.ends_with(['\\', '"', '\n'])));
        labels.push_str(text);
        match last {
            "\n" => labels.push_str("\\n"),
            "" => {}
            special => {
                labels.push('\\');
                labels.push_str(special);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_as_they_were_written() {
        let values = ["", "a", "a\"b\\c\nd", "\\", "\"", "x,y=\"z\"", "\\n", "ends in \\\\"];
        let mut labels = String::new();
        values.iter().for_each(|value| push_label(&mut labels, "name", value));
        let read: Vec<String> = labels_of(&labels).into_iter().map(|(_, value)| value).collect();
        assert_eq!(read, values);
    }
}
