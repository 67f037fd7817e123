//! Reads what `write` has written in OpenMetrics: state files, back into pages.
//!
//! It is no general reader of the format: it takes what this program writes, of this version or a younger one, and must
//! refuse whatever was cut off or changed. No bytes can make it panic.

use crate::catalogue::{Kind, Merge};
use crate::fixed_point::FixedPoint;
use crate::snapshot::page::{
    Exemplar, Family, Histogram, Page, Quantile, Series, Summary, Value, push_label,
};
use std::sync::Arc;

/// Reads an OpenMetrics page that `write` has written. The error names the line and what is wrong with it.
/// Exemplars are read, and unknown families are taken as they come: the file may be of a younger version.
pub fn read(text: &str) -> Result<Page, String> {
    let body = text.strip_suffix("# EOF\n").ok_or("it does not end in # EOF")?;
    let mut page = Page::default();
    let mut reader = Reader::default();
    // Not by `lines`, which takes a carriage return for a part of the newline.
    for (index, line) in body.split_terminator('\n').enumerate() {
        reader.line(line, &mut page).map_err(|wrong| format!("line {}: {wrong}", index + 1))?;
    }
    reader.finish(&mut page)?;
    Ok(page)
}

/// The family and the series being read: samples of one series stand together.
#[derive(Default)]
struct Reader {
    base: String,
    name: String,
    family: Option<Family>,
    series: Option<Series>,
    /// The bounds read so far, and the cumulative counts beside them.
    bounds: Vec<FixedPoint>,
    /// The bounds of the last complete histogram, shared by the next ones when they are the same.
    last_bounds: Option<Arc<[FixedPoint]>>,
    below: u64,
}

impl Reader {
    fn line(&mut self, line: &str, page: &mut Page) -> Result<(), &'static str> {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            self.finish(page)?;
            let (base, word) = rest.split_once(' ').ok_or("TYPE without a type")?;
            let kind = Kind::from_open_metrics(word).ok_or("an unknown type")?;
            let merge = Merge::of_kind(kind);
            self.base = base.to_owned();
            self.name = format!("{base}{}", kind.suffix());
            self.family = Some(Family { kind, merge, help: String::new(), series: Vec::new() });
            return Ok(());
        }
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (base, help) = rest.split_once(' ').ok_or("HELP without a text")?;
            let family = self.family.as_mut().filter(|_| base == self.base).ok_or("HELP without its TYPE")?;
            family.help = unescape(help);
            return Ok(());
        }
        if line.starts_with("# UNIT ") { Ok(()) } else { self.sample(line) }
    }

    fn sample(&mut self, line: &str) -> Result<(), &'static str> {
        let sample = Sample::split(line)?;
        let kind = self.family.as_ref().ok_or("a sample before any TYPE")?.kind;
        let suffix = sample.name.strip_prefix(self.base.as_str()).ok_or("a sample of another family")?;
        if self.series.as_ref().is_none_or(|series| *series.labels != *sample.labels) {
            self.end_series();
            let value = match kind {
                Kind::Counter | Kind::Gauge | Kind::Info => {
                    Value::Number { value: FixedPoint::ZERO, exemplar: None }
                }
                Kind::Histogram => Value::Histogram(Box::new(Histogram {
                    bounds: Arc::from([]),
                    counts: Vec::new(),
                    sum: FixedPoint::ZERO,
                    exemplars: Vec::new(),
                    native: None,
                })),
                Kind::Summary => {
                    let (quantiles, sum, count) = (Vec::new(), FixedPoint::ZERO, 0);
                    Value::Summary(Box::new(Summary { quantiles, sum, count }))
                }
            };
            self.series = Some(Series { labels: sample.labels.as_str().into(), value, created: None });
        }
        let series = self.series.as_mut().ok_or("no series")?;
        if suffix == "_created" {
            series.created = Some(sample.amount()?);
            return Ok(());
        }
        match (&mut series.value, suffix) {
            (Value::Number { value, exemplar }, "" | "_total" | "_info") => {
                *value = sample.amount()?;
                *exemplar = sample.exemplar()?;
            }
            (Value::Histogram(histogram), "_bucket") => {
                if histogram.counts.is_empty() {
                    (self.below, self.bounds) = (0, Vec::new());
                }
                let total = sample.count()?;
                histogram.counts.push(total.checked_sub(self.below).ok_or("a bucket below the one before")?);
                self.below = total;
                match sample.last.as_deref().ok_or("a bucket without le")? {
                    "+Inf" => {}
                    le => self.bounds.push(bound(le).ok_or("a bad le")?),
                }
                let exemplar = sample.exemplar()?;
                if exemplar.is_some() || !histogram.exemplars.is_empty() {
                    histogram.exemplars.resize(histogram.counts.len() - 1, None);
                    histogram.exemplars.push(exemplar);
                }
            }
            (Value::Histogram(histogram), "_sum") => histogram.sum = sample.amount()?,
            (Value::Summary(summary), "_sum") => summary.sum = sample.amount()?,
            (Value::Histogram(_), "_count") => {
                if sample.count()? != self.below {
                    return Err("a count that is not that of its buckets");
                }
            }
            (Value::Summary(summary), "_count") => summary.count = sample.count()?,
            (Value::Summary(summary), "") => summary.quantiles.push(Quantile {
                quantile: sample.last.as_deref().and_then(|q| q.parse().ok()).ok_or("a bad quantile")?,
                value: sample.value.parse().map_err(|_| "a bad number")?,
            }),
            _ => return Err("a sample of no known form"),
        }
        Ok(())
    }

    fn end_series(&mut self) {
        let Some(mut series) = self.series.take() else { return };
        if let Value::Histogram(histogram) = &mut series.value {
            let shared = self.last_bounds.take().filter(|last| last[..] == self.bounds[..]);
            histogram.bounds = shared.unwrap_or_else(|| self.bounds.as_slice().into());
            self.last_bounds = Some(histogram.bounds.clone());
            if !histogram.exemplars.is_empty() {
                histogram.exemplars.resize(histogram.counts.len(), None);
            }
        }
        if let Some(family) = &mut self.family {
            family.series.push(series);
        }
    }

    fn finish(&mut self, page: &mut Page) -> Result<(), &'static str> {
        self.end_series();
        let Some(family) = self.family.take() else { return Ok(()) };
        let whole = |series: &Series| match &series.value {
            Value::Histogram(histogram) => histogram.counts.len() == histogram.bounds.len() + 1,
            _ => true,
        };
        if !family.series.iter().all(whole) || !family.series.is_sorted_by(|a, b| a.labels < b.labels) {
            return Err("a family whose series are not whole or not in order");
        }
        match page.families.insert(std::mem::take(&mut self.name), family) {
            None => Ok(()),
            Some(_) => Err("a family twice"),
        }
    }
}

/// The bound of a bucket; None for a number that is no fixed point, for it would be written as another one.
fn bound(le: &str) -> Option<FixedPoint> {
    let number = le.parse().ok()?;
    FixedPoint::exactly(number)
}

/// One line taken apart: `name{labels,last="..."} value # {exemplar} value time`.
struct Sample<'a> {
    name: &'a str,
    /// The labels but for `le` and `quantile`.
    labels: String,
    /// The value of `le` or `quantile`.
    last: Option<String>,
    value: &'a str,
    exemplar: Option<&'a str>,
}

impl<'a> Sample<'a> {
    fn split(line: &'a str) -> Result<Sample<'a>, &'static str> {
        let end = line.find(['{', ' ']).ok_or("neither labels nor a value")?;
        let (name, rest) = line.split_at(end);
        let (pairs, rest) = match rest.strip_prefix('{') {
            Some(rest) => parse_labels(rest)?,
            None => (Vec::new(), rest),
        };
        let rest = rest.strip_prefix(' ').ok_or("no value")?;
        let (value, exemplar) = rest.split_once(" # ").map_or((rest, None), |(v, e)| (v, Some(e)));
        let (mut labels, mut last) = (String::new(), None);
        for (label, value) in pairs {
            match label {
                "le" | "quantile" => last = Some(value),
                _ => push_label(&mut labels, label, &value),
            }
        }
        Ok(Sample { name, labels, last, value, exemplar })
    }

    fn amount(&self) -> Result<FixedPoint, &'static str> {
        FixedPoint::parse(self.value).ok_or("a bad number")
    }

    fn count(&self) -> Result<u64, &'static str> {
        self.amount()?.to_count().ok_or("a count that is not a whole number")
    }

    fn exemplar(&self) -> Result<Option<Box<Exemplar>>, &'static str> {
        let Some(text) = self.exemplar else { return Ok(None) };
        let (pairs, rest) = parse_labels(text.strip_prefix('{').ok_or("a bad exemplar")?)?;
        let mut labels = String::new();
        for (label, value) in pairs {
            push_label(&mut labels, label, &value);
        }
        let mut words = rest.split_ascii_whitespace();
        let value = words.next().and_then(FixedPoint::parse).ok_or("a bad exemplar")?;
        let time = words.next().map(|word| FixedPoint::parse(word).ok_or("a bad exemplar")).transpose()?;
        Ok(Some(Box::new(Exemplar { labels, value, time })))
    }
}

type Pairs<'a> = Vec<(&'a str, String)>;

/// Reads `a="x",b="y"}` and gives back the pairs, unescaped, and what follows the brace.
fn parse_labels(mut rest: &str) -> Result<(Pairs<'_>, &str), &'static str> {
    let mut pairs = Vec::new();
    loop {
        if let Some(rest) = rest.strip_prefix('}') {
            return Ok((pairs, rest));
        }
        let (name, value) = rest.split_once("=\"").ok_or("a label without a value")?;
        let end = closing_quote(value).ok_or("a label without an end")?;
        pairs.push((name, unescape(&value[..end])));
        rest = &value[end + 1..];
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            _ => out.push(c),
        }
    }
    out
}
