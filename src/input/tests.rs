//! The reader against real pipes, files and signals.

use super::*;
use crate::input::ending::TERMINATE_TWICE;
use crate::input::line_buffer::{LineBuffer, Sizes};
use crate::limits::{CHUNKS_MAX, LINE_BYTES_MAX};
use crate::os::UserRights;
use crate::self_metrics::SelfMetrics;
use proptest::prelude::*;
use std::io::{BufRead, PipeWriter, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

/// A counting side that keeps all it gets.
struct Count(thread::JoinHandle<(Vec<u8>, u64)>);

impl Count {
    fn new(inbox: ChunkReceiver) -> Count {
        Count(thread::spawn(move || {
            let (mut all, mut oversized) = (Vec::new(), 0);
            while let Ok(chunk) = inbox.chunks.recv() {
                assert!(chunk.bytes().is_empty() || chunk.bytes().ends_with(b"\n"));
                all.extend_from_slice(chunk.bytes());
                oversized += chunk.oversized;
                inbox.give_back(chunk);
            }
            (all, oversized)
        }))
    }

    fn result(self) -> (Vec<u8>, u64) {
        self.0.join().unwrap()
    }
}

fn pipe() -> (File, PipeWriter) {
    let (reader, writer) = io::pipe().unwrap();
    (OwnedFd::from(reader).into(), writer)
}

fn read_all(input: &File) -> (Vec<u8>, u64, Arc<SelfMetrics>) {
    let self_metrics = Arc::<SelfMetrics>::default();
    let (outbox, inbox) = channels(self_metrics.clone());
    let count = Count::new(inbox);
    let end = run(input, 0, &SignalPipe::install().unwrap(), None, outbox, || OnTerminate::Drain);
    assert!(matches!(end, End::OfInput), "{end:?}");
    let (all, oversized) = count.result();
    (all, oversized, self_metrics)
}

/// What the counting side has to get: lines that are short enough, each with a newline.
fn expected(input: &[u8], line_max: usize) -> (Vec<u8>, u64) {
    let mut lines: Vec<&[u8]> = input.split(|byte| *byte == b'\n').collect();
    if lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    let oversized = lines.iter().filter(|line| line.len() > line_max).count() as u64;
    let short = lines.iter().filter(|line| line.len() <= line_max);
    (short.flat_map(|line| [line, &b"\n"[..]].concat()).collect(), oversized)
}

proptest! {
    /// Reads of any size, down to a byte, and lines around the longest allowed.
    #[test]
    fn any_split_of_the_reads_gives_the_same_lines(
        input in prop::collection::vec(prop_oneof![4 => any::<u8>(), 1 => Just(b'\n'), 8 => Just(b'x')], 0..400),
        reads in prop::collection::vec(1usize..24, 1..40),
        line_max in 28usize..60,
    ) {
        let (outbox, inbox) = channels(Arc::default());
        let count = Count::new(inbox);
        let mut lines = LineBuffer::new(outbox, None, Sizes { chunk: 8, tail: 4, line_max });
        let mut rest = &input[..];
        for size in reads.iter().cycle() {
            let room = lines.room();
            prop_assert!(room.len() >= 8);
            let read = (*size).min(room.len()).min(rest.len());
            if read == 0 {
                break;
            }
            room[..read].copy_from_slice(&rest[..read]);
            rest = &rest[read..];
            prop_assert!(lines.take(read));
        }
        lines.finish();
        prop_assert_eq!(count.result(), expected(&input, line_max));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_split_of_the_writes_gives_the_same_lines(
        pieces in prop::collection::vec(prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\n')], 0..3000), 0..12),
    ) {
        let (input, mut writer) = pipe();
        let all = pieces.concat();
        let feeder = thread::spawn(move || pieces.iter().for_each(|piece| writer.write_all(piece).unwrap()));
        let (got, oversized, self_metrics) = read_all(&input);
        feeder.join().unwrap();
        prop_assert_eq!((got, oversized), expected(&all, LINE_BYTES_MAX));
        prop_assert_eq!(self_metrics.input_bytes.get(), all.len() as u64);
    }
}

#[test]
fn a_line_above_the_limit_is_a_number_and_its_neighbours_are_lines() {
    let (input, mut writer) = pipe();
    let long = |bytes: usize| [vec![b'x'; bytes], b"\n".to_vec()].concat();
    let all =
        [long(10), long(LINE_BYTES_MAX), long(LINE_BYTES_MAX + 1), long(9), long(5 << 20), long(8)].concat();
    let feed = [&all[..], b"no newline"].concat();
    let feeder = thread::spawn(move || writer.write_all(&feed).unwrap());
    let (got, oversized, _) = read_all(&input);
    feeder.join().unwrap();
    assert_eq!(oversized, 2);
    assert!(got == [long(10), long(LINE_BYTES_MAX), long(9), long(8), b"no newline\n".to_vec()].concat());
}

#[test]
fn a_regular_file_is_read_whole() {
    let dir = tee::tests::TempDir::new();
    let path = dir.path().join("log");
    let text: String = (0..200_000).map(|n| format!("line {n}\n")).collect();
    std::fs::write(&path, &text).unwrap();
    let (got, oversized, _) = read_all(&File::open(&path).unwrap());
    assert!(got == text.as_bytes() && oversized == 0);
}

#[test]
fn a_counting_side_that_is_slow_makes_the_reader_wait_and_the_wait_is_measured() {
    let (input, mut writer) = pipe();
    let self_metrics = Arc::<SelfMetrics>::default();
    let (outbox, inbox) = channels(self_metrics.clone());
    let reader = thread::spawn(move || {
        run(&input, 0, &SignalPipe::install().unwrap(), None, outbox, || OnTerminate::Drain)
    });
    // Many times what all buffers and the pipe can hold.
    let feeder = thread::spawn(move || (0..400).for_each(|_| writer.write_all(&[b'\n'; 1 << 16]).unwrap()));
    let mut bytes = 0;
    loop {
        while inbox.chunks.len() < CHUNKS_MAX && !reader.is_finished() {
            thread::yield_now();
        }
        let Ok(chunk) = inbox.chunks.try_recv() else { break };
        bytes += chunk.bytes().len();
        inbox.give_back(chunk);
    }
    feeder.join().unwrap();
    assert!(matches!(reader.join().unwrap(), End::OfInput));
    assert_eq!(bytes, 400 << 16);
    assert!(self_metrics.input_wait_seconds.get() > 0.0);
}

#[test]
fn without_a_counting_side_the_reading_ends() {
    let (input, mut writer) = pipe();
    let (outbox, inbox) = channels(Arc::default());
    drop(inbox);
    writer.write_all(b"a line\n").unwrap();
    assert!(matches!(
        run(&input, 0, &SignalPipe::install().unwrap(), None, outbox, || OnTerminate::Drain),
        End::Abandoned
    ));
}

/// Not a test of its own: the process of the tests below, which reads stdin to the end and says what it saw.
#[test]
fn reading_child() {
    let Some(tee) = std::env::var_os("HTTPD_EXPORTER_TEST_TEE") else { return };
    let self_metrics = Arc::<SelfMetrics>::default();
    let options = tee::Options { path: tee.into(), ..tee::Options::default() };
    let tee = (!options.path.as_os_str().is_empty())
        .then(|| Tee::open(options, self_metrics.clone(), &UserRights::OF_THE_TESTS).unwrap());
    let (outbox, inbox) = channels(self_metrics);
    let counting = thread::spawn(move || {
        let mut lines = 0;
        while let Ok(chunk) = inbox.chunks.recv() {
            lines += chunk.bytes().iter().filter(|byte| **byte == b'\n').count();
            inbox.give_back(chunk);
        }
        lines
    });
    let signals = SignalPipe::install().unwrap();
    let input = File::from(io::stdin().as_fd().try_clone_to_owned().unwrap());
    println!("\nready");
    let stop_flag = signals.stop_flag();
    let end = run(&input, 0, &signals, tee, outbox, || {
        // Another thread that asks now whether a server started us would take it for a pipeline's signal.
        assert!(stop_flag.is_set(), "the signal was taken, and nobody sees any more that it has come");
        println!("retired");
        OnTerminate::Drain
    });
    println!("{end:?} {}", counting.join().unwrap());
}

struct Reading {
    child: std::process::Child,
    says: io::Lines<io::BufReader<std::process::ChildStdout>>,
}

impl Reading {
    fn start(tee: &str) -> Reading {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "input::tests::reading_child", "--nocapture"])
            .env("HTTPD_EXPORTER_TEST_TEE", tee)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let says = io::BufReader::new(child.stdout.take().unwrap()).lines();
        let mut reading = Reading { child, says };
        reading.wait_for("ready");
        reading
    }

    fn wait_for(&mut self, text: &str) {
        self.says
            .find(|line| line.as_ref().unwrap() == text)
            .unwrap_or_else(|| panic!("never said {text}"))
            .unwrap();
    }

    fn signal(&self, name: &str) -> bool {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-s", name, &pid]).stderr(Stdio::null()).status().unwrap().success()
    }

    fn feed(&mut self, text: &str) {
        self.child.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn end(mut self, text: &str) {
        self.wait_for(text);
        assert!(self.child.wait().unwrap().success());
    }
}

#[test]
fn after_sigterm_the_input_is_drained_to_its_end() {
    let mut reading = Reading::start("");
    reading.feed("one\n");
    // At once and from here, for one that comes a second later is a person's.
    let pid = nix::unistd::Pid::from_raw(reading.child.id().try_into().unwrap());
    let terminate = || nix::sys::signal::kill(pid, nix::sys::signal::SIGTERM).unwrap();
    terminate();
    terminate();
    reading.wait_for("retired");
    reading.signal("HUP");
    reading.feed("two\nthree");
    drop(reading.child.stdin.take());
    reading.end("OfInput 3");
}

#[test]
fn a_sigterm_a_second_after_the_first_ends_an_empty_pipe() {
    let mut reading = Reading::start("");
    reading.feed("one\n");
    let since = Instant::now();
    reading.signal("TERM");
    reading.wait_for("retired");
    loop {
        let is_over = reading.child.try_wait().unwrap().is_some();
        if since.elapsed() >= TERMINATE_TWICE {
            break;
        }
        assert!(!is_over, "ended after {:?}", since.elapsed());
        reading.signal("TERM");
    }
    while reading.child.try_wait().unwrap().is_none() {
        reading.signal("TERM");
    }
    reading.end("Terminated 1");
}

#[test]
fn sigint_ends_the_reading_at_once_and_a_begun_line_counts() {
    let dir = tee::tests::TempDir::new();
    let path = dir.path().join("log");
    let mut reading = Reading::start(path.to_str().unwrap());
    // One write, and so one read: when the tee has the lines, the reader holds the beginning.
    reading.feed("one\ntwo\nbegun");
    while std::fs::read(&path).unwrap().is_empty() {
        thread::yield_now();
    }
    reading.signal("INT");
    reading.end("Interrupted 3");
    assert_eq!(std::fs::read(&path).unwrap(), b"one\ntwo\nbegun");
}

#[test]
fn sighup_makes_the_tee_look_for_its_path() {
    let dir = tee::tests::TempDir::new();
    let path = dir.path().join("log");
    let mut reading = Reading::start(path.to_str().unwrap());
    reading.feed("one\n");
    while std::fs::read(&path).unwrap().is_empty() {
        thread::yield_now();
    }
    std::fs::rename(&path, dir.path().join("log.1")).unwrap();
    reading.signal("HUP");
    let mut lines = 1;
    while !path.exists() {
        reading.feed("more\n");
        lines += 1;
        thread::yield_now();
    }
    drop(reading.child.stdin.take());
    reading.end(&format!("OfInput {lines}"));
    let count = |path: &std::path::Path| std::fs::read_to_string(path).unwrap().lines().count();
    assert_eq!(count(&path) + count(&dir.path().join("log.1")), lines);
}
