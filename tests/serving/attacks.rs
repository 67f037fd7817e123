//! Strangers who mean harm, on the real program while lines flow in as fast as it takes them. During each attack a
//! well-behaved scraper is answered and stdin goes on; afterwards threads, descriptors and memory are back.

use super::{Client, Exporter, SCRAPE, exchange};
use crate::harness::{BINARY, Process, wait_for, wait_until};
use nix::libc::linger;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::socket::{setsockopt, sockopt};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::process::{ChildStdin, Command};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Each attack is measured alone.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// What is kept for good may grow a little: the input's buffers, which fill for the first time under load (2 MiB), the
/// allocator's own, and the log of the terminal. A page that was kept would be more.
const GROWN_KIB_MAX: usize = 8 << 10;

/// An attack is repeated for so long, and before it the same is measured without.
const STORM: Duration = Duration::from_secs(1);

/// What half of the scrapes stay below.
const ATTACKED: Duration = Duration::from_millis(10);
/// What all of them stay below.
const WORST: Duration = Duration::from_secs(2);
/// What half of them stay below where the attackers themselves take all the processors there are.
const FLOODED: Duration = Duration::from_millis(50);

fn until(end: Instant, mut deed: impl FnMut()) {
    while Instant::now() < end {
        deed();
    }
}

// ----------------------------------------------------------------------------------------------- the target ---

/// Lines without end into stdin, and how many have gone.
struct Feeder {
    lines: Arc<AtomicU64>,
    /// The longest that a web server would have waited for the program to take some lines, in microseconds.
    longest: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
    thread: JoinHandle<ChildStdin>,
}

impl Feeder {
    fn start(mut stdin: ChildStdin) -> Feeder {
        let (lines, longest): (Arc<AtomicU64>, Arc<AtomicU64>) = Default::default();
        let over = Arc::new(AtomicBool::new(false));
        let (count, wait, end) = (Arc::clone(&lines), Arc::clone(&longest), Arc::clone(&over));
        let block: String = (0..200).map(line).collect();
        let thread = thread::spawn(move || {
            while !end.load(Ordering::Relaxed) {
                let begin = Instant::now();
                stdin.write_all(block.as_bytes()).expect("the program reads its stdin");
                let waited = u64::try_from(begin.elapsed().as_micros()).expect("a short time");
                wait.fetch_max(waited, Ordering::Relaxed);
                count.fetch_add(200, Ordering::Relaxed);
            }
            stdin
        });
        Feeder { lines, longest, over, thread }
    }

    fn stop(self) -> ChildStdin {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().expect("the feeder does not panic")
    }

    /// Lines a second while something is done.
    fn rate(&self, deed: impl FnOnce()) -> f64 {
        let (begin, before) = (Instant::now(), self.lines.load(Ordering::Relaxed));
        deed();
        (self.lines.load(Ordering::Relaxed) - before) as f64 / begin.elapsed().as_secs_f64()
    }
}

/// A line of `%v %h %l %u %t "%r" %>s %O %D`, of so many virtual hosts, methods and statuses.
fn line_of(vhosts: usize, number: usize) -> String {
    let method = ["GET", "POST", "HEAD", "PUT", "DELETE"][number / vhosts % 5];
    let status = [200, 301, 404, 500][number / vhosts / 5 % 4];
    format!(
        "v{}.example 192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] \"{method} /a HTTP/1.1\" {status} 512 {number}\n",
        number % vhosts
    )
}

fn line(number: usize) -> String {
    line_of(4, number)
}

const LARGE: &str = "GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: application/openmetrics-text\r\n\r\n";
const FORMAT: &str = "%v %h %l %u %t \"%r\" %>s %O %D";

struct Target {
    process: Process,
    address: String,
    before: Use,
    _alone: MutexGuard<'static, ()>,
}

/// What the process uses, as the system sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Use {
    threads: usize,
    descriptors: usize,
    kib: usize,
}

impl Target {
    /// Serves a page of so many virtual hosts; with `words` for the shell that starts it.
    fn start(vhosts: usize, words: &str) -> Target {
        let alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{words} exec \"$0\" \"$@\""), BINARY, "--format", FORMAT]);
        command.args(["--max-values", "1000", "--web.listen-address", "127.0.0.1:0"]);
        let exporter = Exporter::of(Process::start(&mut command));
        let Exporter { mut process, address } = exporter;
        process.feed((0..vhosts * 20).map(|number| line_of(vhosts, number)).collect::<String>().as_bytes());
        let before = Use { threads: 0, descriptors: 0, kib: 0 };
        let mut target = Target { process, address, before, _alone: alone };
        wait_until("the first lines on the page", || {
            let reply = Client::connect(&target.address).ask(SCRAPE);
            reply.text().contains(&format!("vhost=\"v{}.example\"", vhosts - 1))
        });
        // Scrapes until what is allocated once is allocated.
        (0..8).for_each(|_| drop(Client::connect(&target.address).ask(SCRAPE)));
        target.before = target.quiet();
        target
    }

    fn now(&self) -> Use {
        let place = format!("/proc/{}", self.process.id());
        let count = |kind: &str| fs::read_dir(format!("{place}/{kind}")).map_or(0, Iterator::count);
        let status = fs::read_to_string(format!("{place}/status")).expect("the program lives");
        let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("proc(5) says so");
        let kib = kib.trim().trim_end_matches(" kB").parse().expect("a number");
        Use { threads: count("task"), descriptors: count("fd"), kib }
    }

    /// What it uses once that has not changed for some time.
    fn quiet(&self) -> Use {
        let (mut last, mut looks) = (self.now(), 0);
        wait_for("quiet", || {
            let now = self.now();
            looks = if (now.threads, now.descriptors) == (last.threads, last.descriptors) {
                looks + 1
            } else {
                0
            };
            last = now;
            if looks == 40 { Ok(now) } else { Err(format!("{now:?}")) }
        })
    }

    /// Runs an attack while lines flow in and a scraper asks; says and judges how all fared. What is counted must be
    /// right each time; a time is only as good as the machine is idle, so there are three attempts at that.
    fn under(&mut self, name: &str, median_max: Duration, mut attack: impl FnMut(&str)) {
        let slow: Vec<String> =
            (0..3).map_while(|_| self.once_under(name, median_max, &mut attack).err()).collect();
        assert!(slow.len() < 3, "{name}, in each of three attempts: {slow:#?}");
    }

    /// An error says what took too long.
    fn once_under(
        &mut self,
        name: &str,
        median_max: Duration,
        attack: &mut impl FnMut(&str),
    ) -> Result<(), String> {
        let feeder = Feeder::start(self.process.take_stdin());
        let scraper = Scraper::start(&self.address);
        let calm = feeder.rate(|| until(Instant::now() + STORM, || thread::sleep(Duration::from_millis(1))));
        let calm_times = scraper.stop();
        let calm_longest = Duration::from_micros(feeder.longest.swap(0, Ordering::Relaxed));
        let scraper = Scraper::start(&self.address);
        let address = self.address.clone();
        let stormy = feeder.rate(|| until(Instant::now() + STORM, || attack(&address)));
        let times = scraper.stop();
        let most = self.now();
        let longest = Duration::from_micros(feeder.longest.load(Ordering::Relaxed));
        self.process.give_stdin(feeder.stop());
        let after = wait_for("threads, descriptors and memory as before", || {
            let after = self.now();
            let grown = after.kib.saturating_sub(self.before.kib);
            // One more may have been open before: the last client's, which had just gone.
            let same = after.threads == self.before.threads && after.descriptors <= self.before.descriptors;
            if same && grown < GROWN_KIB_MAX {
                Ok(after)
            } else {
                Err(format!("{after:?}, {:?}", self.before))
            }
        });
        let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
        println!(
            "{name}: {} scrapes, median {median:.1?} (calm {:.1?}), worst {worst:.1?}; lines/s {:.0} k, {:.2} of calm, longest \
             wait {longest:.0?}; \
             KiB {} before, {} at its end, {} after; {} descriptors, {} threads",
            times.len(),
            calm_times[calm_times.len() / 2],
            stormy / 1e3,
            stormy / calm,
            self.before.kib,
            most.kib,
            after.kib,
            most.descriptors,
            most.threads,
        );
        assert_eq!(most.threads, self.before.threads, "{name}: threads were started");
        assert!(!self.process.has_ended() && !self.process.stderr().contains("panicked"));
        // Where a scrape takes longer by itself (a large page, no optimization, a busy machine) it is judged by that.
        let scrape = calm_times[calm_times.len() / 2];
        let wrong = [
            (
                longest >= Duration::from_secs(1).max(calm_longest * 10),
                format!("stdin was not read for {longest:?}, {calm_longest:?} without"),
            ),
            // The attackers are on this machine, and take their share of its processors.
            (stormy <= calm / 10.0, format!("{stormy} lines/s, {calm} without")),
            (median >= median_max.max(scrape * 10), format!("median scrape {median:?}, {scrape:?} without")),
            (worst >= WORST.max(scrape * 60), format!("worst scrape {worst:?}, {scrape:?} without")),
        ];
        wrong.into_iter().find(|(wrong, _)| *wrong).map_or(Ok(()), |(_, what)| Err(what))
    }
}

/// As Prometheus does: one connection, kept, and again when the server has ended it meanwhile. Every third scrape is
/// that of a newcomer.
struct Scraper {
    over: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Duration>>,
}

impl Scraper {
    fn start(address: &str) -> Scraper {
        let over = Arc::new(AtomicBool::new(false));
        let (address, end) = (address.to_owned(), Arc::clone(&over));
        let thread = thread::spawn(move || {
            let mut times = Vec::new();
            let mut kept: Option<Client<TcpStream>> = None;
            while times.len() < 20 || !end.load(Ordering::Relaxed) {
                let begin = Instant::now();
                let scraped = kept.take().and_then(scrape);
                let again = std::iter::repeat_with(|| scrape(Client::connect(&address)));
                let client = scraped.into_iter().chain(again.flatten()).next();
                times.push(begin.elapsed());
                kept = client.filter(|_| times.len() % 3 != 0);
            }
            times.sort_unstable();
            times
        });
        Scraper { over, thread }
    }

    fn stop(self) -> Vec<Duration> {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().expect("the scraper is answered")
    }
}

fn scrape(mut client: Client<TcpStream>) -> Option<Client<TcpStream>> {
    client.send(SCRAPE).ok()?;
    let reply = client.reply(false)?;
    // A page that is not made in time is judged by its time.
    assert!(matches!(reply.code, 200 | 503), "{}", reply.head);
    (reply.code == 200).then_some(client)
}

fn clients(address: &str, count: usize) -> Vec<Client<TcpStream>> {
    (0..count).map(|_| Client::connect(address)).collect()
}

/// Descriptors for two thousand clients.
fn raise_limit() {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("there is a limit");
    if soft < 4_096 {
        setrlimit(Resource::RLIMIT_NOFILE, 4_096.min(hard), hard).expect("up to the hard limit");
    }
}

// ------------------------------------------------------------------------------------------------ the attacks ---

#[test]
fn heads_that_ended_other_servers() {
    let mut target = Target::start(4, "");
    target.under("lengths without bodies and HTTP/2", ATTACKED, |address| {
        for number in 0..100 {
            let (bytes, code) = [
                ("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 30000000000\r\n\r\n", 200),
                ("GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n", 200),
                ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
                ("GET / HTTP/2.0\r\n\r\n", 505),
            ][number % 4];
            let mut client = Client::connect(address);
            // Nothing comes when it had to give way in a crowd; here there is none.
            let found = client.ask(bytes).code;
            assert!(found == code || (code, found) == (200, 503), "{bytes}: {found}");
        }
    });
    target.under("a 200 MB header line", ATTACKED, |address| {
        let mut client = Client::connect(address);
        client.send("GET / HTTP/1.1\r\nHost: x\r\nX-Long: ").expect("it reads so far");
        let piece = vec![b'x'; 1 << 16];
        let pieces = (0..3_200).take_while(|_| client.send(&piece).is_ok()).count();
        assert!(pieces < 320, "{pieces} pieces of 64 KiB were taken");
    });
}

#[test]
fn idlers_and_dribblers() {
    raise_limit();
    let mut target = Target::start(4, "");
    target.under("2,000 idle connections", ATTACKED, |address| {
        let mut idle = clients(address, 2_000);
        // All were taken when the first of the last hundred has had to go.
        assert!(idle[1_900].is_ended());
    });
    target.under("100 heads sent byte by byte", ATTACKED, |address| {
        let mut dribblers = clients(address, 100);
        for byte in format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}", "x".repeat(9_000)).bytes() {
            dribblers.retain_mut(|client| client.send([byte]).is_ok());
        }
    });
    target.under("connections reset, a thousand at once", ATTACKED, |address| {
        for number in 0..1_000 {
            let mut client = Client::connect(address);
            client.send([SCRAPE, "GET /", "\r\n"][number % 3]).expect("it was just accepted");
            let at_once = linger { l_onoff: 1, l_linger: 0 };
            setsockopt(&client.socket.as_fd(), sockopt::Linger, &at_once).expect("it is a socket");
        }
    });
}

#[test]
fn crowds() {
    let mut target = Target::start(4, "");
    target.under("bursts of 50 clients", FLOODED, |address| {
        let mut burst = clients(address, 50);
        burst.iter_mut().for_each(|client| client.send(SCRAPE).expect("it reads"));
        let codes: Vec<_> = burst.iter_mut().map(|client| client.reply(false).map(|r| r.code)).collect();
        assert!(codes.contains(&Some(200)), "{codes:?}");
        assert!(codes.iter().all(|code| matches!(code, Some(200 | 503))), "{codes:?}");
    });
    // They hold every place and are never silent: without an end of their connections nobody else would come in.
    target.under("100 clients that ask without pause", FLOODED, |address| {
        let end = Instant::now() + Duration::from_secs(1);
        let pipelined = "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n".repeat(50);
        let greedy = || {
            until(end, || {
                let mut client = Client::connect(address);
                while Instant::now() < end && client.send(&pipelined).is_ok() {
                    let answered = (0..50).map_while(|_| client.reply(false)).count();
                    if answered < 50 {
                        break;
                    }
                }
            });
        };
        thread::scope(|scope| (0..100).for_each(|_| drop(scope.spawn(greedy))));
    });
}

#[test]
fn readers_that_stop_in_a_large_page() {
    let mut target = Target::start(300, "");
    // They stay until the server cuts them: the descriptors come back only by its own deadline.
    let mut stopped = Vec::new();
    target.under("200 readers stop in a large page", ATTACKED, |address| {
        if stopped.len() >= 200 {
            return thread::sleep(Duration::from_millis(1));
        }
        let mut readers = clients(address, 25);
        for client in &mut readers {
            // What is not read must not fit into the kernel's buffers.
            setsockopt(&client.socket.as_fd(), sockopt::RcvBuf, &4096).expect("it is a socket");
            client.send(LARGE).expect("it was just accepted");
        }
        let begun = readers.iter_mut().filter(|client| client.socket.peek(&mut [0]).is_ok_and(|n| n > 0));
        assert!(begun.count() > 0);
        stopped.append(&mut readers);
    });
}

/// The text of a page is the one large thing a stranger can ask for; where there is no memory for it, that is said.
#[test]
fn pages_that_memory_is_too_short_for() {
    const ROOM_KIB: usize = 4 << 10;
    /// Room for a page or four beside one that is being made. It starts from 64 MiB on, where one finds room or none.
    const LEAST_KIB: usize = 80 << 10;
    // Below a gigabyte the allocator reserves no address space for each thread, as it will not under the tight limit.
    let unbounded = Target::start(3000, "ulimit -v 1000000;");
    let status = fs::read_to_string(format!("/proc/{}/status", unbounded.process.id()));
    let status = status.expect("the program lives");
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:")).expect("proc(5) says so");
    let size: usize = size.trim().trim_end_matches(" kB").parse().expect("a number");
    drop(unbounded);

    let target = Target::start(3000, &format!("ulimit -v {};", (size + ROOM_KIB).max(LEAST_KIB)));
    let (mut stopped, mut slowest) = (Vec::new(), Duration::ZERO);
    let codes: Vec<String> = (0..40)
        .map(|number| {
            let asked = Instant::now();
            let mut client = Client::connect(&target.address);
            setsockopt(&client.socket.as_fd(), sockopt::RcvBuf, &4096).expect("it is a socket");
            let fields = ["", "Accept-Encoding: gzip\r\n"][number % 2];
            let sent = client.send(LARGE.replace("Accept", &format!("{fields}Accept")));
            let mut start = [0; 12];
            let answered = sent.and_then(|()| client.socket.read_exact(&mut start));
            answered.unwrap_or_else(|e| panic!("client {number}: {e}; {}", target.process.stderr()));
            slowest = slowest.max(asked.elapsed());
            stopped.push(client);
            String::from_utf8_lossy(&start).into_owned()
        })
        .collect();
    let of = |start: &str| codes.iter().filter(|code| *code == start).count();
    assert_eq!(of("HTTP/1.1 200") + of("HTTP/1.1 503"), codes.len(), "{codes:?}");
    // Where pages are made more slowly than readers are cut, memory is never short.
    let are_cut = slowest > Duration::from_secs(2);
    assert!(of("HTTP/1.1 200") > 0 && (of("HTTP/1.1 503") > 0 || are_cut), "{slowest:?}: {codes:?}");
    drop(stopped);
    wait_until("a page again", || Client::connect(&target.address).ask(LARGE).code == 200);
}

#[test]
fn sixty_four_descriptors() {
    let mut target = Target::start(4, "ulimit -n 64;");
    target.under("500 clients, 64 descriptors", ATTACKED, |address| {
        let mut crowd = clients(address, 500);
        crowd.retain_mut(|client| client.send(SCRAPE).is_ok());
        let answered = crowd.iter_mut().filter_map(|client| client.reply(false)).count();
        println!("{answered} of 500 answered");
    });
}

// ---------------------------------------------------------------------------------------------------- fuzzing ---

/// Pieces that requests are made of, whole and broken.
const PIECES: [&str; 24] = [
    "GET ",
    "HEAD ",
    "POST ",
    "/",
    "/metrics",
    "/-/ready",
    "http://h/",
    "%0d%0a",
    "%",
    "?",
    " HTTP/1.1",
    " HTTP/1.0",
    " HTTP/2.0",
    "\r\n",
    "\n",
    "\r",
    "\r\nHost: x\r\n",
    "\r\n\r\n",
    "Content-Length: 5",
    "Content-Length: 30000000000",
    "Transfer-Encoding: chunked\r\n",
    "Accept: application/openmetrics-text;q=",
    "\0",
    "\u{e9}",
];

/// How long requests at random are sent; SERVING_SECONDS asks for more.
fn fuzzing_time() -> Duration {
    let seconds = std::env::var("SERVING_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(2))
}

#[test]
fn requests_at_random_are_answered_or_ended() {
    let mut target = Target::start(4, "");
    target.under("requests at random", FLOODED, |address| {
        let end = Instant::now() + fuzzing_time();
        let fuzz = |seed: u64| {
            let mut state = seed;
            let mut below = |count: usize| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                usize::try_from(state % count as u64).expect("a small number")
            };
            let mut count = 0;
            while Instant::now() < end {
                let mut bytes: Vec<u8> = (0..1 + below(12)).flat_map(|_| PIECES[below(24)].bytes()).collect();
                for _ in 0..below(3) {
                    let at = below(bytes.len());
                    bytes[at] = below(256).to_le_bytes()[0];
                }
                // An error is the server's end of it, and also an answer. A reply is a reply of HTTP/1.1.
                if let Ok(answer) = exchange(address, &bytes) {
                    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 "), "{bytes:?}: {answer:?}");
                }
                count += 1;
            }
            count
        };
        let sent: u64 = thread::scope(|scope| {
            let threads: Vec<_> = (1..=4).map(|seed| scope.spawn(move || fuzz(seed * 0x9E37_79B9))).collect();
            threads.into_iter().map(|thread| thread.join().expect("no reply is odd")).sum()
        });
        println!("{sent} requests at random");
    });
}
