//! A real nginx at full speed whose logs are followed: rotations of every kind, by hand and by logrotate, and kills of
//! the exporter and of nginx in between. What is counted is what stands in the files.

use super::nginx::Nginx;
use super::{finished, load};
use crate::harness::{BINARY, Exporter, Process, TempDir, get, wait_for, wait_until};
use nix::sys::signal::Signal;
use std::fs::{self, File, Permissions};
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::SystemTime;

/// Requests that are sent at once.
const BATCH: usize = 64;

/// An nginx with so many logs, each of a place of its own, and who asks for all of them as fast as it answers.
struct Site {
    nginx: Nginx,
    logs: Vec<PathBuf>,
    rotations: usize,
    load: Option<Load>,
}

struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

impl Site {
    fn new(logs: usize) -> Site {
        let locations =
            (0..logs).map(|n| format!("location /{n} {{ access_log logs/{n}.log combined; return 204; }}"));
        let locations: String = locations.collect();
        let logging = "keepalive_requests 1000000; access_log other.log combined;";
        let nginx = Nginx::start_with(logging, &locations, |dir| {
            fs::create_dir(dir.join("logs")).expect("writable");
        });
        let logs: Vec<PathBuf> = (0..logs).map(|n| nginx.dir.join(&format!("logs/{n}.log"))).collect();
        Site { nginx, logs, rotations: 0, load: None }
    }

    /// Follows the logs; by name where there are few, else by a pattern.
    fn exporter(&self) -> Exporter {
        let pattern = [self.nginx.dir.join("logs/*.log")];
        let names = if self.logs.len() > 2 { &pattern[..] } else { &self.logs[..] };
        let mut command = Command::new(BINARY);
        command.args(["--web.listen-address=127.0.0.1:0", "--format=combined"]);
        for name in names {
            command.arg("--follow").arg(name);
        }
        let exporter =
            Exporter::of(Process::start(command.arg("--state-dir").arg(self.nginx.dir.join("state"))));
        let all = Some(self.logs.len() as f64);
        wait_until("all logs to be followed", || {
            exporter.scrape().value("httpd_exporter_followed_files") >= all
        });
        // Who is killed before its first save has never been: the next one begins at the ends of the files.
        wait_until("a place in each log on disk", || self.has_places());
        exporter
    }

    fn has_places(&self) -> bool {
        let files = fs::read_dir(self.nginx.dir.join("state")).expect("it is there").flatten();
        // A file may be replaced while it is read.
        let saved: Vec<Vec<u8>> = files.filter_map(|file| fs::read(file.path()).ok()).collect();
        let has = |name: &[u8]| saved.iter().any(|text| text.windows(name.len()).any(|word| word == name));
        self.logs.iter().all(|log| has(log.display().to_string().as_bytes()))
    }

    fn start_load(&mut self) {
        let (stop, answered) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let (address, places) = (self.nginx.address.clone(), self.logs.len());
        let (stopped, count) = (Arc::clone(&stop), Arc::clone(&answered));
        let thread = thread::spawn(move || {
            let mut next = 0;
            while !stopped.load(Ordering::Relaxed) {
                // While nginx is started again nobody answers.
                let Ok(mut connection) = TcpStream::connect(&address) else { continue };
                while !stopped.load(Ordering::Relaxed) && ask(&mut connection, next, places, &count).is_some()
                {
                    next += BATCH;
                }
            }
        });
        self.load = Some(Load { stop, answered, thread });
    }

    /// Ends the load, and gives how many requests were answered.
    fn end_load(&mut self) -> u64 {
        let Load { stop, answered, thread } = self.load.take().expect("it was started");
        stop.store(true, Ordering::Relaxed);
        thread.join().expect("it does not panic");
        // It answers before it logs; the one worker has logged all that once it answers another.
        get(&self.nginx.address, "/").expect("nginx lives");
        answered.load(Ordering::Relaxed)
    }

    /// Lets so many more requests be answered.
    fn go_on(&self, requests: u64) {
        let answered = &self.load.as_ref().expect("it was started").answered;
        let until = answered.load(Ordering::Relaxed) + requests;
        wait_until("requests", || answered.load(Ordering::Relaxed) >= until);
    }

    fn reopen(&self) {
        self.nginx.signal(Signal::SIGUSR1);
        wait_until("nginx to open its logs", || self.logs.iter().all(|log| log.exists()));
    }

    fn rotate(&mut self, how: impl Fn(&Path, &Path)) {
        self.rotations += 1;
        let suffix = format!("20261126-{:06}", self.rotations);
        self.logs.iter().for_each(|log| how(log, &PathBuf::from(format!("{}-{suffix}", log.display()))));
    }

    /// The lines in all files.
    fn lines(&self) -> u64 {
        let files = fs::read_dir(self.nginx.dir.join("logs")).expect("it is there").flatten();
        let texts = files.map(|file| fs::read(file.path()).expect("it is readable"));
        texts.map(|text| text.iter().filter(|byte| **byte == b'\n').count() as u64).sum()
    }
}

/// Sends a batch of requests, and counts the answers. None where the connection has ended.
fn ask(connection: &mut TcpStream, first: usize, places: usize, answered: &AtomicU64) -> Option<()> {
    let request = |n| format!("GET /{} HTTP/1.1\r\nHost: test.example\r\n\r\n", n % places);
    let requests: String = (first..first + BATCH).map(request).collect();
    connection.write_all(requests.as_bytes()).ok()?;
    let (mut buffer, mut text, mut seen) = ([0; 65_536], Vec::new(), 0);
    while seen < BATCH {
        let read = connection.read(&mut buffer).ok().filter(|read| *read > 0)?;
        text.extend_from_slice(&buffer[..read]);
        // Each answer is a head alone.
        let end = text.windows(4).rposition(|four| four == b"\r\n\r\n").map_or(0, |at| at + 4);
        let heads =
            text.drain(..end).collect::<Vec<u8>>().windows(4).filter(|four| four == b"\r\n\r\n").count();
        seen += heads;
        answered.fetch_add(heads as u64, Ordering::Relaxed);
    }
    Some(())
}

/// Kills it in the middle of its work, or ends it.
fn end(mut exporter: Exporter, round: usize) {
    exporter.process.signal(if round.is_multiple_of(2) { Signal::SIGKILL } else { Signal::SIGTERM });
    exporter.process.wait();
}

fn rotations_by_rename(logs: usize, rounds: usize) {
    let mut site = Site::new(logs);
    let mut exporter = site.exporter();
    site.start_load();
    for round in 0..rounds {
        site.go_on(2_000);
        site.rotate(|log, to| fs::rename(log, to).expect("renamed"));
        // The later the signal, the more is written behind the back of the name.
        site.go_on(if round % 2 == 0 { 0 } else { 1_000 });
        if round % 3 == 2 {
            end(exporter, round);
            site.go_on(500);
            site.reopen();
            exporter = site.exporter();
        } else {
            site.reopen();
        }
        if round == rounds / 2 {
            site.nginx.restart();
        }
    }
    site.end_load();
    exporter.wait_for_lines(site.lines());
}

#[test]
#[ignore = "needs nginx"]
fn nginx_with_two_logs_is_followed_through_renames_and_kills() {
    rotations_by_rename(2, 24);
}

#[test]
#[ignore = "needs nginx"]
fn nginx_with_two_hundred_logs_is_followed_through_renames_and_kills() {
    rotations_by_rename(200, 4);
}

/// Waits for another second, also by nginx's clock, which may be a moment late: a log that is cut and as long again at
/// the next look, and begins with the same lines of the same second, nobody can tell from the one that was there.
fn wait_for_another_second() {
    let second = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let begun = second();
    wait_until("another second", || second() > begun + 1);
}

/// A log of which nothing has been read is read in its copy, and its truncation is not counted, which these tests wait
/// for: so something of each is read before it is cut. Gives how many requests were answered.
fn begin_each_log(site: &mut Site, exporter: &Exporter) -> u64 {
    site.start_load();
    site.go_on(2_000);
    let answered = site.end_load();
    wait_for_the_end(exporter, site.lines());
    answered
}

fn wait_for_metric(exporter: &Exporter, name: &str, value: usize) {
    wait_for(&format!("{value} {name}"), || {
        let seen = exporter.scrape().value(name);
        if seen == Some(value as f64) { Ok(()) } else { Err(format!("{seen:?}")) }
    });
}

/// What nginx writes between the copy and the cut is in no file afterwards, and may have been read before.
fn rotations_by_copy(logs: usize, rounds: usize) {
    let mut site = Site::new(logs);
    let exporter = site.exporter();
    let mut answered = 0;
    for round in 0..rounds {
        answered += begin_each_log(&mut site, &exporter);
        wait_for_another_second();
        site.start_load();
        site.go_on(2_000 + 100 * logs as u64);
        site.rotate(|log, to| {
            fs::copy(log, to).expect("copied");
            File::options().write(true).open(log).expect("writable").set_len(0).expect("truncated");
        });
        wait_for_metric(&exporter, "httpd_exporter_follow_truncations_total", logs * (round + 1));
        answered += site.end_load();
    }
    let lines = site.lines();
    let seen = counted(&site, exporter, lines);
    assert!(
        (lines as f64..=answered as f64).contains(&seen),
        "{seen} were counted of {lines} in the files, {answered} written"
    );
}

fn wait_for_the_end(exporter: &Exporter, lines: u64) {
    wait_for("the end of the files", || {
        let page = exporter.scrape();
        let (seen, lag) =
            (page.sum("httpd_exporter_lines_total"), page.value("httpd_exporter_follow_lag_bytes"));
        if seen >= lines as f64 && lag == Some(0.0) { Ok(()) } else { Err(format!("{seen} of {lines}")) }
    });
}

/// Waits until all lines of the files are counted, and gives how many lines are once another process has gone on.
fn counted(site: &Site, exporter: Exporter, lines: u64) -> f64 {
    wait_for_the_end(&exporter, lines);
    end(exporter, 1);
    site.exporter().scrape().sum("httpd_exporter_lines_total")
}

#[test]
#[ignore = "needs nginx"]
fn nginx_is_followed_through_copies_and_truncations() {
    rotations_by_copy(2, 4);
    rotations_by_copy(200, 2);
}

/// Of a file that is deleted the lines are only with whoever has it open.
#[test]
#[ignore = "needs nginx"]
fn nginx_is_followed_through_deletions() {
    for (logs, rounds) in [(2, 12), (200, 2)] {
        let mut site = Site::new(logs);
        let exporter = site.exporter();
        site.start_load();
        for round in 0..rounds {
            site.go_on(2_000);
            site.rotate(|log, _| fs::remove_file(log).expect("removed"));
            site.go_on(if round % 2 == 0 { 0 } else { 1_000 });
            site.reopen();
            // A file that comes and goes between two looks nobody has seen.
            wait_for_metric(&exporter, "httpd_exporter_follow_rotations_total", logs * (round + 1));
        }
        let answered = site.end_load();
        exporter.wait_for_lines(answered);
    }
}

#[test]
#[ignore = "needs nginx, logrotate"]
fn nginx_is_followed_through_the_rotations_of_logrotate() {
    for (way, is_exact) in [("create", true), ("copytruncate", false)] {
        let mut site = Site::new(2);
        let dir = site.nginx.dir.path().display().to_string();
        let rules = format!(
            "{dir}/logs/*.log {{\n su root root\n rotate 50\n nocompress\n {way}\n sharedscripts\n postrotate\n \
             kill -USR1 $(cat {dir}/nginx.pid)\n endscript\n}}\n"
        );
        let rules = site.nginx.dir.write("logrotate.conf", rules);
        let state = site.nginx.dir.join("logrotate.state");
        let (mut exporter, mut answered) = (site.exporter(), 0);
        site.start_load();
        for round in 0..6 {
            if !is_exact {
                answered += site.end_load();
                answered += begin_each_log(&mut site, &exporter);
                wait_for_another_second();
                site.start_load();
            }
            site.go_on(1_500);
            let output =
                finished(Command::new("logrotate").arg("--force").arg("--state").args([&state, &rules]));
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            if !is_exact {
                wait_for_metric(&exporter, "httpd_exporter_follow_truncations_total", 2 * (round + 1));
            } else if round % 3 == 1 {
                end(exporter, round);
                exporter = site.exporter();
            }
        }
        answered += site.end_load();
        let lines = site.lines();
        let seen = counted(&site, exporter, lines);
        let most = if is_exact { lines } else { answered };
        assert!(
            (lines as f64..=most as f64).contains(&seen),
            "{way}: {seen} were counted of {lines}, {answered} written"
        );
    }
}

/// nginx sends a datagram for each request, over a Unix socket or UDP.
#[test]
#[ignore = "needs nginx, ab"]
fn what_nginx_sends_as_syslog_is_counted_or_counted_as_lost() {
    // What does not fit into the queue of a Unix socket nginx drops, and nobody is told.
    let queue = fs::read_to_string("/proc/sys/net/unix/max_dgram_qlen").expect("Linux");
    let queue: u64 = queue.trim().parse().expect("a number");
    let dir = TempDir::new();
    let unix = UnixDatagram::bind(dir.join("log")).expect("a socket");
    // The worker may be another user.
    fs::set_permissions(dir.join("log"), Permissions::from_mode(0o666)).expect("ours");
    let udp = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let port = udp.local_addr().expect("bound").port();
    let sockets: [(OwnedFd, String, u64); 2] = [
        (unix.into(), format!("unix:{}", dir.join("log").display()), queue - 1),
        (udp.into(), format!("127.0.0.1:{port}"), 5_000),
    ];
    for (socket, server, requests) in sockets {
        let mut command = Command::new(BINARY);
        command.args(["--web.listen-address=127.0.0.1:0", "--format=combined"]);
        let exporter = Exporter::of(Process::start_on_stdin(&mut command, socket));
        let nginx = Nginx::start_with(
            "",
            &format!("access_log\tsyslog:server={server},nohostname combined;"),
            |_| {},
        );
        load(&nginx.address, "/", requests);
        wait_for("each datagram", || {
            let page = exporter.scrape();
            let lost = page.value("httpd_exporter_datagrams_lost_total").unwrap_or_default();
            let seen = page.sum("httpd_requests_total") + lost;
            // With the one that waited for nginx.
            if seen == (requests + 1) as f64 { Ok(()) } else { Err(format!("{seen}, {lost} of them lost")) }
        });
    }
}
