//! The odd requests that strangers send, what came of each as the client saw it, and a server of our own behind others.

use crate::harness::{Ended, Page, wait_for};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// How long `/slow` takes.
const SLOW: Duration = Duration::from_millis(300);

/// The client's patience with one answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Answers on a free port for as long as the test runs: `/missing` with 404, `/slow` late, `/drip` for ever, all else
/// with 200.
pub fn origin() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(|| answer(stream));
        }
    });
    port
}

/// One request, one answer. Who goes away meanwhile ends it.
fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut request = Vec::new();
    let head = loop {
        let mut piece = [0; 4096];
        let length = stream.read(&mut piece)?;
        request.extend_from_slice(&piece[..length]);
        if let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") {
            break String::from_utf8_lossy(&request[..end]).into_owned();
        }
        if length == 0 {
            return Ok(());
        }
    };
    let target = head.split(' ').nth(1).unwrap_or_default();
    // Proxies may ask with an absolute URL.
    let path = target
        .strip_prefix("http://")
        .and_then(|rest| rest.find('/').map(|at| &rest[at..]))
        .unwrap_or(target);
    let status = if path.starts_with("/missing") { "404 Not Found" } else { "200 OK" };
    if path.starts_with("/slow") {
        thread::sleep(SLOW);
    }
    let length = if path.starts_with("/drip") { 1 << 30 } else { 6 };
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
    if head.starts_with("HEAD ") {
        return Ok(());
    }
    if path.starts_with("/drip") {
        loop {
            stream.write_all(&[b'.'; 1 << 16])?;
            thread::sleep(Duration::from_millis(5));
        }
    }
    stream.write_all(b"hello\n")?;
    stream.shutdown(Shutdown::Write)
}

/// What the client knows of its requests.
#[derive(Default)]
pub struct Asked {
    /// Sound requests by method and the status of the answer.
    pub sound: BTreeMap<(String, u16), u64>,
    /// The statuses of the answers to what is no request.
    pub bad: BTreeMap<u16, u64>,
    /// Requests whose client did not wait for an answer.
    pub gone: u64,
    /// The body and the whole answer to the only POST, and when it was sent.
    pub post: Option<(usize, usize, Instant)>,
}

impl Asked {
    /// Asks a server everything, the last request being for `/last`.
    pub fn of(address: &str) -> Asked {
        let mut asked = Asked::default();
        let agent = "User-Agent: Mozilla/5.0 (X11; Linux) \"quoted\" \\back\r\n";
        for (method, target, more) in [
            ("GET", "/ok", ""),
            ("GET", "/ok?x=1&q=a%20b", ""),
            ("POST", "/slow", "Content-Length: 5\r\n"),
            ("HEAD", "/ok", ""),
            ("GET", "/missing", "Referer: http://elsewhere.example/\"x\"\r\n"),
            ("DELETE", "/ok", ""),
            ("GET", "/%22quoted%22", ""),
        ] {
            let body = if method == "POST" { "12345" } else { "" };
            let request = format!(
                "{method} {target} HTTP/1.1\r\nHost: shop.example\r\n{agent}{more}Connection: close\r\n\r\n{body}"
            );
            let start = Instant::now();
            let (status, body, whole) = ask(address, request.as_bytes());
            if method == "POST" {
                asked.post = Some((body, whole, start));
            }
            *asked.sound.entry((method.to_owned(), status.expect("an answer"))).or_default() += 1;
        }
        for request in [
            &b"GET /ok HTTP/1.0\r\n\r\n"[..],
            b"HELLO\r\n\r\n",
            b"GET /a b HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n",
            b"GET /a\"b\\c HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n",
            b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n",
            b"",
        ] {
            if let (Some(status), ..) = ask(address, request) {
                *asked.bad.entry(status).or_default() += 1;
            }
        }
        for (target, wait) in [("/drip", true), ("/slow/gone", false)] {
            asked.gone += 1;
            let mut stream = TcpStream::connect(address).expect("it listens");
            let host = "Host: shop.example\r\n\r\n";
            write!(stream, "GET {target} HTTP/1.1\r\n{host}").expect("it reads");
            if wait {
                let _ = stream.read_exact(&mut [0; 1000]);
            } else {
                // The request has arrived and its answer has not.
                thread::sleep(SLOW / 3);
            }
        }
        ask(address, b"GET /last HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n");
        asked
    }

    /// The log once all sound requests are in it, with the last.
    pub fn log(&self, read: impl FnMut() -> String) -> String {
        let of_each = ["/last", "POST", "HEAD", "DELETE", "x=1", "/missing", "22quoted"];
        log_with(&of_each, self.sound.values().sum::<u64>() + 1, read)
    }

    /// The same where what is no request has a line too, and who did not wait for an answer.
    pub fn whole_log(&self, read: impl FnMut() -> String) -> String {
        let answered = self.sound.values().chain(self.bad.values()).sum::<u64>();
        log_with(&["/last", "/drip", "/gone"], answered + self.gone + 1, read)
    }
}

/// Of several threads of a server, one may log later what it answered sooner: so it is the lines that are counted.
fn log_with(paths: &[&str], lines: u64, mut read: impl FnMut() -> String) -> String {
    wait_for("all requests in the log", || {
        let log = read();
        let are_all = log.lines().count() as u64 >= lines && paths.iter().all(|path| log.contains(path));
        let complete = are_all && log.ends_with('\n');
        if complete { Ok(log) } else { Err(log) }
    })
}

/// The status of an answer if there is one, and the lengths of its body and of all of it.
fn ask(address: &str, request: &[u8]) -> (Option<u16>, usize, usize) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    let _ = stream.write_all(request);
    if request.len() < 20 {
        // What is no request gets its answer when no more can come.
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer);
    let status = text.split(' ').nth(1).and_then(|word| word.get(..3)?.parse().ok());
    let body = text.split_once("\r\n\r\n").map_or(0, |(_, body)| body.len());
    (status, body, answer.len())
}

/// How many bytes a log counts of an answer.
#[derive(Clone, Copy, PartialEq)]
pub enum Bytes {
    Body,
    Whole,
    /// What HAProxy holds of it within, which is neither.
    Own,
}

/// What a log of a server can tell, and what it leaves out.
#[derive(Clone, Copy)]
pub struct Told {
    pub bytes: Bytes,
    pub duration: bool,
    pub vhost: &'static str,
    /// Whether what is no request gets a line.
    pub bad: bool,
    /// Clients that went away and are said to have.
    pub aborted: u64,
    /// Lines that are no requests.
    pub foreign: u64,
    /// Lines that the server itself writes wrong.
    pub malformed: u64,
}

/// The sum over the series of a metric that have all of these labels.
fn sum(page: &Page, name: &str, labels: &[&str]) -> f64 {
    let wanted = |series: &String| {
        series.starts_with(&format!("{name}{{")) && labels.iter().all(|label| series.contains(label))
    };
    page.series.keys().filter(|series| wanted(series)).filter_map(|series| page.value(series)).sum()
}

/// Holds what the program makes of a log against what the client saw.
pub fn agree(asked: &Asked, told: Told, log: &str, ended: &Ended) {
    let said = || format!("{log}\n{}", ended.stderr);
    let page = ended.page();
    let outcome = |name: &str| sum(&page, "httpd_exporter_lines_total", &[&format!("outcome=\"{name}\"")]);
    assert_eq!(outcome("malformed"), told.malformed as f64, "{}", said());
    assert_eq!(outcome("foreign"), told.foreign as f64, "{}", said());
    assert_eq!(
        outcome("counted"),
        log.lines().count() as f64 - (told.foreign + told.malformed) as f64,
        "{}",
        said()
    );
    let mut rest: BTreeMap<u16, f64> = BTreeMap::new();
    for ((method, status), count) in &asked.sound {
        let labels = [format!("method=\"{method}\""), format!("status_code=\"{status}\"")];
        let counted = sum(&page, "httpd_requests_total", &labels.each_ref().map(String::as_str));
        assert!(counted >= *count as f64, "{method} {status}: {counted} of {count}: {}", said());
        *rest.entry(*status).or_default() -= *count as f64;
    }
    for (status, count) in &asked.bad {
        *rest.entry(*status).or_default() -= *count as f64;
    }
    // What the client does not know of: the last request, and those it did not wait for.
    for (status, expected) in &mut rest {
        *expected += sum(&page, "httpd_requests_total", &[&format!("status_code=\"{status}\"")]);
        let unlogged = if told.bad { 0 } else { asked.bad.get(status).copied().unwrap_or_default() };
        let range = -(unlogged as f64)..=(asked.gone + 1) as f64;
        assert!(range.contains(expected), "{status}: {expected} more than asked: {}", said());
    }
    let post = &["method=\"POST\""];
    let bytes = sum(&page, "httpd_bytes_sent_total", post);
    let (body, whole, sent) = asked.post.expect("there is a POST");
    match told.bytes {
        Bytes::Body => assert_eq!(bytes, body as f64, "{}", said()),
        Bytes::Whole => assert_eq!(bytes, whole as f64, "{}", said()),
        Bytes::Own => assert!((body as f64..whole as f64).contains(&bytes), "{bytes}: {}", said()),
    }
    let duration = sum(&page, "httpd_request_duration_seconds_sum", post);
    if told.duration {
        // The log's figure is rounded, and may end later than the client's.
        let most = sent.elapsed();
        let range = SLOW.as_secs_f64() - 0.001..=most.as_secs_f64() + 0.001;
        assert!(range.contains(&duration), "{duration} s, and {most:?} have passed: {}", said());
    } else {
        assert_eq!(sum(&page, "httpd_request_duration_seconds_count", &[]), 0.0, "{}", said());
    }
    if !told.vhost.is_empty() {
        let vhost = format!("vhost=\"{}\"", told.vhost);
        let sound: u64 = asked.sound.values().sum();
        assert!(sum(&page, "httpd_requests_total", &[&vhost]) >= sound as f64, "{}", said());
    }
    assert_eq!(sum(&page, "httpd_aborted_requests_total", &[]), told.aborted as f64, "{}", said());
}
