//! Generations in one directory, living and dead, and processes that end at any step.

use crate::catalogue;
use crate::count::ledger::Places;
use crate::fixed_point::FixedPoint;
use crate::generations::content::{Content, Head, Name};
use crate::generations::fold::Bounds;
use crate::generations::state::State;
use crate::input::tee::tests::TempDir;
use crate::os::UserRights;
use crate::self_metrics::SelfMetrics;
use crate::snapshot::page::{Histogram, Series, push_label};
use crate::snapshot::page::{Page, Value};
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Duration;
use std::time::Instant;

fn self_metrics() -> Arc<SelfMetrics> {
    Arc::<SelfMetrics>::default()
}

const BOUNDS: Bounds = Bounds { series: 10_000, histograms: 1_000 };

fn opened(directory: &Path) -> State {
    let state = State::new(directory, BOUNDS, &UserRights::OF_THE_TESTS, self_metrics());
    state.begin().unwrap();
    state
}

/// One of several in this process.
fn begun(directory: &Path, pid: u32) -> State {
    let mut state = State::new(directory, BOUNDS, &UserRights::OF_THE_TESTS, self_metrics());
    state.pid = pid;
    state.begin().unwrap();
    state
}

fn page(requests: u64) -> Page {
    let mut page = Page::default();
    let mut labels = String::new();
    push_label(&mut labels, "status_code", "200");
    page.insert(&catalogue::REQUESTS, vec![Series::number(labels, FixedPoint::whole(requests))]);
    page.insert_number(&catalogue::GENERATIONS, FixedPoint::whole(1));
    page
}

fn requests(page: &Page) -> u64 {
    let Some(family) = page.families.get(catalogue::REQUESTS.name) else { return 0 };
    let numbers = family.series.iter().map(|series| match &series.value {
        Value::Number { value, .. } => value.to_count().unwrap(),
        other => panic!("{other:?}"),
    });
    numbers.sum()
}

/// What a generation that has just begun shows, which is the same before and after it has absorbed the dead.
fn sum(dir: &TempDir) -> u64 {
    let state = opened(dir.path());
    let before = requests(&state.merged(page(0)));
    state.absorb().unwrap();
    assert_eq!(requests(&state.merged(page(0))), before);
    before
}

/// The same without a trace.
fn look(dir: &TempDir) -> u64 {
    let state = opened(dir.path());
    let sum = requests(&state.merged(page(0)));
    state.finish(&page(0), &Places::new()).unwrap();
    sum
}

/// A process that another test is just starting holds our locks until it is another program: so what depends on a
/// lock being gone is waited for.
pub fn wait_until(mut condition: impl FnMut() -> bool) {
    let since = Instant::now();
    while !condition() {
        assert!(since.elapsed() < Duration::from_secs(20));
        thread::yield_now();
    }
}

fn dead(dir: &TempDir, count: u64) {
    let state = opened(dir.path());
    state.save(&page(count)).unwrap();
    let path = state.directory.path_of(state.me());
    drop(state);
    wait_until(|| !super::directory::is_living(&File::open(&path).unwrap()));
}

fn entries(dir: &TempDir) -> Vec<String> {
    let entries = std::fs::read_dir(dir.path()).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn damage_anywhere_in_a_file_is_found() {
    let absorbed = [Name { start: 1, pid: 2 }, Name { start: 30, pid: 4 }];
    let head = Head { began: 5, wants_port: true, absorbed: absorbed.into() };
    let kept = [("[file]\ta", "1\t2\n\\n"), ("", "")].map(|(key, text)| (key.to_owned(), text.to_owned()));
    let content = Content { head, kept: kept.into(), page: page(7).lasting() };
    let text = content.write().into_bytes();
    assert_eq!(Content::read(&text), Ok((content.clone(), text.len())));
    assert_eq!(Head::read(&text), Some(content.head));
    for at in 0..text.len() {
        assert!(Content::read(&text[..at]).is_err(), "cut at {at}");
        let mut bytes = text.clone();
        bytes[at] ^= 1;
        assert!(Content::read(&bytes).is_err(), "a bit at {at}");
    }
    let younger = String::from_utf8(text).unwrap().replacen(" 2 ", " 3 ", 1);
    assert_eq!(Content::read(younger.as_bytes()), Err("it is of format 3".to_owned()));
}

#[test]
fn counts_survive_restarts_and_the_same_start_twice_gives_the_same_sum() {
    let dir = TempDir::new();
    for count in [3, 4, 5] {
        dead(&dir, count);
    }
    assert_eq!(sum(&dir), 12);
    assert_eq!(sum(&dir), 12);
    let state = opened(dir.path());
    wait_until(|| state.absorb().is_ok() && entries(&dir).len() == 1);
    state.finish(&page(1), &Places::new()).unwrap();
    assert_eq!(entries(&dir), [state.me().to_string()]);
    drop(state);
    assert_eq!(sum(&dir), 13);
}

/// A container's process is number 1 in every life, and a clock may be set back. What one file says of a name that was
/// absorbed would be said of the new one.
#[test]
fn nobody_begins_under_a_name_that_was_absorbed() {
    let dir = TempDir::new();
    let at = |start: u64| {
        let mut state = State::new(dir.path(), BOUNDS, &UserRights::OF_THE_TESTS, self_metrics());
        state.pid = 1;
        state.start.store(start, Relaxed);
        state.begin().unwrap();
        state
    };
    at(1_000).save(&page(3)).unwrap();
    let second = at(2_000);
    wait_until(|| second.absorb().is_ok() && entries(&dir).len() == 1);
    second.finish(&page(4), &Places::new()).unwrap();
    drop(second);
    let third = at(1_000);
    assert_eq!(requests(&third.merged(page(5))), 12);
    third.finish(&page(5), &Places::new()).unwrap();
    drop(third);
    assert_eq!(sum(&dir), 12);
}

/// A file with so many requests that has absorbed these.
fn noting(dir: &TempDir, start: u64, count: u64, absorbed: &[Name]) -> Name {
    let name = Name { start, pid: 1 };
    let absorbed = absorbed.iter().copied().collect();
    let head = Head { absorbed, ..Head::default() };
    let content = Content { head, page: page(count).lasting(), ..Content::default() };
    std::fs::write(dir.path().join(name.to_string()), content.write()).unwrap();
    name
}

/// Somebody looks whether a noted file lives, just when the file with the note is absorbed.
#[test]
fn a_note_lasts_as_long_as_the_noted_file() {
    let dir = TempDir::new();
    let noted: Vec<Name> = (0..3).map(|n| noting(&dir, 1000 + n, 10, &[])).collect();
    noting(&dir, 2000, 37, &noted);
    let busy = File::open(dir.path().join(noted[1].to_string())).unwrap();
    busy.lock_shared().unwrap();
    assert_eq!(sum(&dir), 37);
    assert_eq!(entries(&dir).iter().filter(|name| **name == noted[1].to_string()).count(), 1);
    // The next ones absorb each other, and the note with them.
    wait_until(|| entries(&dir).len() == 2 || sum(&dir) != 37);
    assert_eq!((sum(&dir), look(&dir)), (37, 37));
    drop(busy);
    wait_until(|| {
        assert_eq!(sum(&dir), 37);
        entries(&dir).len() == 1
    });
    assert_eq!(sum(&dir), 37);
}

/// Many start at once over what a process killed between its save and its removals has left, more than one batch.
#[test]
fn notes_survive_many_who_absorb_at_once() {
    for round in 0..8 {
        let dir = TempDir::new();
        let noted: Vec<Name> = (0..300).map(|n| noting(&dir, 1000 + n, 10, &[])).collect();
        // Older or younger than what it has noted.
        noting(&dir, if round % 2 == 0 { 1 } else { 2000 }, 3007, &noted);
        thread::scope(|scope| {
            let absorb = |pid| {
                let state = begun(dir.path(), pid);
                assert_eq!(requests(&state.merged(page(0))), 3007);
                // Whom another one has locked is left to it.
                let _ = state.absorb();
                assert_eq!(requests(&state.merged(page(0))), 3007);
            };
            (1..=4).for_each(|pid| drop(scope.spawn(move || absorb(pid))));
        });
        assert_eq!(sum(&dir), 3007, "round {round}");
    }
}

#[test]
fn the_buckets_asked_for_last_take_in_older_ones() {
    let dir = TempDir::new();
    let count =
        |page: &Page| match page.families.get(catalogue::DURATION.name).map(|family| &family.series[0].value)
        {
            Some(Value::Histogram(histogram)) => histogram.counts.iter().sum(),
            _ => 0,
        };
    for bounds in [&[1, 2], &[1, 3], &[1, 3]] {
        opened(dir.path()).save(&with_bounds(bounds)).unwrap();
    }
    let state = opened(dir.path());
    assert_eq!(count(&state.merged(page(0))), 9);
    state.absorb().unwrap();
    assert_eq!(count(&state.merged(page(0))), 9);
    assert_eq!(count(&state.merged(with_bounds(&[1, 3]))), 12);
    state.finish(&with_bounds(&[1, 3]), &Places::new()).unwrap();
    drop(state);
    // Back to the first ones, and ours decide.
    opened(dir.path()).save(&with_bounds(&[1, 2])).unwrap();
    let state = opened(dir.path());
    state.save(&with_bounds(&[1, 3])).unwrap();
    state.absorb().unwrap();
    assert_eq!(count(&state.merged(with_bounds(&[1, 3]))), 18);
}

/// What a save has left that could not put its unfinished file away.
#[test]
fn an_unfinished_file_of_our_own_is_in_nobodys_way() {
    let dir = TempDir::new();
    let state = opened(dir.path());
    std::fs::write(dir.path().join(state.me().unfinished()), "half").unwrap();
    state.save(&page(3)).unwrap();
    assert_eq!(entries(&dir), [state.me().to_string()]);
    assert_eq!(look(&dir), 3);
}

#[test]
fn a_generation_that_counted_nothing_leaves_nothing() {
    let dir = TempDir::new();
    let state = opened(dir.path());
    state.absorb().unwrap();
    state.save(&page(0)).unwrap();
    state.finish(&page(0), &Places::new()).unwrap();
    assert!(entries(&dir).is_empty());
}

#[test]
fn nothing_is_written_while_nothing_is_new() {
    let dir = TempDir::new();
    let state = opened(dir.path());
    state.save(&page(1)).unwrap();
    let inode = || state.directory.path_of(state.me()).metadata().unwrap().ino();
    let before = inode();
    state.save(&page(1)).unwrap();
    assert_eq!(inode(), before);
    std::fs::remove_file(state.directory.path_of(state.me())).unwrap();
    state.save(&page(1)).unwrap();
    assert!(state.directory.path_of(state.me()).exists(), "a file that somebody has removed comes back");
}

#[test]
fn living_generations_are_summed_and_not_absorbed() {
    let dir = TempDir::new();
    let states: Vec<State> = (0..20).map(|_| opened(dir.path())).collect();
    for (state, count) in states.iter().zip(1..) {
        state.save(&page(count)).unwrap();
    }
    let state = opened(dir.path());
    state.absorb().unwrap();
    assert_eq!(requests(&state.merged(page(5))), 215);
    assert_eq!(state.self_metrics.generations.get(), 21);
    let since = Instant::now();
    (0..100).for_each(|_| drop(state.merged(page(5))));
    println!("a scrape with 20 living peers: {:?}", since.elapsed() / 100);
    drop(states);
    wait_until(|| requests(&state.merged(page(5))) == 215 && state.self_metrics.generations.get() == 1);
}

#[test]
fn the_port_is_wanted_by_the_younger_and_the_living() {
    let dir = TempDir::new();
    let old = opened(dir.path());
    let young = opened(dir.path());
    old.want_port(true);
    old.save(&page(1)).unwrap();
    assert!(!old.newer_wants_port() && !young.newer_wants_port());
    young.want_port(true);
    young.save(&page(1)).unwrap();
    assert!(old.newer_wants_port() && !young.newer_wants_port());
    young.want_port(false);
    young.save(&page(1)).unwrap();
    assert!(!old.newer_wants_port());
    young.want_port(true);
    young.save(&page(1)).unwrap();
    drop(young);
    wait_until(|| !old.newer_wants_port());
}

#[test]
fn a_directory_that_vanishes_takes_no_counts_with_it() {
    let dir = TempDir::new();
    let path = dir.path().join("state");
    let peer = opened(&path);
    peer.save(&page(2)).unwrap();
    let state = opened(&path);
    assert_eq!(requests(&state.merged(page(1))), 3);
    std::fs::remove_dir_all(&path).unwrap();
    assert_eq!(requests(&state.merged(page(1))), 3);
    state.save(&page(4)).unwrap();
    peer.save(&page(2)).unwrap();
    assert_eq!(requests(&state.merged(page(4))), 6);
}

fn with_bounds(bounds: &[u64]) -> Page {
    let mut page = page(1);
    let histogram = Histogram {
        bounds: bounds.iter().map(|bound| FixedPoint::whole(*bound)).collect(),
        counts: vec![1; bounds.len() + 1],
        sum: FixedPoint::whole(1),
        exemplars: Vec::new(),
        native: None,
    };
    let value = Value::Histogram(Box::new(histogram));
    page.insert(&catalogue::DURATION, vec![Series { labels: "".into(), value, created: None }]);
    page
}

#[test]
fn a_histogram_with_other_buckets_goes_into_those_that_surely_hold_it() {
    let dir = TempDir::new();
    opened(dir.path()).save(&with_bounds(&[1, 2])).unwrap();
    let state = opened(dir.path());
    let own = with_bounds(&[1, 3]);
    let whole = state.merged(own.clone());
    assert_eq!(requests(&whole), 2);
    let histogram = |page: &Page| match &page.families[catalogue::DURATION.name].series[0].value {
        Value::Histogram(histogram) => histogram.clone(),
        other => panic!("{other:?}"),
    };
    let (ours, all) = (histogram(&own), histogram(&whole));
    assert_eq!(ours.bounds, all.bounds);
    assert_eq!(all.counts, ours.counts.iter().map(|count| 2 * count).collect::<Vec<_>>());
}

#[test]
fn what_stands_there_under_our_names_and_is_no_file_is_set_aside() {
    let dir = TempDir::new();
    dead(&dir, 3);
    std::fs::create_dir(dir.path().join("1000-1")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", dir.path().join("1000-2")).unwrap();
    assert!(Command::new("mkfifo").arg(dir.path().join("1000-3")).status().unwrap().success());
    std::fs::write(dir.path().join("notes.txt"), "not ours").unwrap();
    assert_eq!(sum(&dir), 3);
    let names = entries(&dir);
    for name in ["1000-1.damaged", "1000-2.damaged", "1000-3.damaged", "notes.txt"] {
        assert!(names.iter().any(|n| n == name), "{names:?}");
    }
}

#[test]
fn two_hundred_dead_are_absorbed_at_once_and_the_damaged_are_kept() {
    let dir = TempDir::new();
    let mut expected = 0;
    for n in 0..200_u64 {
        let path = dir.path().join(Name { start: 1000 + n, pid: 1 }.to_string());
        let text = Content { page: page(n).lasting(), ..Content::default() }.write();
        match n % 10 {
            3 => std::fs::write(path, &text[..text.len() / 2]).unwrap(),
            6 => std::fs::write(path, "somebody else's\n").unwrap(),
            _ => {
                expected += n;
                std::fs::write(path, text).unwrap();
            }
        }
    }
    let state = opened(dir.path());
    state.absorb().unwrap();
    assert_eq!(requests(&state.merged(page(0))), expected);
    drop(state);
    assert_eq!(sum(&dir), expected);
    assert_eq!(entries(&dir).iter().filter(|name| name.ends_with(".damaged")).count(), 40);
}

/// Not a test of its own: the process that the next test starts, and that ends at a step.
#[test]
fn crash_child() {
    let Some(dir) = std::env::var_os("HTTPD_EXPORTER_TEST_STATE_DIR") else { return };
    let state = opened(Path::new(&dir));
    state.absorb().unwrap();
    state.save(&page(5)).unwrap();
    state.want_port(true);
    state.finish(&page(7), &Places::new()).unwrap();
}

/// The same with a file to which changes are appended.
#[test]
fn crash_child_with_a_long_file() {
    let Some(dir) = std::env::var_os("HTTPD_EXPORTER_TEST_STATE_DIR") else { return };
    let state = opened(Path::new(&dir));
    state.save(&wide("a", 1_000, 1)).unwrap();
    state.save(&wide("a", 1_000, 2)).unwrap();
    state.save(&wide("a", 1_001, 2)).unwrap();
    state.finish(&wide("a", 1_002, 2), &Places::new()).unwrap();
}

#[test]
fn a_crash_while_changes_are_appended_leaves_what_was_there_before_or_after() {
    let mut last = 0;
    for step in 1.. {
        let dir = TempDir::new();
        let ended = run_child_of(&dir, step, "generations::tests::crash_child_with_a_long_file");
        let left = look(&dir);
        assert!([0, 1_000, 2_000, 2_002, 2_004].contains(&left) && left >= last, "{step}: {left}");
        last = left;
        assert_eq!(sum(&dir), left, "{step}");
        if ended {
            assert!(step > 15 && left == 2_004, "there are more steps than {step}");
            return;
        }
    }
}

/// True when the process came to its end.
fn run_child(dir: &TempDir, crash_at: u64) -> bool {
    run_child_of(dir, crash_at, "generations::tests::crash_child")
}

fn run_child_of(dir: &TempDir, crash_at: u64, child: &str) -> bool {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", child])
        .env("HTTPD_EXPORTER_TEST_STATE_DIR", dir.path())
        .env("HTTPD_EXPORTER_CRASH_AT_STEP", crash_at.to_string())
        .output()
        .unwrap();
    match output.status.code() {
        Some(99) => false,
        Some(0) => true,
        _ => panic!("{output:?}"),
    }
}

/// Crashes a process at a step, and the one that comes upon what it has left at a step as well.
#[test]
fn a_crash_at_any_step_neither_loses_nor_doubles() {
    let mut last = 0;
    for first in 1.. {
        let mut first_ended = false;
        let mut last_of_second = 0;
        for second in (1 + first % 4..).step_by(4) {
            let dir = TempDir::new();
            dead(&dir, 10);
            dead(&dir, 20);
            first_ended = run_child(&dir, first);
            let sum_of_first = look(&dir);
            assert!([30, 35, 37].contains(&sum_of_first) && sum_of_first >= last, "{first}: {sum_of_first}");
            last = sum_of_first;
            let second_ended = run_child(&dir, second);
            let more = look(&dir) - sum_of_first;
            assert!([0, 5, 7].contains(&more) && more >= last_of_second, "{first}, {second}: {more}");
            last_of_second = more;
            assert_eq!(sum(&dir), sum_of_first + more, "{first}, {second}");
            assert_eq!(sum(&dir), sum_of_first + more, "{first}, {second}");
            if second_ended {
                assert_eq!(more, 7);
                break;
            }
        }
        if first_ended {
            assert!(first > 20, "there are more steps than {first}");
            assert_eq!(last, 37);
            break;
        }
    }
}

/// Lines of generations come, save, absorb and go while one that stays is scraped.
#[test]
fn a_scrape_never_shows_less_than_the_one_before() {
    const LINES: u32 = 3;
    const GENERATIONS: u64 = 25;
    let dir = TempDir::new();
    let holder = opened(dir.path());
    let done = AtomicBool::new(false);
    let line = |pid| {
        for _ in 0..GENERATIONS {
            let state = begun(dir.path(), pid);
            thread::scope(|scope| {
                let absorbing = scope.spawn(|| state.absorb().unwrap());
                (1..=4).for_each(|count| state.save(&page(count)).unwrap());
                absorbing.join().unwrap();
            });
            state.finish(&page(4), &Places::new()).unwrap();
        }
    };
    let scrape = || {
        let (mut last, mut scrapes) = (0, 0);
        while !done.load(Relaxed) {
            let now = requests(&holder.merged(page(1)));
            assert!(now >= last, "{now} after {last}");
            (last, scrapes) = (now, scrapes + 1);
        }
        scrapes
    };
    let line = &line;
    let scrapes: u64 = thread::scope(|scope| {
        let scraping = scope.spawn(scrape);
        let lines: Vec<_> = (1..=LINES).map(|pid| scope.spawn(move || line(pid))).collect();
        let ended: Vec<_> = lines.into_iter().map(thread::ScopedJoinHandle::join).collect();
        done.store(true, Relaxed);
        ended.into_iter().for_each(Result::unwrap);
        scraping.join().unwrap()
    });
    println!("{scrapes} scrapes");
    assert_eq!(requests(&holder.merged(page(1))), u64::from(LINES) * GENERATIONS * 4 + 1);
}

/// Made by 0.1.0 of eight lines that fit and one that does not.
#[test]
fn a_state_of_the_first_version_is_read() {
    let dir = TempDir::new();
    let (name, text) = ("1795706000650-22844", include_bytes!("../../tests/data/state-0.1.0"));
    std::fs::write(dir.path().join(name), text).unwrap();
    assert_eq!((sum(&dir), look(&dir)), (8, 8));
    assert!(!dir.path().join(name).exists());
    let text = String::from_utf8(text.to_vec()).unwrap();
    let (head, page) = text.split_once("# TYPE").unwrap();
    assert!(head.starts_with("# httpd_exporter state 1 "));
    // As one that waits for the port and has absorbed others.
    let body = format!("# absorbed 1-2 3-4\n# wants port\n# TYPE{page}");
    let fnv = |text: &str| {
        text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    };
    let text = format!("# httpd_exporter state 1 {} {:016x}\n{body}", body.len(), fnv(&body));
    let (content, length) = Content::read(text.as_bytes()).unwrap();
    assert_eq!((length, content.head.wants_port, content.head.absorbed.len()), (text.len(), true, 2));
    assert_eq!(Head::read(text.as_bytes()), Some(content.head));
    assert_eq!((Head::read(&text.as_bytes()[..75]), requests(&content.page)), (None, 8));
}

/// A page of so many series, of which each has so many requests.
fn wide(label: &str, series: u64, each: u64) -> Page {
    let mut page = page(0);
    let series = (0..series).map(|number| {
        let mut labels = String::new();
        push_label(&mut labels, label, &format!("a value that is somewhat long {number:05}"));
        push_label(&mut labels, "method", "GET");
        Series::number(labels, FixedPoint::whole(each))
    });
    page.insert(&catalogue::REQUESTS, series.collect());
    page
}

#[test]
fn a_long_file_grows_by_what_has_changed_and_is_written_whole_the_more_seldom_the_longer_it_is() {
    let dir = TempDir::new();
    let (state, peer) = (opened(dir.path()), opened(dir.path()));
    let path = state.directory.path_of(state.me());
    let mut page = wide("a", 2_000, 1);
    state.save(&page).unwrap();
    let (whole, inode) = (path.metadata().unwrap().len(), path.metadata().unwrap().ino());
    let (mut written, mut rewritten, mut length, mut at) = (0, 0, whole, inode);
    for round in 1..=400_usize {
        let family = page.families.get_mut(catalogue::REQUESTS.name).unwrap();
        for series in family.series.iter_mut().skip(round).take(20) {
            series.value = Value::Number { value: FixedPoint::whole(1 + round as u64), exemplar: None };
        }
        state.save(&page).unwrap();
        let meta = path.metadata().unwrap();
        let is_new = meta.ino() != at || meta.len() < length;
        written += if is_new { meta.len() } else { meta.len() - length };
        rewritten += u64::from(is_new);
        (length, at) = (meta.len(), meta.ino());
        if round % 40 == 1 {
            assert_eq!(requests(&peer.merged(Page::default())), requests(&page), "round {round}");
        }
    }
    assert!(
        (1..20).contains(&rewritten) && written < 400 * whole / 20,
        "{rewritten} times whole, {written} bytes"
    );
    // Changes that are cut off are none, wherever that is; and a look that saw them in part sees them whole later.
    let text = std::fs::read(&path).unwrap();
    let (_, valid) = Content::read(&text).unwrap();
    assert_eq!(valid, text.len());
    let whole = text.windows(10).position(|window| window == b"\n# changes").unwrap() + 1;
    let mut last = 0;
    for cut in (whole..text.len()).step_by(97) {
        let (content, valid) = Content::read(&text[..cut]).unwrap();
        assert!(valid <= cut && requests(&content.page) >= last);
        last = requests(&content.page);
        let (mut more, _) = Content::read(&text[..valid]).unwrap();
        more.read_changes(&text[valid..]).unwrap();
        assert_eq!(requests(&more.page), requests(&page));
    }
    drop(state);
    assert_eq!(sum(&dir), requests(&page));
}

/// A second folding in the same millisecond would add to the series of the first, which is traffic to `rate()`.
#[test]
fn no_two_foldings_have_the_same_time() {
    let stamps: Vec<String> = (0..1_000).map(|_| super::state::stamp()).collect();
    assert!(stamps.is_sorted_by(|one, next| one.len() == next.len() && one < next), "{stamps:?}");
}

#[test]
fn nine_lives_with_other_labels_each_lose_nothing_and_stay_within_the_bound() {
    let dir = TempDir::new();
    let mut total = 0;
    for life in 0..9 {
        let mut state = State::new(
            dir.path(),
            Bounds { series: 50, histograms: 50 },
            &UserRights::OF_THE_TESTS,
            self_metrics(),
        );
        state.pid = life;
        state.begin().unwrap();
        // What another test starts holds the locks of the dead from its fork to its exec.
        wait_until(|| state.absorb().is_ok() && entries(&dir).len() <= 1);
        let own = |series| wide(&format!("label_{life}"), series, 3);
        let mut last: Option<Page> = None;
        // It grows in the middle of a life.
        for series in [0, 10, 30, 40, 50] {
            state.save(&own(series)).unwrap();
            let merged = state.merged(own(series));
            assert_eq!(requests(&merged), total + 3 * series);
            let family = &merged.families[catalogue::REQUESTS.name];
            assert!(family.series.len() <= 51, "{} in life {life}", family.series.len());
            // No series that was on the page before has grown by more than was counted.
            for (now, before) in family.series.iter().flat_map(|now| {
                let before = last.as_ref().map(|page| &page.families[catalogue::REQUESTS.name].series);
                before
                    .and_then(|series| series.iter().find(|s| s.labels == now.labels))
                    .map(|before| (now, before))
            }) {
                assert_eq!(now.value, before.value);
            }
            last = Some(merged);
        }
        total += 150;
        state.finish(&own(50), &Places::new()).unwrap();
    }
    assert_eq!(sum(&dir), total);
}

/// What a process has shown stays, whatever it has just done with the dead, and for however long nothing can be read.
#[test]
fn a_directory_that_cannot_be_read_after_absorbing_takes_no_counts_with_it() {
    let dir = TempDir::new();
    let (at, aside) = (dir.path().join("state"), dir.path().join("aside"));
    let living = begun(&at, 1);
    living.save(&page(50)).unwrap();
    opened(&at).save(&page(32)).unwrap();
    let state = opened(&at);
    state.save(&page(26)).unwrap();
    assert_eq!(requests(&state.merged(page(26))), 108);
    state.absorb().unwrap();
    // Not a directory: an error that does not pass.
    std::fs::rename(&at, &aside).unwrap();
    std::fs::write(&at, "").unwrap();
    assert_eq!(requests(&state.merged(page(26))), 108);
    assert!(!state.lacks_counts());
    std::fs::remove_file(&at).unwrap();
    std::fs::rename(&aside, &at).unwrap();
    assert_eq!(requests(&state.merged(page(26))), 108);
}

#[test]
fn a_directory_that_is_exchanged_loses_nobody_who_lives() {
    let dir = TempDir::new();
    let (path, aside) = (dir.path().join("state"), dir.path().join("aside"));
    let (peer, state) = (opened(&path), opened(&path));
    peer.save(&page(2)).unwrap();
    assert_eq!(requests(&state.merged(page(1))), 3);
    std::fs::rename(&path, &aside).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert_eq!(requests(&state.merged(page(1))), 3);
    state.save(&page(1)).unwrap();
    assert_eq!(requests(&state.merged(page(1))), 3);
    peer.save(&page(5)).unwrap();
    assert_eq!(requests(&state.merged(page(1))), 6);
    drop(peer);
    wait_until(|| requests(&state.merged(page(1))) == 6 && state.self_metrics.generations.get() == 1);
}

#[test]
fn a_file_that_cannot_be_read_just_now_counts_as_it_was_read_last() {
    let dir = TempDir::new();
    let (peer, state) = (opened(dir.path()), opened(dir.path()));
    peer.save(&page(2)).unwrap();
    assert_eq!(requests(&state.merged(page(1))), 3);
    let path = peer.directory.path_of(peer.me());
    std::fs::remove_file(&path).unwrap();
    // It is there, and to open it is an error.
    std::os::unix::fs::symlink(&path, &path).unwrap();
    assert_eq!(requests(&state.merged(page(1))), 3);
    peer.save(&page(4)).unwrap();
    assert_eq!(requests(&state.merged(page(1))), 5);
}

#[test]
fn a_newest_time_of_the_future_is_not_read() {
    let dir = TempDir::new();
    for (pid, seconds) in [(1, 1_700_000_000), (2, 32_503_680_000)] {
        let state = begun(dir.path(), pid);
        let mut page = page(1);
        page.insert_number(&catalogue::LAST_REQUEST, FixedPoint::whole(seconds));
        state.save(&page).unwrap();
    }
    let state = opened(dir.path());
    for _ in 0..2 {
        let merged = state.merged(page(0));
        let newest = &merged.families[catalogue::LAST_REQUEST.name].series[0];
        assert_eq!(newest.value, Value::Number { value: FixedPoint::whole(1_700_000_000), exemplar: None });
        state.absorb().unwrap();
    }
}
