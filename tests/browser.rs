//! The page at `/`, as a person sees it: in Chromium, while lines flow at a known rate.
//!
//! Pictures of it are left in the target's tmp directory to be looked at; with BLESS=1 those of the README are
//! written anew.

mod webdriver;

use crate::harness::{Exporter, Page, Process, TempDir, get, run, wait_for, wait_until};
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime};
use webdriver::Browser;

const FORMAT: &str = r#"%v %{sec}t "%r" %>s %O %D"#;
const ROUTES: [&str; 6] = ["--route", "/users/:id", "--route", "/static/*", "--route", "/orders"];

/// Lines a second; one of a hundred is malformed.
const RATE: usize = 1000;
/// How many are written at once.
const BURST: usize = 20;

/// Names that strangers choose, and one that is too long for its column.
const HOSTS: [&str; 4] = [
    "shop.example",
    "<script>alert(1)</script>",
    "\"onmouseover=",
    "a-very-long-name-of-a-host.behind.a.proxy.example",
];
const PICTURED_HOSTS: [&str; 4] = ["www.example", "shop.example", "api.example", "static.example"];

fn line(number: usize, hosts: [&str; 4]) -> String {
    if number % 100 == 99 {
        return ["", "-", "www.example yesterday"][number / 100 % 3].to_owned() + "\n";
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("the clock is set").as_secs();
    let path = ["/users/17", "/static/app.js", "/orders", "/users/4711", "/about"][number % 5];
    // A few more failures in some seconds than in others, so that there is something to see.
    let failing = number / RATE % 20 > 13;
    let status = match number % 64 {
        0 => 500,
        5 | 9 if failing => 503,
        1 | 2 => 404,
        3..8 => 304,
        8 => 301,
        _ => 200,
    };
    // Every hundred lines have the same durations, from 2 ms to 250 ms, in an order that goes with no status.
    let micros = 2000 + (number * 37 % 100).pow(2) * 25;
    let host = hosts[[0, 0, 0, 1, 1, 2, 3][number % 7]];
    let bytes = 500 + number * 7919 % 20_000;
    format!("{host} {now} \"GET {path} HTTP/1.1\" {status} {bytes} {micros}\n")
}

/// Writes lines at the known rate, on time however late one write is.
fn flow(process: &mut Process, seconds: usize, hosts: [&str; 4]) {
    let start = Instant::now();
    for first in (0..seconds * RATE).step_by(BURST) {
        let due = Duration::from_secs_f64(first as f64 / RATE as f64);
        thread::sleep(due.saturating_sub(start.elapsed()));
        process.feed((first..first + BURST).map(|number| line(number, hosts)).collect::<String>().as_bytes());
    }
}

fn start() -> Exporter {
    Exporter::start(&[&["--format", FORMAT], &ROUTES[..]].concat())
}

fn url(exporter: &Exporter) -> String {
    format!("http://{}/", exporter.address)
}

/// The quantile of all series of a histogram together, interpolated as Prometheus does.
fn quantile(page: &Page, q: f64) -> f64 {
    let mut buckets: Vec<(f64, f64)> = Vec::new();
    for (series, value) in &page.series {
        let Some(labels) = series.strip_prefix("httpd_request_duration_seconds_bucket{") else { continue };
        let bound = labels.rsplit_once("le=\"").expect("a bucket has a bound").1.trim_end_matches("\"}");
        let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().expect("a number") };
        let count: f64 = value.parse().expect("a number");
        match buckets.iter_mut().find(|bucket| bucket.0 == bound) {
            Some(bucket) => bucket.1 += count,
            None => buckets.push((bound, count)),
        }
    }
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    let rank = q * buckets.last().expect("the histogram is there").1;
    let place = buckets.partition_point(|bucket| bucket.1 < rank);
    let below = if place == 0 { (0.0, 0.0) } else { buckets[place - 1] };
    below.0 + (buckets[place].0 - below.0) * (rank - below.1) / (buckets[place].1 - below.1)
}

fn near(value: Option<f64>, truth: f64, share: f64, what: &str) {
    let value = value.unwrap_or_else(|| panic!("{what} is no number"));
    assert!((value - truth).abs() <= truth * share, "{what} is {value} on the page, and {truth} in truth");
}

fn keep_picture(browser: &Browser, name: &str, blessed: bool) {
    let picture = browser.picture();
    assert!(picture.starts_with(b"\x89PNG"), "{name} is a picture");
    fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name), &picture).expect("the target is writable");
    if blessed {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
        fs::create_dir_all(&docs).expect("the project is writable");
        fs::write(docs.join(name), &picture).expect("the project is writable");
    }
}

fn pictures(browser: &Browser, blessed: bool) {
    for (name, width, scheme, of_the_readme) in [
        ("live.png", 1000, "light", true),
        ("live-dark.png", 1000, "dark", true),
        ("live-phone.png", 390, "light", false),
        ("live-phone-dark.png", 390, "dark", false),
    ] {
        browser.look(width, 700, scheme);
        keep_picture(browser, name, blessed && of_the_readme);
        let wide = browser.value("return document.documentElement.scrollWidth");
        assert!(wide.as_u64() <= Some(width.into()), "nothing is cut at {width} pixels: {wide}");
    }
}

/// What the page shows of lines that are still flowing, held against what is known of them.
fn figures_are_true(browser: &Browser, exporter_address: &str) {
    let truth = RATE as f64 * 0.99;
    near(browser.number("requests"), truth, 0.05, "the request rate");
    let page = crate::harness::scrape(exporter_address).expect("the exporter answers");
    let requests = page.sum("httpd_requests_total");
    near(
        browser.number("bytes-sent"),
        truth * page.sum("httpd_bytes_sent_total") / requests / 1e6,
        0.05,
        "megabytes",
    );
    for (id, q) in [("duration-p50", 0.5), ("duration-p95", 0.95), ("duration-p99", 0.99)] {
        near(browser.number(id), quantile(&page, q) * 1000.0, 0.05, id);
    }
    let missed = page.series.iter().filter(|(series, _)| series.starts_with("httpd_requests_total"));
    let missed = missed.filter(|(series, _)| series.contains("status_code=\"404\""));
    let missed: f64 = missed.map(|(_, value)| value.parse::<f64>().expect("a number")).sum();
    near(browser.number("errors-refused"), missed / requests * 100.0, 0.1, "the share of 4xx");
    near(
        browser.number("malformed"),
        page.sum("httpd_exporter_malformed_lines_total"),
        0.3,
        "malformed lines",
    );
    assert!(browser.number("lag").is_some_and(|lag| lag <= 3.0), "{}", browser.text("lag"));
    assert_eq!(browser.text("ready"), "ready");
    assert!(browser.text("format").contains(FORMAT), "{}", browser.text("format"));
}

fn strangers_stay_text(browser: &Browser) {
    let hosts =
        browser.value("return [...document.querySelectorAll('#vhosts tbody th')].map(th => th.textContent)");
    for host in HOSTS {
        assert!(hosts.as_array().is_some_and(|hosts| hosts.iter().any(|h| h == host)), "{host} in {hosts}");
    }
    assert_eq!(browser.value("return document.querySelectorAll('script').length"), 1);
    assert_eq!(browser.value("return document.querySelectorAll('[onmouseover]').length"), 0);
    let routes =
        browser.value("return [...document.querySelectorAll('#routes tbody th')].map(th => th.textContent)");
    assert_eq!(routes.as_array().map(Vec::len), Some(4), "{routes}");
}

/// An earlier moment can be read without a pointer, and moving figures can be stopped.
fn hands_on_the_keyboard(browser: &Browser) {
    let said = || browser.value("return document.activeElement.getAttribute('aria-valuetext')");
    browser.value("document.querySelector('.chart').focus(); return 0");
    let (now, at) = (said(), browser.value("return document.querySelector('.moment').textContent"));
    assert_eq!(at, "", "no moment is chosen");
    for _ in 0..4 {
        browser.press("ArrowLeft");
    }
    assert_ne!(said(), now);
    keep_picture(browser, "live-moment.png", false);
    assert_ne!(browser.value("return document.querySelector('.moment').textContent"), "");
    browser.press("Escape");
    assert_eq!(browser.value("return document.querySelector('.moment').textContent"), "");
    browser.value("document.getElementById('pause').click(); return 0");
    assert_eq!(browser.text("state"), "Paused");
    nothing_is_of_now(browser);
    browser.value("document.getElementById('pause').click(); return 0");
    wait_until("the page to go on", || browser.text("state") == "Live");
}

/// A page that stands still gives moments and no distances from a now that goes on.
fn nothing_is_of_now(browser: &Browser) {
    let lag = browser.text("lag");
    assert!(lag.ends_with(" UTC") && !lag.contains("ago"), "{lag}");
    let words =
        "return [...document.querySelectorAll('.chart:not([hidden]) text')].map(text => text.textContent)";
    let words = browser.value(words).to_string();
    assert!(!words.contains("now") && !words.contains("ago"), "{words}");
}

/// A line that fits and one that does not, as a terminal shows what --explain prints of them.
#[test]
#[ignore = "needs chromium-driver"]
fn what_explain_prints_can_be_pictured() {
    const LINES: &str = "192.0.2.7 - - [22/Nov/2026:10:38:00 +0000] \"GET /pots/7 HTTP/1.1\" 200 5120 \"-\" \"curl/8.5.0\"\n\
                         192.0.2.7 - - [22/Nov/2026:10:38:01 +0000] \"GET /pots/8 HTTP/1.1\" 200 - \"-\" curl/8.5.0\n";
    let done = run(&["--explain", "--format", "combined"], LINES.as_bytes());
    let text = done.stdout.replace('&', "&amp;").replace('<', "&lt;");
    let dir = TempDir::new();
    let page = dir.path().join("explain.html");
    let command = "head -2 access.log | httpd_exporter --explain --format combined";
    let style = "body{margin:0;padding:20px 24px;background:#16181d;color:#d7dae0;font:14px/1.4 'DejaVu Sans Mono',monospace}\
                 pre{margin:0}b{color:#7fd1a7;font-weight:normal}";
    let html = format!(
        "<!DOCTYPE html><meta charset=utf-8><style>{style}</style><pre><b>$ {command}</b>\n{text}</pre>"
    );
    fs::write(&page, html).expect("the directory is ours");
    let browser = Browser::start();
    browser.look(1000, 300, "dark");
    browser.open(&format!("file://{}", page.display()));
    assert!(done.stdout.contains("Line 1 fits:") && done.stdout.contains('^'), "{}", done.stdout);
    keep_picture(&browser, "explain.png", std::env::var_os("BLESS").is_some());
}

#[test]
#[ignore = "needs chromium-driver"]
fn the_live_page_shows_the_truth_and_keeps_strangers_out() {
    let blessed = std::env::var_os("BLESS").is_some();
    let hosts = if blessed { PICTURED_HOSTS } else { HOSTS };
    let mut exporter = start();
    let address = exporter.address.clone();
    let browser = Browser::start();
    browser.look(1000, 700, "light");
    thread::scope(|scope| {
        let process = &mut exporter.process;
        let feeder = scope.spawn(move || flow(process, if blessed { 75 } else { 20 }, hosts));
        let opened = Instant::now();
        browser.open(&format!("http://{address}/"));
        wait_until("a first rate", || browser.number("requests").is_some_and(|rate| rate > 0.0));
        assert!(opened.elapsed() < Duration::from_secs(5), "{:?}", opened.elapsed());
        // Whole windows of flowing lines: all but the last seconds.
        let enough = if blessed { 70.0 } else { 15.0 };
        wait_for_long(|| opened.elapsed().as_secs_f64() > enough);
        figures_are_true(&browser, &address);
        pictures(&browser, blessed);
        if !blessed {
            strangers_stay_text(&browser);
        }
        feeder.join().expect("the feeder is content");
    });
    hands_on_the_keyboard(&browser);
    assert_eq!(browser.problems(), Vec::<String>::new());
    let requested = browser.requested(&url(&exporter));
    assert!(requested.iter().any(|to| to.ends_with("/metrics")), "{requested:?}");
    let elsewhere: Vec<&String> = requested.iter().filter(|to| !to.starts_with(&url(&exporter))).collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
}

/// A tab that is out of sight costs nothing.
fn stops_while_nobody_looks(browser: &Browser, origin: &str) {
    let asks = || browser.requested(origin).iter().any(|to| to.ends_with("/metrics"));
    let hide = |hidden: bool| {
        browser.value(&format!(
            "Object.defineProperty(document, 'hidden', {{value: {hidden}, configurable: true}});
             document.dispatchEvent(new Event('visibilitychange')); return 0"
        ));
    };
    hide(true);
    // What was under way comes to its end, and what would have been next does not begin.
    let hidden = Instant::now();
    wait_for_long(|| hidden.elapsed() > Duration::from_secs(1));
    asks();
    wait_for_long(|| hidden.elapsed() > Duration::from_secs(4));
    assert!(!asks(), "the page asks although it is hidden");
    hide(false);
    wait_until("the page to ask again", asks);
}

/// The figures of a page need a while to be of whole windows, longer than anybody waits for a condition.
fn wait_for_long(mut done: impl FnMut() -> bool) {
    while !done() {
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
#[ignore = "needs chromium-driver"]
fn the_live_page_survives_a_restart_and_says_what_is_missing() {
    let mut first = Exporter::start(&["--format", "%h %t %>s"]);
    let port = first.address.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).expect("a port");
    let browser = Browser::start();
    browser.open(&url(&first));
    wait_until("the page to wait", || browser.text("state") == "No line has been read yet");
    assert_eq!(browser.text("ready"), "not ready: no line has been read yet");
    first.process.feed(b"192.0.2.7 [22/Nov/2026:11:00:00 +0000] 200\n");
    wait_until("readiness", || browser.text("ready") == "ready");
    wait_until("the page to live", || browser.text("state") == "Live");
    assert_eq!(browser.problems(), Vec::<String>::new());
    wait_for("the reason", || {
        let text = browser.value("return document.querySelector('#charts').innerText").to_string();
        if text.contains("logs no duration") && text.contains("logs no bytes") { Ok(()) } else { Err(text) }
    });
    let since = browser.text("since");
    first.process.close();
    first.process.wait();
    wait_until("the loss", || browser.text("state").starts_with("No answer since "));
    nothing_is_of_now(&browser);
    keep_picture(&browser, "live-lost.png", false);

    let mut second = Exporter::start_on(port, &["--format", FORMAT]);
    second.wait_for_stderr("serving ");
    wait_until("an answer again", || browser.text("state") == "No line has been read yet");
    assert_ne!(browser.text("since"), since);
    wait_until("a first rate", || browser.text("requests") == "0/s");
    second.process.feed((0..99).map(|number| line(number, HOSTS)).collect::<String>().as_bytes());
    second.wait_for_lines(99);
    wait_until("a new rate", || browser.number("requests").is_some_and(|rate| rate > 0.0));
    wait_until("the page to live again", || browser.text("state") == "Live");
    stops_while_nobody_looks(&browser, &url(&second));
}

#[test]
#[ignore = "needs chromium-driver"]
fn the_live_page_says_when_no_line_fits() {
    let mut exporter = Exporter::start(&[]);
    let browser = Browser::start();
    browser.open(&url(&exporter));
    let notes = || browser.value("return document.querySelector('#charts').innerText").to_string();
    wait_until("the page to wait", || browser.text("state") == "No line has been read yet");
    assert!(notes().contains("The format is not chosen yet") && !notes().contains("logs no"), "{}", notes());
    exporter.process.feed("this is no line of any log\n".repeat(500).as_bytes());
    wait_until("the misfit", || browser.text("state") == "The lines fit none of the presets");
    assert!(!browser.value("return document.body.classList.contains('is-live')").as_bool().unwrap_or(true));
    assert_eq!(browser.text("ready"), "not ready: the lines fit none of the presets");
    assert!(notes().contains("The format is not chosen yet") && !notes().contains("logs no"), "{}", notes());
    keep_picture(&browser, "live-unfit.png", false);
    assert_eq!(browser.problems(), Vec::<String>::new());
}

/// Users of a shop, each another one, and a crawler.
#[test]
#[ignore = "needs chromium-driver"]
fn routes_and_kinds_of_clients_appear_as_they_are_learned() {
    let mut exporter =
        Exporter::start(&["--format", "combined", "--route", "auto", "--label", "client=client"]);
    let browser = Browser::start();
    browser.look(1000, 700, "light");
    browser.open(&url(&exporter));
    wait_until("the page to wait", || browser.text("state") == "No line has been read yet");
    let first = |table: &str| {
        let cells =
            format!("return [...document.querySelectorAll('#{table} tbody th')].map(th => th.textContent)");
        browser.value(&cells).to_string()
    };
    let mut user = 0;
    let mut feed = |agent: &str| {
        let line = |user: u32| {
            format!(
                "192.0.2.7 - - [22/Nov/2026:11:00:00 +0000] \"GET /users/{user}/orders HTTP/1.1\" 200 5 \"-\" \"{agent}\"\n"
            )
        };
        exporter.process.feed((user..user + 20).map(line).collect::<String>().as_bytes());
        user += 20;
    };
    wait_until("lines under the rest", || {
        feed("Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0");
        first("routes").contains("/*") && first("clients") == r#"["browser"]"#
    });
    wait_until("the route and the crawler", || {
        feed("Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)");
        first("routes").contains("/users/:id/orders") && first("clients").contains("ai_crawler")
    });
    keep_picture(&browser, "live-routes.png", false);
    assert_eq!(browser.problems(), Vec::<String>::new());
}

/// A name that turns its own letters around, and durations beyond the last bucket.
#[test]
#[ignore = "needs chromium-driver"]
fn nothing_poses_as_what_it_is_not() {
    let mut exporter = Exporter::start(&["--format", FORMAT]);
    let browser = Browser::start();
    browser.open(&url(&exporter));
    wait_until("the page to wait", || browser.text("state") == "No line has been read yet");
    let slow = "\u{202e}elpmaxe.knab 1795338000 \"GET / HTTP/1.1\" 200 5 90000000\n";
    exporter.process.feed(slow.repeat(50).as_bytes());
    let cells = || {
        let cells =
            "return [...document.querySelectorAll('#vhosts tbody tr > *')].map(cell => cell.textContent)";
        browser.value(cells)
    };
    wait_for("the host", || {
        let cells = cells();
        if cells[0] == "\\u{202e}elpmaxe.knab" { Ok(()) } else { Err(cells.to_string()) }
    });
    assert_eq!(cells()[3], "\u{2265}\u{202f}60\u{202f}s");
    assert_eq!(cells()[3], browser.text("duration"));
}

/// Of durations in the first bucket only the bound is known; without chosen buckets it is said why none is shown.
#[test]
#[ignore = "needs chromium-driver"]
fn what_the_buckets_do_not_tell_is_not_invented() {
    let quick = "a.example 1795338000 \"GET / HTTP/1.1\" 200 5 100\n".repeat(50);
    let browser = Browser::start();
    let mut exporter = Exporter::start(&["--format", FORMAT]);
    browser.open(&url(&exporter));
    wait_until("the page to wait", || browser.text("state") == "No line has been read yet");
    exporter.process.feed(quick.as_bytes());
    wait_for("a duration", || match browser.text("duration") {
        shown if shown == "<\u{202f}5\u{202f}ms" => Ok(()),
        shown => Err(shown),
    });
    for id in ["duration-p50", "duration-p95", "duration-p99"] {
        assert_eq!(browser.text(id), "<\u{202f}5\u{202f}ms", "{id}");
    }
    let mut native = Exporter::start(&["--format", FORMAT, "--histograms", "native"]);
    browser.open(&url(&native));
    native.process.feed(quick.as_bytes());
    let notes = "return [...document.querySelectorAll('p')].map(note => note.textContent).join(' ')";
    wait_until("the note", || browser.value(notes).to_string().contains("--histograms native"));
    assert_eq!(browser.problems(), Vec::<String>::new());
}

/// What no log shows at will: labels that need escapes, a rank in the last bucket; then a counter that was set back.
fn odd_page(count: u32) -> String {
    let (quarter, half) = (count / 4, count / 2);
    format!(
        r#"# TYPE httpd_requests_total counter
httpd_requests_total{{status_code="200",vhost="a}}b,c=\"d\" \\n \n"}} {count}
httpd_requests_total{{status_code="other",vhost="__proto__"}} 7
httpd_request_duration_seconds_bucket{{vhost="v",le="0.1"}} {quarter}
httpd_request_duration_seconds_bucket{{vhost="v",le="0.2"}} {half}
httpd_request_duration_seconds_bucket{{vhost="v",le="+Inf"}} {count}
"#
    )
}

const BETWEEN: &str = r#"
    const {Slice, read} = await import("/figures.js");
    const first = read(FIRST, new Map());
    const second = read(SECOND, first);
    const between = Slice.between(first, second, 2);
    const {total} = between;
    return {
        hosts: [...between.by.get("vhost").keys()],
        all: total.all,
        classes: [total.classes.get("2xx"), total.classes.get("other")],
        quantiles: [0, 0.125, 0.25, 0.375, 0.5, 0.9].map((q) => total.quantile(q)),
        of_nothing: Number.isNaN(Slice.between(second, second, 1).total.quantile(0.5)),
        set_back: Slice.between(second, first, 1).total.all,
    };
"#;

#[test]
#[ignore = "needs chromium-driver"]
fn figures_are_computed_as_prometheus_does() {
    let exporter = start();
    let browser = Browser::start();
    browser.open(&url(&exporter));
    let literal = |text: String| serde_json::Value::from(text).to_string();
    let script = BETWEEN.replace("FIRST", &literal(odd_page(100))).replace("SECOND", &literal(odd_page(140)));
    let odd = browser.value(&script);
    assert_eq!(odd["hosts"], serde_json::json!(["a}b,c=\"d\" \\n \n"]), "{odd}");
    assert_eq!((&odd["all"], &odd["set_back"]), (&40.into(), &100.into()), "{odd}");
    assert_eq!(odd["classes"], serde_json::json!([40, 0]), "{odd}");
    let quantiles: Vec<f64> =
        odd["quantiles"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_f64).collect();
    let truth = [0.0, 0.05, 0.1, 0.15, 0.2, 0.2];
    assert!(quantiles.len() == 6 && quantiles.iter().zip(truth).all(|(q, t)| (q - t).abs() < 1e-9), "{odd}");
    assert_eq!(odd["of_nothing"], true);
}

#[test]
fn without_script_the_page_tells_the_same_and_allows_nothing_inline() {
    let mut exporter = Exporter::start(&["--format", "combined", "--web.telemetry-path", "/other/'path'"]);
    exporter.process.feed(b"junk\n");
    let answer = wait_for("the line", || {
        let answer = get(&exporter.address, "/").expect("an answer");
        if answer.body.contains("id=\"malformed\">1<") { Ok(answer) } else { Err(answer.body) }
    });
    assert!(answer.body.contains("data-telemetry=\"/other/&#39;path&#39;\""), "{}", answer.body);
    let policy = answer.head.lines().find_map(|line| line.strip_prefix("Content-Security-Policy: "));
    let policy = policy.expect("every page of HTML has a policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    for (path, content_type) in [
        ("/live.js", "text/javascript"),
        ("/figures.js", "text/javascript"),
        ("/live.css", "text/css"),
        ("/manual", "text/plain"),
    ] {
        let answer = get(&exporter.address, path).expect("an answer");
        assert!(
            answer.status == 200 && answer.head.contains(&format!("Content-Type: {content_type}")),
            "{path}"
        );
    }
}

#[test]
#[ignore = "needs mandoc"]
fn the_manual_that_is_served_is_the_man_page() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
    let mut mandoc = std::process::Command::new("mandoc");
    let mandoc = mandoc.args(["-T", "utf8", "-O", "width=78"]).arg(root.join("httpd_exporter.8"));
    let rendered =
        String::from_utf8(mandoc.output().expect("mandoc runs").stdout).expect("utf8 was asked for");
    // Bold and underlined are written as on a printer: a character, a step back, a character.
    let mut text = String::new();
    for character in rendered.chars() {
        if character == '\u{8}' {
            text.pop();
        } else {
            text.push(character);
        }
    }
    let committed = root.join("httpd_exporter.txt");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&committed, &text).expect("the project is writable");
    }
    let served = fs::read_to_string(&committed).expect("the rendering is there");
    assert!(served == text, "man/httpd_exporter.txt is not the man page any more; run this with BLESS=1");
}
