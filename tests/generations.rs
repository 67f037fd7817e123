//! Generations of the program by hand, without a server: what they leave on disk, what signals do to them, and that a
//! death at any step of a save costs nothing that was saved.

use crate::harness::{BINARY, Exporter, Process, TempDir, free_port, run, scrape, wait_for, wait_until};
use nix::sys::signal::Signal;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const LINE: &str =
    "198.51.100.7 - - [03/Feb/2026:04:05:06 +0100] \"GET / HTTP/1.1\" 200 512 \"-\" \"curl/8.5.0\"\n";

fn arguments(state: &Path) -> Vec<String> {
    ["--format", "combined", "--state-dir", &state.display().to_string()].map(str::to_owned).to_vec()
}

fn started(state: &Path) -> Exporter {
    let arguments = arguments(state);
    Exporter::start(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Counts so many lines and ends.
fn live(state: &Path, lines: usize) {
    let mut exporter = started(state);
    exporter.process.feed(LINE.repeat(lines).as_bytes());
    exporter.process.close();
    assert_eq!(exporter.process.wait().status.code(), Some(0));
}

fn files(state: &Path) -> Vec<String> {
    let entries = fs::read_dir(state).expect("the directory is there").flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

#[test]
fn two_hundred_dead_are_absorbed_at_once_and_the_damaged_stay() {
    let dir = TempDir::new();
    let state = dir.join("state");
    live(&state, 10);
    let [only] = &files(&state)[..] else { panic!("{:?}", files(&state)) };
    let whole = fs::read(state.join(only)).expect("readable");
    for number in 0..199 {
        // Some are cut short at one place or another, some are not ours at all.
        let content = match number % 20 {
            7 => &whole[..whole.len() * (number / 20) / 10],
            13 => b"[Unit]\nDescription=not ours\n".as_slice(),
            _ => &whole,
        };
        fs::write(state.join(format!("{}-{}", 1_700_000_000_000_u64 + number as u64, number + 2)), content)
            .expect("writable");
    }
    let sound = 200.0 - 20.0;
    for start in 0..2 {
        let since = Instant::now();
        let mut exporter = started(&state);
        let page = exporter.scrape();
        assert_eq!(page.sum("httpd_requests_total"), sound * 10.0, "start {start}");
        wait_until("one file to be left of the sound ones", || {
            files(&state).iter().filter(|name| !name.ends_with(".damaged")).count() == 1
        });
        println!("start {start}: served and absorbed after {} ms", since.elapsed().as_millis());
        let said = exporter.process.stderr();
        exporter.process.close();
        exporter.process.wait();
        assert_eq!(files(&state).iter().filter(|name| name.ends_with(".damaged")).count(), 20);
        // Each is said once, at the start that found it.
        assert_eq!(said.matches("is set aside").count(), if start == 0 { 20 } else { 0 }, "{said}");
    }
}

/// Only builds for tests have the steps.
#[test]
fn a_death_at_any_step_loses_and_doubles_nothing() {
    let dir = TempDir::new();
    let mut steps = 0;
    loop {
        let state = dir.join(&steps.to_string());
        live(&state, 3);
        live(&state, 4);
        let mut exporter = Process::start(
            Command::new(BINARY)
                .args(arguments(&state))
                .args(["--web.listen-address", &format!("127.0.0.1:{}", free_port())])
                .env("HTTPD_EXPORTER_CRASH_AT_STEP", (steps + 1).to_string()),
        );
        // It absorbs the seven, and then ends: with a save of nothing new, or at the step.
        wait_until("the absorption or the death", || {
            exporter.has_ended() || files(&state).len() == 1 && !files(&state)[0].ends_with(".new")
        });
        exporter.close();
        let crashed = exporter.wait().status.code() == Some(99);
        let page = {
            let next = started(&state);
            next.scrape()
        };
        assert_eq!(page.sum("httpd_requests_total"), 7.0, "killed at step {}", steps + 1);
        if !crashed {
            break;
        }
        steps += 1;
    }
    println!("{steps} steps");
    assert!(steps >= 10, "there are more steps in a life than {steps}");
}

#[test]
fn signals_that_come_twice_do_no_harm_and_a_later_one_ends_it() {
    let dir = TempDir::new();
    let mut exporter = started(&dir.join("state"));
    for signal in [Signal::SIGHUP, Signal::SIGTERM, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGHUP] {
        exporter.process.signal(signal);
    }
    wait_until("the port to be free", || scrape(&exporter.address).is_err());
    exporter.process.feed(LINE.repeat(5).as_bytes());
    let since = Instant::now();
    wait_until("a second", || since.elapsed() > Duration::from_millis(1_050));
    assert!(!exporter.process.has_ended(), "{}", exporter.process.stderr());
    exporter.process.feed(LINE.repeat(5).as_bytes());
    exporter.process.signal(Signal::SIGTERM);
    // Without an end of input.
    let ended = exporter.process.wait();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let next = started(&dir.join("state"));
    assert_eq!(next.scrape().sum("httpd_requests_total"), 10.0);
}

/// A kill takes nothing back that a scrape has been told.
#[test]
fn what_a_scrape_has_seen_survives_a_kill() {
    let dir = TempDir::new();
    let mut seen = 0.0;
    for _ in 0..3 {
        let mut exporter = started(&dir.join("state"));
        assert!(exporter.scrape().sum("httpd_requests_total") >= seen);
        exporter.process.feed(LINE.repeat(1_000).as_bytes());
        wait_for("something new", || {
            let now = exporter.scrape().sum("httpd_requests_total");
            if now > seen { Ok(()) } else { Err(format!("{now}")) }
        });
        seen = exporter.scrape().sum("httpd_requests_total");
        exporter.process.signal(Signal::SIGKILL);
        wait_until("its death", || exporter.process.has_ended());
    }
    assert_eq!(started(&dir.join("state")).scrape().sum("httpd_requests_total"), seen);
}

/// `tail | httpd_exporter &` and the shell goes: nobody took its place, so it serves on.
#[test]
fn a_pipeline_whose_shell_has_gone_goes_on_serving() {
    let dir = TempDir::new();
    let address = format!("127.0.0.1:{}", free_port());
    let fifo = dir.join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().is_ok_and(|status| status.success()));
    let pipeline = format!(
        "cat {} | {BINARY} --format combined --state-dir {} --web.listen-address {address} 2>{} &",
        fifo.display(),
        dir.join("state").display(),
        dir.join("stderr").display()
    );
    let shell =
        Command::new("sh").args(["-c", &pipeline]).stdin(Stdio::null()).stdout(Stdio::null()).status();
    assert!(shell.is_ok_and(|status| status.success()));
    // Its end is the end of the pipeline's input, also when this test fails.
    let mut writer = fs::OpenOptions::new().write(true).open(&fifo).expect("cat reads it");
    let since = Instant::now();
    for lines in 1..=10 {
        std::io::Write::write_all(&mut writer, LINE.as_bytes()).expect("cat reads it");
        wait_for("each line", || {
            let seen = scrape(&address)?.sum("httpd_requests_total");
            if seen == f64::from(lines) { Ok(()) } else { Err(format!("{seen}")) }
        });
    }
    assert!(since.elapsed() < Duration::from_secs(20));
    drop(writer);
    wait_until("its end", || scrape(&address).is_err());
}

#[test]
fn a_tee_in_a_missing_directory_is_said_at_the_start() {
    let dir = TempDir::new();
    let tee = dir.join("no/such/tee.log").display().to_string();
    let ended = run(&["--format", "combined", "--tee", &tee], LINE.as_bytes());
    assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains(&format!("there is no directory {}", dir.join("no/such").display())));
}
