//! `--distinct`: different values over processes that live at once, over restarts and over kills.

use crate::harness::{Exporter, Page, TempDir, run, wait_for, wait_until};
use nix::sys::signal::Signal;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

fn started(state: &Path) -> Exporter {
    let state = state.display().to_string();
    Exporter::start(&["--format", "%v %a \"%r\" %>s", "--state-dir", &state, "--distinct", "clients=%a"])
}

/// Requests to a virtual host from clients with these numbers.
fn lines(vhost: &str, clients: Range<u32>) -> String {
    let line =
        |number: u32| format!("{vhost} 10.9.{}.{} \"GET / HTTP/1.1\" 200\n", number / 256, number % 256);
    clients.map(line).collect()
}

/// The different clients of today.
fn clients(page: &Page, vhost: &str) -> f64 {
    let series = format!("httpd_distinct_values{{name=\"clients\",vhost=\"{vhost}\",window=\"day\"}}");
    page.value(&series).unwrap_or(0.0)
}

fn wait_for_clients(exporter: &Exporter, least: f64) -> f64 {
    wait_for(&format!("{least} clients"), || {
        let seen = clients(&exporter.scrape(), "a");
        if seen >= least { Ok(seen) } else { Err(format!("{seen}")) }
    })
}

fn end(mut exporter: Exporter) {
    exporter.process.close();
    let ended = exporter.process.wait();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
}

/// Once more where midnight came between: the figures of a day begin anew then.
fn on_one_day(story: impl Fn()) {
    let today = || SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() / 86_400;
    let begun = today();
    let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(&story));
    match told {
        Err(_) if begun != today() => story(),
        Err(failed) => std::panic::resume_unwind(failed),
        Ok(()) => {}
    }
}

/// Addresses that were seen by two processes count once, and are remembered by the next one; none of them is on disk.
#[test]
fn different_values_are_united_over_processes_that_live_at_once_and_over_restarts() {
    on_one_day(|| {
        // No disk that takes longer than the last save waits for the other process.
        let dir = TempDir::in_memory();
        let state = dir.join("state");
        let (mut one, mut other) = (started(&state), started(&state));
        one.process.feed(lines("a", 0..1_000).as_bytes());
        other.process.feed(lines("a", 600..1_400).as_bytes());
        end(one);
        let both = wait_for_clients(&other, 1_390.0);
        end(other);
        // So few are still counted one by one. The last of them may have been read since.
        let after = clients(&started(&state).scrape(), "a");
        assert!((both..=1_405.0).contains(&after), "{both} {after}");
        for file in fs::read_dir(&state).expect("the directory is there").flatten() {
            let bytes = fs::read(file.path()).expect("readable");
            assert!(!bytes.windows(5).any(|window| window == b"10.9."), "{:?}", file.file_name());
        }
    });
}

/// What another process has read from the directory is there after a kill.
#[test]
fn different_values_that_were_saved_survive_a_kill() {
    on_one_day(|| {
        let dir = TempDir::new();
        let state = dir.join("state");
        let (mut killed, witness) = (started(&state), started(&state));
        let mut seen = 0.0;
        for start in [0, 1_000] {
            killed.process.feed(lines("a", start..start + 1_000).as_bytes());
            seen = wait_for_clients(&witness, f64::from(start) + 990.0);
        }
        for mut exporter in [killed, witness] {
            exporter.process.signal(Signal::SIGKILL);
            wait_until("its death", || exporter.process.has_ended());
        }
        // The last of them may have been saved since.
        let after = clients(&started(&state).scrape(), "a");
        assert!((seen..=2_010.0).contains(&after), "{seen} {after}");
    });
}

/// Each start has other virtual hosts, more than there are places in all.
#[test]
fn restarts_make_no_more_rows_of_different_values_than_there_may_be() {
    on_one_day(|| {
        let dir = TempDir::new();
        for start in 0..4 {
            let mut exporter = started(&dir.join("state"));
            for vhost in start * 30..start * 30 + 30 {
                exporter.process.feed(lines(&format!("v{vhost}"), vhost * 10..vhost * 10 + 10).as_bytes());
            }
            end(exporter);
        }
        let page = started(&dir.join("state")).scrape();
        assert_eq!(clients(&page, "v0"), 10.0);
        let other = clients(&page, "other");
        assert!((627.0..=653.0).contains(&other), "{other}");
        let rows = page.series.keys().filter(|name| name.starts_with("httpd_distinct_values{")).count();
        assert!(rows <= 64 * 4, "{rows}");
    });
}

/// Lines of a finished log have other times than those of this machine's clock.
#[test]
fn a_report_and_a_history_say_that_they_leave_different_values_out() {
    let dir = TempDir::new();
    let history = dir.join("history").display().to_string();
    for mode in [vec!["--report"], vec!["--history", &history]] {
        let format = ["--format", "%v %a %t \"%r\" %>s", "--distinct", "clients=%a"];
        let line = b"a 10.9.0.1 [03/Feb/2026:04:05:06 +0100] \"GET / HTTP/1.1\" 200\n";
        let ended = run(&[&format, &mode[..]].concat(), line);
        assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
        assert!(ended.stderr.contains("--distinct is left out"), "{}", ended.stderr);
    }
}

/// Nothing of chance is on a page that nobody can ask twice.
#[test]
fn the_same_log_gives_the_same_figures() {
    on_one_day(|| {
        let log = lines("a", 0..60_000);
        let seen = || {
            let args = ["--once", "--format", "%v %a \"%r\" %>s", "--distinct", "clients=%a"];
            clients(&run(&args, log.as_bytes()).page(), "a")
        };
        let first = seen();
        assert!((58_000.0..=62_000.0).contains(&first), "{first}");
        assert_eq!([seen(), seen()], [first, first]);
    });
}
