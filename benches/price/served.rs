//! The running program: a log that trickles, and a page that is scraped while lines are counted.

use crate::logs::FORMATS;
use crate::measure::{costs, median, ratio, spawn, wait};
use crate::{PROGRAM, log, row};
use std::io::{Read, Write, pipe};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long a trickle is watched, and how many lines a second are written, each by a write of its own.
const TRICKLE: Duration = Duration::from_secs(5);
const TRICKLED: u32 = 2000;

/// Methods and statuses of a log with many virtual hosts; with as many hosts they make so many series.
const SERIES_OF_A_HOST: usize = 3 * 25;

pub fn trickle() {
    let line =
        b"198.51.100.7 - - [22/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 1024 \"-\" \"curl/8.14.1\"\n";
    let under = |command: &[&str]| {
        costs(|| {
            let mut child = spawn(command, Stdio::piped());
            let mut pipe = child.stdin.take().expect("it is piped");
            let since = Instant::now();
            for number in 0..TRICKLED * u32::try_from(TRICKLE.as_secs()).unwrap_or(1) {
                let due = since + Duration::from_secs(1) * number / TRICKLED;
                thread::sleep(due.saturating_duration_since(Instant::now()));
                pipe.write_all(line).expect("it reads");
            }
            drop(pipe);
            wait(child);
        })
    };
    let ours = under(&[PROGRAM, "--once", "--format", "combined"]);
    let cat = under(&["cat"]);
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    let figure = format!("{:.0} ms; cat: {:.0} ms", milliseconds(ours.cpu()), milliseconds(cat.cpu()));
    row("processor time for 5 s of 2,000 lines a second", &figure, "less than `cat > /dev/null`");
}

/// How long one scrape takes.
pub fn scrapes() {
    for (hosts, lines, wanted) in [(134, 300_000, "25 ms"), (1340, 2_000_000, "150 ms")] {
        let path = log(1, lines, hosts);
        let series = hosts * SERIES_OF_A_HOST / 1000 * 1000;
        let (reader, writer) = pipe().expect("there are descriptors");
        let served = Served::start(reader.into(), series);
        {
            // With the command goes its end of the pipe, which would keep the input open.
            let mut cat = Command::new("cat");
            cat.arg(&path).stdout(writer.try_clone().expect("there are descriptors"));
            wait(cat.spawn().expect("cat can be started"));
        }
        // The last of it is still in the pipe; there is no hurry.
        thread::sleep(Duration::from_millis(500));
        let page = served.scrape(TEXT);
        let shown = page.lines().filter(|line| line.starts_with("httpd_requests_total{")).count();
        let time = |accept: &str| {
            let since = Instant::now();
            served.scrape(accept);
            since.elapsed().as_secs_f64() * 1e3
        };
        let times: Vec<(f64, f64)> = (0..15).map(|_| (time(TEXT), time(PROTOBUF))).collect();
        let milliseconds = median(times.iter().map(|(text, _)| *text).collect());
        let figure = format!("{milliseconds:.1} ms ({:.1} MB)", page.len() as f64 / 1e6);
        row(&format!("a scrape of {shown} series"), &figure, wanted);
        let ratio = median(times.iter().map(|(text, protobuf)| protobuf / text).collect());
        let figure = format!("{ratio:.2} ({:.1} MB)", served.scrape(PROTOBUF).len() as f64 / 1e6);
        row("the same in protobuf: times the one in text", &figure, "1");
        drop(writer);
        wait(served.child);
    }
}

/// What it costs the counting to be scraped ten times a second.
pub fn throughput() {
    let path = log(1, 2_000_000, 134);
    let figure = ratio(9, || count_while_scraped(&path, true), || count_while_scraped(&path, false));
    let fall = (1.0 - 1.0 / figure) * 100.0;
    row("throughput lost with 10,000 series and 10 scrapes a second", &format!("{fall:.1} %"), "5 %");
}

/// How long the counting takes. The scraper's last pause is no part of it.
fn count_while_scraped(path: &Path, scraped: bool) -> Duration {
    let since = Instant::now();
    let mut cat = Command::new("cat");
    let mut cat = cat.arg(path).stdout(Stdio::piped()).spawn().expect("cat can be started");
    let Served { child, address } = Served::start(cat.stdout.take().expect("it is piped").into(), 10_000);
    let over = AtomicBool::new(!scraped);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let _ = scrape(address, TEXT);
                thread::sleep(Duration::from_millis(100));
            }
        });
        wait(cat);
        wait(child);
        let took = since.elapsed();
        over.store(true, Ordering::Relaxed);
        took
    })
}

/// The program, serving.
struct Served {
    child: Child,
    address: SocketAddr,
}

impl Served {
    fn start(input: Stdio, series: usize) -> Served {
        let address =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port is free");
        // Room for twice as many, for the last of those that a page has room for would have to be earned.
        let (listen, most) = (address.to_string(), (2 * series).to_string());
        let command =
            [PROGRAM, "--web.listen-address", &listen, "--max-series", &most, "--format", FORMATS[1].spec];
        Served { child: spawn(&command, input), address }
    }

    fn scrape(&self, accept: &str) -> String {
        scrape(self.address, accept).expect("it serves")
    }
}

/// What a scraper may ask for.
const TEXT: &str = "text/plain";
const PROTOBUF: &str =
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";

fn scrape(address: SocketAddr, accept: &str) -> std::io::Result<String> {
    let mut connection = TcpStream::connect(address)?;
    write!(
        connection,
        "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
