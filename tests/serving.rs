//! The face to the network, tried on the real program: every endpoint, every kind of address, strangers who mean harm
//! (serving/attacks.rs) and the programs of others that read its pages (serving/peers.rs).
//!
//! Nothing here knows the program's code; what is asked goes over a socket, byte by byte where need be.

mod attacks;
mod health; // --health-check
mod native; // histograms of known durations, asked by Prometheus
mod peers;
mod protobuf; // the delimited page, read by a generic decoder and by Prometheus
#[cfg(feature = "tls")]
mod tls; // --web.config.file: TLS, client certificates, passwords

use crate::harness::{BINARY, Exporter, PATIENCE, Process, TempDir, wait_for, wait_until};
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Stdio};

const LINE: &str = "192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] \"GET / HTTP/1.1\" 200 5 \"-\" \"-\"\n";
const SCRAPE: &str = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";

// ---------------------------------------------------------------------------------------------------- a client ---

/// A client by hand, over either kind of socket.
pub struct Client<S> {
    socket: S,
    held: Vec<u8>,
}

pub struct Reply {
    pub code: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Client<TcpStream> {
    pub fn try_connect(address: &str) -> io::Result<Client<TcpStream>> {
        let socket = TcpStream::connect(address)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        Ok(Client { socket, held: Vec::new() })
    }

    pub fn connect(address: &str) -> Client<TcpStream> {
        Client::try_connect(address).unwrap_or_else(|e| panic!("unable to connect to {address}: {e}"))
    }
}

impl Client<UnixStream> {
    fn connect_unix(path: &Path) -> io::Result<Client<UnixStream>> {
        let socket = UnixStream::connect(path)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Client { socket, held: Vec::new() })
    }
}

impl<S: Read + Write> Client<S> {
    /// An error means that the server has ended the connection.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.socket.write_all(bytes.as_ref())
    }

    /// One request, and the whole reply.
    pub fn ask(&mut self, request: &str) -> Reply {
        self.send(request).expect("the server reads");
        self.reply(request.starts_with("HEAD ")).unwrap_or_else(|| panic!("no reply to {request:?}"))
    }

    /// None when the connection ends before the reply is whole.
    pub fn reply(&mut self, of_head: bool) -> Option<Reply> {
        let end = self.until(|held| held.windows(4).position(|w| w == b"\r\n\r\n").map(|at| at + 4))?;
        let head = String::from_utf8_lossy(&self.held[..end]).into_owned();
        self.held.drain(..end);
        let code = head.split(' ').nth(1)?.parse().ok()?;
        let mut reply = Reply { code, head, body: Vec::new() };
        if !of_head {
            let length: usize = reply.field("Content-Length")?.parse().ok()?;
            self.until(|held| (held.len() >= length).then_some(()))?;
            reply.body = self.held.drain(..length).collect();
        }
        Some(reply)
    }

    fn until<T>(&mut self, mut done: impl FnMut(&[u8]) -> Option<T>) -> Option<T> {
        let mut piece = vec![0; 1 << 16];
        loop {
            if let Some(found) = done(&self.held) {
                return Some(found);
            }
            match self.socket.read(&mut piece) {
                Ok(count @ 1..) => self.held.extend_from_slice(&piece[..count]),
                _ => return None,
            }
        }
    }

    /// The server has said all and ended the connection.
    pub fn is_ended(&mut self) -> bool {
        let is_end = |read: io::Result<usize>| match read {
            Ok(count) => count == 0,
            // Nothing came for as long as a test waits.
            Err(e) => e.kind() != io::ErrorKind::WouldBlock,
        };
        self.held.is_empty() && is_end(self.socket.read(&mut [0]))
    }
}

fn request(method: &str, path: &str, fields: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: x\r\n{fields}\r\n")
}

// --------------------------------------------------------------------------------------------------- endpoints ---

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

#[test]
fn every_endpoint_has_its_status_and_its_type() {
    let mut exporter = Exporter::start(&["--format", "combined", "--web.telemetry-path", "/own/metrics"]);
    exporter.process.feed(LINE.as_bytes());
    wait_for_ready(&exporter.address, 200);
    let mut client = Client::connect(&exporter.address);
    for (method, path, code, content_type, part) in [
        ("GET", "/own/metrics", 200, TEXT, "httpd_requests_total{"),
        ("HEAD", "/own/metrics", 200, TEXT, ""),
        ("GET", "/", 200, HTML, "href=\"own/metrics\""),
        ("HEAD", "/", 200, HTML, ""),
        ("GET", "/-/healthy", 200, PLAIN, "healthy"),
        ("GET", "/-/ready", 200, PLAIN, "ready"),
        ("GET", "/metrics", 404, PLAIN, "404 Not Found"),
        ("GET", "/own/metrics/", 404, PLAIN, "404 Not Found"),
        ("GET", "/%2e%2e/etc/passwd", 404, PLAIN, "404 Not Found"),
        ("POST", "/own/metrics", 405, PLAIN, "405"),
        ("DELETE", "/nowhere", 405, PLAIN, "405"),
        ("GET", "/own/metrics?collect[]=x", 200, TEXT, "# TYPE httpd_requests_total counter"),
    ] {
        let reply = client.ask(&request(method, path, ""));
        assert_eq!((reply.code, reply.field("Content-Type")), (code, Some(content_type)), "{method} {path}");
        assert_eq!(reply.field("Allow"), (code == 405).then_some("GET, HEAD"), "{method} {path}");
        assert!(reply.text().contains(part), "{method} {path}: {}", reply.text());
    }
}

#[test]
fn the_accept_headers_of_prometheus_get_open_metrics_compressed() {
    let exporter = Exporter::start(&["--format", "combined"]);
    let two = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
               text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    let three = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                 application/openmetrics-text;version=0.0.1;q=0.5,\
                 text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    let mut client = Client::connect(&exporter.address);
    for accept in [two, three] {
        let fields = format!("Accept: {accept}\r\nAccept-Encoding: gzip\r\n");
        let reply = client.ask(&request("GET", "/metrics", &fields));
        assert_eq!(reply.field("Content-Type"), Some(OPEN_METRICS));
        assert_eq!(reply.field("Content-Encoding"), Some("gzip"));
        assert_eq!(reply.field("Vary"), Some("Accept, Accept-Encoding"));
        assert_eq!(reply.body[..2], [0x1f, 0x8b]);
        let plain = client.ask(&request("GET", "/metrics", &format!("Accept: {accept}\r\n")));
        assert!(plain.text().ends_with("\n# EOF\n"));
    }
    let reply = client.ask(&request("GET", "/metrics", "Accept: text/html,*/*;q=0.8\r\n"));
    assert_eq!(reply.field("Content-Type"), Some(TEXT));
}

#[test]
fn who_asks_for_open_metrics_2_gets_a_line_a_series() {
    let mut exporter = Exporter::start(&["--format", "combined"]);
    exporter.process.feed(LINE.as_bytes());
    wait_for_ready(&exporter.address, 200);
    let accept = "Accept: application/openmetrics-text;version=2.0.0;q=0.6,text/plain;q=0.5\r\n";
    let reply = Client::connect(&exporter.address).ask(&request("GET", "/metrics", accept));
    assert_eq!(
        reply.field("Content-Type"),
        Some("application/openmetrics-text; version=2.0.0; charset=utf-8")
    );
    let page = reply.text();
    let lines: Vec<&str> = page.lines().collect();
    let of = |start: &str| *lines.iter().find(|line| line.starts_with(start)).expect(start);
    assert!(lines.contains(&"# TYPE httpd_requests_total counter"));
    assert!(of("httpd_requests_total{").contains("} 1 st@"));
    let sizes = of("httpd_response_size_bytes{");
    assert!(
        sizes.contains(" {count:1,sum:") && sizes.contains(",schema:3,") && sizes.contains(",bucket:["),
        "{sizes}"
    );
    assert_eq!(lines.last(), Some(&"# EOF"));
}

#[test]
fn connections_are_kept_or_ended_as_the_version_says() {
    let exporter = Exporter::start(&["--format", "combined"]);
    for (request, kept) in [
        ("GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n", true),
        ("GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", false),
        ("GET /-/healthy HTTP/1.0\r\n\r\n", false),
        ("GET /-/healthy HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true),
    ] {
        let mut client = Client::connect(&exporter.address);
        assert_eq!(client.ask(request).text(), "healthy\n", "{request}");
        if kept {
            assert_eq!(client.ask(request).text(), "healthy\n", "{request}");
        } else {
            assert!(client.is_ended(), "{request}");
        }
    }
    let mut client = Client::connect(&exporter.address);
    let paths = ["/metrics", "/-/healthy", "/nothing", "/", "/-/ready"];
    client.send(paths.map(|path| request("GET", path, "")).concat()).expect("the server reads");
    let codes = paths.map(|_| client.reply(false).expect("a reply to each").code);
    assert_eq!(codes, [200, 200, 404, 200, 503]);
}

/// Waits until `/-/ready` answers with that code, and gives what it says.
fn wait_for_ready(address: &str, code: u16) -> String {
    wait_for(&format!("/-/ready to be {code}"), || {
        let reply = Client::connect(address).ask(&request("GET", "/-/ready", ""));
        if reply.code == code { Ok(reply.text()) } else { Err(reply.text()) }
    })
}

#[test]
fn ready_says_why_not() {
    let mut exporter = Exporter::start(&["--format", "combined"]);
    let silent = wait_for_ready(&exporter.address, 503);
    exporter.process.feed(LINE.as_bytes());
    wait_for_ready(&exporter.address, 200);
    exporter.process.feed("this is no access log\n".repeat(500).as_bytes());
    let wrong = wait_for_ready(&exporter.address, 503);
    assert!(silent.contains("503") && wrong.contains("503") && silent != wrong, "{silent}{wrong}");
    assert_eq!(Client::connect(&exporter.address).ask(&request("GET", "/-/healthy", "")).code, 200);
}

#[test]
fn every_status_code_is_there_before_it_is_given() {
    let exporter = Exporter::start(&["--format", "combined"]);
    let codes = |page: &crate::harness::Page| {
        let of_family =
            page.series.iter().filter(|(name, _)| name.starts_with("httpd_exporter_http_requests_"));
        of_family.map(|(name, value)| (name.clone(), value.clone())).collect::<Vec<_>>()
    };
    let before = codes(&exporter.scrape());
    assert!(before.len() >= 9 && before.iter().all(|(_, value)| value == "0"), "{before:?}");
    let long = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(9_000));
    for (bytes, code) in [
        ("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        ("PUT / HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/2.0\r\n\r\n", 505),
        (long.as_str(), 431),
        ("GET /-/ready HTTP/1.1\r\nHost: x\r\n\r\n", 503),
    ] {
        assert_eq!(Client::connect(&exporter.address).ask(bytes).code, code, "{bytes:.40}");
        let page = exporter.scrape();
        let series = format!("httpd_exporter_http_requests_total{{code=\"{code}\"}}");
        assert_eq!(page.value(&series), Some(1.0), "{code}");
        assert_eq!(codes(&page).len(), before.len(), "{code} was not there before");
    }
}

// --------------------------------------------------------------------------------------------------- addresses ---

/// As an image has it: whatever arguments a run has, the address stays, but for another one.
#[test]
fn the_environment_says_where_to_serve_unless_an_option_does() {
    let start = |args: &[&str], address: &str| {
        let mut command = Command::new(BINARY);
        Process::start(command.args(args).env("HTTPD_EXPORTER_LISTEN_ADDRESS", address))
    };
    let exporter = Exporter::of(start(&["--format", "combined"], "127.0.0.1:0"));
    assert_eq!(Client::connect(&exporter.address).ask(SCRAPE).code, 200);
    let chosen = Exporter::of(start(&["--web.listen-address", "127.0.0.1:0"], "nonsense"));
    assert_eq!(Client::connect(&chosen.address).ask(SCRAPE).code, 200);
    let mut wrong = start(&[], "nonsense");
    wrong.close();
    let ended = wrong.wait();
    assert!(ended.stderr.contains("HTTPD_EXPORTER_LISTEN_ADDRESS: a port is missing"), "{}", ended.stderr);
    assert_eq!(ended.status.code(), Some(2));
}

#[test]
fn several_addresses_serve_at_once() {
    let dir = TempDir::new();
    let path = dir.join("metrics.sock");
    let unix = format!("unix:{}", path.display());
    let mut args = vec!["--format", "combined", "--web.listen-address", unix.as_str()];
    let six = TcpListener::bind("[::1]:0").is_ok();
    if six {
        args.extend(["--web.listen-address", "[::1]:0"]);
    }
    let mut exporter = Exporter::start(&args);
    exporter.wait_for_stderr(&format!("serving /metrics on {unix}"));
    assert_eq!(Client::connect(&exporter.address).ask(SCRAPE).code, 200);
    assert_eq!(Client::connect_unix(&path).expect("it listens").ask(SCRAPE).code, 200);
    if six {
        exporter.wait_for_stderr("serving http://[::1]:");
        let said = exporter.process.stderr();
        let port = said.split("http://[::1]:").nth(1).and_then(|rest| rest.split('/').next());
        let address = format!("[::1]:{}", port.expect("it was said"));
        assert_eq!(Client::connect(&address).ask(SCRAPE).code, 200);
    }
    assert_eq!(fs::metadata(&path).expect("the socket has its name").permissions().mode() & 0o7777, 0o660);
    exporter.process.close();
    assert_eq!(exporter.process.wait().status.code(), Some(0));
    assert!(!path.exists(), "the name of the socket was left behind");
}

#[test]
fn wildcards_of_both_families_serve_both_in_either_order() {
    if TcpListener::bind("[::1]:0").is_err() {
        return;
    }
    for hosts in [["0.0.0.0", "[::]"], ["[::]", "0.0.0.0"]] {
        let port = crate::harness::free_port();
        let mut exporter = Exporter::start(&[
            "--format",
            "combined",
            "--web.listen-address",
            &format!("{}:{port}", hosts[0]),
            "--web.listen-address",
            &format!("{}:{port}", hosts[1]),
            "--web.listen-address",
            &format!("127.0.0.1:{port}"),
        ]);
        for host in hosts {
            exporter.wait_for_stderr(&format!("serving http://{host}:{port}/metrics"));
        }
        for host in ["127.0.0.1", "[::1]"] {
            assert_eq!(Client::connect(&format!("{host}:{port}")).ask(SCRAPE).code, 200, "{host}");
        }
        exporter.process.close();
        let said = exporter.process.wait().stderr;
        // The harness has one of its own.
        assert_eq!(said.matches("serving ").count(), 3, "{said}");
        assert!(!said.contains("taken"), "{said}");
    }
}

#[test]
fn a_stale_unix_socket_is_replaced_and_anything_else_is_not() {
    let dir = TempDir::new();
    let path = dir.join("metrics.sock");
    let args = ["--format", "combined", "--web.listen-address", &format!("unix:{}", path.display())];
    // A killed process leaves its socket behind.
    let killed = Exporter::start(&args);
    wait_until("the socket", || Client::connect_unix(&path).is_ok());
    drop(killed);
    assert!(path.exists() && Client::connect_unix(&path).is_err());
    let successor = Exporter::start(&args);
    wait_until("the stale socket's successor", || Client::connect_unix(&path).is_ok());
    drop(successor);

    // One that lives is waited for.
    fs::remove_file(&path).expect("it is there");
    let holder = UnixListener::bind(&path).expect("the directory is writable");
    let waiting = Exporter::start(&args);
    waiting.wait_for_stderr("is in use");
    drop(holder);
    wait_until("the socket of the one that waited", || {
        // A process that was forked meanwhile may have the former one for a moment.
        Client::connect_unix(&path).is_ok_and(|mut client| {
            client.send(SCRAPE).is_ok() && client.reply(false).is_some_and(|reply| reply.code == 200)
        })
    });
    drop(waiting);

    // What is no socket stays, and is said.
    fs::remove_file(&path).expect("it is there");
    fs::write(&path, "mine").expect("the directory is writable");
    let ended = Command::new(BINARY).args(args).stdin(Stdio::null()).output().expect("it starts");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("is not a socket"), "{said}");
    assert_eq!(fs::read_to_string(&path).expect("it is still there"), "mine");
}

#[test]
fn a_socket_handed_over_by_hand_is_served() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback has free ports");
    let address = listener.local_addr().expect("it is bound").to_string();
    // The shell makes the listener its descriptor 3, and its process id that of the program.
    let script = "exec 3<&0 </dev/zero; export LISTEN_PID=$$ LISTEN_FDS=1; exec \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh", BINARY, "--web.systemd-socket", "--format", "combined"]);
    let _exporter = Process::start_on_stdin(&mut command, OwnedFd::from(listener));
    assert_eq!(Client::connect(&address).ask(SCRAPE).code, 200);
}

#[test]
fn more_sockets_than_were_passed_are_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback has free ports");
    // They are taken before the program opens any of its own, which would have the next number.
    let script = "exec 3<&0 </dev/null; export LISTEN_PID=$$ LISTEN_FDS=2; exec \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh", BINARY, "--web.systemd-socket", "--format", "combined"]);
    let ended = command.stdin(OwnedFd::from(listener)).output().expect("there is a shell");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("descriptor 4 of LISTEN_FDS is not an open stream socket"), "{said}");
}

#[test]
#[ignore = "needs systemd-socket-activate"]
fn sockets_of_systemd_are_served() {
    let dir = TempDir::new();
    let path = dir.join("metrics.sock");
    let address = format!("127.0.0.1:{}", crate::harness::free_port());
    let mut activate = Command::new("systemd-socket-activate");
    activate.arg("-l").arg(&address).arg("-l").arg(&path);
    activate.args([BINARY, "--web.systemd-socket", "--format", "combined"]);
    let mut exporter = Process::start(&mut activate);
    // The first connection is what starts the program.
    wait_until("systemd to listen", || TcpStream::connect(&address).is_ok());
    assert_eq!(Client::connect(&address).ask(SCRAPE).code, 200);
    assert_eq!(Client::connect_unix(&path).expect("it listens").ask(SCRAPE).code, 200);
    exporter.feed(LINE.as_bytes());
    wait_for_ready(&address, 200);
    exporter.close();
    exporter.wait();
    assert!(path.exists(), "the name is systemd's to remove");
}

#[test]
#[ignore = "needs root, to give it up"]
fn a_unix_socket_belongs_to_the_user_that_root_became() {
    let dir = TempDir::new();
    let path = dir.join("metrics.sock");
    let unix = format!("unix:{}", path.display());
    let exporter =
        Exporter::start(&["--format", "combined", "--web.listen-address", &unix, "--user", "12345:12346"]);
    let meta = fs::metadata(&path).expect("the socket has its name");
    assert_eq!((meta.uid(), meta.gid(), meta.permissions().mode() & 0o7777), (12345, 12346, 0o660));
    assert_eq!(Client::connect_unix(&path).expect("it listens").ask(SCRAPE).code, 200);
    drop(exporter);
}

#[test]
fn systemd_without_sockets_is_said() {
    let mut command = Command::new(BINARY);
    command.args(["--web.systemd-socket", "--format", "combined"]).env_remove("LISTEN_FDS");
    let ended = command.stdin(Stdio::null()).output().expect("it starts");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("--web.systemd-socket") && said.contains("LISTEN_FDS"), "{said}");
}

/// Says all, hears all: for clients whose requests are of any kind.
fn exchange(address: &str, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut client = Client::try_connect(address)?;
    client.send(bytes)?;
    client.socket.shutdown(Shutdown::Write)?;
    let mut answer = Vec::new();
    client.socket.read_to_end(&mut answer)?;
    Ok(answer)
}

// ---------------------------------------------------------------------------------------------------- messages ---

/// Nobody but the program stamps the lines of a file.
#[test]
fn a_message_in_a_file_begins_with_its_time() {
    let dir = TempDir::new();
    let log = dir.join("error.log");
    let file = fs::File::create(&log).expect("the temporary directory is writable");
    let mut command = Command::new(BINARY);
    command.args(["--web.listen-address", "127.0.0.1:0"]).stdin(Stdio::piped()).stderr(file);
    let mut process = command.spawn().expect("the program starts");
    let said = || fs::read_to_string(&log).unwrap_or_default();
    wait_until("a message in the file", || said().ends_with("/\n"));
    drop(process.stdin.take());
    assert!(process.wait().expect("the program is waited for").success(), "{}", said());
    let said = said();
    assert!(said.contains(" httpd_exporter: serving http://127.0.0.1:"), "{said}");
    for line in said.lines() {
        let (time, text) = line.split_once(' ').expect("a time and a text");
        let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(shape, "0000-00-00T00:00:00.000Z", "{line}");
        assert!(text.starts_with("httpd_exporter: "), "{line}");
    }
}

// ------------------------------------------------------------------------------------------------ without `tls` ---

/// Built without it, the program never serves plainly what was to be guarded.
#[cfg(not(feature = "tls"))]
#[test]
fn without_the_feature_a_web_config_is_refused() {
    let ended = crate::harness::run(&["--web.config.file", "/dev/null"], b"");
    assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("built without the feature `tls`"), "{}", ended.stderr);
    let version = crate::harness::run(&["--version"], b"").stdout;
    assert!(version.contains("none"), "{version}");
}
