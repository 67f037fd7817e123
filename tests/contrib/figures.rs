//! What panels and rules answer, held against a count of the lines: a real Prometheus has a history in which one minute
//! is like the other, so every rate of it is known.

use super::{RULES, kept_dashboard, questions, root, rules_of};
use crate::harness::{Exporter, TempDir, run, wait_for};
use crate::servers::prometheus::{Prometheus, percent_encoded};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;
use yaml_rust2::Yaml;

/// 3 February 2026, 00:00 UTC, two hours later, and the end of the log.
const BEGIN: u64 = 1_770_076_800;
const ASKED: u64 = BEGIN + 2 * 3600;
const MINUTES: u64 = 130;

/// One of the sixty requests of each minute.
struct Request {
    host: &'static str,
    method: &'static str,
    /// With what the routes make of it.
    path: (String, &'static str),
    status: u16,
    sent: u64,
    received: u64,
    millis: u64,
    /// Every other one is answered without an upstream.
    upstream: Option<u64>,
    first_byte: Option<u64>,
    /// A user agent and its kind.
    agent: (&'static str, &'static str),
}

const AGENTS: [(&str, &str); 3] = [
    ("Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)", "ai_crawler"),
    ("curl/8.14.1", "tool"),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0", "browser"),
];

fn minute() -> Vec<Request> {
    let request = |number: u64| {
        let millis = (number * 37 % 60).pow(2) + 3;
        let has_upstream = number.is_multiple_of(2);
        Request {
            host: if number.is_multiple_of(3) { "b.example" } else { "a.example" },
            method: if number % 10 == 7 { "POST" } else { "GET" },
            path: match number % 4 {
                0 => (format!("/users/{number}/orders"), "/users/:id/orders"),
                1 => ("/static/site.css".to_owned(), "/static/*"),
                _ => ("/".to_owned(), "other"),
            },
            status: match number {
                5 | 25 => 503,
                11 => 500,
                17 | 18 => 404,
                20 => 301,
                33 | 34 => 499,
                40 => 101,
                _ => 200,
            },
            sent: 300 + number * number * 40,
            received: 100 + number,
            millis,
            upstream: has_upstream.then_some(millis / 2),
            first_byte: has_upstream.then_some(millis / 3),
            agent: AGENTS[usize::try_from(number % 5).expect("small").min(2)],
        }
    };
    (0..60).map(request).collect()
}

fn seconds(millis: u64) -> String {
    format!("{}.{:03}", millis / 1000, millis % 1000)
}

fn log(minute: &[Request]) -> String {
    let mut text = String::new();
    for number in 0..MINUTES {
        for (second, of) in minute.iter().enumerate() {
            let [first_byte, upstream] =
                [of.first_byte, of.upstream].map(|time| time.map_or_else(|| "-".to_owned(), seconds));
            let _ = writeln!(
                text,
                "192.0.2.1 - - [03/Feb/2026:{:02}:{:02}:{second:02} +0000] \"{} {} HTTP/1.1\" {} {} \"-\" \"{}\" {} {} {} \
                 {first_byte} {upstream}",
                number / 60,
                number % 60,
                of.method,
                of.path.0,
                of.status,
                of.sent,
                of.agent.0,
                of.host,
                of.received,
                seconds(of.millis),
            );
        }
    }
    text
}

/// By the values of the labels that an answer has, but for those of the scrape.
type Answer = BTreeMap<String, f64>;

fn one(value: f64) -> Answer {
    Answer::from([(String::new(), value)])
}

/// What is known of some requests of a minute.
#[derive(Clone)]
struct Known<'r>(Vec<&'r Request>);

impl<'r> Known<'r> {
    fn of(&self, which: impl Fn(&Request) -> bool) -> Known<'r> {
        Known(self.0.iter().copied().filter(|request| which(request)).collect())
    }

    fn count(&self) -> f64 {
        self.0.len() as f64
    }

    fn rate(&self) -> f64 {
        self.count() / 60.0
    }

    fn sum(&self, of: impl Fn(&Request) -> u64) -> f64 {
        self.0.iter().map(|request| of(request)).sum::<u64>() as f64
    }

    fn share(&self, which: impl Fn(&Request) -> bool) -> f64 {
        self.of(which).count() / self.count()
    }

    /// For each value of a label.
    fn by(&self, label: impl Fn(&Request) -> String, figure: impl Fn(&Known) -> f64) -> Answer {
        let mut groups: BTreeMap<String, Vec<&Request>> = BTreeMap::new();
        self.0.iter().for_each(|request| groups.entry(label(request)).or_default().push(request));
        groups.into_iter().map(|(value, group)| (value, figure(&Known(group)))).collect()
    }

    /// As Prometheus documents histogram_quantile: linear between the bounds of the bucket of that rank.
    fn quantile(&self, quantile: f64, bounds: &[f64], of: impl Fn(&Request) -> Option<f64>) -> f64 {
        let values: Vec<f64> = self.0.iter().filter_map(|request| of(request)).collect();
        let below = |bound: f64| values.iter().filter(|value| **value <= bound).count() as f64;
        let rank = quantile * values.len() as f64;
        let bucket = bounds.iter().position(|bound| below(*bound) >= rank).expect("all are below the last");
        let (low, before) = match bucket {
            0 => (0.0, 0.0),
            _ => (bounds[bucket - 1], below(bounds[bucket - 1])),
        };
        low + (bounds[bucket] - low) * (rank - before) / (below(bounds[bucket]) - before)
    }

    fn slow(&self, quantile: f64) -> f64 {
        self.quantile(quantile, &TIMES, duration)
    }

    fn large(&self, quantile: f64) -> f64 {
        self.quantile(quantile, &SIZES, |request| Some(request.sent as f64))
    }

    /// What came in five minutes below each bound.
    fn heat(&self, bounds: &[f64], of: impl Fn(&Request) -> f64) -> Answer {
        let bounds = bounds.iter().copied().chain([f64::INFINITY]);
        bounds.map(|bound| (bound.to_string(), 5.0 * self.of(|it| of(it) <= bound).count())).collect()
    }
}

/// The buckets that are documented as those by default.
const TIMES: [f64; 16] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0];
const SIZES: [f64; 11] = [
    256.0,
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
    268_435_456.0,
];

fn rate(known: &Known) -> f64 {
    known.rate()
}

fn duration(request: &Request) -> Option<f64> {
    Some(request.millis as f64 / 1000.0)
}

fn is_error(request: &Request) -> bool {
    request.status >= 500
}

fn is_slow_or_error(request: &Request) -> bool {
    is_error(request) || request.millis >= 300
}

fn is_ai(request: &Request) -> bool {
    request.agent.1 == "ai_crawler"
}

const BY_STATUS: fn(&Request) -> String = |request| request.status.to_string();
const BY_HOST: fn(&Request) -> String = |request| request.host.to_owned();
const BY_ROUTE: fn(&Request) -> String = |request| request.path.1.to_owned();
const BY_CLIENT: fn(&Request) -> String = |request| request.agent.1.to_owned();

/// What the log tells of a panel's question; the place is that among the questions of the panel.
fn of_panel(title: &str, place: usize, all: &Known) -> Option<Answer> {
    let is_class = |class: usize| move |request: &Request| usize::from(request.status) / 100 == class;
    let in_progress = |known: &Known| known.sum(|request| request.millis) / 1000.0 / 60.0;
    let bytes = |known: &Known| known.sum(|request| request.sent) / 60.0;
    let is_aborted = |request: &Request| request.status == 499;
    Some(match (title, place) {
        ("Requests", _) => one(all.rate()),
        ("Server errors", _) | ("Errors by share", 1) => one(all.share(is_error)),
        ("Errors by share", _) => one(all.share(is_class(4))),
        ("Duration, 95 %", _) | ("Total, first byte and upstream, 95 %", 0) => one(all.slow(0.95)),
        ("Requests in progress" | "Requests in progress by instance", _) => one(in_progress(all)),
        ("Requests by class of status", class) => one(all.of(is_class(class + 1)).rate()),
        ("Durations", place) => one(all.slow([0.5, 0.95, 0.99][place])),
        ("Bad requests by objective", _) => {
            [("up", all.share(is_error)), ("fast", all.share(is_slow_or_error))]
                .map(|(slo, share)| (slo.to_owned(), share))
                .into()
        }
        ("Requests by status code", _) => all.by(BY_STATUS, rate),
        ("Requests by method", _) => all.by(|request| request.method.to_owned(), rate),
        ("Status codes in the time shown", _) => all.by(BY_STATUS, |known| 60.0 * known.count()),
        ("Requests by virtual host", _) => all.by(BY_HOST, rate),
        ("Requests by route", _) => all.by(BY_ROUTE, rate),
        ("Server errors by route", _) => all.by(BY_ROUTE, |known| known.share(is_error)),
        ("Duration by virtual host, 95 %", _) => all.by(BY_HOST, |known| known.slow(0.95)),
        ("Duration by route, 95 %", _) => all.by(BY_ROUTE, |known| known.slow(0.95)),
        ("Requests in progress by route", _) => all.by(BY_ROUTE, in_progress),
        ("Requests by kind of client", _) => all.by(BY_CLIENT, rate),
        ("Bytes by kind of client", _) => all.by(BY_CLIENT, bytes),
        ("Share of AI crawlers", 0) => one(all.share(is_ai)),
        ("Share of AI crawlers", _) => one(bytes(&all.of(is_ai)) / bytes(all)),
        ("Durations as a heat map", _) => all.heat(&TIMES, |request| request.millis as f64 / 1000.0),
        ("Mean duration by class of status", _) => {
            let class = |request: &Request| format!("{}xx", request.status / 100);
            all.by(class, |known| known.sum(|request| request.millis) / 1000.0 / known.count())
        }
        ("Traffic", 0) => one(bytes(all)),
        ("Traffic", _) => one(all.sum(|request| request.received) / 60.0),
        ("Response sizes as a heat map", _) => all.heat(&SIZES, |request| request.sent as f64),
        ("Response sizes", 2) => one(all.sum(|request| request.sent) / all.count()),
        ("Response sizes", place) => one(all.large([0.5, 0.95][place])),
        ("Total, first byte and upstream, 95 %", place) => {
            let millis = |of: &Request| if place == 1 { of.first_byte } else { of.upstream };
            one(all.quantile(0.95, &TIMES, |request| millis(request).map(|millis| millis as f64 / 1000.0)))
        }
        ("Time spent upstream", _) => {
            one(all.sum(|request| request.upstream.unwrap_or(0)) / all.sum(|request| request.millis))
        }
        ("Aborted requests by share", _) => one(all.share(is_aborted)),
        ("Aborted requests by virtual host", _) => all.of(is_aborted).by(BY_HOST, rate),
        _ => return None,
    })
}

/// Panels that ask for what no log has: the exporter itself, its clock, and what the rules record.
const OF_NO_LOG: [&str; 25] = [
    "Error budget left",
    "Burn rates",
    "Different values today",
    "Different values by the hour",
    "Quantiles of the exporter",
    "Invalid requests",
    "Ready",
    "Lag behind the log",
    "Generations",
    "Malformed lines",
    "Bytes lost by the tee",
    "State errors",
    "Lines by outcome",
    "Malformed lines by reason",
    "Label overflow",
    "Input",
    "Not read yet of followed files",
    "Rotations seen",
    "Datagrams lost",
    "Reading waits for counting",
    "Chunks queued",
    "CPU",
    "Memory",
    "Scrapes and refused connections",
    "Formats and versions",
];

/// Of which requests, which of them are bad, and which part of them may be.
type BudgetFigure<'f> = &'f dyn Fn(&Known, fn(&Request) -> bool, f64) -> f64;

/// What the log tells of a rule.
fn of_rule(record: &str, all: &Known) -> Option<Answer> {
    let bytes = |known: &Known| known.sum(|request| request.sent) / 60.0;
    let errors = all.of(is_error);
    let (bad, slow) = (errors.rate(), all.of(is_slow_or_error).rate());
    let budget = |figure: BudgetFigure| -> Answer {
        let mut answer = Answer::new();
        for (slo, is_bad, objective) in
            [("up", is_error as fn(&Request) -> bool, 0.999), ("fast", is_slow_or_error, 0.99)]
        {
            answer.insert(slo.to_owned(), figure(all, is_bad, 1.0 - objective));
        }
        answer
    };
    let burn = |known: &Known, is_bad: fn(&Request) -> bool, budget: f64| known.share(is_bad) / budget;
    // By virtual host as well.
    let with_hosts = |of: &dyn Fn(&Known) -> [f64; 2]| -> Answer {
        let mut answer = Answer::new();
        for (host, known) in ["", "a.example", "b.example"]
            .map(|host| (host, all.of(|request| host.is_empty() || request.host == host)))
        {
            for (slo, figure) in ["up", "fast"].into_iter().zip(of(&known)) {
                answer.insert(if host.is_empty() { slo.to_owned() } else { format!("{slo},{host}") }, figure);
            }
        }
        answer
    };
    Some(match record {
        "job:httpd_requests:rate5m" | "job_instance:httpd_requests:rate5m" => one(all.rate()),
        "job_vhost:httpd_requests:rate5m" => all.by(BY_HOST, rate),
        "job_status_code:httpd_requests:rate5m" => all.by(BY_STATUS, rate),
        "job_route:httpd_requests:rate5m" => all.by(BY_ROUTE, rate),
        "job:httpd_errors:rate5m" | "job_instance:httpd_errors:rate5m" => one(bad),
        "job_vhost:httpd_errors:rate5m" => errors.by(BY_HOST, rate),
        "job:httpd_errors:ratio_rate5m" => one(bad / all.rate()),
        "job:httpd_bytes_sent:rate5m" => one(bytes(all)),
        "job:httpd_bytes_received:rate5m" => one(all.sum(|request| request.received) / 60.0),
        "job_client:httpd_requests:rate5m" => all.by(BY_CLIENT, rate),
        "job_client:httpd_bytes_sent:rate5m" => all.by(BY_CLIENT, bytes),
        "job:httpd_ai_crawler_requests:ratio_rate5m" => one(all.share(is_ai)),
        "job:httpd_ai_crawler_bytes_sent:ratio_rate5m" => one(bytes(&all.of(is_ai)) / bytes(all)),
        "job_le:httpd_request_duration_seconds_bucket:rate5m" => {
            let heat = all.heat(&TIMES, |request| request.millis as f64 / 1000.0);
            heat.into_iter().map(|(bound, count)| (bound, count / 300.0)).collect()
        }
        "job:httpd_request_duration_seconds:p50_rate5m" => one(all.slow(0.5)),
        "job:httpd_request_duration_seconds:p95_rate5m" => one(all.slow(0.95)),
        "job:httpd_request_duration_seconds:p99_rate5m" => one(all.slow(0.99)),
        "job:httpd_requests_in_progress:mean5m" => one(all.sum(|request| request.millis) / 60_000.0),
        "slo:httpd_objective:ratio" => [("up".to_owned(), 0.999), ("fast".to_owned(), 0.99)].into(),
        "slo:httpd_all_requests:rate5m" => with_hosts(&|known| [known.rate(); 2]),
        "slo:httpd_bad_requests:rate5m" => {
            with_hosts(&|known| [known.of(is_error).rate(), known.of(is_slow_or_error).rate()])
        }
        "slo:httpd_bad_requests:increase1h" => with_hosts(&|known| {
            [known.of(is_error), known.of(is_slow_or_error)].map(|bad| 60.0 * bad.count())
        }),
        "slo:httpd_budget_burn:limit" => budget(&|_, _, budget| (1.0 - (1.0 - budget) / 10.0) / budget),
        "slo:httpd_budget_left:ratio30d" => {
            budget(&|known, is_bad, budget| 1.0 - burn(known, is_bad, budget))
        }
        name if name.starts_with("slo:httpd_budget_burn:rate") => {
            assert!(slow > bad);
            budget(&burn)
        }
        _ => return None,
    })
}

/// Rules that ask for what no log has, and those that look back further than this one goes.
fn is_of_no_log(record: &str) -> bool {
    record.contains("httpd_exporter") || record.starts_with("slo:httpd_bad_requests:increase")
}

/// A rule's expression with those of the rules that it names in their places, as Prometheus has no time to record them.
fn expanded(expr: &str, rules: &BTreeMap<String, String>) -> String {
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let (mut text, mut rest) = (String::new(), expr);
    while let Some(start) = rest.find(inside) {
        let end = rest[start..].find(|c| !inside(c)).map_or(rest.len(), |length| start + length);
        let word = &rest[start..end];
        text.push_str(&rest[..start]);
        rest = &rest[end..];
        let Some(rule) = rules.get(word) else {
            text.push_str(word);
            continue;
        };
        let mut rule = expanded(rule, rules);
        if let Some((matchers, behind)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            assert!(rule.contains('{'), "{rule} takes a matcher");
            rule = rule.replace('{', &format!("{{{matchers}, "));
            rest = behind;
        }
        let window = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let _ = match window {
            Some((window, behind)) => {
                rest = behind;
                write!(text, "({rule})[{window}:1m]")
            }
            None => write!(text, "({rule})"),
        };
    }
    text + rest
}

/// Expressions by the names that they are recorded under; rows of one name are one expression.
fn recorded() -> BTreeMap<String, String> {
    let mut recorded: BTreeMap<String, String> = BTreeMap::new();
    let files: Vec<&str> =
        RULES.into_iter().filter(|file| file.starts_with("contrib/prometheus/rules/")).collect();
    for rule in rules_of(&files) {
        let Some(name) = rule["record"].as_str() else { continue };
        let mut expr = rule["expr"].as_str().expect("an expression").to_owned();
        for (label, value) in rule["labels"].as_hash().into_iter().flatten() {
            let [label, value] = [label, value].map(|text| Yaml::as_str(text).expect("text"));
            expr = format!("label_replace({expr}, \"{label}\", \"{value}\", \"\", \"\")");
        }
        let union =
            recorded.remove(name).map_or_else(|| expr.clone(), |before| format!("{before} or {expr}"));
        recorded.insert(name.to_owned(), union);
    }
    recorded
}

fn asked(prometheus: &Prometheus, expr: &str) -> Answer {
    let path = format!("/api/v1/query?query={}&time={ASKED}", percent_encoded(expr));
    // One that has just begun may have no answer yet.
    let json = wait_for(expr, || prometheus.ask(&path));
    answer_of(&json, expr)
}

fn answer_of(json: &Value, expr: &str) -> Answer {
    assert_eq!(json["status"], "success", "{expr}: {json}");
    let series = json["data"]["result"].as_array().expect("a vector").iter().map(|series| {
        let labels = series["metric"].as_object().expect("labels");
        let of_log =
            labels.iter().filter(|(name, _)| !["__name__", "job", "instance"].contains(&name.as_str()));
        let text = |(name, value): (&String, &Value)| match (name.as_str(), value.as_str().expect("text")) {
            ("le", bound) => bound.parse::<f64>().expect("a bound").to_string(),
            (_, value) => value.to_owned(),
        };
        let labels: Vec<String> = of_log.map(text).collect();
        (labels.join(","), series["value"][1].as_str().expect("a value").parse().expect("a number"))
    });
    series.collect()
}

/// What is 0 need not be there, and what is there may be 0.
fn assert_equal(what: &str, seen: &Answer, known: &Answer) {
    let names = seen.keys().chain(known.keys());
    for name in names {
        let [seen, known] = [seen, known].map(|answer| answer.get(name).copied().unwrap_or(0.0));
        assert!(
            (seen - known).abs() <= known.abs() * 1e-6,
            "{what}: {name} is {seen}, and {known} in the log"
        );
    }
    assert!(known.values().any(|value| *value != 0.0), "{what}: nothing is known");
}

/// A directory whose `data` has the blocks of the history.
fn imported(minute: &[Request]) -> TempDir {
    let dir = TempDir::new();
    let log = dir.write("access.log", log(minute)).display().to_string();
    let history = dir.join("history").display().to_string();
    let format = format!("@{}", root().join("contrib/nginx/httpd_exporter.args").display());
    let args = ["--history", &history, &format, "--route", "/users/:id/orders", "--route", "/static/*"];
    let labels = ["--label", "client=client", "--slo.labels", "vhost"];
    let slos = ["--slo", "up=status<500", "--slo", "fast=duration<0.3,status<500"];
    let ended = run(&[&args[..], &labels, &slos, &[&log]].concat(), b"");
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let data = dir.join("data");
    std::fs::create_dir(&data).expect("a directory of ours");
    let imported =
        Command::new("sh").arg(dir.join("history/import.sh")).arg(&data).output().expect("a shell");
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    dir
}

#[test]
#[ignore = "needs prometheus"]
fn panels_and_rules_answer_what_a_count_of_the_lines_says() {
    let minute = minute();
    let all = Known(minute.iter().collect());
    // What is scraped is of no matter.
    let keep = "--storage.tsdb.retention.time=100y";
    let prometheus = Prometheus::start_in(imported(&minute), "127.0.0.1:9", &[keep]);
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for question in questions(&kept_dashboard()) {
        let place = places.entry(question.title.clone()).or_default();
        let known = of_panel(&question.title, *place, &all);
        *place += 1;
        let is_of_no_log = OF_NO_LOG.contains(&question.title.as_str());
        assert_ne!(known.is_some(), is_of_no_log, "{}: what should it answer?", question.title);
        if let Some(known) = known {
            let expr = question.expr.replace("$__rate_interval", "5m").replace("$__range", "1h");
            let seen = asked(&prometheus, &super::answers::with_values(&expr));
            assert_equal(&question.title, &seen, &known);
        }
    }
    let rules = recorded();
    for (record, expr) in
        rules.iter().filter(|(name, _)| !name.contains("http_server_") && !name.contains("site"))
    {
        match of_rule(record, &all) {
            Some(known) => assert_equal(record, &asked(&prometheus, &expanded(expr, &rules)), &known),
            None => assert!(is_of_no_log(record), "{record}: what should it answer?"),
        }
    }
}

/// What the exporter says of itself, as counts since its start and not as rates: of lines that are all known.
#[test]
#[ignore = "needs prometheus"]
fn panels_of_the_exporter_answer_what_a_count_of_the_lines_says() {
    let many = |count: usize, line: &str| format!("{line}\n").repeat(count);
    let fed = [
        many(40, r#"a.example 192.0.2.1 "GET / HTTP/1.1" 200"#),
        many(9, r#"a.example 192.0.2.2 "GET / HTTP/1.1" 200"#),
        many(3, r#"a.example 192.0.2.3 "\x16\x03" 400"#),
        many(2, r#"b.example 192.0.2.3 "-" 408"#),
        // These are no lines of the format.
        many(5, "no line"),
        many(4, ""),
        many(6, r#"a.example 192.0.2.9 "GET / HTTP/1.1" xyz"#),
    ];
    let fed = fed.concat();
    let mut exporter = Exporter::start(&["--format", r#"%v %h "%r" %>s"#]);
    exporter.process.feed(fed.as_bytes());
    exporter.wait_for_lines(69);
    let prometheus = Prometheus::start(&exporter.address);
    let [good, malformed, bytes] = [54.0, 15.0, fed.len() as f64];
    let of = |figures: &[(&str, f64)]| -> Answer {
        figures.iter().map(|(name, figure)| ((*name).to_owned(), *figure)).collect()
    };
    let known = [
        ("Invalid requests", of(&[("tls", 3.0), ("timeout", 2.0)])),
        ("Ready", one(1.0)),
        ("Generations", one(1.0)),
        ("Malformed lines", one(malformed / (good + malformed))),
        ("Lines by outcome", of(&[("counted", good), ("malformed", malformed)])),
        ("Malformed lines by reason", of(&[("truncated", 5.0), ("empty", 4.0), ("value", 6.0)])),
        ("Input", one(bytes)),
    ];
    let questions = questions(&kept_dashboard());
    for (title, known) in known {
        let question = questions.iter().find(|question| question.title == title).expect("the panel is there");
        let counts = question.expr.replace("rate(", "(").replace("[$__rate_interval]", "");
        let path = format!("/api/v1/query?query={}", percent_encoded(&super::answers::with_values(&counts)));
        let seen = wait_for(title, || {
            let seen = answer_of(&prometheus.ask(&path)?, &counts);
            if seen.is_empty() { Err("no data".to_owned()) } else { Ok(seen) }
        });
        assert_equal(title, &seen, &known);
    }
}
