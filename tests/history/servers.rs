//! A history in Debian's Prometheus and VictoriaMetrics: twenty questions, whose answers are counted from the lines.

use super::{BEGIN, FORMAT, Line, history, lines, month, text};
use crate::harness::{Exporter, Process, TempDir, free_port, run, wait_for};
use crate::servers::prometheus::{Prometheus, percent_encoded};
use serde_json::Value;
use std::fs;
use std::process::Command;

/// A question at a moment, and its answer.
struct Question {
    query: String,
    second: u64,
    answer: f64,
}

/// The bounds of the default buckets, in milliseconds.
const BOUNDS: [u64; 16] =
    [5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000, 30_000, 60_000];

/// What Prometheus' documentation says of histogram_quantile: linear between the bounds of the bucket of that rank.
fn quantile(lines: &[Line], quantile: f64) -> f64 {
    let below = |bound: u64| lines.iter().filter(|line| line.millis <= bound).count() as f64;
    let rank = quantile * lines.len() as f64;
    let bucket = BOUNDS.iter().position(|bound| below(*bound) >= rank).expect("all are below a minute");
    let (low, upper) = (if bucket == 0 { 0 } else { BOUNDS[bucket - 1] }, BOUNDS[bucket]);
    let before = if bucket == 0 { 0.0 } else { below(low) };
    let part = (rank - before) / (below(upper) - before);
    (low as f64 + (upper - low) as f64 * part) / 1000.0
}

/// On a month.
fn questions(all: &[Line]) -> Vec<Question> {
    let mut questions = Vec::new();
    let mut ask = |query: &str, second: u64, answer: f64| {
        questions.push(Question { query: query.to_owned(), second, answer });
    };
    let hour = |end: u64| -> Vec<Line> {
        all.iter().filter(|line| (end - 3600..end).contains(&line.second)).copied().collect()
    };
    let ends = [1, 25, 100, 333, 500, 672, 714].map(|hour| BEGIN + hour * 3600);
    for end in ends {
        ask("sum(increase(httpd_requests_total[1h]))", end, hour(end).len() as f64);
    }
    for (status, end) in [(200, ends[0]), (404, ends[2]), (503, ends[3]), (503, ends[6]), (404, ends[5])] {
        let query =
            format!("sum by (status_code) (increase(httpd_requests_total{{status_code=\"{status}\"}}[1h]))");
        let answer = hour(end).iter().filter(|line| line.status == status).count() as f64;
        ask(&query, end, answer);
    }
    let of_host = |end: u64| hour(end).iter().filter(|line| line.host == "b.example").count() as f64;
    ask("sum(increase(httpd_bytes_sent_total{vhost=\"b.example\"}[1h]))", ends[1], 1000.0 * of_host(ends[1]));
    ask("sum(increase(httpd_response_size_bytes_count{vhost=\"b.example\"}[1h]))", ends[3], of_host(ends[3]));
    for (share, end) in [(0.5, ends[0]), (0.9, ends[1]), (0.99, ends[3]), (0.5, ends[6])] {
        let query = format!(
            "histogram_quantile({share}, sum by (le) (increase(httpd_request_duration_seconds_bucket[1h])))"
        );
        ask(&query, end, quantile(&hour(end), share));
    }
    // In the quiet night, and at the end of all.
    let quiet = all.windows(2).find(|pair| pair[1].second - pair[0].second > 4 * 3600).expect("a night");
    ask("sum(increase(httpd_requests_total[1h]))", (quiet[0].second / 3600 + 3) * 3600, 0.0);
    let last = all[all.len() - 1].second / 120 * 120 + 120;
    ask("sum(httpd_requests_total{job=\"httpd\",instance=\"127.0.0.1:19117\"})", last, all.len() as f64);
    assert_eq!(questions.len(), 20);
    questions
}

fn import(directory: &TempDir, data: &std::path::Path) {
    fs::create_dir_all(data).expect("a directory of ours");
    let script = directory.join("history").join("import.sh");
    let output = Command::new("sh").arg(&script).arg(data).output().expect("a shell");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Prometheus drops what is older than this behind its newest sample.
const KEEP: &str = "--storage.tsdb.retention.time=100y";

fn check(server: &str, questions: &[Question], query: impl Fn(&str) -> Result<f64, String>) {
    for Question { query: text, second, answer } in questions {
        let path = format!("query={}&time={second}", percent_encoded(text));
        wait_for(&format!("{server}: {text} at {second} to be {answer}"), || {
            let seen = query(&path)?;
            if (seen - answer).abs() <= answer * 1e-9 { Ok(()) } else { Err(format!("{seen}")) }
        });
    }
}

#[test]
#[ignore = "needs prometheus"]
fn prometheus_answers_as_the_lines_do() {
    prometheus_answers(&[]);
    prometheus_answers(&BLOCKS);
}

const BLOCKS: [&str; 2] = ["--history.format", "blocks"];

fn prometheus_answers(format: &[&str]) {
    let directory = TempDir::new();
    let lines = month(BEGIN);
    assert_eq!(history(directory.path(), &lines, format).status.code(), Some(0));
    let data = TempDir::new();
    import(&directory, &data.join("data"));
    let exporter = Exporter::start(&["--format", FORMAT]);
    let prometheus = Prometheus::start_in(data, &exporter.address, &[KEEP]);
    check("Prometheus", &questions(&lines), |query| prometheus.value(&format!("/api/v1/query?{query}")));
}

/// History until some hours ago, and scraped from now on: one counter without a step down or a jump.
#[test]
#[ignore = "needs prometheus"]
fn history_and_scrapes_are_one_counter() {
    one_counter(&[]);
    one_counter(&BLOCKS);
}

fn one_counter(format: &[&str]) {
    let directory = TempDir::new();
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    let lines = lines(now - 20 * 3600);
    let state = directory.join("state").display().to_string();
    let port = free_port();
    let instance = format!("127.0.0.1:{port}");
    let options = ["--state-dir", &state, "--history.instance", &instance];
    let ended = history(directory.path(), &lines, &[&options, format].concat());
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let data = TempDir::new();
    import(&directory, &data.join("data"));
    let mut exporter = Exporter::start_on(port, &["--format", FORMAT, "--state-dir", &state]);
    exporter.wait_for_stderr("serving ");
    let prometheus = Prometheus::start_in(data, &instance, &[KEEP]);
    let of = "httpd_requests_total{status_code=\"200\",vhost=\"a.example\"}";
    let before = lines.iter().filter(|line| line.host == "a.example" && line.status == 200).count() as f64;
    prometheus.wait_for_sum(of, before);
    exporter
        .process
        .feed(text(&[Line { second: now, host: "a.example", status: 200, millis: 3 }; 5]).as_bytes());
    prometheus.wait_for_sum(of, before + 5.0);
    prometheus.wait_for_sum(&format!("count({of})"), 1.0);
    prometheus.wait_for_sum(&format!("resets({of}[30h])"), 0.0);
    prometheus.wait_for_sum(&format!("max_over_time({of}[30h]) - min_over_time({of}[30h])"), before + 5.0);
}

#[test]
#[ignore = "needs victoria-metrics"]
fn victoria_metrics_answers_as_the_lines_do() {
    let directory = TempDir::new();
    let lines = month(BEGIN);
    let stream = run(&["--format", FORMAT, "--history", "-"], text(&lines).as_bytes());
    assert_eq!(stream.status.code(), Some(0), "{}", stream.stderr);
    let stream = directory.write("stream", stream.stdout);
    let address = format!("127.0.0.1:{}", free_port());
    let mut server = Process::start(
        Command::new("victoria-metrics")
            .arg(format!("-storageDataPath={}", directory.join("data").display()))
            .arg(format!("-httpListenAddr={address}"))
            .arg("-retentionPeriod=100y"),
    );
    crate::servers::wait_for_answer(&address, "/health", &mut server);
    let url = format!("http://{address}/api/v1/import/prometheus");
    let output =
        Command::new("curl").args(["-sSf", "-T"]).arg(&stream).args(["-X", "POST", &url]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    check("VictoriaMetrics", &questions(&lines), |query| {
        // What was imported a moment ago is not in answers that are kept.
        let path = format!("/prometheus/api/v1/query?nocache=1&{query}");
        let body = crate::harness::get(&address, &path).map_err(|e| e.to_string())?.body;
        let json = body.find('{').zip(body.rfind('}')).map_or("", |(start, end)| &body[start..=end]);
        let json: Value = serde_json::from_str(json).map_err(|e| format!("{e}: {body}"))?;
        let value =
            json["data"]["result"][0]["value"][1].as_str().ok_or_else(|| format!("no value: {json}"))?;
        value.parse().map_err(|e| format!("{e}: {value}"))
    });
}
