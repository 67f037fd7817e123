//! `--report`: its figures are those of the lines and of `--once`, from stdin, from files, and of what is followed.

use crate::harness::{BINARY, Process, TempDir, run, wait_until};
use nix::sys::signal::Signal;
use std::fmt::Write;
use std::fs;
use std::process::Command;
use unicode_width::UnicodeWidthStr;

/// Lines of a day: durations from 1 to 2000 ms, in an order of their own, over four hours and two hosts.
fn lines() -> String {
    let mut lines = String::new();
    for number in 0..2000u32 {
        let millis = (number * 773) % 2000 + 1;
        let second = number * 7;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let (host, status) = if number % 10 == 0 { ("b.example", 503) } else { ("a.example", 200) };
        let _ = writeln!(
            lines,
            "{host}:80 192.0.2.{} - - [03/Feb/2026:{hour:02}:{minute:02}:{second:02} +0000] \
             \"GET /page/{} HTTP/1.1\" {status} 1000 \"-\" \"curl/8.5.0\" {}",
            number % 5,
            number % 3,
            millis * 1000
        );
    }
    lines + "no line of the format\n"
}

/// The words of the line that begins so.
fn words<'t>(text: &'t str, start: &str) -> Vec<&'t str> {
    let line = text.lines().find(|line| line.trim_start().starts_with(start));
    line.unwrap_or_else(|| panic!("no {start} in:\n{text}")).split_whitespace().collect()
}

#[test]
fn the_figures_are_those_of_the_lines() {
    let log = lines();
    let ended = run(&["--report", "--format", "vhost_combined_D"], log.as_bytes());
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let text = &ended.stdout;
    assert!(text.starts_with("2,001 lines of vhost_combined_D\n"), "{text}");
    assert_eq!(words(text, "from ")[1..], ["2026-02-03", "00:00:00", "UTC"]);
    assert_eq!(words(text, "to ")[1..3], ["2026-02-03", "03:53:13"]);
    assert_eq!(words(text, "requests")[..4], ["requests", "2,000,", "0.14/s", "on"]);
    assert_eq!(words(text, "errors")[1..6], ["200", "by", "the", "server", "(10.0"]);
    // p50 1.00 s  p95 1.90 s  p99 1.98 s  max 2.00 s
    let durations = words(text, "durations");
    for (at, exact) in [(2, 1.0), (5, 1.9), (8, 1.98), (11, 2.0)] {
        let told: f64 = durations[at].parse().unwrap_or_else(|e| panic!("{e}: {durations:?}"));
        let told = if durations[at + 1] == "ms" { told / 1000.0 } else { told };
        // Within 1 %, and rounded to three digits.
        assert!((told - exact).abs() <= exact * 0.01 + 0.005, "{told} for {exact}");
    }
    for row in [
        "1,800 90.0 % - - 1.72 MiB a.example",
        "200 10.0 % - 100.0 % 195 KiB b.example",
        "400 20.0 % ██ 192.0.2.0",
        "667 33.4 % ███▍ /page/0",
        "2,000 100.0 % ██████████ tool",
    ] {
        let has = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ") == row;
        assert!(text.lines().any(has), "{row} in:\n{text}");
    }
    assert!(text.contains("Malformed lines, by what does not fit: 1 "), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(!text.contains('\x1b'), "no colours where nobody sees them: {text}");

    let page = run(&["--once", "--format", "vhost_combined_D"], log.as_bytes()).page();
    assert_eq!(page.sum("httpd_requests_total"), 2000.0);
    assert_eq!(page.value("httpd_exporter_lines_total{outcome=\"malformed\"}"), Some(1.0));
}

#[test]
fn a_page_for_a_browser_is_one_file_with_the_same_figures() {
    let ended = run(&["--report=html", "--format", "vhost_combined_D"], lines().as_bytes());
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let html = &ended.stdout;
    for piece in [
        "<!DOCTYPE html>",
        "<title>2,001 lines of vhost_combined_D</title>",
        "<bdi>b.example</bdi></th><td>200</td><td>10.0 %</td><td>-</td><td>100.0 %</td><td>195 KiB</td>",
        "<title>2026-02-03 00:00:00 UTC: 43</title></rect>",
        "Malformed lines, by what does not fit: 1 literal.",
    ] {
        assert!(html.contains(piece), "{piece} in:\n{html}");
    }
    // Nothing is fetched.
    for word in ["src=", "href=", "url(", "<script", "@import"] {
        assert!(!html.contains(word), "{word}");
    }
    // Every tag that is opened is closed.
    for tag in
        ["html", "body", "main", "div", "section", "figure", "svg", "table", "thead", "tbody", "dl", "style"]
    {
        let (opened, closed) = (format!("<{tag}"), format!("</{tag}>"));
        let opened =
            html.matches(&format!("{opened}>")).count() + html.matches(&format!("{opened} ")).count();
        assert_eq!(opened, html.matches(&closed).count(), "{tag}");
    }
}

#[test]
fn files_are_read_one_after_the_other() {
    let directory = TempDir::new();
    let log = lines();
    let (first, second) = log.split_at(log[..log.len() / 2].rfind('\n').expect("lines"));
    // The first does not end with a newline.
    let names = [("access.log.1", first), ("access.log", &second[1..])];
    let names = names.map(|(name, text)| directory.write(name, text).display().to_string());
    let ended = run(&["--report", "--format", "vhost_combined_D", &names[0], &names[1]], b"");
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert_eq!(words(&ended.stdout, "requests")[1], "2,000,");
    let missing = run(&["--report", &directory.join("none").display().to_string()], b"");
    assert_eq!(missing.status.code(), Some(1));
    assert!(missing.stderr.contains("none: No such file or directory"), "{}", missing.stderr);
}

#[test]
fn what_is_followed_is_told_at_ctrl_c() {
    let directory = TempDir::new();
    let log = directory.write("access.log", "");
    let mut process = Process::start(Command::new(BINARY).args([
        "--report",
        "--format",
        "vhost_combined_D",
        "--tee",
        &directory.join("copy").display().to_string(),
        "--follow",
        &log.display().to_string(),
    ]));
    // What was there at the start is not read: lines are written until one is.
    let mut written = String::new();
    let line = lines().lines().next().expect("a line").to_owned() + "\n";
    let copied = || fs::metadata(directory.join("copy")).map_or(0, |meta| meta.len());
    wait_until("the first line that is read", || {
        written.push_str(&line);
        fs::write(&log, &written).expect("a file of ours");
        copied() > 0
    });
    process.signal(Signal::SIGINT);
    let ended = process.wait();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert_ne!(words(&ended.stdout, "requests")[1], "0");
}

/// Hosts and paths are what strangers send, and a terminal obeys escape sequences.
#[test]
fn what_a_log_contains_does_nothing_to_a_terminal() {
    let line = |host: &str, path: &str| {
        format!(
            "{host}:80 192.0.2.1 - - [03/Feb/2026:00:00:00 +0000] \"GET {path} HTTP/1.1\" 404 10 \"-\" \"-\" 5\n"
        )
    };
    let (escape, turn) = ("\u{1b}[31mred", "\u{202e}txet");
    let long = format!("/{}", "\u{8a9e}".repeat(200));
    let mut log = line(&format!("a{escape}"), &format!("/b{escape}"));
    log += &line(&format!("c{turn}"), &format!("/d{turn}"));
    log += &line(&"e".repeat(200), &long).repeat(300);
    log += &"malformed".repeat(100);
    for kind in ["--report", "--report=html"] {
        let ended = run(&[kind, "--format", "vhost_combined_D"], log.as_bytes());
        assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
        let is_obeyed = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
        assert!(!ended.stdout.contains(is_obeyed), "{kind}: {:?}", ended.stdout);
        let shown = [r"a\x1b[31mred", r"/b\x1b[31mred", r"c\u{202e}txet", r"/d\u{202e}txet"];
        assert!(shown.iter().all(|text| ended.stdout.contains(text)), "{kind}: {}", ended.stdout);
        let fits = |line: &str| kind != "--report" || line.width() <= 80;
        assert!(ended.stdout.lines().all(fits), "{kind}: {}", ended.stdout);
    }
}

#[test]
fn one_line_is_a_log_and_none_is_too() {
    let log = lines();
    let one = run(&["--report", "--format", "vhost_combined_D"], &log.as_bytes()[..=log.find('\n').unwrap()]);
    assert_eq!(one.status.code(), Some(0), "{}", one.stderr);
    assert!(one.stdout.starts_with("1 line of vhost_combined_D\n"), "{}", one.stdout);
    assert_eq!(words(&one.stdout, "requests"), ["requests", "1"]);
    assert_eq!(words(&one.stdout, "clients"), ["clients", "1", "address"]);
    let none = run(&["--report", "--format", "vhost_combined_D"], b"");
    assert_eq!(none.status.code(), Some(0), "{}", none.stderr);
    let page =
        "0 lines of vhost_combined_D\n\n  requests    0\n\nLines\n  In doubt: no line has been read yet.\n";
    assert_eq!(none.stdout, page);
}
