//! Files that are followed by the real program: rotations, kills, labels, what is said.

use crate::harness::{BINARY, Exporter, Process, TempDir, run, wait_for, wait_until};
use nix::sys::signal::Signal;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

const LINE: &str = "192.0.2.7 - - [26/Nov/2026:12:00:00 +0000] \"GET / HTTP/1.1\" 200 12 \"-\" \"-\"\n";

fn append(path: &Path) -> File {
    OpenOptions::new().append(true).create(true).open(path).expect("writable")
}

fn write(path: &Path, lines: usize) {
    append(path).write_all(LINE.repeat(lines).as_bytes()).expect("room");
}

/// Until the place in a log is saved: who starts after a kill goes on from there.
fn wait_for_a_place(state: &Path) {
    // What is still being written is not saved.
    let has_place = |path: PathBuf| {
        let saved = if path.extension().is_some() { Vec::new() } else { fs::read(path).unwrap_or_default() };
        String::from_utf8_lossy(&saved).contains("follow ")
    };
    wait_until("the place in the log is saved", || {
        let mut files = fs::read_dir(state).into_iter().flatten().flatten();
        files.any(|file| has_place(file.path()))
    });
}

/// Until a file is followed: what was in it is old, and what comes from now on is new.
fn wait_for_a_look(exporter: &Exporter) {
    wait_until("a look at the files", || {
        exporter.scrape().value("httpd_exporter_followed_files") >= Some(1.0)
    });
}

struct Place {
    dir: TempDir,
    log: PathBuf,
}

impl Place {
    fn new() -> Place {
        let dir = TempDir::new();
        let log = dir.write("access.log", "");
        Place { log, dir }
    }

    fn start(&self) -> Exporter {
        self.start_with("combined")
    }

    /// A first process, until the place in the log is saved: what comes from now on is new.
    fn begin(&self) {
        let _exporter = self.start();
        wait_for_a_place(&self.dir.join("state"));
    }

    fn start_with(&self, format: &str) -> Exporter {
        let (state, log) = (self.dir.join("state"), self.log.display().to_string());
        let mut command = Command::new(BINARY);
        command.args([
            "--web.listen-address=127.0.0.1:0",
            "--format",
            format,
            "--follow",
            &log,
            "--state-dir",
        ]);
        Exporter::of(Process::start(command.arg(state)))
    }
}

#[test]
fn a_rotation_by_rename_loses_no_line_of_the_old_file_or_the_new() {
    let place = Place::new();
    let exporter = place.start();
    wait_for_a_look(&exporter);
    let mut old = append(&place.log);
    old.write_all(LINE.as_bytes()).expect("room");
    exporter.wait_for_lines(1);
    fs::rename(&place.log, place.dir.join("access.log.1")).expect("renamed");
    old.write_all(LINE.as_bytes()).expect("room");
    exporter.wait_for_lines(2);
    write(&place.log, 1);
    exporter.wait_for_lines(3);
    old.write_all(LINE.as_bytes()).expect("room");
    let page = exporter.wait_for_lines(4);
    assert_eq!(page.value("httpd_exporter_followed_files"), Some(2.0));
    assert_eq!(page.value("httpd_exporter_follow_rotations_total"), Some(1.0));
}

#[test]
fn a_rotation_by_copy_and_truncation_loses_no_line() {
    let place = Place::new();
    let exporter = place.start();
    wait_for_a_look(&exporter);
    write(&place.log, 300);
    exporter.wait_for_lines(300);
    write(&place.log, 20);
    fs::copy(&place.log, place.dir.join("access.log.1")).expect("copied");
    append(&place.log).set_len(0).expect("truncated");
    write(&place.log, 4);
    let page = exporter.wait_for_lines(324);
    assert_eq!(page.value("httpd_exporter_follow_truncations_total"), Some(1.0));
    wait_until("no lag", || exporter.scrape().value("httpd_exporter_follow_lag_bytes") == Some(0.0));
}

#[test]
fn what_came_while_nobody_read_is_read_first_also_from_the_rotated_file() {
    let place = Place::new();
    let mut exporter = place.start();
    wait_for_a_look(&exporter);
    write(&place.log, 3);
    exporter.wait_for_lines(3);
    exporter.process.signal(Signal::SIGTERM);
    exporter.process.wait();
    write(&place.log, 4);
    fs::rename(&place.log, place.dir.join("access.log.2")).expect("renamed");
    write(&place.dir.join("access.log.1"), 5);
    write(&place.log, 6);
    place.start().wait_for_lines(18);
}

#[test]
fn a_kill_neither_loses_nor_doubles_a_line() {
    let place = Place::new();
    let mut lines = 0;
    // What was there before the first start is none of it.
    place.begin();
    for round in 0..8 {
        let exporter = place.start();
        for _ in 0..20 {
            write(&place.log, 50);
            lines += 50;
        }
        if round % 2 == 0 {
            exporter.wait_for_lines(lines);
        }
        exporter.process.signal(Signal::SIGKILL);
    }
    place.start().wait_for_lines(lines);
}

/// By mistake, or while one generation of a container takes over from another.
#[test]
fn of_two_that_follow_one_file_one_reads_and_the_other_goes_on_behind_it() {
    let place = Place::new();
    place.begin();
    let mut lines = 0;
    let mut write_more = |to: &Path| {
        write(to, 700);
        lines += 700;
        lines
    };
    let mut reader = place.start();
    wait_for_a_look(&reader);
    for round in 0..4 {
        write_more(&place.log);
        let next = place.start();
        // It is one sum, whoever is asked.
        let page = next.wait_for_lines(write_more(&place.log));
        assert_eq!(page.value("httpd_exporter_followed_files"), Some(0.0));
        next.wait_for_stderr("another process with this --state-dir reads files, so this one waits");
        reader.wait_for_lines(write_more(&place.log));
        let signal = if round % 2 == 0 { Signal::SIGKILL } else { Signal::SIGTERM };
        // What is written now, the one may have read and not saved.
        write_more(&place.log);
        reader.process.signal(signal);
        if round % 3 == 0 {
            fs::rename(&place.log, place.dir.join(&format!("access.log.{}", 9 - round))).expect("renamed");
        }
        let written = write_more(&place.log);
        reader.process.wait();
        next.wait_for_stderr("this one goes on where it stopped");
        next.wait_for_lines(written);
        reader = next;
    }
    // None is behind its neighbour with a count of its own.
    place.start().wait_for_lines(write_more(&place.log));
    assert_eq!(reader.wait_for_lines(lines).sum("httpd_requests_total"), lines as f64);
}

/// As a container runtime writes it; `P` marks a piece.
fn write_piece(path: &Path, stream: &str, mark: &str, text: &str) {
    let line = format!("2026-11-26T12:00:00.000000000Z {stream} {mark} {text}\n");
    append(path).write_all(line.as_bytes()).expect("room");
}

/// A kill between any two pieces of a line, or an end by a signal, or a rotation, and whole lines of another stream in
/// between.
#[test]
fn a_line_in_pieces_is_counted_once_though_the_reader_ends_between_them() {
    let place = Place::new();
    let line = |stream: &str, mark: &str, text: &str| write_piece(&place.log, stream, mark, text);
    let mut exporter = place.start();
    wait_for_a_place(&place.dir.join("state"));
    let (mut lines, mut requests) = (0, 0.0);
    for round in 0..6 {
        let (one, rest) = LINE.trim_end().split_at(20 + round);
        let (two, three) = rest.split_at(30);
        for (mark, piece) in [("P", one), ("P", two), ("F", three)] {
            line("stdout", mark, piece);
            // The pieces of a line are lines that are counted with it, so a whole line tells that it was read.
            line("stderr", "F", "a remark");
            lines += if mark == "F" { 4 } else { 1 };
            requests += if mark == "F" { 1.0 } else { 0.0 };
            let page = exporter.wait_for_lines(lines);
            assert_eq!(page.sum("httpd_requests_total"), requests, "{round}, {mark}");
            match (round, mark) {
                (0 | 3, _) => exporter.process.signal(Signal::SIGKILL),
                (1, _) | (2, "P") => exporter.process.signal(Signal::SIGTERM),
                (4, "P") => {
                    let rotated = place.dir.join(&format!("access.log.{lines}"));
                    fs::rename(&place.log, rotated).expect("renamed");
                }
                _ => continue,
            }
            if round != 4 {
                exporter.process.wait();
                exporter = place.start();
            }
        }
    }
    let page = exporter.wait_for_lines(lines);
    assert_eq!(page.sum("httpd_exporter_malformed_lines_total"), 0.0);
    assert_eq!(page.sum("httpd_requests_total"), requests);
}

/// A node of Kubernetes: the runtime writes `pods/.../0.log`, to which a link in `containers/` leads; the kubelet
/// renames it when it is long, and a container that is started again has another file and another link. Kills come in
/// between.
#[test]
fn a_node_of_kubernetes_is_followed_through_rotations_restarts_and_kills() {
    let dir = TempDir::new();
    let (pods, containers) = (dir.join("pods/default_web_6f1c/web"), dir.join("containers"));
    fs::create_dir_all(&pods).expect("writable");
    fs::create_dir_all(&containers).expect("writable");
    let link = |life: usize| containers.join(format!("web_default_web-{life:064x}.log"));
    let start = || {
        let mut command = Command::new(BINARY);
        command.args(["--web.listen-address=127.0.0.1:0", "--format=combined", "--label=pod=envelope:pod"]);
        command.arg("--follow").arg(containers.join("*.log")).arg("--state-dir").arg(dir.join("state"));
        Exporter::of(Process::start(&mut command))
    };
    // One that stays empty, by which it is seen that the files have been looked at.
    append(&link(900));
    let (mut exporter, mut life, mut lines) = (start(), 0, 0);
    wait_for_a_place(&dir.join("state"));
    let mut write_lines = |log: &Path, count: usize| {
        (0..count).for_each(|_| write_piece(log, "stdout", "F", LINE.trim_end()));
        lines += count as u64;
        lines
    };
    for round in 0..12 {
        let log = pods.join(format!("{life}.log"));
        let written = write_lines(&log, 40);
        let is_new = !link(life).exists();
        if is_new {
            std::os::unix::fs::symlink(&log, link(life)).expect("linked");
        }
        // Else what follows comes upon it in the middle. A new file has to be found before it is renamed.
        if is_new || round % 2 == 0 {
            exporter.wait_for_lines(written);
        }
        match round % 3 {
            // The runtime opens the new file a moment after the kubelet has renamed the old one.
            0 => {
                let mut old = append(&log);
                let rotated = pods.join(format!("{life}.log.20261126-1200{round:02}"));
                fs::rename(&log, rotated).expect("renamed");
                for _ in 0..5 {
                    writeln!(old, "2026-11-26T12:00:00Z stdout F {}", LINE.trim_end()).expect("room");
                }
                write_lines(Path::new("/dev/null"), 5);
            }
            1 => {
                exporter.process.signal(Signal::SIGKILL);
                exporter.process.wait();
                write_lines(&log, 7);
                exporter = start();
            }
            _ => {
                // The old one stands until it is collected, once it has been read.
                exporter.wait_for_lines(write_lines(&log, 3));
                fs::remove_file(link(life)).expect("removed");
                life += 1;
            }
        }
    }
    let page = exporter.wait_for_lines(lines);
    let of_pod = "httpd_requests_total{method=\"GET\",pod=\"web\",status_code=\"200\"}";
    assert_eq!(page.value(of_pod), Some(lines as f64), "{:?}", page.series.keys());
}

#[test]
fn pieces_that_were_read_before_the_format_is_known_again_are_no_lines() {
    let place = Place::new();
    let mut exporter = place.start_with("auto");
    wait_for_a_place(&place.dir.join("state"));
    write_piece(&place.log, "stdout", "F", LINE.trim_end());
    exporter.wait_for_lines(1);
    let (one, two) = LINE.trim_end().split_at(50);
    write_piece(&place.log, "stdout", "P", one);
    write_piece(&place.log, "stderr", "F", "a remark");
    exporter.wait_for_lines(2);
    exporter.process.signal(Signal::SIGKILL);
    exporter.process.wait();
    write_piece(&place.log, "stdout", "F", two);
    let page = place.start_with("auto").wait_for_lines(4);
    assert_eq!(page.sum("httpd_requests_total"), 2.0);
}

#[test]
fn files_do_not_mix_and_their_names_are_a_label() {
    let dir = TempDir::new();
    for (name, lines) in [("a.log", 3), ("b.log", 5)] {
        dir.write(name, LINE.repeat(lines));
    }
    let glob = dir.join("*.log").display().to_string();
    let options = ["--once", "--label", "file=envelope:file", "--follow", &glob];
    for format in ["combined", "auto"] {
        let output = Command::new(BINARY).args(options).args(["--format", format]).output().expect("it runs");
        let page = String::from_utf8(output.stdout).expect("text");
        for (name, lines) in [("a.log", 3), ("b.log", 5)] {
            let row = format!(
                "httpd_requests_total{{file=\"{}\",method=\"GET\",status_code=\"200\"}} {lines}\n",
                dir.join(name).display()
            );
            assert!(page.contains(&row), "{format}: {row}{page}");
        }
    }
}

#[test]
fn what_cannot_be_read_is_said_once_and_read_when_it_can() {
    let dir = TempDir::new();
    let log = dir.join("later.log");
    let exporter = Exporter::start(&["--format=combined", "--follow", &log.display().to_string()]);
    exporter.wait_for_stderr("later.log: No such file or directory; it is read from its beginning");
    exporter.wait_for_stderr("without --state-dir no places are kept");
    exporter.wait_for_stderr("stdin is not counted, for files are followed");
    write(&log, 2);
    exporter.wait_for_lines(2);
    assert_eq!(exporter.process.stderr().matches("later.log").count(), 1);
}

#[test]
fn a_glob_finds_new_files() {
    let dir = TempDir::new();
    write(&dir.join("old.log"), 7);
    let exporter =
        Exporter::start(&["--format=combined", "--follow", &dir.join("*.log").display().to_string()]);
    wait_for("the old file", || {
        let files = exporter.scrape().value("httpd_exporter_followed_files");
        if files == Some(1.0) { Ok(()) } else { Err(format!("{files:?}")) }
    });
    write(&dir.join("new.log"), 2);
    exporter.wait_for_lines(2);
}

#[test]
fn once_fails_where_a_file_cannot_be_read() {
    let missing = TempDir::new().join("none.log");
    let options = ["--once", "--format=combined", "--follow", &missing.display().to_string()];
    let output = Command::new(BINARY).args(options).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("none.log: No such file or directory\n"), "{said}");
    assert!(output.stdout.is_empty(), "a page that lacks counts is none");
}

/// Each line would be read again, without end.
#[test]
fn a_tee_that_is_followed_or_read_is_refused() {
    let dir = TempDir::new();
    let log = dir.join("copy.log");
    write(&log, 3);
    let tee = log.display().to_string();
    for (name, more) in [("copy.log", None), ("*.log", None), ("copy.log.*", Some("1M"))] {
        let followed = dir.join(name).display().to_string();
        let mut args = vec!["--format", "combined", "--once", "--follow", &followed, "--tee", &tee];
        args.extend(more.iter().flat_map(|size| ["--tee.rotate-size", size]));
        let ended = run(&args, b"");
        assert_eq!(ended.status.code(), Some(2), "{name}: {}", ended.stderr);
        assert!(ended.stderr.contains("a tee is another file"), "{name}: {}", ended.stderr);
    }
    let stdin = File::open(&log).expect("readable");
    let mut command = Command::new(BINARY);
    let mut reader =
        Process::start_on_stdin(command.args(["--format", "combined", "--once", "--tee", &tee]), stdin);
    let ended = reader.wait();
    assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("is what stdin reads"), "{}", ended.stderr);
    assert_eq!(fs::read_to_string(&log).expect("readable").lines().count(), 3);
}
