//! The follower against a model: any order of writes, rotations, looks, kills and starts, on real files.
//!
//! Time is the test's own. A kill takes back what was read and not saved: all behind some chunk.

use super::*;
use crate::input::chunks::{ChunkReceiver, Origin, channels};
use crate::limits::CHUNK_BYTES;
use proptest::prelude::*;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

struct Dir(PathBuf);

impl Dir {
    fn new() -> Dir {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("httpd_exporter-follow-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Dir(path)
    }

    fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

type Seen = (Vec<u8>, u64, Option<Origin>);

fn listen(inbox: ChunkReceiver) -> JoinHandle<Vec<Seen>> {
    thread::spawn(move || {
        let mut seen = Vec::new();
        while let Ok(mut chunk) = inbox.chunks.recv() {
            seen.push((chunk.bytes().to_vec(), chunk.oversized, chunk.origin.take()));
            inbox.give_back(chunk);
        }
        seen
    })
}

/// What has been counted, and what is kept with it.
#[derive(Clone, Default)]
struct Saved {
    text: Vec<u8>,
    oversized: u64,
    files: BTreeSet<String>,
    places: BTreeMap<String, String>,
}

impl Saved {
    fn count(&mut self, seen: &[Seen]) {
        for (bytes, oversized, origin) in seen {
            self.text.extend_from_slice(bytes);
            self.oversized += oversized;
            let Some(origin) = origin else { continue };
            self.files.insert(origin.file.to_string());
            match &origin.place {
                Some(place) => self.places.insert(origin.key.to_string(), place.text(origin.version)),
                None => self.places.remove(&*origin.key),
            };
        }
    }

    fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(self.text.clone()).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }
}

/// A process that follows.
struct Life {
    follower: Follower,
    sink: Sink,
    count: JoinHandle<Vec<Seen>>,
}

impl Life {
    fn new(given: &[String], mode: Mode, saved: &Saved) -> Life {
        let self_metrics = Arc::<SelfMetrics>::default();
        let (chunks, inbox) = channels(self_metrics.clone());
        let mut follower = Follower::new(given, mode, self_metrics).unwrap();
        follower.go_on_from(&saved.places);
        Life { follower, sink: Sink::new(chunks, None), count: listen(inbox) }
    }

    /// Looks, and reads what there is.
    fn look(&mut self, now: Instant) {
        self.follower.look_soon();
        while self.follower.step(now, &mut self.sink) == Step::Busy {}
    }

    fn end(mut self) -> Vec<Seen> {
        self.follower.finish(&mut self.sink);
        self.sink.finish();
        self.count.join().unwrap()
    }
}

/// A log and who writes it.
struct Log {
    path: PathBuf,
    writer: File,
    is_half: bool,
}

fn open(path: &Path) -> File {
    OpenOptions::new().append(true).create(true).open(path).unwrap()
}

struct World {
    _dir: Dir,
    logs: Vec<Log>,
    given: Vec<String>,
    written: Vec<String>,
    saved: Saved,
    life: Option<Life>,
    now: Instant,
}

#[derive(Clone, Debug)]
enum Act {
    Write(usize, usize),
    Half(usize),
    Look,
    Wait(u64),
    /// With a new file made at once, as logrotate's `create` does, or only when the writer opens it.
    Rename(usize, bool),
    /// The writer gets its signal.
    Reopen(usize),
    CopyTruncate(usize),
    /// So many percent of what was read last had been saved.
    Kill(usize),
    End,
}

impl World {
    fn new(given: impl Fn(&Dir) -> Vec<String>) -> World {
        let dir = Dir::new();
        let logs = ["a.log", "b.log"].map(|name| dir.join(name));
        let logs = logs.map(|path| Log { writer: open(&path), path, is_half: false }).into();
        let given = given(&dir);
        let (written, saved, now) = (Vec::new(), Saved::default(), Instant::now());
        World { _dir: dir, logs, given, written, saved, life: None, now }
    }

    fn write(&mut self, log: usize, lines: usize) {
        for _ in 0..lines {
            let line = format!("{log} line {} of the log", self.written.len());
            let start = if self.logs[log].is_half { "of the log" } else { &line };
            writeln!(self.logs[log].writer, "{start}").unwrap();
            if !std::mem::take(&mut self.logs[log].is_half) {
                self.written.push(line);
            }
        }
    }

    fn half(&mut self, log: usize) {
        if !self.logs[log].is_half {
            let line = format!("{log} line {} of the log", self.written.len());
            write!(self.logs[log].writer, "{}", line.strip_suffix("of the log").unwrap()).unwrap();
            self.written.push(line);
            self.logs[log].is_half = true;
        }
    }

    /// Who writes whole lines has none unfinished when it turns to another file.
    fn whole(&mut self, log: usize) {
        if self.logs[log].is_half {
            self.write(log, 1);
        }
    }

    fn look(&mut self) {
        let World { life, given, saved, now, .. } = self;
        life.get_or_insert_with(|| Life::new(given, Mode::GoOn, saved)).look(*now);
    }

    fn end(&mut self, percent: usize) {
        if let Some(life) = self.life.take() {
            let seen = life.end();
            self.saved.count(&seen[..seen.len() * percent / 100]);
        }
    }

    /// Shifts the rotated names and gives back the first, which is free then.
    fn shift(&self, log: usize) -> PathBuf {
        let name = |n: usize| PathBuf::from(format!("{}.{n}", self.logs[log].path.display()));
        let last = (1..).find(|n| !name(*n).exists()).unwrap();
        (1..last).rev().for_each(|n| fs::rename(name(n), name(n + 1)).unwrap());
        name(1)
    }

    fn act(&mut self, act: &Act) {
        match *act {
            Act::Write(log, lines) => self.write(log, lines),
            Act::Half(log) => self.half(log),
            Act::Look => self.look(),
            Act::Wait(seconds) => {
                self.now += Duration::from_secs(seconds);
                self.look();
            }
            Act::Rename(log, creates) => {
                let path = self.logs[log].path.clone();
                // A file that nobody has written to is not rotated.
                if path.metadata().is_ok_and(|meta| meta.len() > 0) {
                    self.whole(log);
                    fs::rename(&path, self.shift(log)).unwrap();
                    if creates {
                        open(&path);
                    }
                }
            }
            Act::Reopen(log) => {
                self.whole(log);
                self.logs[log].writer = open(&self.logs[log].path);
            }
            Act::CopyTruncate(log) => {
                self.whole(log);
                self.act(&Act::Reopen(log));
                // A log that was empty when its place was saved last is not known again in a copy.
                self.write(log, 1);
                self.look();
                self.end(100);
                self.write(log, 2);
                fs::copy(&self.logs[log].path, self.shift(log)).unwrap();
                self.logs[log].writer.set_len(0).unwrap();
            }
            Act::Kill(percent) => self.end(percent),
            Act::End => self.end(100),
        }
    }

    fn check(mut self, acts: &[Act]) {
        self.look();
        self.end(100);
        for act in acts {
            self.act(act);
        }
        (0..self.logs.len()).for_each(|log| self.whole(log));
        self.look();
        self.look();
        self.end(100);
        self.written.sort();
        assert_eq!(self.saved.lines(), self.written);
    }
}

/// One of the logs is renamed, the other copied and truncated.
fn acts() -> impl Strategy<Value = Vec<Act>> {
    let log = 0usize..2;
    let act = prop_oneof![
        6 => (log.clone(), 1usize..4).prop_map(|(log, lines)| Act::Write(log, lines)),
        2 => log.clone().prop_map(Act::Half),
        4 => Just(Act::Look),
        1 => Just(Act::Wait(61)),
        2 => any::<bool>().prop_map(|creates| Act::Rename(0, creates)),
        3 => log.clone().prop_map(Act::Reopen),
        1 => Just(Act::CopyTruncate(1)),
        1 => Just(Act::End),
        2 => (0usize..=100).prop_map(Act::Kill),
    ];
    prop::collection::vec(act, 0..30)
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_line_is_counted_once_whatever_is_done_to_the_files(acts in acts()) {
        let given = |dir: &Dir| ["a.log", "b.log"].map(|name| dir.join(name).display().to_string()).into();
        World::new(given).check(&acts);
    }

    /// The rotated files have names that are followed as well.
    #[test]
    fn a_glob_that_names_rotated_files_too_counts_no_line_twice(acts in acts()) {
        World::new(|dir| vec![dir.join("*.log*").display().to_string()]).check(&acts);
    }
}

/// One file, followed by one process after the other.
struct Follow {
    dir: Dir,
    path: PathBuf,
    saved: Saved,
    now: Instant,
}

impl Follow {
    fn new() -> Follow {
        let dir = Dir::new();
        let path = dir.join("access.log");
        Follow { path, dir, saved: Saved::default(), now: Instant::now() }
    }

    fn write(&self, text: impl AsRef<[u8]>) {
        open(&self.path).write_all(text.as_ref()).unwrap();
    }

    fn start(&self, mode: Mode) -> Life {
        let mut life = Life::new(&[self.path.display().to_string()], mode, &self.saved);
        life.look(self.now);
        life
    }

    fn end(&mut self, life: Life) -> String {
        let before = self.saved.text.len();
        self.saved.count(&life.end());
        String::from_utf8(self.saved.text[before..].to_vec()).unwrap()
    }
}

#[test]
fn what_is_there_at_the_first_start_is_not_read_and_its_unfinished_line_is() {
    let mut follow = Follow::new();
    follow.write("old\nbegun ");
    let mut life = follow.start(Mode::GoOn);
    follow.write("and ended\n");
    life.look(follow.now);
    assert_eq!(follow.end(life), "begun and ended\n");
    follow.write("later\nhalf");
    let life = follow.start(Mode::GoOn);
    assert_eq!(follow.end(life), "later\n");
    follow.write(" whole\n");
    let life = follow.start(Mode::GoOn);
    assert_eq!(follow.end(life), "half whole\n");
}

#[test]
fn once_reads_all_and_takes_an_unfinished_line_for_a_line() {
    let mut follow = Follow::new();
    follow.write("one\ntwo");
    let life = follow.start(Mode::ToTheEnd);
    assert_eq!(follow.end(life), "one\ntwo\n");
    assert!(follow.saved.places.is_empty());
}

#[test]
fn a_file_that_is_new_is_read_from_its_beginning() {
    let mut follow = Follow::new();
    let mut life = follow.start(Mode::GoOn);
    follow.write("first\n");
    life.look(follow.now);
    fs::remove_file(&follow.path).unwrap();
    life.look(follow.now);
    follow.write("second\n");
    life.look(follow.now);
    assert_eq!(follow.end(life), "first\nsecond\n");
}

#[test]
fn a_deleted_file_is_read_while_its_writer_has_it() {
    let mut follow = Follow::new();
    let mut writer = open(&follow.path);
    let mut life = follow.start(Mode::GoOn);
    fs::remove_file(&follow.path).unwrap();
    writer.write_all(b"one\n").unwrap();
    life.look(follow.now);
    writer.write_all(b"two\nlast").unwrap();
    follow.write("new\n");
    life.look(follow.now);
    assert_eq!(life.follower.files.len(), 2);
    life.look(follow.now + QUIET_TIME);
    assert_eq!(life.follower.files.len(), 1, "nothing came any more");
    // Which of two files is read first is a matter of their inodes.
    follow.end(life);
    assert_eq!(follow.saved.lines(), ["last", "new", "one", "two"]);
}

/// The number of a deleted file that is let go is free, and many file systems give it to the next one that is made.
#[test]
fn a_file_that_is_made_long_after_the_old_one_was_deleted_is_read() {
    let mut follow = Follow::new();
    let mut life = follow.start(Mode::GoOn);
    let mut expected = String::new();
    for number in 0..20 {
        let line = format!("{number}\n");
        follow.write(&line);
        life.look(follow.now);
        fs::remove_file(&follow.path).unwrap();
        life.look(follow.now);
        follow.now += QUIET_TIME;
        life.look(follow.now);
        assert_eq!(life.follower.files.len(), 0, "nothing came any more");
        expected += &line;
    }
    assert_eq!(life.follower.self_metrics.follow_rotations.get(), 19);
    assert_eq!(follow.end(life), expected);
}

#[test]
fn a_name_of_a_glob_that_is_missing_for_a_while_was_rotated() {
    let mut follow = Follow::new();
    let glob = follow.dir.join("*.log").display().to_string();
    let mut life = Life::new(&[glob], Mode::GoOn, &follow.saved);
    life.look(follow.now);
    let old = |number: u32| follow.path.with_extension(format!("log.{number}"));
    follow.write("one\n");
    life.look(follow.now);
    fs::rename(&follow.path, old(1)).unwrap();
    life.look(follow.now);
    // Comes and loses its name again before anybody looks.
    follow.write("two\n");
    fs::rename(&follow.path, old(2)).unwrap();
    follow.write("three\n");
    life.look(follow.now);
    assert_eq!(life.follower.self_metrics.follow_rotations.get(), 2);
    assert_eq!(follow.end(life), "one\ntwo\nthree\n");
}

#[test]
fn content_that_is_new_and_longer_is_read_from_its_beginning() {
    let mut follow = Follow::new();
    follow.write("");
    let mut life = follow.start(Mode::GoOn);
    follow.write("first of the old\n");
    life.look(follow.now);
    fs::write(&follow.path, "first of the new\nand more of it than there was before\n").unwrap();
    life.look(follow.now);
    assert_eq!(life.follower.self_metrics.follow_truncations.get(), 1);
    assert_eq!(
        follow.end(life),
        "first of the old\nfirst of the new\nand more of it than there was before\n"
    );
}

#[test]
fn a_writer_that_goes_on_behind_a_hole_loses_no_line() {
    let mut follow = Follow::new();
    let mut writer = File::create(&follow.path).unwrap();
    let mut life = follow.start(Mode::GoOn);
    writer.write_all("a line\n".repeat(100_000).as_bytes()).unwrap();
    life.look(follow.now);
    File::options().write(true).open(&follow.path).unwrap().set_len(0).unwrap();
    writer.write_all(b"behind\n").unwrap();
    life.look(follow.now);
    life.look(follow.now);
    assert_eq!(follow.end(life), "a line\n".repeat(100_000) + "behind\n");
}

#[test]
fn a_line_above_the_limit_is_a_number_also_over_a_restart() {
    let mut follow = Follow::new();
    follow.write("");
    let mut life = follow.start(Mode::GoOn);
    follow.write([&b"short\n"[..], &vec![b'x'; 3 * LINE], b"x"].concat());
    life.look(follow.now);
    assert_eq!(follow.end(life), "short\n");
    follow.write([&b"end\nnext\n"[..], &vec![b'y'; LINE], b"\nlast\n"].concat());
    let life = follow.start(Mode::GoOn);
    assert_eq!(follow.end(life), format!("next\n{}\nlast\n", "y".repeat(LINE)));
    assert_eq!(follow.saved.oversized, 1);
}

const LINE: usize = crate::limits::LINE_BYTES_MAX;

#[test]
fn a_symbolic_link_that_is_moved_names_another_file() {
    let mut follow = Follow::new();
    let [zero, one] = ["0.log", "1.log"].map(|name| follow.dir.join(name));
    let mut writer = open(&zero);
    std::os::unix::fs::symlink(&zero, &follow.path).unwrap();
    let mut life = follow.start(Mode::GoOn);
    writer.write_all(b"zero\n").unwrap();
    life.look(follow.now);
    fs::remove_file(&follow.path).unwrap();
    fs::write(&one, "one\n").unwrap();
    std::os::unix::fs::symlink(&one, &follow.path).unwrap();
    writer.write_all(b"last of zero\n").unwrap();
    life.look(follow.now);
    assert_eq!(follow.end(life).len(), "zero\none\nlast of zero\n".len());
    assert_eq!(follow.saved.lines(), ["last of zero", "one", "zero"]);
}

#[test]
fn an_inode_that_is_used_again_is_another_file() {
    let mut follow = Follow::new();
    follow.write("");
    let mut life = follow.start(Mode::GoOn);
    follow.write("old line\n");
    life.look(follow.now);
    follow.end(life);
    // As if the number of the old one had been given to a new one, which is longer.
    fs::write(&follow.path, "new line\nnew line 2\n").unwrap();
    let life = follow.start(Mode::GoOn);
    assert_eq!(follow.end(life), "new line\nnew line 2\n");
}

#[test]
fn content_with_the_same_first_bytes_is_new_where_the_last_are_others() {
    let mut follow = Follow::new();
    let header = "a comment that each file begins with\n".repeat(40);
    follow.write("");
    let mut life = follow.start(Mode::GoOn);
    follow.write(format!("{header}old 1\nold 2\n"));
    life.look(follow.now);
    fs::write(&follow.path, format!("{header}new 1\nnew 2\nnew 3\n")).unwrap();
    life.look(follow.now);
    assert_eq!(life.follower.self_metrics.follow_truncations.get(), 1);
    let lines = follow.end(life).replace("a comment that each file begins with\n", "");
    assert_eq!(lines, "old 1\nold 2\nnew 1\nnew 2\nnew 3\n");
    // The same while nobody reads.
    fs::write(&follow.path, format!("{header}other 1\nother 2\nother 3\nother 4\n")).unwrap();
    let life = follow.start(Mode::GoOn);
    let lines = follow.end(life).replace("a comment that each file begins with\n", "");
    assert_eq!(lines, "other 1\nother 2\nother 3\nother 4\n");
}

impl Follow {
    /// All of the directory, rotated files too.
    fn start_all(&self) -> Life {
        let mut life = Life::new(&[self.dir.join("*").display().to_string()], Mode::GoOn, &self.saved);
        life.look(self.now);
        life
    }
}

/// With how much of it written the copy is seen, and how it is called: also so that it comes before the log.
#[test]
fn a_copy_that_is_seen_while_it_is_written_counts_no_line_twice() {
    for name in ["access.log.1", "access-1.log"] {
        for seen in [0, 10, 100, 700, 2000, 9999] {
            for is_restarted in [false, true] {
                let mut follow = Follow::new();
                follow.write("");
                let mut life = follow.start_all();
                let mut text: String = (0..120).map(|n| format!("line {n} of the log\n")).collect();
                follow.write(&text);
                life.look(follow.now);
                let copy = follow.dir.join(name);
                fs::write(&copy, &text[..seen.min(text.len())]).unwrap();
                life.look(follow.now);
                if is_restarted {
                    follow.end(life);
                    life = follow.start_all();
                }
                follow.write("in the copy and read\n");
                text.push_str("in the copy and read\n");
                life.look(follow.now);
                follow.write("only in the copy\n");
                text.push_str("only in the copy\n");
                fs::write(&copy, &text).unwrap();
                OpenOptions::new().write(true).open(&follow.path).unwrap().set_len(0).unwrap();
                follow.write("after\n");
                life.look(follow.now);
                life.look(follow.now);
                follow.end(life);
                let life = follow.start_all();
                follow.end(life);
                let mut expected: Vec<&str> = text.lines().chain(["after"]).collect();
                expected.sort_unstable();
                assert_eq!(
                    follow.saved.lines(),
                    expected,
                    "{name}, {seen} bytes seen, restarted: {is_restarted}"
                );
            }
        }
    }
}

#[test]
fn a_short_copy_of_a_short_log_is_known() {
    for length in [2, 4, 30] {
        let mut follow = Follow::new();
        follow.write("");
        let mut life = follow.start_all();
        let text: String = (0..length).map(|n| format!("line {n} of the log\n")).collect();
        follow.write(&text);
        life.look(follow.now);
        fs::write(follow.dir.join("access.log.1"), &text).unwrap();
        // Between the copy and the truncation.
        follow.write("lost to the copy and read\n");
        life.look(follow.now);
        OpenOptions::new().write(true).open(&follow.path).unwrap().set_len(0).unwrap();
        life.look(follow.now);
        follow.write("after\n");
        life.look(follow.now);
        assert_eq!(follow.end(life), format!("{text}lost to the copy and read\nafter\n"));
        let life = follow.start_all();
        assert_eq!(follow.end(life), "");
    }
}

#[test]
fn a_copy_that_is_shorter_than_what_was_read_is_not_read_at_the_next_start() {
    let mut follow = Follow::new();
    let mut life = follow.start(Mode::GoOn);
    let name = |number: u32| PathBuf::from(format!("{}.{number}", follow.path.display()));
    for round in [2, 1] {
        // A file is known by its first KiB.
        follow.write(format!("first of {round}{}\n", " and on".repeat(200)));
        life.look(follow.now);
        fs::copy(&follow.path, name(round)).unwrap();
        if round == 1 {
            // Written between the copy and the truncation, and read.
            follow.write("last of 1\n");
            life.look(follow.now);
        }
        OpenOptions::new().write(true).open(&follow.path).unwrap().set_len(0).unwrap();
        life.look(follow.now);
    }
    follow.write("new\n");
    life.look(follow.now);
    let lines = follow.end(life).replace(" and on", "");
    assert_eq!(lines, "first of 2\nfirst of 1\nlast of 1\nnew\n");
    let life = follow.start(Mode::GoOn);
    assert_eq!(follow.end(life), "");
}

/// A rotation takes its time between the copy and the truncation, and a reader that lags behind reads on meanwhile.
#[test]
fn a_copy_that_is_older_than_the_last_look_has_what_was_not_read_before_the_truncation() {
    let mut follow = Follow::new();
    follow.write("");
    let mut life = follow.start(Mode::GoOn);
    let line = |n: usize| format!("line {n:06} of the log\n");
    let lines = 3 * CHUNK_BYTES / line(0).len();
    follow.write((0..lines).map(line).collect::<String>());
    let copy = follow.dir.join("access.log.1");
    fs::copy(&follow.path, &copy).unwrap();
    // Written between the copy and the truncation, when the last one has its time.
    let changed = fs::metadata(&copy).unwrap().modified().unwrap() + Duration::from_secs(1);
    let log = open(&follow.path);
    (&log).write_all(b"in no file\n").unwrap();
    log.set_modified(changed).unwrap();
    // One buffer.
    life.follower.look_soon();
    assert_eq!(life.follower.step(follow.now, &mut life.sink), Step::Busy);
    log.set_len(0).unwrap();
    follow.write("after\n");
    life.look(follow.now);
    follow.end(life);
    assert_eq!(follow.saved.lines().len(), lines + 1);
}

/// A reader that does not get to run while a log is written to, copied and truncated.
#[test]
fn a_log_that_was_empty_at_the_last_look_and_truncated_since_is_read_in_its_copy() {
    for (rounds, is_restarted) in [(1, false), (3, false), (1, true), (3, true)] {
        let mut follow = Follow::new();
        follow.write("");
        let mut life = Some(follow.start(Mode::GoOn));
        if is_restarted {
            follow.end(life.take().unwrap());
        }
        let mut expected = String::new();
        for round in 0..rounds {
            let text: String = (0..40).map(|n| format!("line {n} of round {round}\n")).collect();
            thread::sleep(Duration::from_millis(20));
            follow.write(&text);
            fs::copy(&follow.path, follow.dir.join(&format!("access.log.{}", rounds - round))).unwrap();
            thread::sleep(Duration::from_millis(20));
            open(&follow.path).set_len(0).unwrap();
            expected += &text;
        }
        let mut life = life.unwrap_or_else(|| follow.start(Mode::GoOn));
        life.look(follow.now);
        follow.write("after\n");
        life.look(follow.now);
        follow.end(life);
        let life = follow.start(Mode::GoOn);
        follow.end(life);
        let mut expected: Vec<&str> = expected.lines().chain(["after"]).collect();
        expected.sort_unstable();
        assert_eq!(follow.saved.lines(), expected, "{rounds}, restarted: {is_restarted}");
    }
}

/// It finds the copy of lines of which it has read none, the log not truncated yet.
#[test]
fn a_copy_of_lines_that_were_not_read_yet_counts_none_twice() {
    for before in ["", "a line that was read before\n"] {
        for is_truncated_at_once in [false, true] {
            let mut follow = Follow::new();
            follow.write("");
            let mut life = follow.start_all();
            follow.write(before);
            life.look(follow.now);
            if !before.is_empty() {
                fs::copy(&follow.path, follow.dir.join("access.log.2")).unwrap();
                open(&follow.path).set_len(0).unwrap();
            }
            let text: String = (0..40).map(|n| format!("line {n} of the log\n")).collect();
            follow.write(&text);
            fs::copy(&follow.path, follow.dir.join("access.log.1")).unwrap();
            if is_truncated_at_once {
                // Between the look at the names and the reading.
                life.follower.look_soon();
                life.follower.look(follow.now, &mut life.sink);
            } else {
                life.look(follow.now);
            }
            open(&follow.path).set_len(0).unwrap();
            follow.write("after\n");
            life.look(follow.now);
            life.look(follow.now);
            follow.end(life);
            let mut expected: Vec<&str> = before.lines().chain(text.lines()).chain(["after"]).collect();
            expected.sort_unstable();
            assert_eq!(follow.saved.lines(), expected, "{before:?} {is_truncated_at_once}");
        }
    }
}

/// As a script does it that has one name for the copy.
#[test]
fn a_copy_that_is_written_over_the_one_before_counts_no_line_twice() {
    for is_glob in [false, true] {
        let mut follow = Follow::new();
        follow.write("");
        let mut life = if is_glob { follow.start_all() } else { follow.start(Mode::GoOn) };
        let mut expected = String::new();
        for round in 0..4 {
            let text: String = (0..40).map(|n| format!("line {n} of round {round}\n")).collect();
            follow.write(&text);
            life.look(follow.now);
            let rest = format!("only in the copy {round}\n");
            follow.write(&rest);
            let copy = follow.dir.join("access.log.1");
            fs::write(&copy, &text[..500]).unwrap();
            if round % 2 == 1 {
                life.look(follow.now);
            }
            fs::copy(&follow.path, &copy).unwrap();
            if round > 1 {
                life.look(follow.now);
            }
            open(&follow.path).set_len(0).unwrap();
            life.look(follow.now);
            expected += &(text + &rest);
        }
        life.look(follow.now + QUIET_TIME);
        follow.end(life);
        let mut expected: Vec<&str> = expected.lines().collect();
        expected.sort_unstable();
        assert_eq!(follow.saved.lines(), expected, "{is_glob}");
    }
}

/// It was never to be read, for the log was not truncated.
#[test]
fn a_copy_that_is_removed_again_counts_no_line_twice() {
    let mut follow = Follow::new();
    follow.write("");
    let mut life = follow.start_all();
    let text: String = (0..40).map(|n| format!("line {n} of the log\n")).collect();
    follow.write(&text);
    life.look(follow.now);
    follow.write("later\n");
    let copy = follow.dir.join("access.log.1");
    fs::copy(&follow.path, &copy).unwrap();
    life.look(follow.now);
    fs::remove_file(&copy).unwrap();
    life.look(follow.now);
    life.look(follow.now + QUIET_TIME_MAX);
    assert_eq!(life.follower.files.len(), 1);
    assert_eq!(follow.end(life), text + "later\n");
}

/// Whatever had been saved of what a rotation leads to.
#[test]
fn a_kill_while_a_copy_is_found_neither_loses_nor_doubles_a_line() {
    for is_glob in [false, true] {
        let mut is_over = false;
        for kept in 0.. {
            if std::mem::take(&mut is_over) {
                break;
            }
            let mut follow = Follow::new();
            follow.write("");
            let start = |follow: &Follow| if is_glob { follow.start_all() } else { follow.start(Mode::GoOn) };
            let mut life = start(&follow);
            let name = |number: u32| follow.dir.join(&format!("access.log.{number}"));
            let mut expected = String::new();
            for round in 0..3 {
                for number in (1..=round).rev() {
                    fs::rename(name(number), name(number + 1)).unwrap();
                }
                let text: String = (0..40).map(|n| format!("line {n} of round {round}\n")).collect();
                follow.write(&text);
                life.look(follow.now);
                let rest = format!("only in the copy {round}\n").repeat(usize::from(round == 1));
                follow.write(&rest);
                fs::copy(&follow.path, name(1)).unwrap();
                thread::sleep(Duration::from_millis(10));
                open(&follow.path).set_len(0).unwrap();
                life.look(follow.now);
                expected += &(text + &rest);
            }
            let seen = life.end();
            is_over = kept == seen.len();
            follow.saved.count(&seen[..kept]);
            let life = start(&follow);
            follow.end(life);
            follow.write("after\n");
            let life = start(&follow);
            follow.end(life);
            let mut expected: Vec<&str> = expected.lines().chain(["after"]).collect();
            expected.sort_unstable();
            if kept > 0 {
                assert_eq!(follow.saved.lines(), expected, "{is_glob} {kept}");
            }
        }
    }
}

/// Of a volume that is mounted later, or was away for a moment.
#[test]
fn a_directory_that_is_missing_at_the_start_has_its_places_when_it_comes() {
    for is_restarted in [false, true] {
        let mut follow = Follow::new();
        let (logs, away) = (follow.dir.join("logs"), follow.dir.join("away"));
        fs::create_dir(&logs).unwrap();
        follow.path = logs.join("access.log");
        follow.write("");
        let mut life = follow.start(Mode::GoOn);
        follow.write("one\n");
        life.look(follow.now);
        follow.end(life);
        fs::rename(&logs, &away).unwrap();
        life = follow.start(Mode::GoOn);
        if is_restarted {
            follow.end(life);
            life = follow.start(Mode::GoOn);
        }
        fs::rename(&away, &logs).unwrap();
        follow.write("two\n");
        life.look(follow.now);
        assert_eq!(follow.end(life), "two\n", "{is_restarted}");
    }
}

/// Requests of a monitor that are logged alike: what was renamed is no copy of what has its name now.
#[test]
fn logs_whose_lines_are_all_alike_are_read_through_renames() {
    let mut follow = Follow::new();
    let mut life = follow.start(Mode::GoOn);
    let text = "the same request in the same second\n".repeat(40);
    let spare = follow.dir.join("spare");
    fs::write(&spare, "").unwrap();
    follow.write(&text);
    life.look(follow.now);
    for round in 0..2 {
        fs::rename(&follow.path, follow.dir.join(&format!("access.log-{round}"))).unwrap();
        thread::sleep(Duration::from_millis(10));
        // The last one has the lowest number where inodes are used again, and is read first.
        if round == 1 {
            fs::remove_file(&spare).unwrap();
        }
        follow.write(&text);
    }
    life.look(follow.now);
    assert_eq!(follow.end(life).len(), 3 * text.len());
}

fn forty_lines(of: &str) -> String {
    (0..40).map(|n| format!("line {n} of {of}\n")).collect()
}

fn hours_ago(hours: u64) -> SystemTime {
    SystemTime::now() - Duration::from_secs(3600 * hours)
}

/// By a script that leaves out addresses, say, while the log is still empty.
#[test]
fn a_copy_that_is_rewritten_long_before_the_next_line_is_not_read_again() {
    let mut follow = Follow::new();
    follow.write("");
    let mut life = follow.start(Mode::GoOn);
    let text = forty_lines("the log");
    follow.write(&text);
    life.look(follow.now);
    let copy = follow.dir.join("access.log.1");
    fs::copy(&follow.path, &copy).unwrap();
    let log = open(&follow.path);
    log.set_len(0).unwrap();
    log.set_modified(hours_ago(2)).unwrap();
    life.look(follow.now);
    let rewritten = follow.dir.join("rewritten");
    fs::write(&rewritten, text.replace("line", "name")).unwrap();
    open(&rewritten).set_modified(hours_ago(1)).unwrap();
    fs::rename(&rewritten, &copy).unwrap();
    life.look(follow.now);
    follow.write("after\n");
    life.look(follow.now);
    assert_eq!(follow.end(life), text + "after\n");
}

/// Of another server, whose number is in its name.
#[test]
fn a_log_beside_an_empty_one_is_none_of_its_copies() {
    let mut follow = Follow::new();
    let other = follow.dir.join("access-8081.log");
    follow.write("");
    thread::sleep(Duration::from_millis(10));
    fs::write(&other, forty_lines("another log")).unwrap();
    let mut life = follow.start(Mode::GoOn);
    life.look(follow.now);
    follow.write("one\n");
    let soon = SystemTime::now() + Duration::from_secs(10);
    open(&follow.path).set_modified(soon).unwrap();
    open(&other).set_modified(soon + Duration::from_secs(1)).unwrap();
    life.look(follow.now);
    assert_eq!(follow.end(life), "one\n");
}

/// A writer with a buffer: the log that was truncated has half a line for minutes.
#[test]
fn a_copy_is_read_once_though_its_log_has_half_a_line_for_long() {
    let mut follow = Follow::new();
    follow.write("");
    let mut life = follow.start(Mode::GoOn);
    thread::sleep(Duration::from_millis(20));
    let text = forty_lines("the log");
    follow.write(&text);
    fs::copy(&follow.path, follow.dir.join("access.log.1")).unwrap();
    open(&follow.path).set_len(0).unwrap();
    follow.write("half");
    life.look(follow.now);
    for minutes in 1..4 {
        life.look(follow.now + minutes * QUIET_TIME);
        assert_eq!(life.follower.files.len(), 1, "the copy is let go");
        life.look(follow.now + minutes * QUIET_TIME);
    }
    follow.write(" and half\n");
    life.look(follow.now + 4 * QUIET_TIME);
    assert_eq!(follow.end(life), text + "half and half\n");
}

/// Whatever had been saved of what was found in a log that had been empty, and in its copy.
#[test]
fn a_kill_behind_the_first_lines_of_a_log_loses_none_of_its_copies() {
    for kept in 0.. {
        let mut follow = Follow::new();
        follow.write("");
        let life = follow.start(Mode::GoOn);
        follow.end(life);
        thread::sleep(Duration::from_millis(20));
        let text = forty_lines("the log");
        follow.write(&text);
        fs::copy(&follow.path, follow.dir.join("access.log.1")).unwrap();
        open(&follow.path).set_len(0).unwrap();
        follow.write("after\n");
        let seen = follow.start(Mode::GoOn).end();
        let is_over = kept == seen.len();
        follow.saved.count(&seen[..kept]);
        let life = follow.start(Mode::GoOn);
        follow.end(life);
        let mut expected: Vec<&str> = text.lines().chain(["after"]).collect();
        expected.sort_unstable();
        assert_eq!(follow.saved.lines(), expected, "killed behind {kept}");
        if is_over {
            break;
        }
    }
}

/// The log was made anew since.
#[test]
fn a_copy_that_is_written_over_a_file_older_than_the_log_counts_no_line_twice() {
    let mut follow = Follow::new();
    let copy = follow.dir.join("access.log.1");
    fs::write(&copy, forty_lines("an older log")).unwrap();
    thread::sleep(Duration::from_millis(10));
    follow.write("");
    let mut life = follow.start_all();
    let text = forty_lines("the log");
    follow.write(&text);
    life.look(follow.now);
    fs::copy(&follow.path, &copy).unwrap();
    life.look(follow.now);
    open(&follow.path).set_len(0).unwrap();
    life.look(follow.now);
    life.look(follow.now);
    assert_eq!(follow.end(life), text);
}

/// The copy was found when nothing of the log had been read.
#[test]
fn a_log_that_is_renamed_or_removed_behind_its_copy_counts_no_line_twice() {
    for is_removed in [false, true] {
        let mut follow = Follow::new();
        follow.write("");
        let mut life = follow.start_all();
        let text = forty_lines("the log");
        follow.write(&text);
        fs::copy(&follow.path, follow.dir.join("access.log.1")).unwrap();
        life.look(follow.now);
        life.look(follow.now);
        if is_removed {
            fs::remove_file(&follow.path).unwrap();
        } else {
            fs::rename(&follow.path, follow.dir.join("access.log.2")).unwrap();
        }
        follow.write("the first of the next log\n");
        life.look(follow.now);
        life.look(follow.now);
        let lines = follow.end(life);
        assert_eq!(lines, text + "the first of the next log\n", "removed: {is_removed}");
    }
}

/// As a script rotates that knows neither renames nor truncation.
#[test]
fn a_rotation_by_copy_and_removal_counts_no_line_twice() {
    for is_read in [false, true] {
        let mut follow = Follow::new();
        follow.write("");
        let mut life = follow.start_all();
        let mut expected = String::new();
        for round in 0..3 {
            let text = forty_lines(&format!("log {round}"));
            // A copy is younger than its log.
            thread::sleep(Duration::from_millis(20));
            follow.write(&text);
            if is_read {
                life.look(follow.now);
            }
            fs::copy(&follow.path, follow.dir.join("access.log.0")).unwrap();
            fs::remove_file(&follow.path).unwrap();
            follow.write("");
            life.look(follow.now);
            life.look(follow.now);
            expected += &text;
        }
        assert_eq!(follow.end(life), expected, "read before: {is_read}");
    }
}

#[test]
fn a_log_that_is_copied_and_removed_while_nobody_reads_is_read_on_in_the_copy() {
    for name in ["access.log.1", "access-1.log"] {
        let mut follow = Follow::new();
        follow.write("");
        let mut life = follow.start_all();
        let text = forty_lines("the log");
        follow.write(&text);
        life.look(follow.now);
        assert_eq!(follow.end(life), text);
        follow.write("one more\n");
        fs::copy(&follow.path, follow.dir.join(name)).unwrap();
        fs::remove_file(&follow.path).unwrap();
        let mut life = follow.start_all();
        life.look(follow.now);
        assert_eq!(follow.end(life), "one more\n", "{name}");
        let life = follow.start_all();
        assert_eq!(follow.end(life), "", "{name}");
    }
}
