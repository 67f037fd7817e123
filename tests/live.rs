//! The program while it runs: scraped while lines flow, fed garbage, told to end, refused its port.

use crate::harness::{
    BINARY, Exporter, Page, Process, TempDir, free_port, get, run, run_in_pieces, scrape, wait_for,
    wait_until,
};
use nix::sys::signal::Signal;
use proptest::prelude::*;
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Command;
use std::thread;

/// A line of the combined format, with something of everything that varies.
fn line(number: usize) -> String {
    let method = ["GET", "POST", "HEAD", "BREW", "DELETE"][number % 5];
    let status = [200, 404, 301, 500, 206, 499][number % 6];
    let agent = ["curl/8.5.0", "Mozilla/5.0 (X11; Linux)", r#"a \"quoted\" thing"#, "caf\u{e9}"][number % 4];
    format!(
        "198.51.100.{} - - [03/Feb/2026:04:05:{:02} +0100] \"{method} /page/{number}?q=1 HTTP/1.1\" {status} {} \"-\" \"{agent}\"\n",
        number % 250,
        number % 60,
        number * 7,
    )
}

fn lines(count: usize) -> String {
    (0..count).map(line).collect()
}

#[test]
fn every_scrape_is_whole_and_none_shows_less_than_the_one_before() {
    let mut exporter = Exporter::start(&["--format", "combined"]);
    let address = exporter.address.clone();
    let scraper = thread::spawn(move || {
        let mut last = 0.0;
        let mut scrapes = 0;
        while last < 20_000.0 {
            let page = wait_for("a page", || match scrape(&address) {
                // Of a busy machine.
                Err(late) if late.ends_with("gave 503") => Err(late),
                page => Ok(page.expect("every scrape is answered")),
            });
            let requests = page.sum("httpd_requests_total");
            assert!(requests >= last, "{requests} after {last}");
            assert_eq!(page.value("httpd_exporter_lines_total{outcome=\"counted\"}"), Some(requests));
            last = requests;
            scrapes += 1;
        }
        scrapes
    });
    for start in (0..20_000).step_by(500) {
        exporter.process.feed((start..start + 500).map(line).collect::<String>().as_bytes());
    }
    assert!(scraper.join().expect("the scraper is content") > 0);
    let page = exporter.wait_for_lines(20_000);
    assert_eq!(page.sum("httpd_requests_total"), 20_000.0);
    assert_eq!(page.sum("httpd_bytes_sent_total"), (0..20_000).map(|n| n as f64 * 7.0).sum::<f64>());
}

#[test]
fn the_page_says_where_it_is_and_other_pages_are_there() {
    let exporter = Exporter::start(&["--format", "common"]);
    exporter.wait_for_stderr(&format!("serving http://{}/metrics", exporter.address));
    exporter.wait_for_stderr(&format!("shown at http://{}/", exporter.address));
    for (path, status) in [("/metrics", 200), ("/", 200), ("/-/healthy", 200), ("/nothing", 404)] {
        assert_eq!(get(&exporter.address, path).expect("an answer").status, status, "{path}");
    }
    let head = get(&exporter.address, "/metrics").expect("an answer").head;
    assert!(head.to_lowercase().contains("content-type: text/plain; version=0.0.4"), "{head}");
}

#[test]
fn the_page_tells_of_the_program_itself() {
    let exporter = Exporter::start(&["--format", "common"]);
    exporter.scrape();
    let page = exporter.scrape();
    for name in [
        "httpd_exporter_input_bytes_total",
        "httpd_exporter_input_wait_seconds_total",
        "httpd_exporter_chunks_queued",
        "httpd_exporter_tee_lost_bytes_total",
        "httpd_exporter_state_errors_total",
        "httpd_exporter_http_requests_total{code=\"200\"}",
        "httpd_exporter_http_connections_refused_total",
        "httpd_exporter_build_info{",
        "process_cpu_seconds_total",
        "process_open_fds",
        "process_max_fds",
        "process_virtual_memory_bytes",
        "process_resident_memory_bytes",
        "process_start_time_seconds",
        "process_threads",
    ] {
        assert!(page.series.keys().any(|series| series.starts_with(name)), "{name} is not on the page");
    }
    assert_eq!(page.value("httpd_exporter_http_requests_total{code=\"200\"}"), Some(1.0));
    assert!(page.sum("process_resident_memory_bytes") > 100_000.0);
}

#[test]
fn end_of_input_ends_the_process() {
    let mut exporter = Exporter::start(&["--format", "combined"]);
    exporter.process.feed(lines(10).as_bytes());
    exporter.process.close();
    assert_eq!(exporter.process.wait().status.code(), Some(0));
}

#[test]
fn a_line_counts_before_its_neighbour_comes() {
    let mut exporter = Exporter::start(&["--format", "combined"]);
    exporter.process.feed(line(0).as_bytes());
    exporter.wait_for_lines(1);
    let next = line(1);
    let (first, second) = next.split_at(40);
    exporter.process.feed(first.as_bytes());
    exporter.process.feed(second.as_bytes());
    exporter.wait_for_lines(2);
}

#[test]
fn an_interrupt_from_the_keyboard_ends_it() {
    let mut exporter = Exporter::start(&["--format", "combined"]);
    exporter.process.feed(lines(10).as_bytes());
    exporter.wait_for_lines(10);
    exporter.process.signal(Signal::SIGINT);
    // The shell's convention for an interrupted command, or a plain end: either way it ends without end of input.
    let ended = exporter.process.wait();
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
}

#[test]
fn an_address_that_can_never_be_bound_is_said_at_once() {
    // 192.0.2.1 is a documentation address (RFC 5737): no interface has it.
    let ended = by_hand(&["--web.listen-address", "192.0.2.1:19117"]);
    assert_eq!(ended.0, Some(1), "{}", ended.1);
    assert!(ended.1.contains("192.0.2.1:19117"), "{}", ended.1);
}

#[test]
fn a_taken_port_is_said_and_had_when_it_becomes_free() {
    let port = free_port();
    let holder = TcpListener::bind(("127.0.0.1", port)).expect("a free port");
    let mut exporter = Exporter::start_on(port, &["--format", "combined"]);
    exporter.process.feed(lines(3).as_bytes());
    exporter.wait_for_stderr(&format!("{} is in use", exporter.address));
    drop(holder);
    exporter.wait_for_stderr("serving ");
    exporter.wait_for_lines(3);
}

#[test]
fn a_successor_has_the_port_when_its_predecessor_is_told_to_go() {
    let mut command = Command::new(BINARY);
    let port = free_port();
    command.args(["--format", "combined", "--web.listen-address", &format!("127.0.0.1:{port}")]);
    let mut first = Exporter::of(Process::start_under_server(&command, std::process::Stdio::null()));
    let second = Exporter::start_on(port, &["--format", "combined"]);
    first.process.signal_child(Signal::SIGTERM);
    second.wait_for_stderr("serving ");
    // The first one reads on to the end of its input.
    first.process.feed(lines(3).as_bytes());
    assert!(!first.process.has_ended());
}

#[test]
fn counts_survive_in_the_state_directory() {
    let dir = TempDir::new();
    let state = dir.join("state").display().to_string();
    std::fs::create_dir(&state).expect("writable");
    let args = ["--format", "combined", "--state-dir", &state];
    for life in 1..=3 {
        let mut exporter = Exporter::start(&args);
        exporter.process.feed(lines(10).as_bytes());
        exporter.wait_for_lines(life * 10);
        exporter.process.close();
        assert_eq!(exporter.process.wait().status.code(), Some(0));
    }
}

#[test]
fn the_tee_is_what_came_in() {
    let dir = TempDir::new();
    let copy = dir.join("copy.log");
    let log = hard_log();
    let ended = run(&[&ONCE[..], &["--tee", &copy.display().to_string()]].concat(), &log);
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert_eq!(std::fs::read(&copy).expect("the tee has made its file"), log);
}

/// What a limit does not let into the tee is counted, as on a full disk.
#[test]
fn a_limit_on_the_size_of_files_stops_nothing() {
    let dir = TempDir::new();
    let copy = dir.join("copy.log");
    // In blocks of 512 bytes.
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -f 4; exec \"$@\"", "sh", BINARY]).args(ONCE).arg("--tee").arg(&copy);
    let mut process = Process::start(&mut command);
    process.feed(lines(1_000).as_bytes());
    process.close();
    let ended = process.wait();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert_eq!(ended.page().sum("httpd_exporter_lines_total"), 1_000.0);
    assert!(ended.stderr.contains("unable to write"), "{}", ended.stderr);
    let written = std::fs::metadata(&copy).expect("the tee has made its file").len();
    let lost = ended.page().value("httpd_exporter_tee_lost_bytes_total");
    assert_eq!(lost, Some((lines(1_000).len() as u64 - written) as f64));
}

/// Lines that fill a pipe many times over, and a reader that has not begun to read.
fn unread(under_server: bool) -> (Process, std::io::PipeReader) {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let mut command = Command::new(BINARY);
    command.args(["--format", "combined", "--web.listen-address", "127.0.0.1:0", "--tee", "-"]);
    let mut process = if under_server {
        Process::start_under_server(&command, writer)
    } else {
        Process::start_with_stdout(&mut command, writer)
    };
    process.feed(lines(5_000).as_bytes());
    (process, reader)
}

/// A filter in a pipeline loses nothing: it waits for a reader that is slow.
#[test]
fn in_a_pipeline_stdout_is_waited_for() {
    let (mut process, mut reader) = unread(false);
    let mut first = [0; 1000];
    std::io::Read::read_exact(&mut reader, &mut first).expect("the beginning");
    process.close();
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut reader, &mut rest).expect("text");
    assert!(String::from_utf8_lossy(&first) + rest.as_str() == lines(5_000));
    assert_eq!(process.wait().status.code(), Some(0));
}

/// ... but a signal is heard all the same.
#[test]
fn a_signal_ends_the_waiting_for_stdout() {
    let full = "its reader does not read";
    let begun = |process| {
        let exporter = Exporter::of(process);
        wait_until("the reading", || exporter.scrape().sum("httpd_exporter_input_bytes_total") > 0.0);
        exporter.process
    };
    let (process, _reader) = unread(false);
    let mut process = begun(process);
    process.signal(Signal::SIGINT);
    let ended = process.wait();
    assert_eq!((ended.status.code(), ended.stderr.matches(full).count()), (Some(0), 1), "{}", ended.stderr);

    let (process, _reader) = unread(false);
    let mut process = begun(process);
    process.signal(Signal::SIGTERM);
    // No server has started it, and the pipe is empty: it ends, and what stdout does not take is lost.
    let ended = process.wait();
    assert_eq!((ended.status.code(), ended.stderr.matches(full).count()), (Some(0), 1), "{}", ended.stderr);
}

/// A server is never waited for: what stdout does not take is lost and counted, and said once.
#[test]
fn a_server_does_not_wait_for_the_reader_of_stdout() {
    let (process, mut reader) = unread(true);
    let exporter = Exporter::of(process);
    exporter.wait_for_lines(5_000);
    // A pipe takes 64 KiB, and the tee is written by a thread of its own.
    let lost = wait_for("the loss", || {
        let lost = exporter.scrape().sum("httpd_exporter_tee_lost_bytes_total");
        if lost + 65_536.0 >= lines(5_000).len() as f64 { Ok(lost) } else { Err(lost.to_string()) }
    });
    exporter.wait_for_stderr("unable to write stdout");
    assert_eq!(exporter.process.stderr().matches("unable to write stdout").count(), 1);
    drop(exporter);
    let mut passed = String::new();
    std::io::Read::read_to_string(&mut reader, &mut passed).expect("text");
    assert!(lost > 0.0 && passed.ends_with('\n') && lines(5_000).starts_with(&passed));
    assert_eq!(passed.len() as f64 + lost, lines(5_000).len() as f64);
}

/// A fifo that nobody reads, at the start and in place of the file: said once each, and nobody waits for it.
#[test]
fn a_tee_that_is_a_fifo_without_a_reader_stops_nothing() {
    let dir = TempDir::new();
    let tee = dir.join("tee.log");
    // At once, in place of the file: the tee makes a new one wherever there is none.
    let fifo = || {
        let new = dir.join("fifo");
        assert!(Command::new("mkfifo").arg(&new).status().is_ok_and(|status| status.success()));
        std::fs::rename(&new, &tee).expect("writable");
    };
    fifo();
    let mut command = Command::new(BINARY);
    command.args(["--format", "combined", "--web.listen-address", "127.0.0.1:0", "--tee"]).arg(&tee);
    let mut exporter = Exporter::of(Process::start_under_server(&command, std::process::Stdio::null()));
    exporter.process.feed(lines(10).as_bytes());
    exporter.wait_for_lines(10);
    std::fs::remove_file(&tee).expect("writable");
    let mut fed = 10;
    wait_until("the file", || {
        exporter.process.feed(line(0).as_bytes());
        fed += 1;
        std::fs::metadata(&tee).is_ok_and(|meta| meta.len() > 0)
    });
    fifo();
    wait_until("the word that it cannot be opened", || {
        exporter.process.feed(line(0).as_bytes());
        fed += 1;
        exporter.process.stderr().matches("it is a pipe or socket that nobody reads").count() == 2
    });
    exporter.wait_for_lines(fed);
}

/// Exit code and stderr of a run with an empty file on stdin: what no server would give.
fn by_hand(args: &[&str]) -> (Option<i32>, String) {
    let output =
        Command::new(BINARY).args(args).stdin(std::process::Stdio::null()).output().expect("it starts");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

// ----------------------------------------------------------------------------------------------------- garbage ---

/// Bytes without meaning, the same in every run (xorshift64).
fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..count).map(|_| next()).collect()
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

#[test]
fn garbage_never_ends_it_and_every_line_has_its_outcome() {
    let mut exporter = Exporter::start(&["--format", "combined"]);
    let mut fed = 0;
    let mut feed = |exporter: &mut Exporter, mut bytes: Vec<u8>| {
        bytes.push(b'\n');
        fed += newlines(&bytes);
        exporter.process.feed(&bytes);
        exporter.wait_for_lines(fed)
    };
    feed(&mut exporter, noise(1 << 20));
    feed(&mut exporter, vec![0; 10_000]);
    feed(&mut exporter, b"\0\n\0\n\xff\xfe\n\n\n".to_vec());
    let page = feed(&mut exporter, vec![b'x'; 5 << 20]);
    assert_eq!(page.value("httpd_exporter_lines_total{outcome=\"oversized\"}"), Some(1.0));
    feed(&mut exporter, line(0).as_bytes()[..30].to_vec());
    let page = feed(&mut exporter, line(0).trim_end().as_bytes().to_vec());
    assert_eq!(page.value("httpd_exporter_lines_total{outcome=\"counted\"}"), Some(1.0));
    // However much did not fit, it was not said line by line.
    assert!(exporter.process.stderr().lines().count() < 20, "{}", exporter.process.stderr());
}

#[test]
fn half_a_line_at_the_end_is_a_line() {
    for format in ["combined", "caddy", "$status $request"] {
        let ended = run(&["--once", "--format", format], b"half a line");
        assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
        assert_eq!(ended.page().sum("httpd_exporter_lines_total"), 1.0, "{format}");
    }
}

// -------------------------------------------------------------------------------------------- wholes and parts ---

const ONCE: [&str; 3] = ["--once", "--format", "combined"];

fn hard_log() -> Vec<u8> {
    let mut log = lines(40).into_bytes();
    log.extend_from_slice(b"no line of this format\r\n\n");
    log.extend_from_slice(line(41).replace('\n', "\r\n").as_bytes());
    log.extend_from_slice(
        b"192.0.2.7 - - [03/Feb/2026:04:06:00 +0100] \"\\x16\\x03\\x01\" 400 226 \"-\" \"-\"\n",
    );
    log.extend_from_slice(line(42).trim_end().as_bytes());
    log
}

/// All counts of two pages added; what is no count is left out.
fn counts(pages: &[Page]) -> Vec<(String, f64)> {
    let mut sums = std::collections::BTreeMap::new();
    for page in pages {
        for (series, value) in page.of_the_log().series {
            let is_count = ["_total", "_bucket", "_sum", "_count"]
                .iter()
                .any(|s| series.split('{').next().unwrap_or("").ends_with(s));
            let value: f64 = value.parse().expect("a number");
            if is_count && value != 0.0 {
                *sums.entry(series).or_insert(0.0) += value;
            }
        }
    }
    sums.into_iter().collect()
}

#[test]
fn the_whole_is_the_sum_of_its_parts() {
    let log = hard_log();
    let whole = counts(&[run(&ONCE, &log).page()]);
    assert!(whole.len() > 20);
    let ends: Vec<usize> =
        log.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at + 1).collect();
    for &end in ends.iter().step_by(9) {
        let (head, tail) = log.split_at(end);
        assert_eq!(counts(&[run(&ONCE, head).page(), run(&ONCE, tail).page()]), whole, "cut at byte {end}");
    }
}

/// A line of the common format; with a referer and an agent behind it, of the combined one.
fn short_line(number: u64, more: &str) -> String {
    format!("192.0.2.{number} - - [03/Feb/2026:04:05:06 +0100] \"GET /a HTTP/1.1\" 200 5{more}\n")
}

const AGENT: &str = " \"-\" \"curl/8.5.0\"";

/// `auto`: a first line that would choose another format does not, in one piece with the others or apart from them.
#[test]
fn the_format_is_chosen_by_the_first_lines_whatever_pieces_they_come_in() {
    let (first, others) = (short_line(1, ""), (2..52).map(|n| short_line(n, AGENT)).collect::<String>());
    let whole = run(&["--once"], format!("{first}{others}").as_bytes());
    let apart = run_in_pieces(&["--once"], &[first.as_bytes(), others.as_bytes()]);
    for ended in [&whole, &apart] {
        assert!(ended.stderr.contains("the format is `combined`"), "{}", ended.stderr);
        assert_eq!(ended.page().value("httpd_exporter_lines_total{outcome=\"counted\"}"), Some(50.0));
    }
    assert_eq!(whole.page().of_the_log(), apart.page().of_the_log());
}

/// `auto`: what stands before the log of a server is no reason to give the log up.
#[test]
fn the_format_is_chosen_behind_many_lines_that_nothing_fits() {
    let notes = "the server is starting up\n".repeat(150);
    let log: String = (0..600).map(|n| short_line(n % 200, AGENT)).collect();
    let ended = run(&["--once"], format!("{notes}{log}").as_bytes());
    let page = ended.page();
    assert_eq!(
        page.value("httpd_exporter_lines_total{outcome=\"counted\"}"),
        Some(600.0),
        "{}",
        ended.stderr
    );
    assert_eq!(page.value("httpd_exporter_lines_total{outcome=\"malformed\"}"), Some(150.0));
    assert_eq!(page.sum("httpd_requests_total"), 600.0);
}

/// `auto`: lines that no preset reads as they are meant are counted under none, and a quiet server's first line is
/// enough when no other comes.
#[test]
fn nothing_is_counted_in_a_format_that_was_not_chosen() {
    let bent: String = (0..50).map(|n| format!("shop.example {}", short_line(n, ""))).collect();
    let ended = run(&["--once"], bent.as_bytes());
    assert_eq!(ended.page().value("httpd_exporter_lines_total{outcome=\"malformed\"}"), Some(50.0));
    assert_eq!(ended.page().sum("httpd_requests_total"), 0.0);
    assert!(ended.stderr.contains("50 of 50 lines fit none of the presets"), "{}", ended.stderr);

    let mut exporter = Exporter::start(&[]);
    exporter.process.feed(bent.as_bytes());
    exporter.wait_for_lines(50);
    exporter.process.feed(short_line(1, AGENT).as_bytes());
    let page = exporter.wait_for_lines(51);
    assert_eq!(page.sum("httpd_requests_total"), 1.0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_of_the_writes_gives_the_same_page(cuts in prop::collection::btree_set(1usize..4000, 0..12)) {
        let log = hard_log();
        let mut pieces = Vec::new();
        let mut start = 0;
        for cut in cuts.into_iter().filter(|cut| *cut < log.len()) {
            pieces.push(&log[start..cut]);
            start = cut;
        }
        pieces.push(&log[start..]);
        let page = run_in_pieces(&ONCE, &pieces).page();
        prop_assert_eq!(page.of_the_log(), run(&ONCE, &log).page().of_the_log());
    }
}

/// A tracer that holds each write to the tee stands for a disk that hangs: what the queue does not take is counted, and
/// the reading goes on.
#[test]
#[ignore = "needs strace"]
fn a_tee_that_hangs_does_not_stop_the_reading() {
    let dir = TempDir::new();
    let tee = dir.join("tee.log");
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o", "/dev/null", "-P"]).arg(&tee);
    command.args(["-e", "trace=write", "-e", "inject=write:delay_enter=60000000", BINARY]);
    command.args(["--format", "combined", "--web.listen-address", "127.0.0.1:0", "--tee"]).arg(&tee);
    let mut exporter = Exporter::of(Process::start(&mut command));
    // More than the queue holds.
    for _ in 0..12 {
        exporter.process.feed(lines(10_000).as_bytes());
    }
    let page = exporter.wait_for_lines(120_000);
    let said = exporter.process.stderr();
    assert!(page.sum("httpd_exporter_tee_lost_bytes_total") > 0.0, "{said}");
    assert_eq!(said.matches("the tee does not keep up").count(), 1, "{said}");
}

/// Messages that nobody reads are dropped, and how many is said when somebody does.
#[test]
fn a_stderr_that_nobody_reads_does_not_stop_the_reading() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    // The pipe is opened once more, by its name (proc(5), /proc/PID/fd), for this end alone must not wait.
    let mut once_more = std::fs::OpenOptions::new();
    let once_more = once_more.write(true).custom_flags(nix::fcntl::OFlag::O_NONBLOCK.bits());
    let pipe = format!("/proc/self/fd/{}", writer.as_raw_fd());
    let mut filler = once_more.open(pipe).expect("the pipe is ours");
    while std::io::Write::write(&mut filler, &[b'y'; 4096]).is_ok() {}
    let mut command = Command::new(BINARY);
    command.args(["--once", "--format", "combined"]).stdin(std::process::Stdio::piped());
    let mut child = command.stdout(std::process::Stdio::piped()).stderr(writer).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("piped");
    // None of them fits, which is said.
    let lines = "no line\n".repeat(50_000);
    std::io::Write::write_all(&mut stdin, lines.as_bytes()).expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    drop(reader);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("{outcome=\"malformed\"} 50000\n"));
}

/// Nobody has put another in its place: it reads what is in the pipe and ends, though the pipe stays open.
#[test]
fn in_a_pipeline_sigterm_ends_it_as_soon_as_the_pipe_is_empty() {
    let mut command = Command::new(BINARY);
    command.args(["--format", "combined", "--web.listen-address", "127.0.0.1:0"]);
    let mut exporter = Exporter::of(Process::start(&mut command));
    exporter.process.feed(lines(100).as_bytes());
    exporter.wait_for_lines(100);
    exporter.process.signal(Signal::SIGTERM);
    wait_until("its end", || exporter.process.has_ended());
    assert_eq!(exporter.process.wait().status.code(), Some(0));
}

/// A pipe that is filled as fast as it is read is never empty: what was in it at the signal is read, and no more.
#[test]
fn in_a_pipeline_sigterm_ends_it_though_the_writer_never_rests() {
    let mut command = Command::new(BINARY);
    command.args(["--format", "combined", "--web.listen-address", "127.0.0.1:0"]);
    let mut exporter = Exporter::of(Process::start(&mut command));
    let _writer = Process::start_into(Command::new("yes").arg(line(1).trim_end()), &mut exporter.process);
    wait_until("the first lines", || exporter.scrape().sum("httpd_exporter_lines_total") > 0.0);
    exporter.process.signal(Signal::SIGTERM);
    wait_until("its end", || exporter.process.has_ended());
}

/// At a graceful restart Apache closes its ends of the pipe right behind the SIGTERM, and its old children write on for
/// as long as their connections live.
#[test]
fn after_a_graceful_restart_the_old_children_are_read_to_the_end() {
    let dir = TempDir::new();
    let tee = dir.join("tee.log");
    let mut command = Command::new(BINARY);
    command.args(["--format", "combined", "--web.listen-address", "127.0.0.1:0", "--tee"]).arg(&tee);
    let mut exporter = Exporter::of(Process::start_under_server(&command, std::process::Stdio::null()));
    exporter.process.feed(lines(10).as_bytes());
    exporter.wait_for_lines(10);
    exporter.process.signal(Signal::SIGUSR1);
    wait_until("the port to be given up", || scrape(&exporter.address).is_err());
    let mut all = lines(10);
    for _ in 0..10 {
        exporter.process.feed(lines(10).as_bytes());
        all += &lines(10);
        wait_until("the tee", || std::fs::read_to_string(&tee).is_ok_and(|text| text == all));
    }
    exporter.process.close();
    assert_eq!(exporter.process.wait().status.code(), Some(0));
}

/// As SIGINT does: the page of what was read is printed.
#[test]
fn once_is_ended_by_sigterm_at_once() {
    let mut command = Command::new(BINARY);
    let dir = TempDir::new();
    let tee = dir.join("tee.log");
    command.args(["--once", "--format", "combined", "--tee"]).arg(&tee);
    let mut process = Process::start(&mut command);
    process.feed(lines(10).as_bytes());
    wait_until("the lines to be read", || std::fs::read(&tee).is_ok_and(|read| !read.is_empty()));
    process.signal(Signal::SIGTERM);
    wait_until("its end", || process.has_ended());
    let ended = process.wait();
    assert_eq!((ended.status.code(), ended.page().sum("httpd_requests_total")), (Some(0), 10.0));
}

/// What a parent has left open is closed, but for what an argument names.
#[test]
fn inherited_descriptors_are_closed() {
    let dir = TempDir::new();
    let tee = dir.join("tee.log");
    let mut command = Command::new("sh");
    command.args(["-c", "exec 7</dev/null 8>>\"$1\"; shift; exec \"$0\" \"$@\"", BINARY]).arg(&tee);
    command.args(["--format", "combined", "--web.listen-address", "127.0.0.1:0", "--tee", "/dev/fd/8"]);
    let mut exporter = Exporter::of(Process::start(&mut command));
    exporter.process.feed(lines(10).as_bytes());
    exporter.wait_for_lines(10);
    wait_until("the tee", || std::fs::read_to_string(&tee).is_ok_and(|text| text == lines(10)));
    let link = |number: u32| std::fs::read_link(format!("/proc/{}/fd/{number}", exporter.process.id()));
    assert!(!link(7).is_ok_and(|to| to == std::path::Path::new("/dev/null")), "{:?}", link(7));
}

/// More series take more memory: what could not be kept under the limit is refused at the start.
#[test]
fn a_small_address_space_is_too_small_for_many_series() {
    let start = |series: &str| {
        let mut command = Command::new("prlimit");
        command.args(["--as=104857600", BINARY, "--once", "--format", "combined", "--max-series", series]);
        Process::start_on_stdin(&mut command, std::process::Stdio::null()).wait()
    };
    assert!(start("20000").status.success());
    let ended = start("60000");
    assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
    let why = "100 MB (ulimit -v) is too small; at least 210 MB are needed with --max-series 60000";
    assert!(ended.stderr.contains(why), "{}", ended.stderr);
}

/// Under a limit that is too small for it the program says so at the start; under any larger one it lives.
#[test]
fn a_small_address_space_is_enough_or_is_said_to_be_too_small() {
    // Below 35 MB a program that was built for debugging does not even start.
    for megabytes in (35..=200).step_by(15) {
        let mut command = Command::new("prlimit");
        command.args([&format!("--as={}", megabytes << 20), BINARY, "--once", "--format", "combined"]);
        let mut process = Process::start(&mut command);
        let lines = lines(20_000);
        let mut stdin = process.take_stdin();
        // A program that refuses to start does not read.
        let fed = std::io::Write::write_all(&mut stdin, lines.as_bytes());
        drop(stdin);
        let ended = process.wait();
        if megabytes < 64 {
            assert_eq!(ended.status.code(), Some(1), "{megabytes} MB: {}", ended.stderr);
            assert!(ended.stderr.contains("(ulimit -v) is too small"), "{megabytes} MB: {}", ended.stderr);
        } else {
            assert!(fed.is_ok() && ended.status.success(), "{megabytes} MB: {}", ended.stderr);
            assert_eq!(ended.page().sum("httpd_exporter_lines_total"), 20_000.0);
        }
    }
}

/// The newest points of `/live.json`: `[time, [seconds, ...]]`.
fn points(exporter: &Exporter) -> Vec<(u64, Option<u64>)> {
    let answer = get(&exporter.address, "/live.json").expect("an answer");
    assert!(answer.head.contains("Content-Type: application/json"), "{}", answer.head);
    let json: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
    let points = json["fine"].as_array().expect("points").iter();
    points.map(|point| (point[0].as_u64().expect("a time"), point[1][3].as_u64())).collect()
}

/// What a generation has seen of the last hour its successor shows at once.
#[test]
fn the_history_of_the_live_page_goes_on_over_generations() {
    let dir = TempDir::new();
    let state = dir.join("state").display().to_string();
    let args = ["--format", "%{sec}t %>s", "--state-dir", &state];
    let mut first = Exporter::start(&args);
    wait_until("a look before the lines", || !points(&first).is_empty());
    let seconds =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock").as_secs();
    first.process.feed(format!("{seconds} 200\n").repeat(7).as_bytes());
    let seen = |exporter: &Exporter| points(exporter).into_iter().find(|(_, requests)| *requests == Some(7));
    let point = wait_for("the point of the lines", || seen(&first).ok_or("not yet".to_owned()));
    first.process.close();
    assert!(first.process.wait().status.success());
    let second = Exporter::start(&args);
    wait_until("the point of the generation before", || seen(&second) == Some(point));
    // What was there at the start is no rate.
    wait_until("points of its own", || points(&second).last().is_some_and(|last| *last > point));
    let own = points(&second).into_iter().filter(|own| own.0 > point.0);
    assert!(own.clone().all(|(_, requests)| requests == Some(0)), "{:?}", own.collect::<Vec<_>>());
}
