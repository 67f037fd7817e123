//! Generations in one directory, living and dead, and processes that end at any step.

use super::*;
use crate::amount::Amount;
use crate::catalogue;
use crate::input::tee::tests::TempDir;
use crate::output::page::{Histogram, Series, push_label};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Instant;

fn vitals() -> Arc<Vitals> {
    Arc::<Vitals>::default()
}

fn page(requests: u64) -> Page {
    let mut page = Page::default();
    let mut labels = String::new();
    push_label(&mut labels, "status_code", "200");
    page.insert(&catalogue::REQUESTS, vec![Series::number(labels, Amount::whole(requests))]);
    page.insert_number(&catalogue::GENERATIONS, Amount::whole(1));
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
    let state = State::open(dir.path(), None, vitals()).unwrap();
    let before = requests(&state.whole(page(0)));
    state.absorb().unwrap();
    assert_eq!(requests(&state.whole(page(0))), before);
    before
}

/// The same without a trace.
fn look(dir: &TempDir) -> u64 {
    let state = State::open(dir.path(), None, vitals()).unwrap();
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
    State::open(dir.path(), None, vitals()).unwrap().save(&page(count)).unwrap();
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
    let state = State::open(dir.path(), None, vitals()).unwrap();
    wait_until(|| state.absorb().is_ok() && entries(&dir).len() == 1);
    state.finish(&page(1)).unwrap();
    assert_eq!(entries(&dir), [state.me.to_string()]);
    drop(state);
    assert_eq!(sum(&dir), 13);
}

#[test]
fn a_generation_that_counted_nothing_leaves_nothing() {
    let dir = TempDir::new();
    let state = State::open(dir.path(), None, vitals()).unwrap();
    state.absorb().unwrap();
    state.save(&page(0)).unwrap();
    state.finish(&page(0)).unwrap();
    assert!(entries(&dir).is_empty());
}

#[test]
fn nothing_is_written_while_nothing_is_new() {
    let dir = TempDir::new();
    let state = State::open(dir.path(), None, vitals()).unwrap();
    state.save(&page(1)).unwrap();
    let inode = || state.path(state.me).metadata().unwrap().ino();
    let before = inode();
    state.save(&page(1)).unwrap();
    assert_eq!(inode(), before);
    std::fs::remove_file(state.path(state.me)).unwrap();
    state.save(&page(1)).unwrap();
    assert!(state.path(state.me).exists(), "a file that somebody has removed comes back");
}

#[test]
fn living_generations_are_summed_and_not_absorbed() {
    let dir = TempDir::new();
    let states: Vec<State> = (0..20).map(|_| State::open(dir.path(), None, vitals()).unwrap()).collect();
    for (state, count) in states.iter().zip(1..) {
        state.save(&page(count)).unwrap();
    }
    let state = State::open(dir.path(), None, vitals()).unwrap();
    state.absorb().unwrap();
    assert_eq!(requests(&state.whole(page(5))), 215);
    assert_eq!(state.vitals.generations.get(), 21);
    let since = Instant::now();
    (0..100).for_each(|_| drop(state.whole(page(5))));
    println!("a scrape with 20 living peers: {:?}", since.elapsed() / 100);
    drop(states);
    wait_until(|| requests(&state.whole(page(5))) == 215 && state.vitals.generations.get() == 1);
}

#[test]
fn the_port_is_wanted_by_the_younger_and_the_living() {
    let dir = TempDir::new();
    let old = State::open(dir.path(), None, vitals()).unwrap();
    let young = State::open(dir.path(), None, vitals()).unwrap();
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
    let peer = State::open(&path, None, vitals()).unwrap();
    peer.save(&page(2)).unwrap();
    let state = State::open(&path, None, vitals()).unwrap();
    assert_eq!(requests(&state.whole(page(1))), 3);
    std::fs::remove_dir_all(&path).unwrap();
    assert_eq!(requests(&state.whole(page(1))), 3);
    state.save(&page(4)).unwrap();
    peer.save(&page(2)).unwrap();
    assert_eq!(requests(&state.whole(page(4))), 6);
}

#[test]
fn a_histogram_with_other_buckets_is_left_out_and_the_rest_is_summed() {
    let dir = TempDir::new();
    let with_bounds = |bounds: &[u64]| {
        let mut page = page(1);
        let histogram = Histogram {
            bounds: bounds.iter().map(|bound| Amount::whole(*bound)).collect(),
            counts: vec![1; bounds.len() + 1],
            sum: Amount::whole(1),
            exemplars: Vec::new(),
        };
        let value = Value::Histogram(histogram);
        page.insert(&catalogue::DURATION, vec![Series { labels: "".into(), value, created: None }]);
        page
    };
    State::open(dir.path(), None, vitals()).unwrap().save(&with_bounds(&[1, 2])).unwrap();
    let state = State::open(dir.path(), None, vitals()).unwrap();
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
    let state = State::open(dir.path(), None, vitals()).unwrap();
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
    let state = State::open(Path::new(&dir), None, vitals()).unwrap();
    state.absorb().unwrap();
    state.save(&page(5)).unwrap();
    state.want_port(true);
    state.finish(&page(7)).unwrap();
}

/// True when the process came to its end.
fn run_child(dir: &TempDir, crash_at: u64) -> bool {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "output::state::tests::crash_child"])
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
    let holder = State::open(dir.path(), None, vitals()).unwrap();
    let done = AtomicBool::new(false);
    let line = |pid| {
        for _ in 0..GENERATIONS {
            let state = State::begin(dir.path(), pid, None, vitals()).unwrap();
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
