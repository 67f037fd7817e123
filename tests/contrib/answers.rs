//! A real Prometheus scrapes exporters of several formats under a mixed load, evaluates the rules, and answers every
//! question that the dashboard asks.
//!
//! Owns the load: lines of every kind that the program tells apart, so that no question has an excuse to stay without
//! an answer.

use super::{RULES, alerts, kept_dashboard, questions, read, recorded, root, rules};
use crate::harness::{BINARY, Exporter, PATIENCE, Process, TempDir, free_port, get, run, wait_for};
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::process::Command;

/// One exporter of the load: its arguments and its lines.
struct Load {
    args: Vec<String>,
    lines: fn(round: u64) -> String,
}

const APACHE: &str = r#"%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i" %D %^FB %X %I"#;

fn loads() -> Vec<Load> {
    let nginx = root().join("contrib/nginx/httpd_exporter.args");
    let args = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    let mut apache = vec!["--format", APACHE, "--route", "/users/:id/orders", "--route", "/static/*"];
    apache.extend([
        "--label",
        "client=client",
        "--slo",
        "up=status<500",
        "--slo",
        "fast=duration<0.3,status<500",
    ]);
    apache.extend(["--slo.labels", "vhost", "--distinct", "clients=%h"]);
    let caddy = ["--format", "caddy", "--quantiles", "0.5,0.9,0.99", "--max-values", "2", "--route", "auto"];
    vec![
        Load { args: args(&apache), lines: apache_lines },
        Load { args: vec![format!("@{}", nginx.display())], lines: nginx_lines },
        Load { args: args(&caddy), lines: caddy_lines },
    ]
}

/// What clients send; the last four are no requests.
const REQUESTS: &[(&str, u16)] = &[
    ("GET / HTTP/1.1", 200),
    ("GET /users/17/orders HTTP/1.1", 200),
    ("POST /users/18/orders HTTP/1.1", 503),
    ("GET /static/logo.svg HTTP/2.0", 304),
    ("HEAD /missing HTTP/1.0", 404),
    ("GET /socket HTTP/1.1", 101),
    ("BREW /pot HTTP/1.1", 418),
    ("", 400),
    ("-", 408),
    (r"\x16\x03\x01\x02", 400),
    ("hello", 400),
];

fn apache_lines(round: u64) -> String {
    let mut lines = String::from("this is no line of the log\n");
    for (place, (request, status)) in REQUESTS.iter().enumerate() {
        let vhost = ["www.example.org", "shop.example.org"][place % 2];
        let micros = 800 * (place as u64 + 1) * (round % 7 + 1);
        let end = ["+", "-", "X"][place % 3];
        let agent = ["curl/8.14.1", "Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)"]
            [place / 2 % 2];
        let _ = writeln!(
            lines,
            "{vhost}:443 192.0.2.7 - - [22/Nov/2026:09:00:{:02} +0000] \"{request}\" {status} {} \"-\" \"{agent}\" {micros} {} {end} {}",
            round % 60,
            400 * (place + 1),
            micros / 2,
            120 + place
        );
    }
    lines
}

fn nginx_lines(round: u64) -> String {
    let mut lines = String::new();
    for (place, (request, status)) in REQUESTS.iter().enumerate() {
        let status = if place == 1 { 499 } else { *status };
        let millis = 3 * (place as u64 + 1) * (round % 5 + 1);
        let upstream = if place % 2 == 0 { "-".to_owned() } else { format!("0.{:03}", millis / 2) };
        let _ = writeln!(
            lines,
            "192.0.2.9 - - [22/Nov/2026:09:00:{:02} +0000] \"{request}\" {status} {} \"-\" \"test/1\" api.example.org {} \
             0.{millis:03} {upstream} {upstream}",
            round % 60,
            900 * (place + 1),
            200 + place
        );
    }
    lines
}

fn caddy_lines(round: u64) -> String {
    let mut lines = String::new();
    for host in ["a.example.net", "b.example.net", "c.example.net", "d.example.net"] {
        let _ = writeln!(
            lines,
            "{{\"level\":\"info\",\"ts\":1795338000.{:03},\"request\":{{\"method\":\"GET\",\"uri\":\"/page/{round}\",\"proto\":\"HTTP/2.0\",\
             \"host\":\"{host}\"}},\"bytes_read\":0,\"duration\":0.0{}4,\"size\":{},\"status\":200}}",
            round % 1000,
            round % 9,
            1000 + round
        );
    }
    lines
}

/// The pages of all the exporters after a little of the load, with their types.
pub fn pages_at_once() -> String {
    let page = |load: &Load| {
        let args: Vec<&str> = load.args.iter().map(String::as_str).chain(["--once"]).collect();
        run(&args, (load.lines)(1).as_bytes()).stdout
    };
    let of_lines: String = loads().iter().map(page).collect();
    let others = OtherInputs::start();
    let page = |exporter: &Exporter| get(&exporter.address, "/metrics").expect("a page").body;
    others.exporters.iter().map(page).fold(of_lines, |all, page| all + &page)
}

/// One that follows a file and one that takes datagrams, which have metrics of their own.
struct OtherInputs {
    exporters: Vec<Exporter>,
    _dir: TempDir,
}

impl OtherInputs {
    fn start() -> OtherInputs {
        let dir = TempDir::new();
        let log = dir.write("access.log", "").display().to_string();
        let follows = Exporter::start(&["--format", "combined", "--follow", &log]);
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let mut command = Command::new(BINARY);
        command.args(["--format", "combined", "--web.listen-address", "127.0.0.1:0"]);
        let takes = Exporter::of(Process::start_on_stdin(&mut command, OwnedFd::from(socket)));
        OtherInputs { exporters: vec![follows, takes], _dir: dir }
    }
}

struct Prometheus {
    address: String,
    _server: Process,
    _dir: TempDir,
}

impl Prometheus {
    /// Starts it with the rules of `contrib/`, and scrapes so fast that a test need not wait for minutes.
    fn start(targets: &[&str], flags: &[&str]) -> Prometheus {
        let dir = TempDir::new();
        for rules in RULES {
            // A group's own interval would keep a test waiting for minutes.
            let text = read(rules).replace("    interval: 2m\n", "");
            dir.write(rules.rsplit('/').next().expect("a name"), text);
        }
        let config = format!(
            "global: {{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 500ms }}\n\
             rule_files: ['*.yml']\n\
             scrape_configs: [{{ job_name: httpd, static_configs: [{{ targets: {targets:?} }}] }}]\n"
        );
        let config = dir.write("prometheus.yaml", config);
        let address = format!("127.0.0.1:{}", free_port());
        let mut server = Process::start(
            Command::new("prometheus")
                .arg(format!("--config.file={}", config.display()))
                .arg(format!("--storage.tsdb.path={}", dir.join("data").display()))
                .arg(format!("--web.listen-address={address}"))
                .args(flags),
        );
        wait_for("Prometheus", || {
            assert!(!server.has_ended(), "Prometheus has ended: {}", server.stderr());
            match get(&address, "/-/ready") {
                Ok(answer) if answer.status == 200 => Ok(()),
                Ok(answer) => Err(answer.head),
                Err(e) => Err(e.to_string()),
            }
        });
        Prometheus { address, _server: server, _dir: dir }
    }

    /// The data of an answer, or what is wrong with the question.
    fn ask(&self, path: &str) -> Result<Value, String> {
        let mut stream = TcpStream::connect(&self.address).map_err(|e| e.to_string())?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(|e| e.to_string())?;
        // HTTP/1.0 is answered in one piece.
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").map_err(|e| e.to_string())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(|e| e.to_string())?;
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let json: Value = serde_json::from_str(body).map_err(|e| format!("{e}: {answer}"))?;
        // A question that is wrong stays wrong: no waiting for it.
        assert_eq!(json["status"], "success", "{path}: {}", json["error"]);
        Ok(json["data"].clone())
    }

    /// What is answered to a question now: a series each.
    fn answers(&self, expr: &str) -> Result<Vec<Value>, String> {
        let encoded =
            |b: u8| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") };
        let query: String = expr.bytes().map(encoded).collect();
        let data = self.ask(&format!("/api/v1/query?query={query}"))?;
        data["result"].as_array().cloned().ok_or("no result".to_owned())
    }

    /// How many series have a value that is a number, or a histogram.
    fn series(&self, expr: &str) -> Result<usize, String> {
        let is_number = |series: &&Value| series["value"][1].as_str().is_some_and(|value| value != "NaN");
        let is_answer = |series: &&Value| is_number(series) || series["histogram"].is_array();
        Ok(self.answers(expr)?.iter().filter(is_answer).count())
    }

    /// The value of an expression that gives one.
    fn value(&self, expr: &str) -> Result<f64, String> {
        let answers = self.answers(expr)?;
        let value = answers.first().and_then(|series| series["value"][1].as_str()?.parse().ok());
        value.ok_or("no data".to_owned())
    }
}

/// Without native histograms, with them beside the chosen buckets, and with them alone: Prometheus keeps the native
/// ones where it asks for them.
#[test]
#[ignore = "needs prometheus"]
fn every_panel_and_every_rule_has_an_answer() {
    everything_is_answered("both", &[]);
}

#[test]
#[ignore = "needs prometheus"]
fn every_panel_and_every_rule_has_an_answer_of_native_histograms() {
    everything_is_answered("both", &["--enable-feature=native-histograms"]);
}

#[test]
#[ignore = "needs prometheus"]
fn every_panel_and_every_rule_has_an_answer_of_native_histograms_alone() {
    everything_is_answered("native", &["--enable-feature=native-histograms"]);
}

fn everything_is_answered(histograms: &str, flags: &[&str]) {
    let loads = loads();
    let start = |load: &Load| {
        let args = load.args.iter().map(String::as_str).chain(["--histograms", histograms]);
        Exporter::start(&args.collect::<Vec<_>>())
    };
    let mut exporters: Vec<Exporter> = loads.iter().map(start).collect();
    let others = OtherInputs::start();
    let all = exporters.iter().chain(&others.exporters);
    let targets: Vec<&str> = all.map(|exporter| exporter.address.as_str()).collect();
    let (prometheus, started_all) = (Prometheus::start(&targets, flags), targets.len());
    let mut round = 0;
    let mut feed = || {
        round += 1;
        for (exporter, load) in exporters.iter_mut().zip(&loads) {
            exporter.process.feed((load.lines)(round).as_bytes());
        }
    };
    let mut answered = |title: &str, expr: &str| {
        wait_for(&format!("an answer to `{title}`: {expr}"), || {
            feed();
            match prometheus.series(expr)? {
                0 => Err("no data".to_owned()),
                _ => Ok(()),
            }
        });
    };
    let dashboard = kept_dashboard();
    for question in questions(&dashboard) {
        answered(&question.title, &with_values(&question.expr));
    }
    // Rules on chosen buckets have nothing to record where Prometheus keeps none.
    for record in recorded().iter().filter(|record| flags.is_empty() || !record.contains("_bucket")) {
        answered("recorded", record);
    }
    // Alerts are silent here; what they look at must be there all the same.
    for alert in alerts() {
        for selector in selectors(alert["expr"].as_str().expect("an expression")) {
            answered("alert", &selector);
        }
    }
    // One after another and not only at the end: no rule may have been sick at any time.
    let evaluated = prometheus.ask("/api/v1/rules").expect("rules");
    let groups = evaluated["groups"].as_array().expect("groups");
    let evaluated: Vec<&Value> =
        groups.iter().flat_map(|group| group["rules"].as_array().expect("rules")).collect();
    assert_eq!(evaluated.len(), rules().len());
    for rule in evaluated {
        assert_eq!(rule["health"], "ok", "{}: {}", rule["name"], rule["lastError"]);
    }
    variables_have_values(&prometheus, &dashboard);
    let starts = dashboard["annotations"]["list"][0]["expr"].as_str().expect("an expression");
    wait_for("each start", || match prometheus.series(&with_values(starts))? {
        started if started == started_all => Ok(()),
        started => Err(format!("{started}")),
    });
}

/// `increase()` takes what a series rose by while it was there: one that is new with its first error hides that error.
#[test]
#[ignore = "needs prometheus"]
fn the_first_errors_of_a_known_vhost_are_an_increase() {
    let mut exporter = Exporter::start(&["--format", "%v %h %t \"%r\" %>s %B"]);
    let prometheus = Prometheus::start(&[exporter.address.as_str()], &[]);
    let line = |status: u16| {
        format!("shop.example 192.0.2.7 [22/Nov/2026:09:00:00 +0000] \"GET /cart HTTP/1.1\" {status} 5\n")
    };
    let value = |expr: &str| prometheus.value(expr);
    let errors = r#"httpd_requests_total{vhost="shop.example", method="GET", status_code="500"}"#;
    exporter.process.feed(line(200).as_bytes());
    // The vhost is known, and it has been looked at a few times.
    wait_for("the errors that have not come yet", || {
        match value(&format!("count_over_time({errors}[10m])"))? {
            scrapes if scrapes >= 4.0 => Ok(()),
            scrapes => Err(format!("{scrapes} scrapes")),
        }
    });
    exporter.process.feed(line(500).repeat(3).as_bytes());
    // Prometheus extends the rise to the end of the range, by a part of a scrape's pause.
    wait_for("an increase by three errors", || match value(&format!("round(increase({errors}[10m]))"))? {
        3.0 => Ok(()),
        seen => Err(format!("{seen}")),
    });
    wait_for("three errors", || match value(errors)? {
        3.0 => Ok(()),
        seen => Err(format!("{seen}")),
    });
}

/// Each metric of an expression with its matchers.
fn selectors(expr: &str) -> Vec<String> {
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let mut selectors = Vec::new();
    let mut rest = expr;
    while let Some(start) = rest.find(inside) {
        let word = rest[start..].split(|c| !inside(c)).next().unwrap_or("");
        rest = &rest[start + word.len()..];
        let matchers =
            rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).map(|(matchers, _)| matchers);
        if word.contains("httpd_") || word == "up" {
            selectors.push(format!("{word}{{{}}}", matchers.unwrap_or("")));
        }
    }
    assert!(!selectors.is_empty(), "{expr}");
    selectors
}

/// An expression with what Grafana puts for its variables.
pub fn with_values(expr: &str) -> String {
    let expr = expr.replace("$__rate_interval", "1m").replace("$__range", "1m");
    ["$job", "$instance", "$vhost", "$route", "$method", "$client"]
        .iter()
        .fold(expr, |expr, name| expr.replace(name, ".*"))
}

/// What `label_values` of the variables offers.
fn variables_have_values(prometheus: &Prometheus, dashboard: &Value) {
    let variables = dashboard["templating"]["list"].as_array().expect("variables");
    let mut offered = 0;
    for query in variables.iter().filter_map(|variable| variable["query"]["query"].as_str()) {
        let inside = query
            .strip_prefix("label_values(")
            .and_then(|rest| rest.strip_suffix(')'))
            .expect("label_values");
        let (series, label) = inside.rsplit_once(", ").expect("a series and a label");
        // A scrape that came too late leaves nothing until the next one.
        wait_for(query, || {
            match prometheus.series(&format!("group by ({label}) ({})", with_values(series)))? {
                0 => Err("no value".to_owned()),
                _ => Ok(()),
            }
        });
        offered += 1;
    }
    assert_eq!(offered, 6);
}
