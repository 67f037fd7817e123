//! Labels that strangers choose: memory and page stay bounded, sums exact, and what matters is seen all the same.

use crate::harness::{BINARY, Exporter, Page, Process, get, run, wait_for};
use std::collections::BTreeMap;
use std::fmt::Write;

const FORMAT: &str = r#"%V %h %t "%r" %>s %B %I %D"#;
/// Every label that a stranger can fill.
const LABELS: [&str; 8] =
    ["--label", "path=path", "--label", "q=query:q", "--label", "verb=method", "--route", "auto"];

/// Lines of a scanner that never does anything twice, in pieces; and what they sum up to.
struct Scan {
    lines: u64,
    next: u64,
    sent: u64,
    received: u64,
    micros: u64,
}

impl Scan {
    fn new(lines: u64) -> Scan {
        Scan { lines, next: 0, sent: 0, received: 0, micros: 0 }
    }

    /// A chunk of lines; empty at the end.
    fn chunk(&mut self) -> String {
        let mut text = String::new();
        let end = self.lines.min(self.next + 5000);
        for i in self.next..end {
            let (status, sent, received, micros) = (200 + i % 300, i % 7919, 100 + i % 613, i % 104_729);
            let _ = writeln!(
                text,
                "h{i}.example 203.0.113.9 [03/Feb/2026:04:05:06 +0100] \
                 \"M{i} /p{i}/x{i}?q=v{i} HTTP/1.1\" {status} {sent} {received} {micros}"
            );
            (self.sent, self.received) = (self.sent + sent, self.received + received);
            self.micros += micros;
        }
        self.next = end;
        text
    }
}

/// The sums over the series of a family by the value of one label.
fn by_label(page: &Page, family: &str, label: &str) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for (series, value) in page.series.iter().filter(|(series, _)| series.starts_with(&format!("{family}{{")))
    {
        let rest = series.split_once(&format!("{label}=\"")).expect("every series has the label").1;
        let text = rest.split('"').next().unwrap_or_default().to_owned();
        *sums.entry(text).or_default() += value.parse::<u64>().expect("a whole number");
    }
    sums
}

/// Memory after a scan: before anybody asked for the page, and after.
fn scanned(lines: u64, args: &[&str]) -> (Scan, Exporter, Page, [f64; 2]) {
    let all: Vec<&str> = ["--format", FORMAT].iter().chain(args).copied().collect();
    let mut exporter = Exporter::start(&all);
    let mut scan = Scan::new(lines);
    loop {
        let chunk = scan.chunk();
        if chunk.is_empty() {
            break;
        }
        exporter.process.feed(chunk.as_bytes());
    }
    // What is on the page itself is the memory before the page was written.
    let page = exporter.wait_for_lines(lines);
    let resident = |page: &Page| page.value("process_resident_memory_bytes").expect("Linux says so");
    let after = resident(&exporter.scrape());
    let memory = [resident(&page), after];
    (scan, exporter, page, memory)
}

fn a_scanner_costs_little_and_hides_nothing(lines: u64) {
    let (_, _, _, plain) = scanned(lines, &[]);
    let (scan, exporter, page, labelled) = scanned(lines, &LABELS);
    let grown = [0, 1].map(|at| (labelled[at] - plain[at]) / f64::from(1 << 20));
    let body = get(&exporter.address, "/metrics").expect("it serves").body;
    println!("{lines} lines: {grown:.1?} MiB more than {plain:?}, a page of {} bytes", body.len());
    assert!(body.len() < 16 << 20, "{}", body.len());

    let count = lines as f64;
    assert_eq!(page.sum("httpd_requests_total"), count);
    assert_eq!(page.sum("httpd_bytes_sent_total"), scan.sent as f64);
    assert_eq!(page.sum("httpd_bytes_received_total"), scan.received as f64);
    assert_eq!(page.sum("httpd_request_duration_seconds_count"), count);
    assert_eq!(page.sum("httpd_response_size_bytes_count"), count);
    assert_eq!(page.sum("httpd_response_size_bytes_sum"), scan.sent as f64);
    let seconds = page.sum("httpd_request_duration_seconds_sum");
    assert!((seconds - scan.micros as f64 / 1e6).abs() < 1e-3, "{seconds}");
    for family in ["httpd_request_duration_seconds", "httpd_response_size_bytes"] {
        let all = page
            .series
            .iter()
            .filter(|(s, _)| s.starts_with(&format!("{family}_bucket{{")) && s.contains("+Inf"));
        assert_eq!(all.map(|(_, v)| v.parse::<f64>().expect("a number")).sum::<f64>(), count, "{family}");
    }
    // Each line whose value had no place is under `other` and in the overflow; the series never ran out.
    for label in ["vhost", "path", "q", "verb", "route"] {
        let sums = by_label(&page, "httpd_requests_total", label);
        let overflow = page.value(&format!("httpd_exporter_label_overflow_total{{label=\"{label}\"}}"));
        assert_eq!(overflow, Some(sums.get("other").map_or(0.0, |sum| *sum as f64)), "{label}");
        assert!(sums.len() <= 101, "{label}: {}", sums.len());
    }
    assert!(grown.iter().all(|mib| *mib < 8.0), "{grown:?} MiB");
}

#[test]
fn a_scanner_that_never_repeats_itself_costs_little_and_hides_nothing() {
    a_scanner_costs_little_and_hides_nothing(100_000);
}

#[test]
#[ignore = "needs time"]
fn the_same_with_a_million_lines() {
    a_scanner_costs_little_and_hides_nothing(1_000_000);
}

#[test]
fn long_values_that_come_often_enough_for_a_place_do_not_swell_the_page() {
    let long = |letter: &str, i: u64| format!("{}{i}", letter.repeat(250));
    let mut lines = String::new();
    let count = 15_000;
    for i in 0..count {
        let (host, path, q) = (long("h", i % 97), long("p\\\"", i / 97 % 89), long("q", i / 701 % 83));
        let _ = writeln!(
            lines,
            "{host} 203.0.113.9 [03/Feb/2026:04:05:06 +0100] \"GET /{path}/{q}?q={q} HTTP/1.1\" {} 5 100 1500",
            200 + i % 250
        );
    }
    let args: Vec<&str> = ["--once", "--format", FORMAT].iter().chain(&LABELS).copied().collect();
    let ended = run(&args, lines.as_bytes());
    assert!(ended.stdout.len() < 16 << 20, "{} bytes", ended.stdout.len());
    let page = ended.page();
    assert_eq!(page.sum("httpd_requests_total"), count as f64);
    assert_eq!(page.sum("httpd_bytes_sent_total"), 5.0 * count as f64);
    assert_eq!(page.sum("httpd_request_duration_seconds_count"), count as f64);
    assert!(page.value("httpd_exporter_label_overflow_total{label=\"(series)\"}") > Some(0.0));
}

#[test]
fn what_becomes_frequent_wins_its_place_after_a_scan_and_nothing_ever_goes_down() {
    let mut exporter =
        Exporter::start(&["--format", r#"%h "%r" %>s "%{User-Agent}i""#, "--label", "agent=%{User-Agent}i"]);
    let line = |agent: &str| format!("203.0.113.9 \"GET / HTTP/1.1\" 200 \"{agent}\"\n");
    let (mut fed, mut before) = (0u64, BTreeMap::new());
    for round in 0..10 {
        // The scan alone first; then, from the third round on, every tenth line is the new application's.
        let scan = (0..2000).map(|i| line(&format!("scan/{round}.{i}")));
        let app = (0..200).filter(|_| round >= 2).map(|_| line("app/2"));
        let lines: Vec<String> = scan.chain(app).collect();
        // Mixed, and the same in every run.
        let mixed: String = (0..lines.len()).map(|i| lines[i * 1009 % lines.len()].as_str()).collect();
        exporter.process.feed(mixed.as_bytes());
        fed += lines.len() as u64;
        let page = exporter.wait_for_lines(fed);
        assert_eq!(page.sum("httpd_requests_total"), fed as f64);
        let now = by_label(&page, "httpd_requests_total", "agent");
        for (agent, count) in &before {
            assert!(now.get(agent).is_some_and(|now| now >= count), "{agent} went down from {count}");
        }
        before = now;
    }
    let app = before.get("app/2").copied().unwrap_or_default();
    assert!(app > 1500, "{app} of 1600 requests are seen under the application's own name");
}

#[test]
fn two_values_that_read_the_same_are_one_series_and_no_bytes_break_the_page() {
    let mut lines = Vec::new();
    for agent in [
        &b"\xff\xfe"[..],
        b"\\xff\\xfe",
        b"\\\\xff\\\\xfe",
        b"\xc3\xa9",
        b"other",
        b"a\\nb",
        b"\\x00",
        b"\"\\",
    ] {
        lines.extend_from_slice(b"203.0.113.9 \"GET / HTTP/1.1\" 200 \"");
        lines.extend_from_slice(agent);
        lines.extend_from_slice(b"\"\n");
    }
    let ended = run(
        &["--once", "--format", r#"%h "%r" %>s "%{User-Agent}i""#, "--label", "agent=%{User-Agent}i"],
        &lines,
    );
    // Reading the page fails when a series is there twice.
    let page = ended.page();
    let agents = by_label(&page, "httpd_requests_total", "agent");
    assert_eq!(agents.get("\\\\xff\\\\xfe"), Some(&3), "{agents:?}");
    assert_eq!(agents.get("é"), Some(&1), "{agents:?}");
    assert_eq!(agents.get("a\\nb"), Some(&1), "{agents:?}");
    let lines = page.sum("httpd_exporter_lines_total");
    let malformed = page.value("httpd_exporter_lines_total{outcome=\"malformed\"}");
    assert_eq!(page.sum("httpd_requests_total") + malformed.unwrap_or_default(), lines);
}

#[test]
fn a_server_names_its_hosts_as_it_likes_and_a_stranger_does_not() {
    let hosts = ["Example.ORG", "example.org:8080", "example.org", "[2001:DB8::1]:443"];
    let lines: String = hosts.iter().map(|host| format!("{host} \"GET / HTTP/1.1\" 200\n")).collect();
    let of = |format: &str| {
        let page = run(&["--once", "--format", format], lines.as_bytes()).page();
        by_label(&page, "httpd_requests_total", "vhost").into_keys().collect::<Vec<String>>()
    };
    assert_eq!(of(r#"%v "%r" %>s"#), ["Example.ORG", "[2001:DB8::1]:443", "example.org", "example.org:8080"]);
    for strange in [
        r#"%V "%r" %>s"#,
        r#"%{Host}i "%r" %>s"#,
        r#"$host "$request" $status"#,
        r#"$http_host "$request" $status"#,
    ] {
        assert_eq!(of(strange), ["2001:db8::1", "example.org"], "{strange}");
    }
    let many: String = (0..500).map(|i| format!("h{i} \"GET / HTTP/1.1\" 200\n")).collect();
    for (format, most) in [(r#"%v "%r" %>s"#, 500), (r#"%V "%r" %>s"#, 51)] {
        let page = run(&["--once", "--format", format], many.as_bytes()).page();
        assert_eq!(by_label(&page, "httpd_requests_total", "vhost").len(), most, "{format}");
        assert_eq!(page.sum("httpd_requests_total"), 500.0);
    }
}

#[test]
fn quantiles_are_within_one_percent_of_the_exact_ones() {
    // Most requests take a millisecond, some minutes: the same odd numbers in every run.
    let mut state = 88_172_645_463_325_252_u64;
    let mut micros: Vec<u64> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        // Pareto's law with an infinite mean.
        (300 << 20) / ((state >> 44) + 1)
    })
    .take(30_000)
    .collect();
    let lines: String = micros.iter().map(|micros| format!("GET 200 {micros}\n")).collect();
    let ended =
        run(&["--once", "--format", "%m %>s %D", "--quantiles", "0.01,0.5,0.9,0.99,0.999"], lines.as_bytes());
    let page = ended.page();
    micros.sort_unstable();
    for (quantile, permille) in [("0.01", 10), ("0.5", 500), ("0.9", 900), ("0.99", 990), ("0.999", 999)] {
        let series = format!("httpd_request_duration_quantiles_seconds{{quantile=\"{quantile}\"}}");
        let found = page.value(&series).unwrap_or_else(|| panic!("no {series}"));
        let exact = micros[permille * (micros.len() - 1) / 1000] as f64 / 1e6;
        assert!((found / exact - 1.0).abs() <= 0.0101, "{quantile}: {found} for {exact}");
    }
    let sum = page.value("httpd_request_duration_quantiles_seconds_sum").expect("a sum");
    assert!((sum - micros.iter().sum::<u64>() as f64 / 1e6).abs() < 1e-6, "{sum}");
}

/// Lines of users, orders and posts, from a number on; every user and every post is another one.
fn visits(from: u64, count: u64) -> String {
    let path = |number: u64| match number % 5 {
        0 | 1 => format!("/users/{number}/orders"),
        2 | 3 => format!("/posts/about-{}-and-more", number * 7919 % 5003),
        _ => "/".to_owned(),
    };
    (from..from + count).map(|number| format!("192.0.2.1 \"GET {} HTTP/1.1\" 200\n", path(number))).collect()
}

const VISITS: [&str; 4] = ["--format", "%h \"%r\" %>s", "--route", "auto"];

#[test]
fn the_same_log_gives_the_same_routes_always() {
    let lines = visits(0, 5000);
    let counted = || {
        let ended = run(&[&["--once"], &VISITS[..]].concat(), lines.as_bytes());
        let ours = |line: &&str| line.contains("httpd_requests_total") || line.contains("_bucket");
        ended.stdout.lines().filter(ours).collect::<Vec<_>>().join("\n")
    };
    let first = counted();
    assert!(first.contains("route=\"/posts/:any\""), "{first}");
    assert_eq!([counted(), counted()], [first.clone(), first]);
}

/// Learned once, known for ever: by the next life after a kill, and by one that runs beside another.
#[test]
fn learned_routes_outlive_a_kill_and_are_those_of_all_generations() {
    let directory = crate::harness::TempDir::new();
    let state = directory.join("state").display().to_string();
    let args: Vec<&str> = VISITS.into_iter().chain(["--state-dir", &state]).collect();
    let routes = |page: &Page| by_label(page, "httpd_requests_total", "route");
    let mut first = Exporter::start(&args);
    first.process.feed(visits(0, 4000).as_bytes());
    first.wait_for_lines(4000);
    let before = routes(&first.saved());
    assert!(before["/users/:id/orders"] > 1000 && before["/posts/:any"] > 1000, "{before:?}");
    first.process.signal(nix::sys::signal::Signal::SIGKILL);
    first.process.wait();

    // A few lines, of which nobody could learn: they are counted by what is known.
    let mut second = Exporter::start(&args);
    second.process.feed(visits(9000, 20).as_bytes());
    let page = second.wait_for_lines(4020);
    let after = routes(&page);
    assert_eq!(after["/users/:id/orders"], before["/users/:id/orders"] + 8);
    assert_eq!(after["/posts/:any"], before["/posts/:any"] + 8);
    assert_eq!(after.values().sum::<u64>(), 4020);

    let port: Vec<&str> = args.iter().copied().chain(["--web.listen-address", &second.address]).collect();
    let mut third = Process::start(std::process::Command::new(BINARY).args(port));
    third.feed(visits(9100, 20).as_bytes());
    let both = wait_for("the lines of both", || {
        let both = routes(&second.scrape());
        if both.values().sum::<u64>() == 4040 { Ok(both) } else { Err(format!("{both:?}")) }
    });
    assert_eq!(both.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    assert_eq!(both["/posts/:any"], after["/posts/:any"] + 8);
}

#[test]
fn a_page_that_is_read_while_routes_are_learned_shows_no_single_post() {
    let mut exporter = Exporter::start(&VISITS);
    let line = |path: &str| format!("192.0.2.1 \"GET {path} HTTP/1.1\" 200\n");
    let mut fed = 0;
    for round in 0..8u64 {
        let hot: String = line("/posts/the-one-of-today").repeat(40);
        exporter.process.feed((hot + &line("/").repeat(10) + &visits(round * 50, 50)).as_bytes());
        fed += 100;
        let routes = by_label(&exporter.wait_for_lines(fed), "httpd_requests_total", "route");
        assert!(!routes.keys().any(|route| route.contains("today") || route.contains("about")), "{routes:?}");
        assert_eq!(routes.values().sum::<u64>(), fed);
        assert!(round < 3 || routes.contains_key("/users/:id/orders"), "{routes:?}");
    }
}

/// The processor's time of a run over a log, which other processes of the machine disturb less than the clock's.
fn seconds(args: &[&str], lines: &[u8], wanted: u64) -> f64 {
    let page = run(args, lines).page();
    assert_eq!(page.sum("httpd_requests_total"), wanted as f64);
    page.value("process_cpu_seconds_total").expect("Linux says so")
}

#[test]
#[ignore = "needs time"]
fn ten_thousand_routes_cost_no_more_than_ten() {
    let directory = crate::harness::TempDir::new();
    let routes = |count: u64| (0..count).map(|i| format!("/shop{i}/:item/reviews\n")).collect::<String>();
    let few = format!("@{}", directory.write("few", routes(10)).display());
    let many = format!("@{}", directory.write("many", routes(10_000)).display());
    // The same ten routes are asked for; what it takes to read ten thousand, and to write them, is left out.
    let count = 100_000;
    let lines: String =
        (0..count).map(|i| format!("\"GET /shop{}/{i}/reviews HTTP/1.1\" 200\n", i % 10)).collect();
    let args = |routes| ["--once", "--format", "\"%r\" %>s", "--route", routes];
    // The system counts in hundredths of a second.
    let no_more = |[few, many]: [f64; 2]| many < 1.2 * few + 0.02;
    let (mut quickest, mut ratios) = ([[f64::INFINITY; 2]; 2], Vec::new());
    let without_start = |[all, start]: [f64; 2]| all - start;
    // Other work on the machine makes runs slower and never quicker, so the quickest of each are what they cost. Where
    // it is busy all the time but for moments, the two that ran side by side are compared.
    for round in 0..20 {
        let both = [&few, &many].map(|routes| {
            let args = args(routes.as_str());
            [seconds(&args, lines.as_bytes(), count), seconds(&args, b"", 0)]
        });
        for (least, new) in quickest.as_flattened_mut().iter_mut().zip(both.as_flattened()) {
            *least = least.min(*new);
        }
        ratios.push((both[1][0] - quickest[1][1] - 0.02) / (both[0][0] - quickest[0][1]));
        if round >= 2 && no_more(quickest.map(without_start)) {
            break;
        }
    }
    ratios.sort_by(f64::total_cmp);
    let ([few, many], usual) = (quickest.map(without_start), ratios[ratios.len() / 2]);
    println!("{count} lines against 10 routes {few} s, against 10,000 {many} s; usually {usual} times");
    assert!(no_more([few, many]) || usual < 1.2, "{many} s against {few} s, usually {usual} times");
}

#[test]
fn files_of_arguments_and_routes_may_come_from_windows() {
    let directory = crate::harness::TempDir::new();
    let routes = directory.write("routes", "# ours\r\n/a/:b\r\n\r\n");
    let args = directory.write(
        "args",
        format!("--once \r\n--format common\r\n--route\t@{}\r\n--label=user=%u\r\n", routes.display()),
    );
    let line = b"203.0.113.9 - ann [03/Feb/2026:04:05:06 +0100] \"GET /a/b HTTP/1.1\" 200 5\r\n";
    let ended = run(&[&format!("@{}", args.display())], line);
    let series = r#"httpd_requests_total{method="GET",route="/a/:b",status_code="200",user="ann"}"#;
    assert_eq!(ended.page().value(series), Some(1.0), "{}", ended.stderr);
}

/// A log in which everything is scarce: more hosts, paths, agents and sets of them than have a place, all skewed.
fn a_log_that_meets_every_bound() -> String {
    let mut seed = 7u64;
    let mut roll = |sides: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % sides
    };
    let mut text = String::new();
    for _ in 0..40_000 {
        let (host, page, word) = (roll(60) * roll(60), roll(90) * roll(40), roll(500).min(roll(500)));
        let _ = writeln!(
            text,
            "h{host}.example 203.0.113.9 [03/Feb/2026:04:05:06 +0100] \
             \"GET /s{}/page-{page} HTTP/1.1\" {} {word} 100 {}",
            word % 7,
            200 + roll(9),
            roll(1_000_000)
        );
    }
    text
}

#[test]
fn the_same_log_gives_the_same_page() {
    let log = a_log_that_meets_every_bound();
    let args =
        ["--once", "--format", FORMAT, "--label", "path=path", "--label", "size=%B", "--route", "auto"];
    let bounds = ["--max-values", "60", "--max-series", "500"];
    let own = ["process_", "httpd_exporter_input_wait_seconds_total", "# "];
    let page = || {
        let ended = run(&[&args[..], &bounds[..]].concat(), log.as_bytes());
        let lines = ended.stdout.lines().filter(|line| !own.iter().any(|name| line.starts_with(name)));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let first = page();
    assert!(first.iter().any(|line| line.starts_with("httpd_exporter_label_overflow_total{label=\"path\"}")));
    for _ in 0..3 {
        assert_eq!(page(), first);
    }
}
