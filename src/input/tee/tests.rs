//! The tee on real files, and on devices that fail.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;

/// A directory that goes with the test.
#[derive(Debug)]
pub struct TempDir(PathBuf);

impl TempDir {
    pub fn new() -> TempDir {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("httpd_exporter-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        TempDir(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn tee(options: &Options) -> Tee {
    Tee::open(options.clone(), Arc::default(), &UserRights::OF_THE_TESTS).unwrap()
}

fn at(path: &Path) -> Options {
    Options { path: path.to_owned(), ..Options::default() }
}

fn lost(tee: &Tee) -> u64 {
    tee.self_metrics.tee_lost_bytes.get()
}

/// The rotated files, oldest first, and the present one.
fn files(path: &Path) -> Vec<Vec<u8>> {
    let mut paths = rotate::rotated(path).unwrap();
    paths.sort();
    paths.push(path.to_owned());
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn rotated_files_are_the_input_cut_at_newlines(
        chunks in prop::collection::vec("([a-z]{0,12}\n){1,6}", 1..20),
        size in 1u64..64,
    ) {
        let dir = TempDir::new();
        let path = dir.path().join("log");
        let mut tee = tee(&Options { rotate_size: Some(size), ..at(&path) });
        chunks.iter().for_each(|chunk| tee.write(chunk.as_bytes()));
        let files = files(&path);
        prop_assert_eq!(files.concat(), chunks.concat().into_bytes());
        for file in &files {
            let lines = file.iter().filter(|byte| **byte == b'\n').count();
            prop_assert!(file.ends_with(b"\n") && (file.len() as u64 <= size || lines == 1), "{files:?}");
        }
    }

    #[test]
    fn the_file_is_what_came_in_on_stdin(
        pieces in prop::collection::vec(prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\n')], 0..5000), 0..8),
        long in 0usize..2,
    ) {
        let dir = TempDir::new();
        let path = dir.path().join("log");
        let mut pieces = pieces;
        pieces.push(vec![b'x'; long * ((1 << 20) + 7)]);
        pieces.push(b"y\nend".to_vec());
        let all = pieces.concat();
        let (reader, mut writer) = io::pipe().unwrap();
        let feeder = thread::spawn(move || pieces.iter().for_each(|piece| writer.write_all(piece).unwrap()));
        let (outbox, inbox) = crate::input::channels(Arc::default());
        let counter = thread::spawn(move || inbox.chunks.iter().for_each(|chunk| inbox.give_back(chunk)));
        let signals = crate::os::SignalPipe::install().unwrap();
        let input = File::from(std::os::fd::OwnedFd::from(reader));
        crate::input::run(&input, 0, &signals, Some(tee(&at(&path))), outbox, || crate::input::OnTerminate::Drain);
        feeder.join().unwrap();
        counter.join().unwrap();
        prop_assert!(std::fs::read(&path).unwrap() == all);
    }
}

#[test]
fn a_missing_directory_is_named() {
    let error =
        Tee::open(at(Path::new("/nonexistent/dir/access.log")), Arc::default(), &UserRights::OF_THE_TESTS)
            .unwrap_err();
    assert_eq!(
        error.to_string(),
        "unable to open /nonexistent/dir/access.log: there is no directory /nonexistent/dir"
    );
}

#[test]
fn a_pipe_without_a_reader_is_said_to_be_one() {
    let dir = TempDir::new();
    let path = dir.path().join("fifo");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let error = Tee::open(at(&path), Arc::default(), &UserRights::OF_THE_TESTS).unwrap_err();
    assert!(error.to_string().ends_with("it is a pipe or socket that nobody reads"), "{error}");
}

/// The clock was ahead when the others were rotated.
#[test]
fn keep_leaves_the_newest_though_older_ones_have_later_names() {
    let dir = TempDir::new();
    let path = dir.path().join("log");
    for second in 0..3 {
        std::fs::write(dir.path().join(format!("log.20991231T23595{second}.999Z")), "old\n").unwrap();
    }
    for _life in 0..2 {
        let mut tee = tee(&Options { rotate_size: Some(4), keep: Some(3), ..at(&path) });
        for line in ["1\n", "22\n", "333\n", "4444\n", "55555\n"] {
            tee.write(line.as_bytes());
        }
    }
    assert_eq!(files(&path), [&b"22\n"[..], b"333\n", b"4444\n", b"55555\n"]);
}

#[test]
fn keep_leaves_the_newest_and_nothing_foreign_is_removed() {
    let dir = TempDir::new();
    let path = dir.path().join("log");
    std::fs::write(dir.path().join("log.1"), "logrotate's").unwrap();
    let mut tee = tee(&Options { rotate_size: Some(4), keep: Some(2), ..at(&path) });
    for line in ["1\n", "22\n", "333\n", "4444\n", "55555\n", "6\n"] {
        tee.write(line.as_bytes());
    }
    assert_eq!(files(&path), [&b"4444\n"[..], b"55555\n", b"6\n"]);
    assert!(dir.path().join("log.1").exists());
}

#[test]
fn what_cannot_be_removed_keeps_nothing_else() {
    let dir = TempDir::new();
    let path = dir.path().join("log");
    std::fs::create_dir(dir.path().join("log.20200101T000000.000Z")).unwrap();
    let mut tee = tee(&Options { rotate_size: Some(4), keep: Some(1), ..at(&path) });
    for line in ["1\n", "22\n", "333\n", "4444\n", "55555\n"] {
        tee.write(line.as_bytes());
    }
    let files = rotate::rotated(&path).unwrap();
    assert_eq!((files.len(), tee.rotation.is_reported), (2, false), "{files:?}");
}

#[test]
fn an_interval_that_has_passed_since_the_last_write_rotates_once_for_all_generations() {
    let dir = TempDir::new();
    let path = dir.path().join("log");
    // No other turn of the interval may come meanwhile.
    let years = Duration::from_secs(10 * 365 * 86_400);
    let options = Options { rotate_interval: Some(years), ..at(&path) };
    let mut tees = [tee(&options), tee(&options), tee(&options)];
    tees[0].write(b"yesterday\n");
    let yesterday = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
    File::options().append(true).open(&path).unwrap().set_modified(yesterday).unwrap();
    thread::scope(|scope| {
        for tee in &mut tees {
            scope.spawn(|| tee.write(b"today\n"));
        }
    });
    // Whoever came upon the one that was renaming has written to the old file and looks again a second later.
    for tee in &mut tees {
        tee.looked = tee.looked.map(|looked| looked - LOOK_INTERVAL);
        tee.write(b"now\n");
    }
    let files = files(&path);
    assert_eq!(files.len(), 2, "rotated once");
    assert_eq!(files.concat().len(), b"yesterday\n".len() + 3 * b"today\n".len() + 3 * b"now\n".len());
    assert!(files[0].starts_with(b"yesterday\n") && files[1].ends_with(b"now\nnow\nnow\n"), "{files:?}");
}

#[test]
fn generations_that_write_and_rotate_one_file_lose_and_mix_nothing() {
    const LINES: usize = 3000;
    let dir = TempDir::new();
    let path = dir.path().join("log");
    let options = Options { rotate_size: Some(20_000), ..at(&path) };
    thread::scope(|scope| {
        for name in ["a", "b", "c", "d"] {
            let mut tee = tee(&options);
            scope.spawn(move || {
                for n in 0..LINES {
                    tee.write(format!("{name} {n} {}\n", name.repeat(40)).as_bytes());
                }
            });
        }
    });
    let files = files(&path);
    let text = String::from_utf8(files.concat()).unwrap();
    let lines: BTreeSet<&str> = text.lines().collect();
    assert_eq!((text.lines().count(), lines.len()), (4 * LINES, 4 * LINES));
    for line in lines {
        let [name, _, rest] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        assert_eq!(rest, name.repeat(40));
    }
    // While one generation renames the file the others go on writing it, so it can become larger, but none is
    // rotated twice over, which would leave tiny ones.
    let sizes: Vec<usize> = files[..files.len() - 1].iter().map(Vec::len).collect();
    assert!(sizes.iter().all(|size| *size > 19_000), "{sizes:?}");
}

#[test]
fn a_renamed_file_is_left_for_the_new_one_at_once_when_told_and_within_a_second_when_not() {
    let dir = TempDir::new();
    let path = dir.path().join("log");
    let mut tee = tee(&at(&path));
    tee.write(b"one\n");
    std::fs::rename(&path, dir.path().join("log.1")).unwrap();
    // It has looked just now, however long that takes here.
    tee.looked = Some(Instant::now() + Duration::from_secs(3600));
    tee.write(b"two\n");
    tee.reopen();
    tee.write(b"three\n");
    assert_eq!(std::fs::read(dir.path().join("log.1")).unwrap(), b"one\ntwo\n");
    std::fs::remove_file(&path).unwrap();
    tee.looked = tee.looked.map(|looked| looked - LOOK_INTERVAL);
    tee.write(b"four\n");
    assert_eq!(std::fs::read(&path).unwrap(), b"four\n");
}

#[test]
fn whether_a_line_is_half_is_not_asked_of_another_file_that_has_its_name_by_now() {
    let dir = TempDir::new();
    let path = dir.path().join("log");
    std::fs::write(&path, "whole\n").unwrap();
    let file = File::options().append(true).open(&path).unwrap();
    std::fs::rename(&path, dir.path().join("log.1")).unwrap();
    std::fs::write(&path, "another one").unwrap();
    assert!(!ends_in_half_a_line(&file, &path));
}

#[test]
fn a_half_line_left_by_somebody_else_is_closed_before_the_next() {
    let dir = TempDir::new();
    let path = dir.path().join("log");
    std::fs::write(&path, "whole\nhal").unwrap();
    let mut tee = tee(&at(&path));
    tee.write(b"next\n");
    tee.write(b"more\n");
    assert_eq!(std::fs::read(&path).unwrap(), b"whole\nhal\nnext\nmore\n");
}

#[test]
fn what_could_not_be_opened_begins_when_it_can() {
    let dir = TempDir::new();
    let path = dir.path().join("logs/access.log");
    let mut tee = Tee::unopened(at(&path), Arc::default(), &UserRights::OF_THE_TESTS);
    tee.write(b"lost\n");
    assert_eq!(lost(&tee), 5);
    std::fs::create_dir(dir.path().join("logs")).unwrap();
    tee.reopen();
    tee.write(b"kept\n");
    assert_eq!((lost(&tee), std::fs::read(&path).unwrap()), (5, b"kept\n".to_vec()));
}

#[test]
fn a_full_disk_costs_the_lines_and_a_message_and_ends_with_the_outage() {
    let dir = TempDir::new();
    let path = dir.path().join("log");
    let mut tee = tee(&at(Path::new("/dev/full")));
    tee.write(b"1234\n");
    assert_eq!(lost(&tee), 5);
    tee.write(b"not even tried\n");
    assert_eq!(lost(&tee), 20);
    tee.options.path.clone_from(&path);
    tee.reopen();
    tee.write(b"kept\n");
    assert_eq!((lost(&tee), tee.outage.is_none()), (20, true));
    assert_eq!(std::fs::read(&path).unwrap(), b"kept\n");
}

#[test]
fn a_long_line_whose_beginning_was_lost_is_lost_whole() {
    let dir = TempDir::new();
    let path = dir.path().join("log");
    let mut tee = tee(&at(Path::new("/dev/full")));
    tee.write(b"beginning, ");
    tee.options.path.clone_from(&path);
    tee.reopen();
    tee.write(b"middle, ");
    tee.write(b"end\nnext\n");
    assert_eq!(lost(&tee), 23);
    assert_eq!(std::fs::read(&path).unwrap(), b"next\n");
}

#[test]
fn a_reader_of_stdout_that_goes_away_ends_the_passing_on() {
    let (reader, writer) = io::pipe().unwrap();
    let writer = File::from(std::os::fd::OwnedFd::from(writer));
    let mut tee = Tee::over(Sink::Stdout(writer, WriteMode::Pipe), at(Path::new("-")), Arc::default());
    tee.write(b"seen\n");
    drop(reader);
    tee.write(b"unseen\n");
    tee.write(b"unseen\n");
    assert!(tee.file().is_none() && lost(&tee) == 0);
}

#[test]
#[ignore = "needs root, to mount a small file system"]
fn on_a_full_file_system_only_whole_lines_are_kept() {
    let dir = TempDir::new();
    let mount = |command: &str, args: &[&str]| {
        assert!(std::process::Command::new(command).args(args).arg(dir.path()).status().unwrap().success());
    };
    mount("mount", &["-t", "tmpfs", "-o", "size=64k", "tmpfs"]);
    let path = dir.path().join("log");
    let mut tee = tee(&at(&path));
    let ballast = dir.path().join("ballast");
    std::fs::write(&ballast, vec![0; 20_000]).unwrap();
    let chunk: String = (0..999).map(|n| format!("{n:0>99}\n")).collect();
    tee.write(chunk.as_bytes());
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(kept.len() > 30_000 && chunk.starts_with(&kept) && kept.ends_with('\n'));
    assert_eq!(lost(&tee), (chunk.len() - kept.len()) as u64);
    std::fs::remove_file(&ballast).unwrap();
    tee.outage.as_mut().unwrap().retry = Instant::now();
    tee.write(b"goes on\n");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), kept + "goes on\n");
    drop(tee);
    mount("umount", &[]);
}
