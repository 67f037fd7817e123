//! Series as lines: a page in a sixth of the room that its OpenMetrics text takes, for long states and their changes.
//!
//! ```text
//! family counter httpd_requests_total Requests logged.
//! {method="GET",status_code="200"} 1764077500.25 17
//! family histogram httpd_request_duration_seconds Time taken to serve a request.
//! bounds 0.1 1
//! {method="GET",status_class="2xx"} 1764077500.25 3.75 12 4 1 # 2 {id="x"} 1.5 1764077600
//! ```
//!
//! A series is its labels, when it began (or `-`), and its figures: a number; the sum of a histogram and the counts of
//! its buckets, which are not cumulative; the sum, count and quantiles of a summary. Exemplars follow, each behind a
//! `#` with the number of its bucket.

use crate::catalogue::{Kind, Merge};
use crate::fixed_point::{FixedPoint, push_count};
use crate::snapshot::page::{Exemplar, Family, Histogram, Page, Quantile, Series, Summary, Value};
use std::fmt::Write;
use std::sync::Arc;

pub fn write(page: &Page) -> String {
    let mut out = String::new();
    for (name, family) in &page.families {
        let help = family.help.replace('\\', "\\\\").replace('\n', "\\n");
        let _ = writeln!(out, "family {} {name} {help}", family.kind.open_metrics());
        let mut bounds: Option<&[FixedPoint]> = None;
        for series in &family.series {
            if let Value::Histogram(histogram) = &series.value
                && bounds != Some(&histogram.bounds[..])
            {
                bounds = Some(&histogram.bounds);
                out.push_str("bounds");
                histogram.bounds.iter().for_each(|bound| push(&mut out, *bound));
                out.push('\n');
            }
            write_series(&mut out, series);
        }
    }
    out
}

fn write_series(out: &mut String, series: &Series) {
    out.push('{');
    out.push_str(&series.labels);
    out.push('}');
    match series.created {
        Some(created) => push(out, created),
        None => out.push_str(" -"),
    }
    match &series.value {
        Value::Number { value, exemplar } => {
            push(out, *value);
            write_exemplar(out, 0, exemplar.as_deref());
        }
        Value::Histogram(histogram) => {
            push(out, histogram.sum);
            for count in &histogram.counts {
                out.push(' ');
                push_count(out, *count);
            }
            for (bucket, exemplar) in histogram.exemplars.iter().enumerate() {
                write_exemplar(out, bucket, exemplar.as_deref());
            }
        }
        Value::Summary(summary) => {
            push(out, summary.sum);
            out.push(' ');
            push_count(out, summary.count);
            for Quantile { quantile, value } in &summary.quantiles {
                let _ = write!(out, " {quantile}:{value}");
            }
        }
    }
    out.push('\n');
}

fn push(out: &mut String, value: FixedPoint) {
    out.push(' ');
    value.push_to(out);
}

fn write_exemplar(out: &mut String, bucket: usize, exemplar: Option<&Exemplar>) {
    let Some(Exemplar { labels, value, time }) = exemplar else { return };
    let _ = write!(out, " # {bucket} {{{labels}}} {value} ");
    match time {
        Some(time) => time.push_to(out),
        None => out.push('-'),
    }
}

/// Reads what `write` has written. No bytes can make it panic.
pub fn read(text: &str) -> Result<Page, String> {
    let mut page = Page::default();
    let mut current: Option<(String, Family)> = None;
    let mut bounds: Arc<[FixedPoint]> = Arc::from([]);
    for (index, line) in text.split_terminator('\n').enumerate() {
        let wrong = || format!("line {} of its series cannot be read", index + 1);
        if let Some(rest) = line.strip_prefix("family ") {
            finish(&mut page, current.take())?;
            let mut words = rest.splitn(3, ' ');
            let kind = words.next().and_then(Kind::from_open_metrics).ok_or_else(wrong)?;
            let name = words.next().ok_or_else(wrong)?.to_owned();
            let help = unescaped(words.next().unwrap_or_default());
            let merge = Merge::of_kind(kind);
            current = Some((name, Family { kind, merge, help, series: Vec::new() }));
        } else if let Some(rest) = line.strip_prefix("bounds") {
            let read: Option<Vec<FixedPoint>> =
                rest.split_ascii_whitespace().map(FixedPoint::parse).collect();
            bounds = read.ok_or_else(wrong)?.into();
        } else {
            let (_, family) = current.as_mut().ok_or_else(wrong)?;
            let series = read_series(line, family.kind, &bounds).ok_or_else(wrong)?;
            family.series.push(series);
        }
    }
    finish(&mut page, current)?;
    Ok(page)
}

fn finish(page: &mut Page, family: Option<(String, Family)>) -> Result<(), String> {
    let Some((name, family)) = family else { return Ok(()) };
    if !family.series.is_sorted_by(|one, next| one.labels < next.labels) {
        return Err("its series are not in order".to_owned());
    }
    match page.families.insert(name, family) {
        None => Ok(()),
        Some(_) => Err("it has a family twice".to_owned()),
    }
}

fn read_series(line: &str, kind: Kind, bounds: &Arc<[FixedPoint]>) -> Option<Series> {
    let (labels, rest) = in_braces(line)?;
    let (figures, mut exemplars) = rest.split_once(" # ").map_or((rest, None), |(f, e)| (f, Some(e)));
    let mut words = figures.split_ascii_whitespace();
    let created = optional(words.next()?)?;
    let first = FixedPoint::parse(words.next()?)?;
    let mut value = match kind {
        Kind::Counter | Kind::Gauge | Kind::Info => Value::Number { value: first, exemplar: None },
        Kind::Histogram => {
            let counts: Vec<u64> = words.by_ref().map(|word| word.parse().ok()).collect::<Option<_>>()?;
            if counts.len() != bounds.len() + 1 {
                return None;
            }
            let (bounds, exemplars) = (Arc::clone(bounds), Vec::new());
            Value::Histogram(Box::new(Histogram { bounds, counts, sum: first, exemplars, native: None }))
        }
        Kind::Summary => {
            let count = words.next()?.parse().ok()?;
            let quantile = |word: &str| {
                let (quantile, value) = word.split_once(':')?;
                Some(Quantile { quantile: quantile.parse().ok()?, value: value.parse().ok()? })
            };
            let quantiles = words.by_ref().map(quantile).collect::<Option<_>>()?;
            Value::Summary(Box::new(Summary { quantiles, sum: first, count }))
        }
    };
    while let Some(text) = exemplars {
        let (bucket, rest) = text.split_once(' ')?;
        let (labels, rest) = in_braces(rest)?;
        let (figures, more) = rest.split_once(" # ").map_or((rest, None), |(f, e)| (f, Some(e)));
        let mut words = figures.split_ascii_whitespace();
        let (of, time) = (FixedPoint::parse(words.next()?)?, optional(words.next()?)?);
        let exemplar = Some(Box::new(Exemplar { labels: labels.to_owned(), value: of, time }));
        match &mut value {
            Value::Number { exemplar: slot, .. } => *slot = exemplar,
            Value::Histogram(histogram) => {
                histogram.exemplars.resize(histogram.counts.len(), None);
                *histogram.exemplars.get_mut(bucket.parse::<usize>().ok()?)? = exemplar;
            }
            Value::Summary(_) => return None,
        }
        exemplars = more;
    }
    words.next().is_none().then(|| Series { labels: labels.into(), value, created })
}

/// A number, or none.
#[allow(clippy::option_option, reason = "what is there and says nothing is not what cannot be read")]
fn optional(word: &str) -> Option<Option<FixedPoint>> {
    if word == "-" { Some(None) } else { FixedPoint::parse(word).map(Some) }
}

/// What stands between the braces that a text begins with, and what follows them.
fn in_braces(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('{')?;
    let (mut quoted, mut escaped) = (false, false);
    let end = inner.bytes().position(|byte| {
        let closes = byte == b'}' && !quoted;
        quoted ^= byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })?;
    Some((&inner[..end], &inner[end + 1..]))
}

fn unescaped(help: &str) -> String {
    let mut chars = help.chars();
    std::iter::from_fn(|| match chars.next()? {
        '\\' => Some(if chars.next()? == 'n' { '\n' } else { '\\' }),
        other => Some(other),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;
    use crate::snapshot::page::push_label;
    use proptest::prelude::*;

    fn labelled(value: &str) -> String {
        let mut labels = String::new();
        push_label(&mut labels, "vhost", value);
        labels
    }

    fn page(rows: &std::collections::BTreeMap<String, ([u64; 3], u128, Option<u64>)>) -> Page {
        let mut page = Page::default();
        let bounds: Arc<[FixedPoint]> = Arc::from([FixedPoint::nanos(5), FixedPoint::whole(16384)]);
        let exemplar = |id: &Option<u64>| {
            id.map(|id| {
                let time = (id % 2 == 0).then(|| FixedPoint::nanos(u128::from(id)));
                Box::new(Exemplar { labels: labelled("a # } \"b"), value: FixedPoint::whole(id), time })
            })
        };
        let (mut counters, mut histograms) = (Vec::new(), Vec::new());
        for (value, (counts, sum, id)) in rows {
            let labels: Arc<str> = labelled(value).into();
            let created = id.map(FixedPoint::whole);
            let number = Value::Number { value: FixedPoint::nanos(*sum), exemplar: exemplar(id) };
            counters.push(Series { labels: labels.clone(), value: number, created });
            let exemplars = if id.is_some() { vec![None, exemplar(id), exemplar(id)] } else { Vec::new() };
            let (bounds, counts, sum) = (bounds.clone(), counts.to_vec(), FixedPoint::nanos(*sum));
            let histogram =
                Value::Histogram(Box::new(Histogram { bounds, counts, sum, exemplars, native: None }));
            histograms.push(Series { labels, value: histogram, created });
        }
        page.insert(&catalogue::REQUESTS, counters);
        page.insert(&catalogue::DURATION, histograms);
        let quantiles =
            vec![Quantile { quantile: 0.5, value: 0.25 }, Quantile { quantile: 0.99, value: 1e-7 }];
        let summary = Summary { quantiles, sum: FixedPoint::nanos(7), count: 2 };
        let value = Value::Summary(Box::new(summary));
        page.insert(&catalogue::QUANTILES, vec![Series { labels: "".into(), value, created: None }]);
        page
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            rows in prop::collection::btree_map("[ -~\\n\\r#}]{0,12}", any::<([u64; 3], u128, Option<u64>)>(), 0..8),
        ) {
            let page = page(&rows);
            prop_assert_eq!(read(&write(&page)), Ok(page));
        }

        #[test]
        fn changes_make_the_old_page_the_new_one(
            old in prop::collection::btree_map("[a-h]{1,2}", any::<([u64; 3], u128, Option<u64>)>(), 0..20),
            more in prop::collection::btree_map("[a-h]{1,2}", any::<([u64; 3], u128, Option<u64>)>(), 0..20),
        ) {
            let mut new = old.clone();
            new.extend(more);
            let (mut old, new) = (page(&old), page(&new));
            let changes = new.changes_since(&old).unwrap();
            old.overwrite(read(&write(&changes)).unwrap());
            prop_assert_eq!(&old, &new);
            prop_assert_eq!(new.changes_since(&old).unwrap(), Page::default());
        }

        #[test]
        fn no_bytes_can_make_the_reader_panic(text in "((family counter a\\n|family histogram b\\nbounds 1\\n)([-a-z{}=\"# 0-9.:\\n]{0,80})|\\PC{0,80})") {
            let _ = read(&text);
        }
    }

    #[test]
    fn what_has_vanished_cannot_be_said_by_changes() {
        let rows =
            |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), ([1, 2, 3], 4, None))).collect();
        assert!(page(&rows(&["a", "c"])).changes_since(&page(&rows(&["a", "b", "c"]))).is_none());
        assert!(page(&rows(&["a"])).changes_since(&page(&rows(&["a", "b"]))).is_none());
    }
}
