//! A citizen under Apache: no line is lost and none counted twice, whatever is done to Apache or to the program, and
//! no scrape ever shows less than the one before.
//!
//! Apache writes each line twice, with an id of its own: to the program, and to a file that nobody else touches. That
//! file is the witness: its lines and those of the tee must be the same, and the counts must be their number.
//!
//! The figures (longest time without an answer) are printed: `cargo test apache -- --include-ignored --nocapture`.

mod deaths; // the program is killed, the disk is full
mod ends; // restart, stop, graceful-stop, a killed parent, the first instance
mod fleet; // many processes with one directory and one port; users

use crate::harness::{
    BINARY, Page, Process, TempDir, free_low_port, free_port, get, scrape, wait_for, wait_until,
};
use crate::servers::apache::{Apache, Run};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// One Apache at a time: two of them under load would measure one another.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

// ------------------------------------------------------------------------------------------------------- site ---

/// An Apache, the program as its piped log with state and tee, and the witness.
struct Site {
    apache: Apache,
    /// Where the program serves.
    exporter: String,
    backend: Backend,
}

impl Site {
    fn start(mpm: &str, form: &str, run: Run) -> Site {
        Site::with(mpm, form, run, |dir| format!("--tee {}/tee.log", dir.display()))
    }

    /// `more` gives further arguments, from the directory of the test.
    fn with(mpm: &str, form: &str, run: Run, more: impl Fn(&Path) -> String) -> Site {
        let (dir, exporter, backend) =
            (TempDir::in_memory(), format!("127.0.0.1:{}", free_port()), Backend::open());
        let (path, slow) = (dir.path().display(), backend.port);
        let more = more(dir.path());
        // %l would be `-` without exception; the id has its place, so the format is a preset's.
        let logging = format!(
            "LogFormat \"%v:%p %h %{{UNIQUE_ID}}e %u %t \\\"%r\\\" %>s %O \\\"%{{Referer}}i\\\" \\\"%{{User-Agent}}i\\\"\" id\n\
             CustomLog \"{form}{BINARY} --format vhost_combined --web.listen-address {exporter} --state-dir {path}/state {more}\" id\n\
             CustomLog {path}/witness.log id\n\
             ProxyPass /slow http://127.0.0.1:{slow}/ timeout=600\n\
             GracefulShutdownTimeout 20\n"
        );
        let site = Site { apache: Apache::start_in(dir, run, mpm, &logging), exporter, backend };
        // Apache starts it twice, and the request that starting makes is in the second one's log.
        site.page_with(1);
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.apache.dir.join(name)
    }

    /// The lines of a log so far.
    fn lines(&self, name: &str) -> Vec<String> {
        let text = fs::read(self.path(name)).unwrap_or_default();
        String::from_utf8_lossy(&text).lines().map(str::to_owned).collect()
    }

    fn witnessed(&self) -> usize {
        fs::read(self.path("witness.log")).unwrap_or_default().iter().filter(|byte| **byte == b'\n').count()
    }

    /// The living processes of the program.
    fn generations(&self) -> Vec<i32> {
        self.apache.piped_logs()
    }

    /// The only process of the program, once the one of Apache's first reading of its configuration is gone.
    fn generation(&self) -> i32 {
        wait_for("one generation", || match self.generations()[..] {
            [pid] => Ok(pid),
            ref all => Err(format!("{all:?}")),
        })
    }

    /// Waits until no process of the program is left, as it must be when Apache is gone.
    fn wait_for_nobody(&self) {
        wait_for("the end of the program", || match &self.generations()[..] {
            [] => Ok(()),
            left => Err(format!("{left:?}; {}", self.apache.error_log())),
        });
    }

    /// The tee is the witness's log, each line once; gives the number of lines. Where Apache's children were killed
    /// between the two writes of a line, the tee alone has it.
    fn tee_holds_every_line_once(&self, killed: bool) -> usize {
        let (tee, witness) = (self.lines("tee.log"), self.lines("witness.log"));
        let once: BTreeSet<&String> = tee.iter().collect();
        assert_eq!(once.len(), tee.len(), "lines of the tee are doubled");
        let witness: BTreeSet<&String> = witness.iter().collect();
        let lost: Vec<_> = witness.difference(&once).collect();
        assert!(lost.is_empty(), "{} lines are not in the tee, the first {:?}", lost.len(), lost[0]);
        let beyond: Vec<_> = once.difference(&witness).collect();
        // A child of prefork that is one too many goes by a request of Apache's own, which is logged, and may end
        // before it is witnessed.
        let may_be = |line: &&&String| line.contains("\"OPTIONS * ");
        assert!(killed || beyond.iter().all(may_be), "lines of the tee were never logged: {beyond:?}");
        tee.len()
    }

    /// The number of lines, once all that Apache has logged is in the tee and on the page.
    fn lines_when_quiet(&self) -> usize {
        wait_for("all that was logged", || {
            let (tee, counted) =
                (self.lines("tee.log").len(), scrape(&self.exporter)?.sum("httpd_exporter_lines_total"));
            if tee >= self.witnessed() && counted == tee as f64 {
                Ok(tee)
            } else {
                Err(format!("{tee}, {counted}"))
            }
        })
    }

    /// The page with so many lines, once it is there. Lines are what Apache logged, its own OPTIONS included.
    fn page_with(&self, lines: usize) -> Page {
        wait_for(&format!("{lines} lines on the page"), || {
            let page = scrape(&self.exporter)?;
            let seen = page.sum("httpd_exporter_lines_total");
            if seen == lines as f64 { Ok(page) } else { Err(format!("{seen}; {}", self.apache.error_log())) }
        })
    }

    fn state_files(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(self.path("state")).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        // Room in reserve and the history of the live page are no generations.
        names.filter(|name| !name.starts_with('.')).collect()
    }

    /// What the error log has from the program.
    fn said(&self) -> String {
        let log = self.apache.error_log();
        log.lines()
            .filter(|line| line.contains(" httpd_exporter: "))
            .map(|line| format!("{line}\n"))
            .collect()
    }

    /// Nothing in the error log that a person would have to look after, but what is expected.
    fn nothing_is_wrong_but(&self, expected: &[&str]) {
        let harmless =
            ["serving ", "running as root", "long lost child came home", "handed over to a newer process"];
        let strange: Vec<String> = (self.apache.error_log().lines())
            .filter(|line| line.contains(" httpd_exporter: ") || line.contains("AH00646"))
            .filter(|line| !harmless.iter().chain(expected).any(|text| line.contains(text)))
            .map(str::to_owned)
            .collect();
        assert!(strange.is_empty(), "{strange:#?}");
    }
}

fn signal(pid: i32, signal: Signal) {
    // It may have ended by itself.
    let _ = kill(Pid::from_raw(pid), signal);
}

// ------------------------------------------------------------------------------------------------------- load ---

/// So many requests by ten clients, each over a connection of its own.
fn ab(address: &str, requests: usize) -> Process {
    let url = format!("http://{address}/");
    // -r: a connection that a restarting server resets is a failed request, not the end of the load.
    Process::start(Command::new("ab").args(["-r", "-q", "-c", "10", "-n", &requests.to_string(), &url]))
}

/// Waits for its end and gives the number of requests that were not answered.
fn failed(ab: &mut Process) -> u64 {
    let report = ab.wait().stdout;
    let number = |name: &str| {
        let line = report.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().parse::<u64>().ok()
    };
    assert!(number("Complete requests:").is_some(), "{report}");
    number("Failed requests:").unwrap_or(0)
}

/// A server behind Apache that answers when it is told to: so a request is in flight for as long as a test wants.
struct Backend {
    port: u16,
    asked: Receiver<()>,
    release: Sender<()>,
}

impl Backend {
    fn open() -> Backend {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let ((ask, asked), (release, released)) = (channel(), channel());
        // Ends with the test that holds the other ends.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let _ = stream.read(&mut [0; 4096]);
                if ask.send(()).is_err() || released.recv().is_err() {
                    return;
                }
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nslow\n");
            }
        });
        Backend { port, asked, release }
    }
}

/// A request that stays in flight until it is released.
struct Slow {
    answer: JoinHandle<u16>,
    since: Instant,
}

impl Slow {
    fn begin(site: &Site) -> Slow {
        let address = site.apache.address.clone();
        let answer = thread::spawn(move || get(&address, "/slow").map_or(0, |response| response.status));
        site.backend.asked.recv().expect("the backend listens");
        Slow { answer, since: Instant::now() }
    }

    /// Lets it be answered once it has lasted so long.
    fn end(self, site: &Site, after: Duration) {
        wait_until("the request to be old enough", || self.since.elapsed() >= after);
        site.backend.release.send(()).expect("the backend waits");
        assert_eq!(self.answer.join().expect("the client is content"), 200);
    }
}

// -------------------------------------------------------------------------------------------------------- watch ---

/// A scraper that comes every 10 ms and compares each page with the one before.
struct Watch {
    stop: Arc<AtomicBool>,
    answers: Arc<AtomicUsize>,
    thread: JoinHandle<Seen>,
}

/// What it has seen.
#[derive(Debug, Default)]
struct Seen {
    answers: usize,
    refused: usize,
    /// The longest time between two answers.
    longest: Duration,
    /// Series that went down or away, with both values.
    fallen: Vec<String>,
}

impl Watch {
    fn begin(address: &str) -> Watch {
        let (stop, address) = (Arc::new(AtomicBool::new(false)), address.to_owned());
        let stopped = stop.clone();
        let answers = Arc::new(AtomicUsize::new(0));
        let answered = answers.clone();
        let thread = thread::spawn(move || {
            let (mut seen, mut last, mut since) = (Seen::default(), BTreeMap::new(), Instant::now());
            while !stopped.load(Ordering::Relaxed) {
                let begun = Instant::now();
                match scrape(&address) {
                    Ok(page) => {
                        seen.answers += 1;
                        answered.store(seen.answers, Ordering::Relaxed);
                        seen.longest = seen.longest.max(since.elapsed());
                        since = Instant::now();
                        compare(&mut last, &page, &mut seen.fallen);
                    }
                    Err(_) => seen.refused += 1,
                }
                thread::sleep(Duration::from_millis(10).saturating_sub(begun.elapsed()));
            }
            seen
        });
        Watch { stop, answers, thread }
    }

    /// Lets it have some answers more: before and after what is to be seen.
    fn look(&self) {
        let enough = self.answers.load(Ordering::Relaxed) + 10;
        wait_until("answers to the scraper", || self.answers.load(Ordering::Relaxed) >= enough);
    }

    /// Ends it once it has seen what there is at the end, and gives what it saw; nothing may have gone down.
    fn end(self, what: &str) -> Seen {
        self.look();
        self.stop.store(true, Ordering::Relaxed);
        let seen = self.thread.join().expect("the scraper is content");
        println!(
            "{what}: {} answers, {} refused, longest time without an answer {} ms",
            seen.answers,
            seen.refused,
            seen.longest.as_millis()
        );
        assert!(seen.fallen.is_empty(), "{what}: {:#?}", &seen.fallen[..seen.fallen.len().min(10)]);
        seen
    }
}

/// Every counter of the page must be on the next one, and no lower. process_* tells of one process and begins anew
/// with the next, as its start time says.
fn compare(last: &mut BTreeMap<String, f64>, page: &Page, fallen: &mut Vec<String>) {
    let counts = ["_total", "_bucket", "_count", "_sum"];
    for (series, before) in last.iter() {
        let now = page.value(series);
        if now.is_none_or(|now| now < *before) {
            fallen.push(format!("{series}: {before}, then {now:?}"));
        }
    }
    last.clear();
    for series in page.series.keys().filter(|series| !series.starts_with("process_")) {
        let name = series.split('{').next().unwrap_or_default();
        if let Some(value) = page.value(series).filter(|_| counts.iter().any(|end| name.ends_with(end))) {
            last.insert(series.clone(), value);
        }
    }
}

// ----------------------------------------------------------------------------------------------------- graceful ---

/// No time without an answer may reach this, or so many times what the machine takes to start and end a program where
/// that is longer: a successor has to be started by a shell, and the web server, its load, the old one and the scraper
/// want the processor as well.
const SILENCE_MAX: Duration = Duration::from_millis(100);
const SILENCE_STARTS_MAX: u32 = 20;

/// Five graceful restarts under load, in memory, for a disk that others sync is no part of it. All that is counted must
/// be right each time; a time is only as good as the machine is idle, so there are three attempts at that.
fn graceful(mpm: &str, form: &str, run: Run) {
    let _alone = alone();
    let mut away = Vec::new();
    let quick = (0..3).any(|_| {
        let starts = Starts::begin();
        let silence = graceful_once(mpm, form, run);
        let most = SILENCE_MAX.max(SILENCE_STARTS_MAX * starts.end());
        away.push((silence, most));
        silence < most
    });
    assert!(
        quick,
        "{mpm}, {form}: the page was away too long in each attempt (how long, and the most): {away:?}"
    );
}

/// Who starts a program over and over: the longest time that takes tells how busy the machine is with other things.
struct Starts {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Duration>,
}

impl Starts {
    fn begin() -> Starts {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut longest = Duration::ZERO;
            while !stopped.load(Ordering::Relaxed) {
                let begun = Instant::now();
                let output = Command::new(BINARY).arg("--version").output().expect("it starts");
                longest = longest.max(begun.elapsed());
                assert!(output.status.success());
                thread::sleep(Duration::from_millis(100));
            }
            longest
        });
        Starts { stop, thread }
    }

    /// The longest time that a start took, to its end.
    fn end(self) -> Duration {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("every start ends well")
    }
}

/// 16,000 requests of ten clients, one of 6 s in flight, the restarts spread over the load, a scrape every 10 ms. Gives
/// the longest time without an answer.
fn graceful_once(mpm: &str, form: &str, run: Run) -> Duration {
    const REQUESTS: usize = 16_000;
    const RESTARTS: usize = 5;
    let what = format!("{mpm}, {form}");
    let mut site = Site::start(mpm, form, run);
    let watch = Watch::begin(&site.exporter);
    let slow = Slow::begin(&site);
    let mut load = ab(&site.apache.address, REQUESTS);
    let began = Instant::now();
    for restart in 1..=RESTARTS {
        wait_until("the load to go on", || site.witnessed() >= restart * REQUESTS / (RESTARTS + 2));
        site.apache.restart(Signal::SIGUSR1);
    }
    println!("{what}: {RESTARTS} graceful restarts within {} ms", began.elapsed().as_millis());
    assert_eq!(failed(&mut load), 0, "requests failed");
    slow.end(&site, Duration::from_secs(6));

    // Those of ab, the slow one, and the one that starting asks for; prefork's own are OPTIONS.
    let page = page_with_requests(&site, REQUESTS as f64 + 2.0);
    wait_until("the end of the old generations", || site.generations().len() == 1);
    let seen = watch.end(&what);
    assert_eq!(page.value("httpd_exporter_lines_total{outcome=\"malformed\"}"), Some(0.0));
    site.apache.stop();
    let lines = site.tee_holds_every_line_once(false);
    let dead = site.state_files();

    // What was counted is there when Apache starts again: all that was logged, and one request more.
    site.apache.start_again();
    site.page_with(lines + 1);
    wait_until("the dead to be absorbed", || site.state_files().is_disjoint(&dead));
    site.apache.stop();
    site.nothing_is_wrong_but(&[]);
    seen.longest
}

/// The page with so many requests that clients made, which are all GET.
fn page_with_requests(site: &Site, requests: f64) -> Page {
    wait_for(&format!("{requests} requests on the page"), || {
        let page = scrape(&site.exporter)?;
        let made = |series: &str| series.starts_with("httpd_requests_total") && series.contains("GET");
        let seen: f64 = page.series.keys().filter(|s| made(s)).filter_map(|s| page.value(s)).sum();
        if seen == requests { Ok(page) } else { Err(format!("{seen}; {}", site.apache.error_log())) }
    })
}

#[test]
#[ignore = "needs apache2, ab"]
fn graceful_restarts_event() {
    graceful("event", "|", Run::Daemon);
}

#[test]
#[ignore = "needs apache2, ab"]
fn graceful_restarts_worker() {
    graceful("worker", "||", Run::Foreground);
}

#[test]
#[ignore = "needs apache2, ab"]
fn graceful_restarts_prefork() {
    graceful("prefork", "|", Run::Daemon);
}

#[test]
#[ignore = "needs apache2, ab"]
fn graceful_restarts_event_through_a_shell() {
    graceful("event", "|$", Run::Daemon);
}

#[test]
#[ignore = "needs apache2, ab"]
fn graceful_restarts_prefork_through_a_shell() {
    graceful("prefork", "|$", Run::Foreground);
}
