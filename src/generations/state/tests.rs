//! Generations in one directory, living and dead, and processes that end at any step.

use super::*;
use crate::catalogue;
use crate::fixed_point::FixedPoint;
use crate::input::tee::tests::TempDir;
use crate::os::UserRights;
use crate::snapshot::page::{Histogram, Series, push_label};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Instant;

fn self_metrics() -> Arc<SelfMetrics> {
    Arc::<SelfMetrics>::default()
}

fn opened(directory: &Path) -> State {
    let state = State::new(directory, &UserRights::OF_THE_TESTS, self_metrics());
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
    let before = requests(&state.whole(page(0)));
    state.absorb().unwrap();
    assert_eq!(requests(&state.whole(page(0))), before);
    before
}

/// The same without a trace.
fn look(dir: &TempDir) -> u64 {
    let state = opened(dir.path());
    let sum = requests(&state.whole(page(0)));
    state.finish(&page(0)).unwrap();
    sum
}

/// A process that another test is just starting holds our locks until it is another program: so what depends on a
/// lock being gone is waited for.
fn wait_until(condition: impl Fn() -> bool) {
    let since = Instant::now();
    while !condition() {
        assert!(since.elapsed() < Duration::from_secs(20));
        thread::yield_now();
    }
}

fn dead(dir: &TempDir, count: u64) {
    opened(dir.path()).save(&page(count)).unwrap();
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
    let content = Content { page: page(7).lasting(), absorbed: absorbed.into(), wants_port: true };
    let text = content.write();
    assert_eq!(Content::read(&text), Ok(content));
    for at in 0..text.len() {
        assert!(Content::read(&text[..at]).is_err(), "cut at {at}");
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        let damaged = String::from_utf8(bytes).unwrap();
        assert!(Content::read(&damaged).is_err(), "a bit at {at}");
    }
    assert_eq!(Content::read(&text.replacen(" 1 ", " 2 ", 1)), Err("it is of format 2".to_owned()));
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
    state.finish(&page(1)).unwrap();
    assert_eq!(entries(&dir), [state.me().to_string()]);
    drop(state);
    assert_eq!(sum(&dir), 13);
}

/// A file with so many requests that has absorbed these.
fn noting(dir: &TempDir, start: u64, count: u64, absorbed: &[Name]) -> Name {
    let name = Name { start, pid: 1 };
    let absorbed = absorbed.iter().copied().collect();
    let content = Content { page: page(count).lasting(), absorbed, wants_port: false };
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
                let state =
                    State { pid, ..State::new(dir.path(), &UserRights::OF_THE_TESTS, self_metrics()) };
                state.begin().unwrap();
                assert_eq!(requests(&state.whole(page(0))), 3007);
                // Whom another one has locked is left to it.
                let _ = state.absorb();
                assert_eq!(requests(&state.whole(page(0))), 3007);
            };
            (1..=4).for_each(|pid| drop(scope.spawn(move || absorb(pid))));
        });
        assert_eq!(sum(&dir), 3007, "round {round}");
    }
}

#[test]
fn the_buckets_asked_for_last_displace_older_ones() {
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
    assert_eq!(count(&state.whole(page(0))), 6);
    state.absorb().unwrap();
    assert_eq!(count(&state.whole(page(0))), 6);
    assert_eq!(count(&state.whole(with_bounds(&[1, 3]))), 9);
    state.finish(&with_bounds(&[1, 3])).unwrap();
    drop(state);
    // Back to the first ones, and ours decide.
    opened(dir.path()).save(&with_bounds(&[1, 2])).unwrap();
    let state = opened(dir.path());
    state.save(&with_bounds(&[1, 3])).unwrap();
    state.absorb().unwrap();
    assert_eq!(count(&state.whole(with_bounds(&[1, 3]))), 12);
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
    state.finish(&page(0)).unwrap();
    assert!(entries(&dir).is_empty());
}

#[test]
fn nothing_is_written_while_nothing_is_new() {
    let dir = TempDir::new();
    let state = opened(dir.path());
    state.save(&page(1)).unwrap();
    let inode = || state.path(state.me()).metadata().unwrap().ino();
    let before = inode();
    state.save(&page(1)).unwrap();
    assert_eq!(inode(), before);
    std::fs::remove_file(state.path(state.me())).unwrap();
    state.save(&page(1)).unwrap();
    assert!(state.path(state.me()).exists(), "a file that somebody has removed comes back");
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
    assert_eq!(requests(&state.whole(page(5))), 215);
    assert_eq!(state.self_metrics.generations.get(), 21);
    let since = Instant::now();
    (0..100).for_each(|_| drop(state.whole(page(5))));
    println!("a scrape with 20 living peers: {:?}", since.elapsed() / 100);
    drop(states);
    wait_until(|| requests(&state.whole(page(5))) == 215 && state.self_metrics.generations.get() == 1);
}

#[test]
fn the_port_is_wanted_by_the_younger_and_the_living() {
    let dir = TempDir::new();
    let old = opened(dir.path());
    let young = opened(dir.path());
    old.want_port(true);
    old.save(&page(1)).unwrap();
    assert!(!old.someone_younger_wants() && !young.someone_younger_wants());
    young.want_port(true);
    young.save(&page(1)).unwrap();
    assert!(old.someone_younger_wants() && !young.someone_younger_wants());
    young.want_port(false);
    young.save(&page(1)).unwrap();
    assert!(!old.someone_younger_wants());
    young.want_port(true);
    young.save(&page(1)).unwrap();
    drop(young);
    wait_until(|| !old.someone_younger_wants());
}

#[test]
fn a_directory_that_vanishes_takes_no_counts_with_it() {
    let dir = TempDir::new();
    let path = dir.path().join("state");
    let peer = opened(&path);
    peer.save(&page(2)).unwrap();
    let state = opened(&path);
    assert_eq!(requests(&state.whole(page(1))), 3);
    std::fs::remove_dir_all(&path).unwrap();
    assert_eq!(requests(&state.whole(page(1))), 3);
    state.save(&page(4)).unwrap();
    peer.save(&page(2)).unwrap();
    assert_eq!(requests(&state.whole(page(4))), 6);
}

fn with_bounds(bounds: &[u64]) -> Page {
    let mut page = page(1);
    let histogram = Histogram {
        bounds: bounds.iter().map(|bound| FixedPoint::whole(*bound)).collect(),
        counts: vec![1; bounds.len() + 1],
        sum: FixedPoint::whole(1),
        exemplars: Vec::new(),
    };
    let value = Value::Histogram(Box::new(histogram));
    page.insert(&catalogue::DURATION, vec![Series { labels: "".into(), value, created: None }]);
    page
}

#[test]
fn a_histogram_with_other_buckets_is_left_out_and_the_rest_is_summed() {
    let dir = TempDir::new();
    opened(dir.path()).save(&with_bounds(&[1, 2])).unwrap();
    let state = opened(dir.path());
    let own = with_bounds(&[1, 3]);
    let whole = state.whole(own.clone());
    assert_eq!(requests(&whole), 2);
    assert_eq!(whole.families[catalogue::DURATION.name], own.families[catalogue::DURATION.name]);
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
    let since = Instant::now();
    let state = opened(dir.path());
    state.absorb().unwrap();
    let took = since.elapsed();
    println!("200 dead generations absorbed in {took:?}");
    assert!(took < Duration::from_secs(1));
    assert_eq!(requests(&state.whole(page(0))), expected);
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
    state.finish(&page(7)).unwrap();
}

/// True when the process came to its end.
fn run_child(dir: &TempDir, crash_at: u64) -> bool {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "generations::state::tests::crash_child"])
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
            let state = State { pid, ..State::new(dir.path(), &UserRights::OF_THE_TESTS, self_metrics()) };
            state.begin().unwrap();
            thread::scope(|scope| {
                let absorbing = scope.spawn(|| state.absorb().unwrap());
                (1..=4).for_each(|count| state.save(&page(count)).unwrap());
                absorbing.join().unwrap();
            });
            state.finish(&page(4)).unwrap();
        }
    };
    let scrape = || {
        let (mut last, mut scrapes) = (0, 0);
        while !done.load(Relaxed) {
            let now = requests(&holder.whole(page(1)));
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
    assert_eq!(requests(&holder.whole(page(1))), u64::from(LINES) * GENERATIONS * 4 + 1);
}
