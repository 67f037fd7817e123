//! A history has every family of the live page that counts what the server did, each series with the same figure.

use super::samples;
use crate::harness::{Exporter, Page, TempDir, run};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Everything that a family comes from.
const FORMAT: &str = "$host $remote_addr [$time_iso8601] \"$request\" $status $bytes_sent $request_length \
                      $request_time $upstream_queue_time $upstream_connect_time $upstream_header_time \
                      $upstream_response_time $upstream_addr";

const OPTIONS: [&str; 9] = [
    "--upstream-phases",
    "--quantiles",
    "0.5,0.99",
    "--slo",
    "fast=duration<0.3",
    "--slo",
    "up=status<500",
    "--slo.labels",
    "vhost",
];

/// Requests of two hosts over some hours, the last line first, some given up by clients and some that are none.
fn text() -> String {
    let mut text = String::new();
    for number in (0..600).rev() {
        let (hour, minute) = (3 + number / 120, number / 2 % 60);
        let status = [200, 499, 503, 404, 302][number % 5];
        let request = if number % 7 == 0 { "" } else { "GET /page HTTP/1.1" };
        let host = ["a.example", "b.example"][number / 50 % 2];
        let millis = number * 37 % 900;
        let _ = writeln!(
            text,
            "{host} ::1 [2026-02-03T{hour:02}:{minute:02}:{:02}+00:00] \"{request}\" {status} {} {} 0.{millis:03} \
             0.001 0.00{} 0.01{} 0.0{:02} 192.0.2.9:80, 192.0.2.8:80",
            number % 2 * 30,
            number * 100,
            number + 20,
            number % 9,
            number % 9,
            number % 70,
        );
    }
    text
}

/// The families that the documents list, by kind, but for those of the exporter and of its process.
fn documented() -> BTreeMap<String, String> {
    let rows = include_str!("../../docs/metrics.md").lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = rows.map(|row| {
        let mut cells = row.split(" | ");
        let mut cell = || cells.next().expect("a cell");
        (cell().trim_end_matches('`').to_owned(), cell().to_owned())
    });
    cells.filter(|(name, _)| name.starts_with("httpd_") && !name.starts_with("httpd_exporter_")).collect()
}

/// A series as a name and a set of labels, whatever their order, without those of the scrape.
fn normal(series: &str) -> String {
    let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
    let labels = labels.trim_end_matches('}').split(',').filter(|label| !label.is_empty());
    let of_scrape = |label: &&str| label.starts_with("job=") || label.starts_with("instance=");
    let labels: BTreeSet<String> = labels
        .filter(|label| !of_scrape(label))
        .map(|label| match label.strip_prefix("le=") {
            // The text form and OpenMetrics spell bounds differently.
            Some(bound) => format!("le={:?}", bound.trim_matches('"').parse::<f64>()),
            None => label.to_owned(),
        })
        .collect();
    format!("{name}{labels:?}")
}

/// What a page counts of the server, and of which families that is.
fn counted(page: &Page) -> (BTreeMap<String, f64>, BTreeSet<String>) {
    let documented = documented();
    let family = |series: &str| {
        let name = series.split('{').next().unwrap_or("");
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        [Some(name), base]
            .into_iter()
            .flatten()
            .find(|name| documented.contains_key(*name))
            .map(str::to_owned)
    };
    let (mut figures, mut families) = (BTreeMap::new(), BTreeSet::new());
    for (series, figure) in &page.series {
        let Some(family) = family(series) else { continue };
        // Gauges count nothing, and quantiles are of the minutes before a scrape.
        if documented[&family] == "gauge" || series.contains("quantile=") {
            continue;
        }
        families.insert(family);
        figures.insert(normal(series), figure.parse().expect("a number"));
    }
    (figures, families)
}

/// What is there for its zero alone begins in a history with what it counts.
fn assert_same(what: &str, live: &BTreeMap<String, f64>, told: &BTreeMap<String, f64>) {
    for (series, figure) in live {
        let other = told.get(series).copied().unwrap_or(0.0);
        assert!((other - figure).abs() < 1e-9, "{series}: {figure} on the page, {other} in {what}");
    }
    let unknown: Vec<&String> = told.keys().filter(|series| !live.contains_key(*series)).collect();
    assert_eq!(unknown, [] as [&String; 0], "{what}");
}

#[test]
fn a_history_ends_with_the_figures_of_the_live_page_and_an_exporter_begins_with_them() {
    let directory = TempDir::new();
    let text = text();
    let log = directory.write("access.log", &text).display().to_string();
    let [output, state] = ["history", "state"].map(|name| directory.join(name).display().to_string());
    let common = [&["--format", FORMAT], &OPTIONS[..]].concat();
    let ended = run(&[&common[..], &["--history", &output, "--state-dir", &state, &log]].concat(), b"");
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let (live, families) = counted(&run(&[&["--once"], &common[..]].concat(), text.as_bytes()).page());
    // Who adds a family adds what it comes from to the format or the options above, and what it counts to the history.
    let documented = documented();
    let counting = documented.iter().filter(|(_, kind)| *kind != "gauge").map(|(name, _)| name.clone());
    assert_eq!(families, counting.collect());
    let samples = samples(&directory.join("history"));
    let history = samples.iter().map(|(series, all)| (normal(series), all[all.len() - 1].1)).collect();
    assert_same("the history", &live, &history);
    let exporter = Exporter::start(&[&common[..], &["--state-dir", &state]].concat());
    let (goes_on, _) = counted(&exporter.scrape());
    assert_same("the exporter that goes on", &live, &goes_on);
}
