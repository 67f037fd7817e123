//! Writes what the live page asks for as JSON: facts, totals, the last minute, the history, and the rows of the tables.
//!
//! Label values and lines come from strangers; they are strings here, and text on the page.

use crate::count::ledger::Summary;
use crate::serve::live::history::{Counts, History, Point};
use crate::serve::live::rows::Table;
use crate::serve::live::tallies::{LABELS, Sample};
use std::fmt::Write;

/// What is known besides the counts.
pub struct Facts {
    pub version: &'static str,
    /// Milliseconds since the epoch.
    pub now: u64,
    /// Since when this process counts, in seconds since the epoch.
    pub since: u64,
    pub summary: Option<Summary>,
}

pub fn write(facts: &Facts, history: &History, sample: &Sample) -> String {
    let mut json = String::with_capacity(64 << 10);
    let Facts { version, now, since, summary } = facts;
    let _ = write!(json, "{{\"version\":\"{version}\",\"now\":{now},\"since\":{since}");
    let why = summary.as_ref().map(|summary| summary.why_not_ready.as_deref());
    json.push_str(",\"why_not_ready\":");
    string_or_null(&mut json, why.unwrap_or(Some("the counting thread does not answer")));
    json.push_str(",\"format\":");
    list_or_null(&mut json, sample.format.as_ref().map(|format| format.iter().map(String::as_str)));
    let _ = write!(json, ",\"newest\":{}", figure(sample.newest));
    for (name, counts) in [("lines", &sample.lines), ("malformed", &sample.malformed)] {
        let _ = write!(json, ",\"{name}\":{{");
        separated(&mut json, counts, |json, (name, count)| {
            string(json, name);
            let _ = write!(json, ":{count}");
        });
        json.push('}');
    }
    let has =
        [("durations", sample.has_durations), ("sent", sample.has_sent), ("received", sample.has_received)];
    for (name, has) in has {
        let _ = write!(json, ",\"has_{name}\":{has}");
    }
    json.push_str(",\"bounds\":[");
    separated(&mut json, sample.bounds.iter(), |json, bound| {
        let _ = write!(json, "{bound}");
    });
    json.push_str("],\"total\":");
    counts(&mut json, 0, Some(&Counts::of(&sample.total, &sample.bounds)));
    let (millis, minute) = history.minute();
    json.push_str(",\"minute\":");
    counts(&mut json, millis, Some(&Counts::of(&minute, &sample.bounds)).filter(|_| millis > 0));
    json.push_str(",\"fine\":");
    points(&mut json, history.fine());
    json.push_str(",\"coarse\":");
    points(&mut json, history.coarse());
    json.push_str(",\"tables\":{");
    let tables = LABELS.iter().enumerate();
    let tables = tables.filter_map(|(label, name)| Some((name, history.rows.table(label)?)));
    separated(&mut json, tables, |json, (name, rows)| {
        let _ = write!(json, "\"{name}\":");
        table(json, rows);
    });
    json.push('}');
    diagnosis(&mut json, summary.as_ref());
    json.push_str("}\n");
    json
}

/// The newest lines that do not fit, and what was said of them.
fn diagnosis(json: &mut String, summary: Option<&Summary>) {
    json.push_str(",\"rejected\":[");
    separated(json, summary.iter().flat_map(|summary| &summary.rejected), |json, line| {
        let _ = write!(json, "{{\"number\":{},\"reason\":\"{}\",\"line\":", line.number, line.reason);
        string(json, &line.text);
        json.push('}');
    });
    json.push_str("],\"advice\":[");
    separated(json, summary.iter().flat_map(|summary| &summary.advice), |json, text| string(json, text));
    json.push(']');
}

fn points<'p>(json: &mut String, points: impl Iterator<Item = &'p Point>) {
    json.push('[');
    separated(json, points, |json, point| {
        let _ = write!(json, "[{},", point.time);
        counts(json, point.millis, point.counts.as_ref());
        json.push(']');
    });
    json.push(']');
}

/// `[seconds, other, 1xx ... 5xx, sent, received, quantiles]`, or the seconds alone.
fn counts(json: &mut String, millis: u64, counts: Option<&Counts>) {
    let _ = write!(json, "[{}.{:03}", millis / 1000, millis % 1000);
    if let Some(Counts { classes, sent, received, quantiles }) = counts {
        classes.iter().chain([sent, received]).for_each(|count| {
            let _ = write!(json, ",{count}");
        });
        quantiles.iter().for_each(|quantile| {
            let _ = write!(json, ",{}", figure(Some(f64::from(*quantile))));
        });
    }
    json.push(']');
}

/// `{"seconds": S, "rows": [[name, requests, errors, 95 %, and the same of S], ...], "rest": N}`.
fn table(json: &mut String, table: &Table) {
    let (seconds, millis) = (table.millis / 1000, table.millis % 1000);
    let _ = write!(json, "{{\"seconds\":{seconds}.{millis:03},\"rest\":{},\"rows\":[", table.rest);
    separated(json, table.rows(), |json, (name, row)| {
        json.push('[');
        string(json, name);
        for figures in [row.all, row.lately] {
            let slow = figure(Some(f64::from(figures.slow)));
            let _ = write!(json, ",{},{},{slow}", figures.requests, figures.errors);
        }
        json.push(']');
    });
    json.push_str("]}");
}

// --- JSON ---

fn separated<T>(
    json: &mut String,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut String, T),
) {
    for (number, item) in items.into_iter().enumerate() {
        if number > 0 {
            json.push(',');
        }
        write(json, item);
    }
}

fn figure(value: Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map_or_else(|| "null".to_owned(), |value| value.to_string())
}

fn string_or_null(json: &mut String, text: Option<&str>) {
    match text {
        Some(text) => string(json, text),
        None => json.push_str("null"),
    }
}

fn list_or_null<'t>(json: &mut String, texts: Option<impl Iterator<Item = &'t str>>) {
    let Some(texts) = texts else { return json.push_str("null") };
    json.push('[');
    separated(json, texts, string);
    json.push(']');
}

fn string(json: &mut String, text: &str) {
    json.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            character if character < ' ' => {
                let _ = write!(json, "\\u{:04x}", u32::from(character));
            }
            character => json.push(character),
        }
    }
    json.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::count::ledger::Rejected;
    use crate::serve::live::tallies::Tally;
    use std::collections::BTreeMap;

    #[test]
    fn what_is_written_is_json_whatever_strangers_send() {
        let mut sample = Sample { newest: Some(1.5), bounds: [0.1, 0.2].into(), ..Sample::default() };
        let name = "a\"b\\c\n\u{202e}</script>";
        let tally = Tally { classes: [0, 0, 3, 0, 0, 1], buckets: vec![4, 0, 0], ..Tally::default() };
        sample.by[1] =
            Some(BTreeMap::from([(name.to_owned(), tally.clone()), ("b".to_owned(), Tally::default())]));
        sample.total = tally;
        sample.lines = vec![("counted".to_owned(), 4)];
        let mut history = History::default();
        history.enter(1_000, &sample);
        history.enter(6_000, &sample);
        let rejected = Rejected { number: 7, reason: "value", text: "\u{1}\"".to_owned() };
        let summary = Summary {
            format: None,
            lines: 4,
            malformed: 1,
            foreign: 0,
            why_not_ready: Some("no \"line\"".into()),
            rejected: vec![rejected],
            advice: vec!["look".to_owned()],
        };
        let facts = Facts { version: "1", now: 6_000, since: 1, summary: Some(summary) };
        let json: serde_json::Value = serde_json::from_str(&write(&facts, &history, &sample)).unwrap();
        assert_eq!(json["tables"]["route"]["rows"][0][0], name);
        assert_eq!(json["tables"]["route"]["rows"][0][2], 1);
        assert_eq!(json["fine"][0][0], 6_000);
        assert_eq!(json["fine"][0][1], serde_json::json!([5.0, 0, 0, 0, 0, 0, 0, 0, 0, null, null, null]));
        assert_eq!(json["total"][3], 3);
        assert_eq!(json["lines"]["counted"], 4);
        assert_eq!(json["rejected"][0]["line"], "\u{1}\"");
        assert_eq!(json["why_not_ready"], "no \"line\"");
        assert!(json["format"].is_null() && json["tables"]["vhost"].is_null());
    }
}
