//! Attacks on the server in a process of its own, so that its threads, descriptors and memory can be seen
//! from outside. During each a well-behaved scraper is answered; afterwards everything is back.
//!
//! The process is this test program once more, told by its environment to serve.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::libc::linger;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::socket::{setsockopt, sockopt};

use crate::serve::guard::{Guard, read_file};
use crate::serve::http::limits::Limits;
use crate::serve::http::tests::{Client, FakeHandler, PATIENCE, Reply, until};
use crate::serve::http::{Address, Listener, Server};

/// Set for the process that serves: how many descriptors it leaves free, or nothing.
const SERVE: &str = "HTTPD_EXPORTER_TEST_SERVE";
/// Set for a process that serves with a guard: the file of --web.config.file.
const WEB_CONFIG: &str = "HTTPD_EXPORTER_TEST_WEB_CONFIG";
pub const SCRAPE: &str = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
const LARGE: &str = "GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: application/openmetrics-text\r\n\r\n";
const LARGE_BYTES: usize = 20 << 20;
/// What the allocator may keep of a full table of 256 handshakes, some 17 KiB each. An attack of 10,000 connections
/// that leaves 650 bytes of each behind keeps more.
const KEPT_KIB_MAX: usize = 6 << 10;
pub const PAGE_BYTES: usize = 20_000;

/// Short enough for a test to see them pass.
fn limits() -> Limits {
    let short = Duration::from_millis(500);
    let limits = Limits { head_time: short, write_time: short, linger_time: short, ..Limits::default() };
    // Debug builds on busy machines take their time for a certificate.
    Limits { handshake_grace: short, crowding_grace: short, ..limits }
}

/// The process that is attacked: the test `sockets_from_systemd` once more, told by its environment to serve.
fn serve(leave: &str) {
    let listener = match std::env::var("LISTEN_FDS") {
        Ok(_) => Listener::from_systemd().unwrap().remove(0),
        Err(_) => Listener::bind(&"127.0.0.1:0".parse::<Address>().unwrap()).unwrap(),
    };
    let address = listener.local_address();
    let handler = FakeHandler::of(PAGE_BYTES, LARGE_BYTES);
    let config = std::env::var_os(WEB_CONFIG);
    let guard = config.map(|path| Guard::open(path.as_ref(), &read_file).unwrap().0);
    let events = Arc::new(|_| ());
    let _server =
        Server::start_with(limits(), vec![listener], "/metrics".into(), guard, handler, events).unwrap();
    let mut eaten = Vec::new();
    if let Ok(leave) = leave.parse::<usize>() {
        while let Ok(file) = fs::File::open("/dev/null") {
            eaten.push(file);
        }
        eaten.truncate(eaten.len() - leave);
    }
    println!("\nserving {address}");
    // Until stdin ends; where it is no pipe, until we are killed.
    if std::io::stdin().read_to_end(&mut Vec::new()).is_err() {
        loop {
            thread::park();
        }
    }
}

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

pub struct Target {
    child: Child,
    _alone: MutexGuard<'static, ()>,
    /// Its end is the end of the process.
    stdin: Option<ChildStdin>,
    _stdout: BufReader<ChildStdout>,
    pub address: String,
    before: Use,
}

/// What the process uses, as the system sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Use {
    threads: usize,
    descriptors: usize,
    kib: usize,
}

impl Target {
    fn start(limit: Option<u32>, leave: Option<u32>) -> Target {
        Target::start_with(limit, leave, None, |address| {
            let mut client = Client::connect(address);
            client.send(SCRAPE.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")).read("GET").unwrap();
        })
    }

    /// With a guard where there is a configuration of one, and with a first scrape, so that what is allocated once is
    /// allocated.
    pub fn start_with(
        limit: Option<u32>,
        leave: Option<u32>,
        config: Option<&Path>,
        first: impl FnOnce(&str),
    ) -> Target {
        // What another test does must not be measured; that it failed is no matter here.
        let alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = limit.map(|limit| format!("ulimit -n {limit}; ")).unwrap_or_default();
        let mut command = serving(&limit, leave);
        command.envs(config.map(|path| (WEB_CONFIG, path)));
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let address = address_from(&mut stdout);
        let before = Use { threads: 0, descriptors: 0, kib: 0 };
        let mut target = Target { _alone: alone, child, stdin, _stdout: stdout, address, before };
        let idle = target.now();
        first(&target.address);
        until("the first scrape's end", || target.now().descriptors == idle.descriptors);
        target.before = target.now();
        target
    }

    fn now(&self) -> Use {
        let place = format!("/proc/{}", self.child.id());
        let count = |kind: &str| fs::read_dir(format!("{place}/{kind}")).unwrap().count();
        let status = fs::read_to_string(format!("{place}/status")).unwrap();
        let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kib = kib.trim().trim_end_matches(" kB").parse().unwrap();
        Use { threads: count("task"), descriptors: count("fd"), kib }
    }

    /// Runs an attack beside a scraper, and says how the scraper fared.
    fn under(&self, name: &str, attack: impl FnOnce(&str)) {
        self.under_with(name, attack, scrape_until);
    }

    pub fn under_with(
        &self,
        name: &str,
        attack: impl FnOnce(&str),
        scrape_until: fn(&str, &AtomicBool) -> Vec<Duration>,
    ) {
        let over = Arc::new(AtomicBool::new(false));
        let (address, seen) = (self.address.clone(), Arc::clone(&over));
        let scraper = thread::spawn(move || scrape_until(&address, &seen));
        attack(&self.address);
        let at_end = self.now();
        over.store(true, Ordering::Relaxed);
        let mut times = scraper.join().unwrap();
        times.sort_unstable();
        let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
        until("threads and descriptors are back", || {
            let now = self.now();
            (now.threads, now.descriptors) == (self.before.threads, self.before.descriptors)
        });
        let (threads, now) = (at_end.threads, self.now());
        println!(
            "{name}: {} scrapes, median {median:.1?}, worst {worst:.1?}; threads {threads}, descriptors {} \
             at the end of it, {} after; RSS {} KiB before, {} then, {} after",
            times.len(),
            at_end.descriptors,
            now.descriptors,
            self.before.kib,
            at_end.kib,
            now.kib
        );
        assert_eq!(at_end.threads, self.before.threads, "{name}");
        until("memory is back", || self.now().kib < self.before.kib + KEPT_KIB_MAX);
    }
}

/// The command that runs `serve`, after some words for the shell.
fn serving(words: &str, leave: Option<u32>) -> Command {
    let name = "serve::http::tests::attacks::sockets_from_systemd";
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("{words} exec \"$0\" --exact {name} --nocapture")])
        .arg(std::env::current_exe().unwrap())
        .env(SERVE, leave.map(|leave| leave.to_string()).unwrap_or_default())
        // glibc keeps freed memory for itself once a large page was freed, unless told a fixed threshold; here
        // only what we hold is to be seen.
        .env("MALLOC_MMAP_THRESHOLD_", "131072")
        .stdout(Stdio::piped());
    command
}

fn address_from(stdout: &mut impl BufRead) -> String {
    stdout.lines().find_map(|line| Some(line.unwrap().strip_prefix("serving ")?.to_owned())).unwrap()
}

impl Drop for Target {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}

/// As Prometheus does: one connection, kept, and one more try when the server ended it meanwhile. Every third
/// scrape is that of a newcomer.
fn scrape_until(address: &str, over: &AtomicBool) -> Vec<Duration> {
    let mut times = Vec::new();
    let mut kept: Option<Client> = None;
    while times.len() < 30 || !over.load(Ordering::Relaxed) {
        let begin = Instant::now();
        let reply = kept.take().and_then(scrape);
        let again = std::iter::repeat_with(|| scrape(Client::connect(address)));
        // A newcomer who is slow to speak may have to give way in a flood; the time runs on while it tries again.
        let (reply, client) = reply.into_iter().chain(again.flatten()).next().unwrap();
        times.push(begin.elapsed());
        assert!(begin.elapsed() < PATIENCE, "a scrape took {:?}", begin.elapsed());
        assert_eq!((reply.code, reply.body.len()), (200, PAGE_BYTES));
        kept = (times.len() % 3 != 0).then_some(client);
    }
    times
}

fn scrape(mut client: Client) -> Option<(Reply, Client)> {
    client.try_send(SCRAPE).ok()?;
    Some((client.read("GET")?, client))
}

fn replies(address: &str, count: usize, bytes: &str, code: u16) {
    for _ in 0..count {
        let reply = Client::connect(address).send(bytes).read("GET");
        assert_eq!(reply.expect(bytes).code, code, "{bytes}");
    }
}

/// Descriptors for as many clients, or `false` where the system has none to spare.
pub fn can_open(clients: u64) -> bool {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    let wanted = clients + 2_000;
    soft >= wanted || setrlimit(Resource::RLIMIT_NOFILE, wanted.max(soft), hard.max(wanted)).is_ok()
}

#[test]
fn sockets_from_systemd() {
    if let Ok(leave) = std::env::var(SERVE) {
        return serve(&leave);
    }
    let passed = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = passed.local_addr().unwrap().to_string();
    let mut child = serving("exec 3<&0; export LISTEN_PID=$$ LISTEN_FDS=1;", None)
        .stdin(OwnedFd::from(passed))
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    assert_eq!(address_from(&mut stdout), address);
    assert_eq!(Client::connect(&address).send(SCRAPE).read("GET").unwrap().code, 200);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn lengths_without_bodies() {
    let target = Target::start(None, None);
    target.under("Content-Length: 30000000000", |address| {
        replies(address, 200, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 30000000000\r\n\r\n", 200);
        replies(
            address,
            20,
            "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551615\r\n\r\n",
            200,
        );
    });
    target.under("bodies withheld", |address| {
        let mut clients: Vec<Client> = (0..100).map(|_| Client::connect(address)).collect();
        for client in &mut clients {
            client.send("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n");
        }
        for mut client in clients {
            assert!(client.read("GET").is_none_or(|reply| reply.code == 200));
        }
    });
}

#[test]
fn other_versions() {
    let target = Target::start(None, None);
    target.under("HTTP/2 prefaces", |address| {
        replies(address, 200, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
        replies(address, 200, "GET / HTTP/2.0\r\n\r\n", 505);
    });
}

#[test]
fn a_giant_header_line() {
    let target = Target::start(None, None);
    target.under("a 200 MB header line", |address| {
        for _ in 0..5 {
            let mut client = Client::connect(address);
            client.send("GET / HTTP/1.1\r\nHost: x\r\nX-Long: ");
            let piece = vec![b'x'; 1 << 16];
            let pieces = (0..3_200).take_while(|_| client.try_send(&piece).is_ok()).count();
            assert!(pieces < 320, "{pieces} pieces of 64 KiB were taken");
        }
        let grown = target.now().kib.saturating_sub(target.before.kib);
        assert!(grown < 8 << 10, "the process grew by {grown} KiB");
    });
}

#[test]
fn heads_byte_by_byte() {
    let target = Target::start(None, None);
    target.under("heads sent byte by byte", |address| {
        let head = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}", "x".repeat(1 << 20));
        let mut clients: Vec<Client> = (0..100).map(|_| Client::connect(address)).collect();
        for byte in head.as_bytes().chunks(1) {
            clients.retain_mut(|client| client.try_send(byte).is_ok());
            if clients.is_empty() {
                break;
            }
        }
        assert!(clients.is_empty(), "a head without end was waited for");
    });
}

#[test]
fn connections_reset_at_once() {
    let target = Target::start(None, None);
    target.under("3,000 connections reset", |address| {
        for number in 0..3_000 {
            let mut client = Client::connect(address);
            let request = [SCRAPE, "GET /", "", LARGE][number % if number < 100 { 4 } else { 3 }];
            client.send(request);
            setsockopt(&client.socket.as_fd(), sockopt::Linger, &linger { l_onoff: 1, l_linger: 0 }).unwrap();
        }
    });
}

#[test]
fn two_thousand_idle_connections() {
    if !can_open(2_000) {
        eprintln!("skipped: the limit of descriptors is too low");
        return;
    }
    let target = Target::start(None, None);
    target.under("2,000 idle connections", |address| {
        let clients: Vec<TcpStream> = (0..2_000).map(|_| TcpStream::connect(address).unwrap()).collect();
        // All were taken, and all but the youngest had to go, while the scraper was served.
        let mut first = &clients[1_900];
        assert_eq!(first.read(&mut [0]).unwrap_or(0), 0);
        assert!(target.now().descriptors <= target.before.descriptors + 65);
    });
}

#[test]
fn readers_that_stop_in_a_large_page() {
    let target = Target::start(None, None);
    target.under("100 readers stop in a 20 MB page", |address| {
        let mut clients: Vec<Client> = (0..100).map(|_| Client::connect(address)).collect();
        clients.retain_mut(|client| client.try_send(LARGE).is_ok());
        let waited = clients.iter_mut().filter(|client| client.socket.peek(&mut [0]).is_ok_and(|n| n > 0));
        assert!(waited.count() > 0);
    });
    // The worst for memory: each waits for a page of its own, and then does not read it.
    target.under("100 readers stop in 100 different 20 MB pages", |address| {
        let mut most = 0;
        let _clients: Vec<Client> = (0..100)
            .map(|_| {
                let mut client = Client::connect(address);
                client.send(LARGE);
                // None when it had to give way.
                let _ = client.socket.peek(&mut [0]);
                most = most.max(target.now().kib);
                client
            })
            .collect();
        println!("{} MiB at most", most >> 10);
        // The bound on pages, the page being made, and the next batch's.
        let bound = (limits().page_bytes + 3 * LARGE_BYTES) >> 10;
        assert!(most < bound, "{most} KiB of {bound}");
    });
}

#[test]
fn bursts_of_clients() {
    let target = Target::start(None, None);
    target.under("20 bursts of 50 clients that stay", |address| {
        for _ in 0..20 {
            let mut clients: Vec<Client> = (0..50).map(|_| Client::connect(address)).collect();
            for client in &mut clients {
                client.send(SCRAPE);
            }
            for client in &mut clients {
                assert_eq!(client.read("GET").expect("an answer for each of the burst").code, 200);
            }
        }
    });
}

#[test]
fn line_ends_in_everything() {
    let target = Target::start(None, None);
    target.under("CR, LF and smuggling in everything", |address| {
        let pieces = [
            "GET",
            " ",
            "/",
            "HTTP/1.1",
            "Host: x",
            "\r",
            "\n",
            "\r\n",
            "\n\n",
            "Content-Length: 5",
            "%0a",
            "\0",
        ];
        let mut state = 1_u64;
        for _ in 0..1_500 {
            let mut bytes = String::new();
            for _ in 0..12 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                bytes += pieces[(state >> 33) as usize % pieces.len()];
            }
            let mut client = Client::connect(address);
            client.send(bytes);
            // Whatever it was: it is answered, or the end of our side ends it.
            let _ = client.socket.shutdown(std::net::Shutdown::Write);
            while client.read("GET").is_some() {}
        }
    });
}

#[test]
fn sixty_four_descriptors() {
    // With room for our table, and with so little room that accept(2) itself fails.
    for leave in [None, Some(6)] {
        let target = Target::start(Some(64), leave);
        target.under(&format!("500 clients, 64 descriptors, free {leave:?}"), |address| {
            let mut clients: Vec<Client> = (0..500).map(|_| Client::connect(address)).collect();
            clients.retain_mut(|client| client.try_send(SCRAPE).is_ok());
            // Our table, of 32, leaves some to the rest of the program. The count is made while it changes.
            let used = target.now().descriptors;
            assert!(leave.is_some() || used < target.before.descriptors + 40, "{used} descriptors");
            let answered = clients.iter_mut().filter_map(|client| client.read("GET")).count();
            println!("{answered} of 500 answered");
        });
    }
}
