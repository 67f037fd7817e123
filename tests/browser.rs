//! The page at `/`, as a person sees it: in Chromium, while lines flow at a known rate.
//!
//! Pictures of it are left in the target's tmp directory to be looked at; with BLESS=1 those of the README are
//! written anew.

mod webdriver;

use crate::harness::{Exporter, Page, Process, TempDir, get, run, wait_for, wait_until};
use crate::servers::nginx::Nginx;
use std::fs;
use std::path::Path;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
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

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("the clock is set").as_secs()
}

fn line(number: usize, hosts: [&str; 4]) -> String {
    if number % 100 == 99 {
        return ["", "-", "www.example yesterday"][number / 100 % 3].to_owned() + "\n";
    }
    let now = now();
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
fn flow(process: &mut Process, hosts: [&str; 4], stop: &Receiver<()>) {
    let start = Instant::now();
    let goes_on = |_: &usize| stop.try_recv() == Err(TryRecvError::Empty);
    for first in (0..).step_by(BURST).take_while(goes_on) {
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

/// Waits until a figure of the page is as near to the truth: where the machine is busy, lines and looks come later.
fn near(browser: &Browser, id: &str, share: f64, truth: impl Fn() -> f64) {
    wait_for(&format!("{id} to be true"), || {
        let (shown, truth) = (browser.number(id), truth());
        let is_near = shown.is_some_and(|shown| (shown - truth).abs() <= truth * share);
        if is_near { Ok(()) } else { Err(format!("{shown:?} on the page, and {truth} in truth")) }
    });
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
        ("live-wide.png", 1600, "light", false),
        ("live-wide-dark.png", 1600, "dark", false),
    ] {
        browser.look(width, 700, scheme);
        keep_picture(browser, name, blessed && of_the_readme);
        let wide = browser.value("return document.documentElement.scrollWidth");
        assert!(wide.as_u64() <= Some(width.into()), "nothing is cut at {width} pixels: {wide}");
    }
}

/// What the page shows of lines that are still flowing, held against what is known of them.
fn figures_are_true(browser: &Browser, exporter_address: &str) {
    let rate = RATE as f64 * 0.99;
    let page = || wait_for("a page", || crate::harness::scrape(exporter_address));
    near(browser, "requests", 0.05, || rate);
    near(browser, "bytes-sent", 0.05, || {
        let page = page();
        rate * page.sum("httpd_bytes_sent_total") / page.sum("httpd_requests_total") / 1e6
    });
    for (id, q) in [("duration-p50", 0.5), ("duration-p95", 0.95), ("duration-p99", 0.99)] {
        near(browser, id, 0.05, || quantile(&page(), q) * 1000.0);
    }
    near(browser, "errors-refused", 0.1, || {
        let page = page();
        let requests = page.series.iter().filter(|(series, _)| series.starts_with("httpd_requests_total"));
        let missed = requests.filter(|(series, _)| series.contains("status_code=\"404\""));
        let missed: f64 = missed.map(|(_, value)| value.parse::<f64>().expect("a number")).sum();
        missed / page.sum("httpd_requests_total") * 100.0
    });
    near(browser, "malformed", 0.3, || page().sum("httpd_exporter_malformed_lines_total"));
    wait_for("a short lag", || match browser.number("lag") {
        Some(lag) if lag <= 3.0 => Ok(()),
        _ => Err(browser.text("lag")),
    });
    assert_eq!(browser.text("ready"), "ready");
    assert!(browser.text("format").contains(FORMAT), "{}", browser.text("format"));
}

/// How many points the line of the median has.
fn points_of(browser: &Browser) -> usize {
    let path = browser.value("return document.querySelector('path.line.s-p50').getAttribute('d')");
    path.as_str().map_or(0, |path| path.matches(['M', 'L']).count())
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
    let browser = Browser::start();
    browser.look(1000, 700, "light");
    let mut exporter = start();
    let address = exporter.address.clone();
    thread::scope(|scope| {
        let process = &mut exporter.process;
        // Its end is the end of the flow, also when the test fails.
        let (going, stop) = channel();
        let feeder = scope.spawn(move || flow(process, hosts, &stop));
        // Nobody looks until then: the page is full when it opens.
        let (began, enough) = (Instant::now(), if blessed { 120.0 } else { 25.0 });
        wait_for_long(|| began.elapsed().as_secs_f64() > enough);
        browser.open(&format!("http://{address}/"));
        wait_until("the figures", || browser.number("requests").is_some_and(|rate| rate > 0.0));
        figures_are_true(&browser, &address);
        assert!(points_of(&browser) > 10, "{}", points_of(&browser));
        pictures(&browser, blessed);
        if !blessed {
            strangers_stay_text(&browser);
        }
        drop(going);
        feeder.join().expect("the feeder is content");
    });
    hands_on_the_keyboard(&browser);
    assert_eq!(browser.problems(), Vec::<String>::new());
    let requested = browser.requested(&url(&exporter));
    assert!(requested.iter().any(|to| to.ends_with("/live.json")), "{requested:?}");
    let elsewhere: Vec<&String> = requested.iter().filter(|to| !to.starts_with(&url(&exporter))).collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
}

/// A tab that is out of sight costs nothing.
fn stops_while_nobody_looks(browser: &Browser, origin: &str) {
    let asks = || browser.requested(origin).iter().any(|to| to.ends_with("/live.json"));
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
    // Readiness is that of now, all else of the last look.
    wait_until("the newest time", || browser.text("lag").ends_with(" UTC)"));
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
    wait_until("a first rate", || browser.text("requests") == "0");
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
    wait_until("the lines and the advice", || {
        let lines = browser.value("return document.querySelector('#rejected-lines').innerText").to_string();
        let advice = browser.value("return document.querySelector('#advice').innerText").to_string();
        lines.contains("Line 500")
            && lines.contains("this is no line of any log")
            && advice.contains("none of the presets")
    });
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
    let slow = format!("\u{202e}elpmaxe.knab {} \"GET / HTTP/1.1\" 200 5 90000000\n", now());
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
    wait_until("the duration", || browser.text("duration") == "60\u{202f}s or more");
    assert_eq!(cells()[3], "60\u{202f}s or more");
}

/// Of durations in the first bucket only the bound is known; without chosen buckets it is said why none is shown.
#[test]
#[ignore = "needs chromium-driver"]
fn what_the_buckets_do_not_tell_is_not_invented() {
    let quick = || format!("a.example {} \"GET / HTTP/1.1\" 200 5 100\n", now()).repeat(50);
    let browser = Browser::start();
    let mut exporter = Exporter::start(&["--format", FORMAT]);
    browser.open(&url(&exporter));
    wait_until("the page to wait", || browser.text("state") == "No line has been read yet");
    exporter.process.feed(quick().as_bytes());
    wait_for("a duration", || match browser.text("duration") {
        shown if shown == "<\u{202f}5\u{202f}ms" => Ok(()),
        shown => Err(shown),
    });
    for id in ["duration-p50", "duration-p95", "duration-p99"] {
        assert_eq!(browser.text(id), "<\u{202f}5\u{202f}ms", "{id}");
    }
    let mut native = Exporter::start(&["--format", FORMAT, "--histograms", "native"]);
    browser.open(&url(&native));
    native.process.feed(quick().as_bytes());
    let notes = "return [...document.querySelectorAll('p')].map(note => note.textContent).join(' ')";
    wait_until("the note", || browser.value(notes).to_string().contains("--histograms native"));
    assert_eq!(browser.problems(), Vec::<String>::new());
}

/// A log that stands still: what it has is told at once, and nothing of it is a rate of now.
#[test]
#[ignore = "needs chromium-driver"]
fn a_log_of_the_past_shows_its_totals_and_no_rates() {
    let log =
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/access.log")).expect("the sample");
    let mut exporter = Exporter::start(&["--format", "auto"]);
    let browser = Browser::start();
    browser.look(1000, 700, "light");
    exporter.process.feed(&log);
    let page = exporter.wait_for_lines(log.iter().filter(|byte| **byte == b'\n').count() as u64);
    browser.open(&url(&exporter));
    let all = format!("{} in all", page.sum("httpd_requests_total"));
    wait_for("the totals", || match browser.text("requests-all") {
        text if text.replace(',', "").starts_with(&all) => Ok(()),
        text => Err(text),
    });
    wait_until("the rate", || browser.text("requests") == "0");
    assert!(browser.text("lag").contains(" days ago"), "{}", browser.text("lag"));
    let scale = "return [...document.querySelectorAll('.chart text')].map(text => text.textContent)";
    assert!(browser.value(scale).to_string().contains("2/min"), "{}", browser.value(scale));
    keep_picture(&browser, "live-past.png", false);
    assert_eq!(browser.problems(), Vec::<String>::new());
}

/// As many virtual hosts as there may be: the busiest at once, the rest as a row, and each of them to be found.
#[test]
#[ignore = "needs chromium-driver"]
fn thousands_of_virtual_hosts_can_be_sorted_and_filtered() {
    let mut exporter = Exporter::start(&["--format", FORMAT]);
    let browser = Browser::start();
    browser.look(1000, 700, "light");
    let line = |host: usize| format!("host{host:04}.example {} \"GET / HTTP/1.1\" 200 5 1000\n", now());
    let lines = |host: usize| line(host).repeat(if host < 20 { 20 - host } else { 1 });
    exporter.process.feed((0..4000).map(lines).collect::<String>().as_bytes());
    exporter.wait_for_lines(4000 + (1..20).sum::<u64>());
    browser.open(&url(&exporter));
    let names = || {
        let cells = "return [...document.querySelectorAll('#vhosts tbody th')].map(th => th.textContent)";
        browser.value(cells).as_array().cloned().unwrap_or_default()
    };
    wait_for("the busiest", || match names() {
        names if names.len() == 9 && names[0] == "host0000.example" && names[8] == "3,992 others" => Ok(()),
        names => Err(format!("{names:?}")),
    });
    keep_picture(&browser, "live-hosts.png", false);
    browser.value(
        "const input = document.querySelector('#vhosts input'); input.value = 'T3999';
         input.dispatchEvent(new Event('input')); return 0",
    );
    assert_eq!(names(), ["host3999.example"]);
    browser.value(
        "const input = document.querySelector('#vhosts input'); input.value = '';
         input.dispatchEvent(new Event('input'));
         document.querySelector('#vhosts .more').click(); return 0",
    );
    assert_eq!(names().len(), 501, "as many as are drawn, and the rest");
    let asked = get(&exporter.address, "/live.json").expect("an answer").body.len();
    assert!(asked < 400_000, "{asked} bytes");
    assert_eq!(browser.problems(), Vec::<String>::new());
}

/// Hosts as they flow while the page is opened: none, one, or as many as there may be, some far busier than others.
fn flow_of_hosts(process: &mut Process, hosts: usize, stop: &Receiver<()>) {
    let start = Instant::now();
    let goes_on = |_: &usize| hosts > 0 && stop.try_recv() == Err(TryRecvError::Empty);
    for first in (0..).step_by(BURST).take_while(goes_on) {
        let due = Duration::from_secs_f64(first as f64 / RATE as f64);
        thread::sleep(due.saturating_sub(start.elapsed()));
        let now = now();
        let line = |number: usize| {
            let host = if number.is_multiple_of(2) { number / 2 % hosts.min(40) } else { number / 2 % hosts };
            let micros = 2000 + (number * 37 % 100).pow(2) * 25;
            let status = if number.is_multiple_of(50) { 500 } else { 200 };
            format!("host-{host:04}.example {now} \"GET /a HTTP/1.1\" {status} 1000 {micros}\n")
        };
        process.feed((first..first + BURST).map(line).collect::<String>().as_bytes());
    }
}

/// The sum of what the table of hosts shows of the last seconds, as requests a second.
fn sum_of_hosts(browser: &Browser) -> f64 {
    let answer = "return fetch('live.json').then(answer => answer.json()).then(({tables: {vhost}}) =>
                  vhost.rows.reduce((sum, row) => sum + row[4], 0) / vhost.seconds)";
    browser.value(answer).as_f64().unwrap_or(0.0)
}

fn wait_until_near(what: &str, truth: f64, value: impl Fn() -> Option<f64>) {
    wait_for(what, || match value() {
        Some(value) if (value - truth).abs() <= truth * 0.05 => Ok(()),
        value => Err(format!("{value:?} on the page, and {truth} in truth")),
    });
}

/// Without a host, with one and with as many as there may be: what is shown as soon as anything is, is true, and
/// nothing is cut at any width.
#[test]
#[ignore = "needs chromium-driver"]
fn the_page_is_full_when_it_opens_at_any_width_and_with_any_number_of_hosts() {
    for hosts in [0, 1, 4096] {
        let browser = Browser::start();
        let mut exporter = Exporter::start(&["--format", FORMAT, "--max-values", "4097"]);
        let address = exporter.address.clone();
        thread::scope(|scope| {
            let process = &mut exporter.process;
            // Dropped at the end, also at that of a test that fails.
            let (_until, stop) = channel();
            scope.spawn(move || flow_of_hosts(process, hosts, &stop));
            let began = Instant::now();
            wait_for_long(|| hosts == 0 || began.elapsed() > Duration::from_secs(12));
            let looks = [400, 800, 1440].into_iter().flat_map(|width| ["light", "dark"].map(|s| (width, s)));
            for (width, scheme) in looks {
                browser.look(width, 800, scheme);
                browser.open(&format!("http://{address}/"));
                let opened = Instant::now();
                wait_until("the answer", || browser.text("state") != "Waiting for the first figures");
                // On a machine that is busy lines may come late for a moment.
                if hosts > 0 {
                    wait_until_near("the request rate", RATE as f64, || browser.number("requests"));
                    wait_until_near("the share of failures", 2.0, || browser.number("errors"));
                    wait_until_near("the rate of all hosts", RATE as f64, || Some(sum_of_hosts(&browser)));
                }
                wait_for_long(|| opened.elapsed() > Duration::from_secs(2));
                keep_picture(&browser, &format!("hosts-{hosts}-{width}-{scheme}.png"), false);
                let wide = browser.value("return document.documentElement.scrollWidth");
                assert!(wide.as_u64() <= Some(width.into()), "nothing is cut at {width} pixels: {wide}");
            }
        });
        assert_eq!(browser.problems(), Vec::<String>::new());
    }
}

/// The location that the README shows, with other lines than it in the same server.
#[test]
#[ignore = "needs chromium-driver, nginx"]
fn the_page_works_below_a_path_of_nginx() {
    let mut exporter = start();
    let readme =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("it is there");
    let (_, location) = readme.split_once("below a path of a proxy (`").expect("the README shows a location");
    let (location, _) = location.split_once("`)").expect("it ends");
    let location = location.replace('\n', " ").replace("127.0.0.1:19117", &exporter.address);
    assert!(
        location.starts_with("location /exporter/ {") && location.contains(&exporter.address),
        "{location}"
    );
    let nginx = Nginx::start_with("", &location, |_| {});
    exporter.process.feed(line(0, HOSTS).repeat(50).as_bytes());
    exporter.wait_for_lines(50);
    let browser = Browser::start();
    let root = format!("http://{}/exporter/", nginx.address);
    browser.open(&root);
    wait_until("the page to live", || browser.text("state") == "Live");
    wait_until("the totals", || browser.text("requests-all").starts_with("50 in all"));
    let colour = browser.value("return getComputedStyle(document.querySelector('.cards > *')).borderRadius");
    assert_eq!(colour, "8px", "the style is there");
    let links = browser.value("return [...document.querySelectorAll('footer a')].map(link => link.href)");
    let links: Vec<String> = serde_json::from_value(links).expect("addresses");
    assert_eq!(links.len(), 5, "{links:?}");
    for link in links {
        let path = link.strip_prefix(&format!("http://{}", nginx.address)).expect("of the same server");
        assert!(path.starts_with("/exporter/"), "{path}");
        assert_eq!(get(&nginx.address, path).expect("an answer").status, 200, "{path}");
    }
    // The documents lead back to the page and not to the root of the server.
    for document in ["manual", "alerts"] {
        browser.open(&format!("{root}{document}"));
        browser.value("document.querySelector('nav a').click(); return 0");
        wait_until("the live page", || browser.value("return location.pathname") == "/exporter/");
    }
    assert_eq!(browser.problems(), Vec::<String>::new());
    let elsewhere: Vec<String> =
        browser.requested(&root).into_iter().filter(|to| !to.starts_with(&root)).collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
}

/// Documents can be read on a phone, and lead back.
#[test]
#[ignore = "needs chromium-driver"]
fn documents_are_readable_on_a_phone() {
    let exporter = start();
    let browser = Browser::start();
    browser.look(390, 700, "light");
    for path in ["manual", "alerts"] {
        browser.open(&format!("{}{path}", url(&exporter)));
        keep_picture(&browser, &format!("live-{path}.png"), false);
        let wide = browser.value("return document.documentElement.scrollWidth");
        assert!(wide.as_u64() <= Some(390), "{path}: {wide}");
        browser.value("document.querySelector('nav a').click(); return 0");
        wait_until("the live page", || browser.value("return location.pathname") == "/");
    }
    assert_eq!(browser.problems(), Vec::<String>::new());
}

#[test]
fn without_script_the_page_tells_the_same_and_allows_nothing_inline() {
    let mut exporter = Exporter::start(&["--format", "combined", "--web.telemetry-path", "/other/'path'"]);
    exporter.process.feed(b"junk\n");
    let answer = wait_for("the line", || {
        let answer = get(&exporter.address, "/").expect("an answer");
        if answer.body.contains("id=\"malformed\">1<") { Ok(answer) } else { Err(answer.body) }
    });
    assert!(answer.body.contains("href=\"other/&#39;path&#39;\""), "{}", answer.body);
    let policy = answer.head.lines().find_map(|line| line.strip_prefix("Content-Security-Policy: "));
    let policy = policy.expect("every page of HTML has a policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    for (path, content_type) in [
        ("/live.js", "text/javascript"),
        ("/live.json", "application/json"),
        ("/live.css", "text/css"),
        ("/favicon.ico", "image/svg+xml"),
        ("/manual", "text/html"),
        ("/alerts", "text/html"),
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
    let mandoc = mandoc.args(["-T", "html", "-O", "fragment"]).arg(root.join("httpd_exporter.8"));
    let text = String::from_utf8(mandoc.output().expect("mandoc runs").stdout).expect("mandoc writes UTF-8");
    let committed = root.join("httpd_exporter.html");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&committed, &text).expect("the project is writable");
    }
    let served = fs::read_to_string(&committed).expect("the rendering is there");
    assert!(served == text, "man/httpd_exporter.html is not the man page any more; run this with BLESS=1");
}
