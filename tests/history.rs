//! `--history`: what a log counts, with its own times, equals an independent count of its lines: in the files, in a
//! Prometheus, in a VictoriaMetrics, and in the counters of an exporter that goes on from there.

mod blocks;
mod families;
mod servers; // promtool, Prometheus and VictoriaMetrics of Debian's packages

use crate::harness::{BINARY, Ended, Exporter, Process, TempDir, run, wait_until};
use nix::sys::signal::Signal;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Command;

const FORMAT: &str = "vhost_combined_D";

/// One request.
#[derive(Clone, Copy)]
pub struct Line {
    pub second: u64,
    pub host: &'static str,
    pub status: u16,
    pub millis: u64,
}

/// So many lines from a second on, over 15 hours, with a quiet night, two hosts and some errors.
pub fn lines(from: u64) -> Vec<Line> {
    spread(from, 4000, [1, 2, 0, 40, 7])
}

/// 30 days, with two requests in an average of five minutes.
pub fn month(from: u64) -> Vec<Line> {
    spread(from, 20_000, [61, 120, 0, 400, 69])
}

fn spread(from: u64, many: u64, pauses: [u64; 5]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut second = from + 17;
    for number in 0..many {
        second += pauses[usize::try_from(number % 5).expect("small")];
        // A night without a request.
        second += if number == 2000 { 4 * 3600 } else { 0 };
        let host = if number % 3 == 0 { "b.example" } else { "a.example" };
        let status = match number % 50 {
            // The errors begin late.
            7 if number > 1000 => 503,
            11 => 404,
            _ => 200,
        };
        lines.push(Line { second, host, status, millis: (number * 773) % 2000 + 1 });
    }
    lines
}

/// Days since 1970 as a date, as in Hinnant's "chrono-Compatible Low-Level Date Algorithms".
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (of_month, month) = (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    (era * 400 + year + u64::from(month <= 2), month, of_month)
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

pub fn text(lines: &[Line]) -> String {
    let mut text = String::new();
    for Line { second, host, status, millis } in lines {
        let (year, month, day) = date(second / 86_400);
        let month = MONTHS[usize::try_from(month - 1).expect("small")];
        let (hour, minute, rest) = (second / 3600 % 24, second / 60 % 60, second % 60);
        let _ = writeln!(
            text,
            "{host}:80 192.0.2.1 - - [{day:02}/{month}/{year}:{hour:02}:{minute:02}:{rest:02} +0000] \
             \"GET /page HTTP/1.1\" {status} 1000 \"-\" \"curl/8.5.0\" {}",
            millis * 1000
        );
    }
    text
}

/// 3 February 2026, 00:00 UTC.
const BEGIN: u64 = 1_770_076_800;

/// A history of these lines, whose files come in the wrong order.
pub fn history(directory: &Path, lines: &[Line], more: &[&str]) -> Ended {
    let (first, second) = lines.split_at(lines.len() / 3);
    let files = [("access.log", second), ("access.log.1", first)].map(|(name, lines)| {
        let path = directory.join(name);
        fs::write(&path, text(lines)).expect("a file of ours");
        path.display().to_string()
    });
    let output = directory.join("history").display().to_string();
    let mut args = vec!["--format", FORMAT, "--history", &output];
    args.extend(more);
    args.extend(files.iter().map(String::as_str));
    run(&args, b"")
}

/// All samples of a directory: by series, the second and the figure, in the order of the files.
fn samples(directory: &Path) -> BTreeMap<String, Vec<(u64, f64)>> {
    let mut names: Vec<_> =
        fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path()).collect();
    names.sort();
    let mut samples: BTreeMap<String, Vec<(u64, f64)>> = BTreeMap::new();
    for path in names.iter().filter(|path| path.extension().is_some_and(|end| end == "gz")) {
        let mut text = String::new();
        let file = fs::File::open(path).expect("a file");
        flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("compressed text");
        assert!(text.ends_with("\n# EOF\n"), "{}", path.display());
        let mut windows = Vec::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (rest, time) = line.rsplit_once(' ').expect("a time");
            let (series, figure) = rest.rsplit_once(' ').expect("a figure");
            let second: u64 = time.parse().expect("seconds");
            windows.push(second / 7200);
            samples.entry(series.to_owned()).or_default().push((second, figure.parse().expect("a number")));
        }
        windows.dedup();
        assert_eq!(windows.len(), 1, "{}: one window", path.display());
    }
    samples
}

fn series(host: &str, status: u16) -> String {
    let of_scrape = "instance=\"web1:19117\",job=\"web\"";
    format!("httpd_requests_total{{method=\"GET\",status_code=\"{status}\",vhost=\"{host}\",{of_scrape}}}")
}

/// Half as many samples of more than two weeks, unless told otherwise; each is as true.
#[test]
fn a_long_history_has_a_sample_every_two_minutes() {
    let directory = TempDir::new();
    let lines = month(BEGIN);
    let day = lines.iter().position(|line| line.second >= BEGIN + 13 * 86_400).expect("it is a month");
    for (name, lines, more, step) in [
        ("month", &lines[..], &[][..], 120),
        ("days", &lines[..day], &[], 60),
        ("told", &lines[..], &["--history.step", "300"], 300),
    ] {
        let directory = directory.join(name);
        fs::create_dir(&directory).expect("a directory of ours");
        let ended = history(&directory, lines, more);
        assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
        assert!(ended.stdout.contains(&format!(" series, every {step} s, in ")), "{}", ended.stdout);
        let samples = samples(&directory.join("history"));
        let last = lines[lines.len() - 1].second / step * step + step;
        for (host, status) in [("a.example", 200), ("b.example", 404), ("b.example", 503)] {
            let of = |line: &&Line| line.host == host && line.status == status;
            let seconds: Vec<u64> = lines.iter().filter(of).map(|line| line.second).collect();
            let wanted: Vec<(u64, f64)> = (seconds[0] / step * step..=last)
                .step_by(usize::try_from(step).expect("small"))
                .map(|second| (second, seconds.partition_point(|at| *at < second) as f64))
                .collect();
            let of_scrape = "instance=\"127.0.0.1:19117\",job=\"httpd\"";
            let series = series(host, status).replace("instance=\"web1:19117\",job=\"web\"", of_scrape);
            assert!(samples[&series] == wanted, "{name}: {host} {status}");
        }
    }
}

#[test]
fn each_sample_is_the_count_of_the_lines_before_it() {
    let directory = TempDir::new();
    let lines = lines(BEGIN);
    let ended =
        history(directory.path(), &lines, &["--history.instance", "web1:19117", "--history.job", "web"]);
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let shown = directory.join("history");
    let samples = samples(&shown);
    let (first, last) = (lines[0].second / 60 * 60, lines[lines.len() - 1].second / 60 * 60 + 60);
    for (host, status) in [("a.example", 200), ("b.example", 200), ("a.example", 404), ("b.example", 503)] {
        let of = |line: &&Line| line.host == host && line.status == status;
        let seconds: Vec<u64> = lines.iter().filter(of).map(|line| line.second).collect();
        let begin = (seconds[0] / 60 * 60).max(first);
        let wanted: Vec<(u64, f64)> = (begin..=last)
            .step_by(60)
            .map(|second| (second, seconds.iter().filter(|at| **at < second).count() as f64))
            .collect();
        assert_eq!(wanted[0].1, 0.0);
        assert_eq!(samples[&series(host, status)], wanted, "{host} {status}");
    }
    // Times and sizes as well, at the end.
    let name = "httpd_request_duration_seconds";
    let end = |series: &str| -> f64 {
        samples.iter().filter(|(it, _)| it.starts_with(series)).map(|(_, all)| all[all.len() - 1].1).sum()
    };
    let sum: u64 = lines.iter().map(|line| line.millis).sum();
    assert!((end(&format!("{name}_sum")) - sum as f64 / 1000.0).abs() < 1e-6);
    let below: Vec<(&String, f64)> = samples
        .iter()
        .filter(|(it, _)| it.starts_with(&format!("{name}_bucket")) && it.contains("le=\"0.5\""))
        .map(|(it, all)| (it, all[all.len() - 1].1))
        .collect();
    let fast = lines.iter().filter(|line| line.millis <= 500).count();
    assert_eq!(below.iter().map(|(_, count)| count).sum::<f64>(), fast as f64);
    assert_eq!(end("httpd_bytes_sent_total"), 1000.0 * lines.len() as f64);
    // The same series as on the live page, but for those that are 0.
    let page = run(&["--once", "--format", FORMAT], text(&lines).as_bytes()).page();
    let is_counted = |it: &&String| it.starts_with("httpd_requests_total") && page.value(it) > Some(0.0);
    let live = page.series.keys().filter(is_counted);
    assert_eq!(live.count(), samples.keys().filter(|it| it.starts_with("httpd_requests_total")).count());
    assert!(ended.stdout.contains("sh ") && shown.join("import.sh").exists(), "{}", ended.stdout);
    // A second history does not mix with the first.
    let again = history(directory.path(), &lines, &[]);
    assert_eq!(again.status.code(), Some(2));
    assert!(again.stderr.contains("of another history"), "{}", again.stderr);
}

#[test]
fn a_stream_has_the_same_samples_in_milliseconds() {
    let directory = TempDir::new();
    let lines = lines(BEGIN);
    history(directory.path(), &lines, &["--history.step", "300"]);
    let files = samples(&directory.join("history"));
    let args = ["--format", FORMAT, "--history", "-", "--history.step", "300"];
    let streamed = run(&args, text(&lines).as_bytes());
    assert_eq!(streamed.status.code(), Some(0), "{}", streamed.stderr);
    let mut stream: BTreeMap<String, Vec<(u64, f64)>> = BTreeMap::new();
    for line in streamed.stdout.lines() {
        let mut words = line.rsplitn(3, ' ');
        let time: u64 = words.next().unwrap().parse().expect("milliseconds");
        let figure = words.next().unwrap().parse().expect("a number");
        // le is spelled as in the form of the page that VictoriaMetrics asks for.
        let series = words.next().unwrap().replace("le=\"1\"", "le=\"1.0\"");
        stream.entry(series).or_default().push((time / 1000, figure));
    }
    let counters = |all: &BTreeMap<String, Vec<(u64, f64)>>| {
        let is_counter = |(name, _): &(&String, &Vec<(u64, f64)>)| !name.contains("le=");
        all.iter()
            .filter(is_counter)
            .map(|(name, samples)| (name.clone(), samples.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(counters(&stream), counters(&files));
    assert_eq!(stream.len(), files.len());
}

#[test]
fn lines_that_are_in_no_window_are_told() {
    let directory = TempDir::new();
    let mut odd = lines(BEGIN);
    odd.push(Line { second: BEGIN - 40 * 86_400, ..odd[0] });
    odd.push(Line { second: BEGIN + 40_000 * 86_400, ..odd[0] });
    let timeless = text(&odd[..1]).replace(" +0000]", "]");
    let path = directory.write("odd.log", text(&odd) + &timeless + "no line of the format\n");
    let output = directory.join("history");
    let args = ["--format", FORMAT, "--history", &output.display().to_string(), &path.display().to_string()];
    let ended = run(&args, b"");
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    for said in [
        "not in the history are lines that are no requests: 1 malformed",
        "not in the history: 1 request without a time, or with one without a zone",
        "not in the history: 1 request with a time that is still to come or before 1970",
        "not in the history: 1 request from 2025-12-25 00:00:00 UTC to 2025-12-25 02:00:00 UTC, far",
    ] {
        assert!(ended.stderr.contains(said), "{said} in: {}", ended.stderr);
    }
    assert!(ended.stdout.starts_with("4,000 requests from 2026-02-03 00:00:00 UTC"), "{}", ended.stdout);
    let first = samples(&output).values().map(|all| all[0].0).min();
    assert_eq!(first, Some(BEGIN));
}

#[test]
fn the_counters_of_an_exporter_go_on_from_the_history() {
    the_counters_go_on_from(&[]);
    the_counters_go_on_from(&["--history.format", "blocks"]);
}

fn the_counters_go_on_from(format: &[&str]) {
    let directory = TempDir::new();
    let lines = lines(BEGIN);
    let state = directory.join("state").display().to_string();
    let ended = history(directory.path(), &lines, &[&["--state-dir", &state], format].concat());
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains(&format!("the totals are in {state}")), "{}", ended.stderr);
    let count = |host: &str, status: u16| {
        lines.iter().filter(|line| line.host == host && line.status == status).count() as f64
    };
    {
        let mut exporter = Exporter::start(&["--format", FORMAT, "--state-dir", &state]);
        let of = "httpd_requests_total{method=\"GET\",status_code=\"200\",vhost=\"a.example\"}";
        let durations =
            "httpd_request_duration_seconds_count{method=\"GET\",status_class=\"2xx\",vhost=\"a.example\"}";
        let page = exporter.scrape();
        assert_eq!(page.value(of), Some(count("a.example", 200)));
        assert_eq!(page.value(durations), Some(count("a.example", 200)));
        assert_eq!(page.sum("httpd_requests_total"), lines.len() as f64);
        let live = Line { second: BEGIN + 30 * 3600, host: "a.example", status: 200, millis: 3 };
        exporter.process.feed(text(&[live, live]).as_bytes());
        let page = exporter.wait_for_lines(2);
        assert_eq!(page.value(of), Some(count("a.example", 200) + 2.0));
    }
    // The same lines in the same or another order, and other lines, are not added to it.
    for (from, why) in [
        (BEGIN, "these very lines are in its counts already"),
        (BEGIN + 7, "another history is in its counts"),
    ] {
        let other = TempDir::new();
        let again = history(other.path(), &self::lines(from), &["--state-dir", &state]);
        assert_eq!(again.status.code(), Some(1));
        assert!(again.stderr.contains(why), "{}", again.stderr);
    }
    let exporter = Exporter::start(&["--format", FORMAT, "--state-dir", &state]);
    assert_eq!(exporter.scrape().sum("httpd_requests_total"), lines.len() as f64 + 2.0);
}

/// Followed files are counted up to where they are at that time, and an exporter reads on from there.
#[test]
fn an_exporter_reads_on_where_the_history_has_ended() {
    let directory = TempDir::new();
    let lines = lines(BEGIN);
    let log = directory.write("access.log", text(&lines));
    let shown = log.display().to_string();
    let [state, output] = ["state", "history"].map(|name| directory.join(name).display().to_string());
    let followed = ["--format", FORMAT, "--state-dir", &state, "--follow", &shown];
    let ended = run(&[&followed[..], &["--history", &output]].concat(), b"");
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let meanwhile = Line { second: BEGIN + 30 * 3600, host: "a.example", status: 200, millis: 3 };
    fs::write(&log, text(&lines) + &text(&[meanwhile; 3])).unwrap();
    let exporter = Exporter::start(&followed);
    crate::harness::wait_for("the lines that came meanwhile", || {
        let all = exporter.scrape().sum("httpd_requests_total");
        if all == lines.len() as f64 + 3.0 { Ok(()) } else { Err(format!("{all}")) }
    });
}

/// Half a history would look like a whole one, and its totals would be gone on from.
#[test]
fn what_is_interrupted_leaves_nothing() {
    let directory = TempDir::new();
    let [output, state] = ["history", "state"].map(|name| directory.join(name));
    let mut process = Process::start(
        Command::new(BINARY)
            .args(["--format", FORMAT, "--history"])
            .arg(&output)
            .arg("--state-dir")
            .arg(&state),
    );
    process.feed(text(&lines(BEGIN)).as_bytes());
    // It is made when signals are handled already.
    wait_until("the directory", || output.exists());
    process.signal(Signal::SIGINT);
    let ended = process.wait();
    assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("interrupted before the end of the input"), "{}", ended.stderr);
    assert_eq!(fs::read_dir(&output).expect("a directory").count(), 0);
    assert!(!state.exists(), "nothing to go on from");
}
