//! Native histograms against the truth: 200,000 lines of known durations, counted by several generations, asked by a
//! real Prometheus for quantiles, counts and sums.

use super::protobuf::{Message, families};
use crate::harness::{Exporter, TempDir, wait_for};
use crate::servers::prometheus::Prometheus;
use std::fmt::Write;
use std::path::Path;

const LINES: usize = 200_000;
const DURATION: &str = "httpd_request_duration_seconds";

/// Durations in microseconds: from 0.8 ms to 2.4 s, most of them short, in no order.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole microseconds are what a log has"
)]
fn durations() -> Vec<u64> {
    let at = |place: usize| {
        // 7919 and the number of lines have no common divisor, so each place is had once.
        let share = ((place * 7919) % LINES) as f64 / LINES as f64;
        (800.0 * (8.0 * share * share).exp()) as u64
    };
    (0..LINES).map(at).collect()
}

fn log(durations: &[u64]) -> String {
    let mut log = String::new();
    for duration in durations {
        let _ = writeln!(log, "GET 200 {duration}");
    }
    log
}

fn started(state: &Path, more: &[&str]) -> Exporter {
    let state = state.to_str().expect("a plain path");
    Exporter::start(&[&["--format", "%m %>s %D", "--state-dir", state], more].concat())
}

/// Feeds an exporter, and waits until its page says so, which it says of what is on disk.
fn count(exporter: &mut Exporter, durations: &[u64], lines_on_the_page: usize) {
    exporter.process.feed(log(durations).as_bytes());
    exporter.wait_for_lines(lines_on_the_page as u64);
}

fn end(mut exporter: Exporter) {
    exporter.process.close();
    exporter.process.wait();
}

/// Whether the page that this exporter serves tells the truth of these durations: to Prometheus by its own functions.
fn told(exporter: &Exporter, durations: &[u64]) {
    let prometheus = Prometheus::start_with(&exporter.address, &["--enable-feature=native-histograms"]);
    let mut sorted = durations.to_vec();
    sorted.sort_unstable();
    prometheus.wait_for_sum(&format!("histogram_count({DURATION})"), sorted.len() as f64);
    let micros: u64 = sorted.iter().sum();
    prometheus.wait_for_sum(&format!("histogram_sum({DURATION})"), (micros * 1_000) as f64 / 1e9);
    for thousandths in [500, 900, 990, 999] {
        let truth = sorted[sorted.len() * thousandths / 1_000] as f64 / 1e6;
        let quantile = thousandths as f64 / 1e3;
        let told = wait_for("a quantile", || {
            prometheus.query(&format!("histogram_quantile({quantile}, {DURATION})"))
        });
        println!("quantile {quantile}: {told}, in truth {truth} ({:+.1} %)", (told / truth - 1.0) * 100.0);
        assert!((told / truth - 1.0).abs() < 0.05, "quantile {quantile}: {told}, in truth {truth}");
    }
}

#[test]
#[ignore = "needs prometheus"]
fn quantiles_are_near_the_truth_over_kills_restarts_and_other_buckets() {
    let (dir, durations) = (TempDir::new(), durations());
    let part = LINES / 5;
    let state = dir.join("state");
    // One ends, one is killed, one has other buckets, one has none.
    let mut first = started(&state, &[]);
    count(&mut first, &durations[..part], part);
    end(first);
    let mut killed = started(&state, &[]);
    count(&mut killed, &durations[part..2 * part], 2 * part);
    killed.saved();
    drop(killed);
    let mut other = started(&state, &["--duration-buckets", "0.1,1"]);
    count(&mut other, &durations[2 * part..3 * part], 3 * part);
    end(other);
    let mut native = started(&state, &["--histograms", "native"]);
    count(&mut native, &durations[3 * part..4 * part], 4 * part);
    end(native);
    let mut last = started(&state, &[]);
    count(&mut last, &durations[4 * part..], LINES);
    told(&last, &durations);
}

/// The one message says the same with both kinds of buckets.
#[test]
#[ignore = "needs protoc"]
fn chosen_and_native_buckets_of_one_histogram_hold_as_much() {
    let mut exporter = Exporter::start(&["--format", "%m %>s %D"]);
    let mut durations = durations();
    durations.truncate(5_000);
    durations.extend([0, 1, 488, 489, 3_600_000_000]);
    exporter.process.feed(log(&durations).as_bytes());
    exporter.wait_for_lines(durations.len() as u64);
    let families = families(&exporter);
    let metric = &families[DURATION].all("metric")[0];
    let histogram = &metric.all("histogram")[0];
    assert_eq!((histogram.number("schema"), histogram.number("zero_threshold")), (3.0, 1.0 / 2048.0));
    assert_eq!(histogram.number("zero_count"), 3.0);
    let count = histogram.number("sample_count");
    assert_eq!(count, durations.len() as f64);
    let buckets = histogram.all("bucket");
    assert_eq!(buckets.last().map(|last| last.number("cumulative_count")), Some(count));
    let mut in_bucket = 0.0;
    let filled: f64 = histogram
        .values("positive_delta")
        .iter()
        .map(|delta| {
            in_bucket += delta;
            in_bucket
        })
        .sum();
    assert_eq!(filled + histogram.number("zero_count"), count);
    let spans = histogram.all("positive_span");
    let lengths: f64 = spans.iter().map(|span: &Message| span.number("length")).sum();
    assert_eq!(lengths, histogram.values("positive_delta").len() as f64);
    assert!(spans[0].number("offset") <= -83.0, "0.8 ms is at 2^(-83/8) s and below: {spans:?}");
}

/// A state of 0.1.0 has no native counts: they begin with what its buckets tell.
#[test]
#[ignore = "needs protoc"]
fn what_older_versions_have_counted_is_in_both_kinds_of_buckets() {
    let dir = TempDir::new();
    let state = dir.join("state");
    std::fs::create_dir(&state).expect("writable");
    let old = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/state-0.1.0");
    std::fs::copy(old, state.join("1764077500000-1")).expect("it is there");
    let exporter = started(&state, &[]);
    let families = families(&exporter);
    let mut seen = 0.0;
    for metric in families.values().flat_map(|family| family.all("metric")) {
        for histogram in metric.all("histogram") {
            let mut in_bucket = 0.0;
            let deltas = histogram.values("positive_delta");
            let filled: f64 = deltas
                .iter()
                .map(|delta| {
                    in_bucket += delta;
                    in_bucket
                })
                .sum();
            assert_eq!(filled + histogram.number("zero_count"), histogram.number("sample_count"));
            seen += histogram.number("sample_count");
        }
    }
    assert!(seen > 0.0);
}
