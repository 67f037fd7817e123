//! Stories of the server with a handler of the tests: every answer by its status, its headers and its bytes.

mod attacks;
mod heads;
#[cfg(feature = "tls")]
mod tls_attacks;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use super::*;
use crate::snapshot::exposition::Form;

/// Longer than anything here takes, however busy the machine is.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A handler whose metrics page is as large as wished, can be held up, and counts its renderings.
pub struct FakeHandler {
    text_bytes: usize,
    open_metrics_bytes: usize,
    held: Mutex<bool>,
    released: Condvar,
    begun: AtomicUsize,
}

impl FakeHandler {
    pub fn new(bytes: usize) -> Arc<FakeHandler> {
        FakeHandler::of(bytes, bytes)
    }

    pub fn of(text_bytes: usize, open_metrics_bytes: usize) -> Arc<FakeHandler> {
        let (held, released) = (Mutex::new(false), Condvar::new());
        Arc::new(FakeHandler { text_bytes, open_metrics_bytes, held, released, begun: AtomicUsize::new(0) })
    }

    fn hold(&self, held: bool) {
        *self.held.lock().unwrap() = held;
        self.released.notify_all();
    }
}

impl Handler for FakeHandler {
    fn exposition(&self, form: Form) -> Result<Vec<u8>, &'static str> {
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let held = self.released.wait_while(self.held.lock().unwrap(), |held| *held).unwrap();
        drop(held);
        let (bytes, end) = match form {
            Form::Text => (self.text_bytes, ""),
            Form::OpenMetrics | Form::OpenMetrics2 | Form::Protobuf => (self.open_metrics_bytes, "\n# EOF\n"),
        };
        let text = format!("renderings_total {number}\n");
        let mut page = vec![b'x'; bytes.max(text.len() + end.len())];
        page[..text.len()].copy_from_slice(text.as_bytes());
        let at = page.len() - end.len();
        page[at..].copy_from_slice(end.as_bytes());
        Ok(page)
    }

    fn ready(&self) -> Result<(), String> {
        Err("no line was read yet".into())
    }

    fn landing(&self) -> String {
        "<h1>here</h1>".into()
    }

    fn extra(&self, path: &str) -> Option<(&'static str, Vec<u8>)> {
        match path {
            "/manual" => Some(("text/html; charset=utf-8", b"<h1>manual</h1>".to_vec())),
            "/panic" => panic!("a panic on purpose, within a test"),
            _ => None,
        }
    }
}

pub struct Running {
    server: Server,
    pub address: String,
    handler: Arc<FakeHandler>,
    events: Arc<Mutex<Vec<ServerEvent>>>,
}

fn serve_with(limits: Limits, handler: Arc<FakeHandler>) -> Running {
    serve_guarded(limits, None, handler)
}

pub fn serve_guarded(limits: Limits, guard: Option<Guard>, handler: Arc<FakeHandler>) -> Running {
    let listener = Listener::bind(&"127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_address();
    let events = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&events);
    let sink: EventSink = Arc::new(move |event| log.lock().unwrap().push(event));
    let shared: Arc<dyn Handler> = Arc::clone(&handler) as _;
    let server = Server::start_with(limits, vec![listener], "/metrics".into(), guard, shared, sink).unwrap();
    Running { server, address, handler, events }
}

fn serve() -> Running {
    serve_with(Limits::default(), FakeHandler::new(0))
}

/// Waits for a condition; the test fails when it never comes.
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < PATIENCE, "never came: {what}");
        thread::yield_now();
    }
}

/// A client by hand, so that anything can be sent.
pub struct Client {
    pub socket: TcpStream,
    held: Vec<u8>,
}

#[derive(Debug)]
pub struct Reply {
    pub code: u16,
    head: String,
    pub body: Vec<u8>,
}

impl Reply {
    fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

impl Client {
    pub fn connect(address: &str) -> Client {
        Client::of(TcpStream::connect(address).unwrap())
    }

    fn of(socket: TcpStream) -> Client {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        Client { socket, held: Vec::new() }
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Client {
        self.try_send(bytes).unwrap();
        self
    }

    /// An error means that the server has ended the connection.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.socket.write_all(bytes.as_ref())
    }

    fn get(&mut self, path: &str, fields: &str) -> Reply {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\n{fields}\r\n")).read("GET").unwrap()
    }

    /// The next reply to a request with this method; `None` when the connection ends before it is whole.
    pub fn read(&mut self, method: &str) -> Option<Reply> {
        let end = self.fill(|held| held.windows(4).position(|w| w == b"\r\n\r\n").map(|at| at + 4))?;
        let head = String::from_utf8(self.held.drain(..end).collect()).unwrap();
        let code = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut reply = Reply { code, head, body: Vec::new() };
        if method != "HEAD" {
            let length: usize = reply.field("Content-Length").unwrap().parse().unwrap();
            self.fill(|held| (held.len() >= length).then_some(()))?;
            reply.body = self.held.drain(..length).collect();
        }
        Some(reply)
    }

    fn fill<T>(&mut self, mut done: impl FnMut(&[u8]) -> Option<T>) -> Option<T> {
        let mut piece = vec![0; 1 << 16];
        loop {
            if let Some(found) = done(&self.held) {
                return Some(found);
            }
            match self.socket.read(&mut piece) {
                Ok(count) if count > 0 => self.held.extend_from_slice(&piece[..count]),
                _ => return None,
            }
        }
    }

    /// The server has ended the connection, and sent nothing more.
    pub fn is_ended(&mut self) -> bool {
        let is_end = |read: io::Result<usize>| match read {
            Ok(count) => count == 0,
            // Nothing came for as long as a test waits.
            Err(e) => e.kind() != io::ErrorKind::WouldBlock,
        };
        self.held.is_empty() && is_end(self.socket.read(&mut [0]))
    }
}

/// One request in any bytes, to its one reply and the end of the connection.
fn refused(address: &str, bytes: &[u8]) -> u16 {
    let mut client = Client::connect(address);
    let reply = client.send(bytes).read("GET").unwrap();
    assert_eq!(reply.field("Connection"), Some("close"), "{bytes:?}");
    assert!(client.is_ended(), "{:?}", String::from_utf8_lossy(bytes));
    reply.code
}

#[test]
fn every_page_has_its_status_and_its_type() {
    let running = serve();
    let mut client = Client::connect(&running.address);
    for (path, code, kind, part) in [
        ("/metrics", 200, "text/plain; version=0.0.4; charset=utf-8", "renderings_total 1"),
        ("/metrics?x=1", 200, "text/plain; version=0.0.4; charset=utf-8", "renderings_total 2"),
        (
            "http://any.where:80/metrics",
            200,
            "text/plain; version=0.0.4; charset=utf-8",
            "renderings_total 3",
        ),
        ("/", 200, "text/html; charset=utf-8", "<h1>here"),
        ("http://any.where", 200, "text/html; charset=utf-8", "<h1>here"),
        ("/manual", 200, "text/html; charset=utf-8", "<h1>manual"),
        ("/-/healthy", 200, "text/plain; charset=utf-8", "healthy"),
        ("/-/ready", 503, "text/plain; charset=utf-8", "503 Service Unavailable: no line was read yet"),
        ("/metrics/", 404, "text/plain; charset=utf-8", "404 Not Found"),
        ("/%6Detrics", 404, "text/plain; charset=utf-8", "404 Not Found"),
        ("/%0d%0aSet-Cookie:x", 404, "text/plain; charset=utf-8", "404 Not Found"),
        ("/../metrics", 404, "text/plain; charset=utf-8", "404 Not Found"),
        ("/panic", 500, "text/plain; charset=utf-8", "500 Internal"),
        ("/manual", 200, "text/html; charset=utf-8", "<h1>manual"),
    ] {
        let reply = client.get(path, "");
        assert_eq!((reply.code, reply.field("Content-Type")), (code, Some(kind)), "{path}");
        assert_eq!(reply.field("X-Content-Type-Options"), Some("nosniff"));
        assert!(reply.text().contains(part), "{path}: {reply:?}");
        assert!(!reply.head.contains("Set-Cookie"));
    }
    let events = running.events.lock().unwrap();
    assert_eq!(events.iter().filter(|&&event| event == ServerEvent::Answered(200)).count(), 8);
    assert_eq!(events.iter().filter(|&&event| event == ServerEvent::Answered(404)).count(), 4);
}

#[test]
fn open_metrics_for_those_who_ask() {
    let running = serve();
    let mut client = Client::connect(&running.address);
    let reply = client.get("/metrics", "Accept: application/openmetrics-text;version=1.0.0,*/*;q=0.1\r\n");
    assert_eq!(
        reply.field("Content-Type"),
        Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
    );
    assert_eq!(reply.field("Vary"), Some("Accept, Accept-Encoding"));
    assert!(reply.text().ends_with("\n# EOF\n"));
}

#[test]
fn gzip_where_it_pays() {
    let running = serve_with(Limits::default(), FakeHandler::new(100_000));
    let mut client = Client::connect(&running.address);
    let reply = client.get("/metrics", "Accept-Encoding: gzip\r\n");
    assert_eq!(reply.field("Content-Encoding"), Some("gzip"));
    assert!(reply.body.len() < 10_000);
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(reply.body.as_slice()).read_to_end(&mut plain).unwrap();
    assert_eq!(plain.len(), 100_000);
    assert_eq!(client.get("/metrics", "").field("Content-Encoding"), None);
    assert_eq!(client.get("/", "Accept-Encoding: gzip\r\n").field("Content-Encoding"), None);
}

#[test]
fn other_methods_are_told_which_there_are() {
    let running = serve();
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get", "PROPFIND"] {
        let mut client = Client::connect(&running.address);
        let reply = client.send(format!("{method} / HTTP/1.1\r\nHost: x\r\n\r\n")).read("GET").unwrap();
        assert_eq!((reply.code, reply.field("Allow")), (405, Some("GET, HEAD")), "{method}");
        assert_eq!(client.get("/-/healthy", "").code, 200);
    }
}

#[test]
fn head_is_get_without_the_body() {
    let running = serve_with(Limits::default(), FakeHandler::new(50_000));
    let mut client = Client::connect(&running.address);
    let reply = client.send("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n").read("HEAD").unwrap();
    assert_eq!((reply.code, reply.field("Content-Length")), (200, Some("50000")));
    assert_eq!(client.get("/-/healthy", "").text(), "healthy\n");
}

#[test]
fn connections_are_kept_as_the_version_says() {
    let running = serve();
    for (request, connection) in [
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", None),
        ("GET / HTTP/1.1\r\nHost: x\r\nConnection: Close\r\n\r\n", Some("close")),
        ("GET / HTTP/1.1\r\nHost: x\r\nConnection: te, close\r\n\r\n", Some("close")),
        ("GET / HTTP/1.0\r\n\r\n", Some("close")),
        ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", Some("keep-alive")),
        ("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde", Some("close")),
        ("GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Some("close")),
        ("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", None),
    ] {
        let mut client = Client::connect(&running.address);
        let reply = client.send(request).read("GET").unwrap();
        assert_eq!((reply.code, reply.field("Connection")), (200, connection), "{request}");
        match connection {
            Some("close") => assert!(client.is_ended(), "{request}"),
            _ => assert_eq!(client.get("/-/healthy", "").code, 200, "{request}"),
        }
    }
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let running = serve();
    let mut client = Client::connect(&running.address);
    let paths = ["/", "/-/healthy", "/nowhere", "/metrics", "/-/ready", "/manual"];
    let mut requests = String::new();
    for path in paths.iter().cycle().take(300) {
        requests += &format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    let mut sender = Client::of(client.socket.try_clone().unwrap());
    let sending = thread::spawn(move || {
        sender.send(requests);
    });
    for path in paths.iter().cycle().take(300) {
        let expected = match *path {
            "/" => "<h1>here",
            "/-/healthy" => "healthy",
            "/nowhere" => "404",
            "/metrics" => "renderings",
            "/-/ready" => "503",
            _ => "<h1>manual",
        };
        assert!(client.read("GET").unwrap().text().starts_with(expected), "{path}");
    }
    sending.join().unwrap();
}

#[test]
fn a_client_that_has_said_all_gets_its_answer() {
    let running = serve();
    let mut client = Client::connect(&running.address);
    client.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").socket.shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.read("GET").unwrap().code, 200);
    assert!(client.is_ended());
}

#[test]
fn what_is_no_request_is_refused_and_ended() {
    let running = serve();
    let long = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}", "y".repeat(8 * 1024));
    for (bytes, code) in [
        (&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], 505),
        (b"GET / HTTP/2.0\r\n\r\n", 505),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nGET / H", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (long.as_bytes(), 431),
    ] {
        assert_eq!(refused(&running.address, bytes), code, "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn a_refused_head_has_no_body() {
    let running = serve();
    let long = format!("\r\nHEAD / HTTP/1.1\r\nHost: x\r\nX: {}", "y".repeat(8 * 1024));
    for (bytes, code) in
        [("HEAD / HTTP/1.1\r\n\r\n", 400), ("HEAD / HTTP/2.0\r\n\r\n", 505), (long.as_str(), 431)]
    {
        let mut client = Client::connect(&running.address);
        let reply = client.send(bytes).read("HEAD").unwrap();
        assert_eq!(reply.code, code);
        assert_ne!(reply.field("Content-Length"), Some("0"));
        assert!(client.is_ended(), "{bytes:.30} has a body");
    }
}

#[test]
fn an_empty_line_is_no_request_begun() {
    let limits = Limits { head_time: Duration::from_millis(30), ..Limits::default() };
    let running = serve_with(limits, FakeHandler::new(0));
    let mut client = Client::connect(&running.address);
    client.send("GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n\r\n");
    assert_eq!(client.read("GET").unwrap().code, 200);
    client.send("\r").send("\n");
    // Another's head is begun later and its time is over.
    assert_eq!(Client::connect(&running.address).send("G").read("GET").unwrap().code, 408);
    assert_eq!(client.get("/-/healthy", "").code, 200);
}

#[test]
fn nothing_hides_in_a_body() {
    let running = serve();
    let mut client = Client::connect(&running.address);
    let inner = "GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n";
    let outer = format!("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{inner}", inner.len());
    assert!(client.send(outer).read("GET").unwrap().text().starts_with("<h1>here"));
    assert!(client.is_ended());
}

#[test]
fn an_answer_is_not_lost_to_a_body_nobody_reads() {
    let limits = Limits { linger_time: PATIENCE, ..Limits::default() };
    let running = serve_with(limits, FakeHandler::new(0));
    let mut client = Client::connect(&running.address);
    client.send("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n");
    assert_eq!(client.read("GET").unwrap().code, 200);
    assert!(client.is_ended());
    // Were it closed, the second of these would be refused by the system, and an answer on its way be lost.
    for _ in 0..500 {
        client.send([b'x'; 1_000]);
    }
}

#[test]
fn readers_that_stop_give_way_to_a_scraper() {
    let limits = Limits { connections: 4, write_time: 10 * PATIENCE, ..Limits::default() };
    let running = serve_with(limits, FakeHandler::of(100, 20 << 20));
    let mut stopped: Vec<Client> = (0..4).map(|_| Client::connect(&running.address)).collect();
    for client in &mut stopped {
        client.send("GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: application/openmetrics-text\r\n\r\n");
        until("the page begins", || client.socket.peek(&mut [0]).is_ok_and(|count| count == 1));
    }
    assert_eq!(Client::connect(&running.address).get("/metrics", "").code, 200);
    assert_eq!(
        running.events.lock().unwrap().iter().filter(|&&event| event == ServerEvent::Refused).count(),
        1
    );
}

#[test]
fn a_full_table_keeps_no_connection() {
    let running = serve_with(Limits { connections: 2, ..Limits::default() }, FakeHandler::new(0));
    let mut first = Client::connect(&running.address);
    assert_eq!(first.get("/-/healthy", "").field("Connection"), None);
    // With a second one it is full. Who asks without pause is never silent, and would stay for ever.
    let mut second = Client::connect(&running.address);
    assert_eq!(second.get("/-/healthy", "").field("Connection"), Some("close"));
    assert!(second.is_ended());
    assert_eq!(Client::connect(&running.address).get("/-/healthy", "").code, 200);
}

#[test]
fn many_scrapers_share_a_rendering_that_began_after_they_asked() {
    let running = serve();
    running.handler.hold(true);
    let request = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let mut first = Client::connect(&running.address);
    first.send(request);
    until("the first rendering", || running.handler.begun.load(Ordering::SeqCst) == 1);
    let mut others: Vec<Client> = (0..40).map(|_| Client::connect(&running.address)).collect();
    for client in &mut others {
        client.send(request);
    }
    // The loop has read them all once it has answered one who came later.
    assert_eq!(Client::connect(&running.address).get("/-/healthy", "").code, 200);
    assert_eq!(Client::connect(&running.address).get("/-/healthy", "").code, 200);
    running.handler.hold(false);
    assert_eq!(&first.read("GET").unwrap().body[..], b"renderings_total 1\n");
    for client in &mut others {
        let reply = client.read("GET").unwrap();
        assert_eq!(reply.text(), "renderings_total 2\n");
    }
    assert_eq!(running.handler.begun.load(Ordering::SeqCst), 2);
}

#[test]
fn a_rendering_that_hangs_keeps_nobody_from_the_other_pages() {
    let limits = Limits { page_time: Duration::from_millis(50), ..Limits::default() };
    let running = serve_with(limits, FakeHandler::new(0));
    running.handler.hold(true);
    let mut waiting = Client::connect(&running.address);
    waiting.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut other = Client::connect(&running.address);
    assert_eq!(other.get("/-/healthy", "").code, 200);
    // On a busy machine this page may miss its deadline as well.
    until("the other page", || Client::connect(&running.address).get("/", "").code == 200);
    assert_eq!(waiting.read("GET").unwrap().code, 503);
    assert!(waiting.is_ended());
    running.handler.hold(false);
    until("the next scrape", || Client::connect(&running.address).get("/metrics", "").code == 200);
}

const SHORT: Duration = Duration::from_millis(30);

#[test]
fn a_silent_connection_is_ended() {
    let running = serve_with(Limits { idle_time: SHORT, ..Limits::default() }, FakeHandler::new(0));
    assert!(Client::connect(&running.address).is_ended());
    // Also after an answer. One that was slow to ask, on a busy machine, tries again.
    let asked = |client: &mut Client| {
        client.try_send("GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n").is_ok() && client.read("GET").is_some()
    };
    let mut clients = std::iter::repeat_with(|| Client::connect(&running.address)).take(1000);
    assert!(clients.find_map(|mut client| asked(&mut client).then_some(client)).unwrap().is_ended());
}

#[test]
fn a_head_that_does_not_end_is_refused() {
    let running = serve_with(Limits { head_time: SHORT, ..Limits::default() }, FakeHandler::new(0));
    assert_eq!(Client::connect(&running.address).send("GET / HT").read("GET").unwrap().code, 408);
}

#[test]
fn a_page_that_is_not_read_is_cut() {
    let running = serve_with(Limits { write_time: SHORT, ..Limits::default() }, FakeHandler::new(20 << 20));
    let mut reader = Client::connect(&running.address);
    reader.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    // A connection that was not yet accepted is not counted either.
    until("the page is asked for", || running.handler.begun.load(Ordering::SeqCst) == 1);
    until("the cut", || reader.socket.take_error().unwrap().is_some() || connections(&running.address) == 0);
    assert!(reader.read("GET").is_none(), "a page that was not read in time came whole");
}

#[test]
fn a_client_that_does_not_close_is_not_waited_for() {
    let running = serve_with(Limits { linger_time: SHORT, ..Limits::default() }, FakeHandler::new(0));
    let mut client = Client::connect(&running.address);
    client.send("GET / HTTP/1.0\r\n\r\n").read("GET").unwrap();
    until("the server's end is closed", || {
        let mut ours = Client::connect(&running.address);
        ours.get("/-/healthy", "");
        connections(&running.address) <= 1
    });
}

/// A fault beside the answering, which costs the connections: whoever comes next is served.
#[test]
fn the_server_goes_on_after_a_panic_of_its_loop() {
    let listener = Listener::bind(&"127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_address();
    let limits = Limits { connections: 1, silent_grace: Duration::ZERO, ..Limits::default() };
    let panics: EventSink = Arc::new(|event| assert_ne!(event, ServerEvent::Refused, "a panic on purpose"));
    let server =
        Server::start_with(limits, vec![listener], "/metrics".into(), None, FakeHandler::new(0), panics)
            .unwrap();
    for _ in 0..3 {
        let mut evicted = Client::connect(&address);
        until("it has a place", || connections(&address) == 1);
        // This one takes its place, which the sink is told of; either may be lost.
        drop(Client::connect(&address));
        assert!(evicted.is_ended());
        until("the next is served", || {
            let mut client = Client::connect(&address);
            client.try_send("GET /metrics HTTP/1.0\r\n\r\n").is_ok()
                && client.read("GET").is_some_and(|r| r.code == 200)
        });
    }
    server.close();
}

/// Connections of a server on this port that some process holds open: those accepted and not closed.
pub fn connections(address: &str) -> usize {
    let port = address.rsplit_once(':').unwrap().1.parse::<u16>().unwrap();
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let rows = table.lines().skip(1).map(|row| row.split_whitespace().collect::<Vec<_>>());
    let ours = rows.filter(|row| row[1].ends_with(&format!(":{port:04X}")));
    ours.filter(|row| row[3] != "0A" && row[9] != "0").count()
}

#[test]
fn close_gives_up_the_port_and_answers_once_more() {
    let running = serve();
    let mut kept = Client::connect(&running.address);
    assert_eq!(kept.get("/", "").field("Connection"), None);
    running.server.close();
    let address = running.address.parse().unwrap();
    // It is when close() has returned; but another test may just have forked, and the child has a copy of the
    // listener until it is another program.
    let mut free = None;
    until("the port is free", || {
        free = Listener::bind(&address).ok();
        free.is_some()
    });
    let reply = kept.get("/metrics", "");
    assert_eq!((reply.code, reply.field("Connection")), (200, Some("close")));
    assert!(kept.is_ended());
    running.server.add(free.unwrap());
    let mut again = Client::connect(&running.address);
    assert_eq!(again.get("/", "").field("Connection"), None);
    running.server.close();
    running.server.close();
}

#[test]
fn a_unix_socket_serves_as_well() {
    let path = std::env::temp_dir().join(format!("httpd_exporter-{}-serve.sock", std::process::id()));
    let running = serve();
    running.server.add(Listener::bind(&Address::Unix(path.clone())).unwrap());
    let socket = UnixStream::connect(&path).unwrap();
    let mut client = Client::of(TcpStream::from(std::os::fd::OwnedFd::from(socket)));
    assert_eq!(client.get("/metrics", "").code, 200);
    running.server.close();
    assert!(!path.exists());
    assert_eq!(client.get("/metrics", "").field("Connection"), Some("close"));
}

#[test]
fn slow_readers_of_old_pages_are_cut_before_they_fill_the_memory() {
    let limits = Limits { page_bytes: 25 << 20, write_time: 10 * PATIENCE, ..Limits::default() };
    let running = serve_with(limits, FakeHandler::new(10 << 20));
    let mut readers = Vec::new();
    for number in 1..=6 {
        let mut reader = Client::connect(&running.address);
        reader.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        until("the page begins", || reader.socket.peek(&mut [0]).is_ok_and(|count| count == 1));
        assert_eq!(running.handler.begun.load(Ordering::SeqCst), number);
        readers.push(reader);
    }
    let whole: Vec<bool> = readers.iter_mut().map(|reader| reader.read("GET").is_some()).collect();
    assert_eq!(whole, [false, false, false, false, true, true]);
}

#[test]
fn who_stops_in_a_page_is_cut_and_not_who_reads_slowly() {
    const PAGE: usize = 10 << 20;
    let limits = Limits { page_bytes: 3 * PAGE, write_time: 10 * PATIENCE, ..Limits::default() };
    let running = serve_with(limits, FakeHandler::new(PAGE));
    let ask = |address: &str| {
        let mut reader = Client::connect(address);
        reader.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        until("the page begins", || reader.socket.peek(&mut [0]).is_ok_and(|count| count == 1));
        reader
    };
    // The first to begin and the last to end: it takes half a megabyte, while one after another stops in a page.
    let mut steady = ask(&running.address);
    let mut stopped = Vec::new();
    for number in 1..=12 {
        steady.fill(|held| (held.len() >= number << 19).then_some(())).expect("it was not cut");
        stopped.push(ask(&running.address));
    }
    assert_eq!(steady.read("GET").expect("it was not cut").body.len(), PAGE);
    let whole = stopped.iter_mut().filter_map(|reader| reader.read("GET")).count();
    assert!((1..=3).contains(&whole), "{whole} of those who stopped got theirs");
}

#[test]
fn who_waits_in_the_kernel_is_answered_when_the_port_is_given_up() {
    // Nobody gives way, however late a busy machine lets them ask.
    let limits = Limits { connections: 4, silent_grace: PATIENCE, ..Limits::default() };
    let running = serve_with(limits, FakeHandler::new(0));
    running.handler.hold(true);
    let mut waiting: Vec<Client> = (0..200).map(|_| Client::connect(&running.address)).collect();
    for client in &mut waiting {
        client.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    until("a rendering", || running.handler.begun.load(Ordering::SeqCst) == 1);
    running.server.close();
    running.handler.hold(false);
    for client in &mut waiting {
        let reply = client.read("GET").expect("an answer to each");
        assert_eq!((reply.code, reply.field("Connection")), (200, Some("close")));
    }
}
