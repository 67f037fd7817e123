//! Runs the program as an operator would: arguments, bytes on stdin, scrapes over HTTP, signals by pid.
//!
//! Owns every process and directory it makes: both are gone when their owner is dropped, also when a test fails.
//! It never sleeps for a guessed time; it waits for a condition, and says what it saw when that does not come true.

use nix::sys::signal::{Signal, kill};
use nix::sys::socket::sockopt::ReuseAddr;
use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, SockaddrIn};
use nix::unistd::Pid;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub const BINARY: &str = env!("CARGO_BIN_EXE_httpd_exporter");

/// Long enough for a loaded machine; a test that waits this long has failed.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// How often a condition is looked at: short against what a person would notice.
const POLL: Duration = Duration::from_millis(5);

// --------------------------------------------------------------------------------------------------- waiting ---

/// Looks until `look` gives a value; fails with `what` and the last complaint when that takes too long.
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match look() {
            Ok(value) => return value,
            Err(seen) if Instant::now() > deadline => panic!("waited in vain for {what}; last seen: {seen}"),
            Err(_) => thread::sleep(POLL),
        }
    }
}

/// The same for a plain condition.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    wait_for(what, || if holds() { Ok(()) } else { Err("not yet".to_owned()) });
}

/// Where the ports of the tests begin; below are those of services.
const FIRST_PORT: u16 = 10_000;

/// A port of the loopback for a test whose servers need to know it beforehand. Nobody else takes it: it is below those
/// that the system gives to `:0` and to clients.
pub fn free_port() -> u16 {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let given = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let given = given.split_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or(32_768);
    let ports = usize::from(u16::max(given, FIRST_PORT + 1_000) - FIRST_PORT);
    let begin = std::process::id() as usize * 97;
    let nth = || (begin + NEXT.fetch_add(1, Ordering::Relaxed)) % ports;
    let mut tried = (0..ports).map(|_| FIRST_PORT + u16::try_from(nth()).expect("ports are 16 bits"));
    tried.find(|port| hold(*port)).expect("one of so many ports is free")
}

/// The same below 1024, if this process may bind such a port; servers that come with a system have few from 600 on.
pub fn free_low_port() -> Option<u16> {
    (600..1024).find(|port| hold(*port))
}

/// Holds the name of a port, here and against other runs of the tests, for as long as this program lives, and tells
/// whether it does: both the name and the port must be free.
fn hold(port: u16) -> bool {
    let name = SocketAddr::from_abstract_name(format!("httpd_exporter test port {port}")).expect("a name");
    let Ok(holder) = UnixListener::bind_addr(&name) else { return false };
    let is_free = may_be_bound(port).is_ok();
    if is_free {
        std::mem::forget(holder);
    }
    is_free
}

/// Bound only: a process that is forked at this moment has the socket for a while, and one that listened would keep the
/// port from everybody.
fn may_be_bound(port: u16) -> nix::Result<()> {
    let socket = socket::socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    socket::setsockopt(&socket, ReuseAddr, &true)?;
    socket::bind(socket.as_raw_fd(), &SockaddrIn::new(0, 0, 0, 0, port))
}

// ------------------------------------------------------------------------------------------------- directories ---

/// A directory of one test. World-readable, since web servers give up root before they read it.
pub struct TempDir(PathBuf);

impl TempDir {
    pub fn new() -> TempDir {
        TempDir::below(&std::env::temp_dir())
    }

    /// Where there is no disk that others keep busy, if the system has such a place: for what measures times.
    pub fn in_memory() -> TempDir {
        let memory = Path::new("/dev/shm");
        if memory.is_dir() { TempDir::below(memory) } else { TempDir::new() }
    }

    fn below(parent: &Path) -> TempDir {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        loop {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let path = parent.join(format!("httpd_exporter-test-{}-{number}", std::process::id()));
            match fs::create_dir(&path) {
                Ok(()) => return TempDir(path),
                // Left by a run that had the same number and was killed.
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => panic!("unable to make {}: {e}", path.display()),
            }
        }
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.join(name);
        fs::create_dir_all(path.parent().expect("a joined path has a parent")).expect("writable");
        fs::write(&path, content).expect("the temporary directory is writable");
        path
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

// --------------------------------------------------------------------------------------------------- processes ---

/// What a stream of the process has said so far, gathered by a thread.
#[derive(Default)]
struct Heard {
    bytes: Arc<Mutex<Vec<u8>>>,
    thread: Option<JoinHandle<()>>,
}

impl Heard {
    fn listen(mut stream: impl Read + Send + 'static) -> Heard {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&bytes);
        let thread = thread::spawn(move || {
            let mut buffer = [0; 65_536];
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                sink.lock().expect("no listener panics").extend_from_slice(&buffer[..count]);
            }
        });
        Heard { bytes, thread: Some(thread) }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().expect("no listener panics")).into_owned()
    }

    /// All of it; only when the process has ended, or this waits for it.
    fn finish(&mut self) -> String {
        if let Some(thread) = self.thread.take() {
            thread.join().expect("no listener panics");
        }
        self.text()
    }
}

/// Any process of a test: heard, and ended with its owner.
pub struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Heard,
    stderr: Heard,
}

impl Process {
    pub fn start(command: &mut Command) -> Process {
        Process::spawn(command.stdin(Stdio::piped()).stdout(Stdio::piped()))
    }

    /// The same as its piped log: a shell that stands for the server has both ends of the pipe on stdin, as Apache has.
    /// Its end is the end of input.
    pub fn start_under_server(command: &Command, stdout: impl Into<Stdio>) -> Process {
        // A pipe's other end is opened by way of its name (proc(5), /proc/PID/fd).
        // SIGUSR1 is a graceful restart: SIGTERM, and both ends are closed right behind it.
        let server = "exec 4<&0 5>/proc/self/fd/0; \"$0\" \"$@\" <&4 4<&- 5>&- & log=$!
            trap 'kill -TERM $log; exec <&- 4<&- 5>&-' USR1; wait; wait $log";
        let mut shell = Command::new("sh");
        shell.args(["-c", server]).arg(command.get_program()).args(command.get_args());
        Process::spawn(shell.stdin(Stdio::piped()).stdout(stdout))
    }

    /// With a stdout that is the test's to read.
    pub fn start_with_stdout(command: &mut Command, stdout: impl Into<Stdio>) -> Process {
        Process::spawn(command.stdin(Stdio::piped()).stdout(stdout))
    }

    /// Starts a process that writes into another one's stdin, as a shell's `|` does.
    pub fn start_into(command: &mut Command, reader: &mut Process) -> Process {
        let stdin = reader.stdin.take().expect("stdin is still open");
        Process::spawn(command.stdin(Stdio::null()).stdout(stdin))
    }

    /// With a stdin that is the test's.
    pub fn start_on_stdin(command: &mut Command, stdin: impl Into<Stdio>) -> Process {
        Process::spawn(command.stdin(stdin).stdout(Stdio::piped()))
    }

    fn spawn(command: &mut Command) -> Process {
        let spawned = command.stderr(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|e| panic!("unable to start {command:?}: {e}"));
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().map(Heard::listen).unwrap_or_default();
        let stderr = child.stderr.take().map(Heard::listen).unwrap_or_default();
        Process { child, stdin, stdout, stderr }
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("stdin is still open");
        stdin.write_all(bytes).expect("the process reads its stdin");
    }

    /// End of input.
    pub fn close(&mut self) {
        self.stdin = None;
    }

    /// For a thread that feeds it on its own.
    pub fn take_stdin(&mut self) -> ChildStdin {
        self.stdin.take().expect("stdin is still open")
    }

    pub fn give_stdin(&mut self, stdin: ChildStdin) {
        self.stdin = Some(stdin);
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("a pid is a small number"));
        kill(pid, signal).expect("the process is ours");
    }

    /// To the program, of which this process is the server.
    pub fn signal_child(&self, signal: Signal) {
        let children = format!("/proc/{0}/task/{0}/children", self.child.id());
        let children = fs::read_to_string(children).expect("the server lives");
        let child = children.trim().parse().expect("it has one child");
        kill(Pid::from_raw(child), signal).expect("the process is ours");
    }

    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    pub fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// Waits for the end by itself, and gives all that was said.
    pub fn wait(&mut self) -> Ended {
        let status = wait_for("the end of the process", || match self.child.try_wait() {
            Ok(Some(status)) => Ok(status),
            other => Err(format!("{other:?}; stderr: {}", self.stderr.text())),
        });
        Ended { status, stdout: self.stdout.finish(), stderr: self.stderr.finish() }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process that has ended.
pub struct Ended {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    pub fn page(&self) -> Page {
        Page::parse(&self.stdout)
    }
}

/// Runs the program on all of its input.
pub fn run(args: &[&str], input: &[u8]) -> Ended {
    run_in_pieces(args, &[input])
}

/// The same, with a write for each piece.
pub fn run_in_pieces(args: &[&str], pieces: &[&[u8]]) -> Ended {
    let mut process = Process::start(Command::new(BINARY).args(args));
    let mut stdin = process.stdin.take().expect("stdin is piped");
    let pieces: Vec<Vec<u8>> = pieces.iter().map(|piece| piece.to_vec()).collect();
    // A program that refuses its options does not read; the broken pipe is then no news.
    let feeder = thread::spawn(move || pieces.iter().try_for_each(|piece| stdin.write_all(piece)));
    let ended = process.wait();
    let _ = feeder.join();
    ended
}

/// The program while it serves.
pub struct Exporter {
    pub process: Process,
    pub address: String,
}

impl Exporter {
    /// Starts it on a port that the system chooses, and waits until it says which.
    pub fn start(args: &[&str]) -> Exporter {
        Exporter::start_on(0, args).served()
    }

    /// A process that was started in some other way, with an address whose port the system chooses.
    pub fn of(process: Process) -> Exporter {
        Exporter { process, address: String::new() }.served()
    }

    /// Waits until it says where it serves.
    fn served(self) -> Exporter {
        let mut exporter = self;
        exporter.address = wait_for("the address on stderr", || {
            let said = exporter.process.stderr();
            let served = said
                .lines()
                .find_map(|line| line.split_once("serving ")?.1.split('/').rfind(|s| s.contains(':')));
            served.map(str::to_owned).ok_or(said.clone())
        });
        exporter
    }

    pub fn start_on(port: u16, args: &[&str]) -> Exporter {
        let address = format!("127.0.0.1:{port}");
        let process =
            Process::start(Command::new(BINARY).args(["--web.listen-address", &address]).args(args));
        Exporter { process, address }
    }

    /// A page that was not made in time is one of a busy machine, and is asked for again.
    pub fn scrape(&self) -> Page {
        wait_for("a page", || match scrape(&self.address) {
            Err(late) if late.ends_with("gave 503") => Err(late),
            page => Ok(page.unwrap_or_else(|e| panic!("{e}; stderr: {}", self.process.stderr()))),
        })
    }

    /// The page whose counts are on disk, as they are wherever that takes no more than its time.
    pub fn saved(&self) -> Page {
        wait_for("a page that is saved", || {
            let page = self.scrape();
            match page.value("httpd_exporter_state_saved") {
                Some(1.0) => Ok(page),
                saved => Err(format!("{saved:?}; {}", self.process.stderr())),
            }
        })
    }

    pub fn wait_for_stderr(&self, text: &str) {
        wait_for(&format!("`{text}` on stderr"), || {
            let said = self.process.stderr();
            if said.contains(text) { Ok(()) } else { Err(said) }
        });
    }

    /// Scrapes until that many lines have found their outcome.
    pub fn wait_for_lines(&self, lines: u64) -> Page {
        wait_for(&format!("{lines} lines"), || {
            let page = self.scrape();
            let seen = page.sum("httpd_exporter_lines_total");
            if seen == lines as f64 { Ok(page) } else { Err(format!("{seen}")) }
        })
    }
}

// -------------------------------------------------------------------------------------------------------- HTTP ---

pub struct Response {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// One request over a connection of its own.
pub fn get(address: &str, path: &str) -> io::Result<Response> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    // At once: a head whose end does not come in time is answered 408.
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let cut = || io::Error::other(format!("no whole answer: {answer:?}"));
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(cut)?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(cut)?;
    Ok(Response { status, head: head.to_owned(), body: body.to_owned() })
}

pub fn scrape(address: &str) -> Result<Page, String> {
    let response = get(address, "/metrics").map_err(|e| format!("unable to scrape {address}: {e}"))?;
    match response.status {
        200 => Ok(Page::parse(&response.body)),
        status => Err(format!("scraping {address} gave {status}")),
    }
}

// -------------------------------------------------------------------------------------------------- exposition ---

/// A page of metrics: each series, as it is written, with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    pub series: BTreeMap<String, String>,
}

impl Page {
    /// Reads the text format as far as this program writes it: no time stamps, one sample a line.
    pub fn parse(text: &str) -> Page {
        let mut series = BTreeMap::new();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no sample: {line:?}"));
            let number = value.parse::<f64>().is_ok() || value == "+Inf";
            assert!(number, "no number: {line:?}");
            assert!(series.insert(name.to_owned(), value.to_owned()).is_none(), "twice on the page: {name}");
        }
        Page { series }
    }

    pub fn value(&self, series: &str) -> Option<f64> {
        self.series.get(series).map(|value| value.parse().expect("checked when it was read"))
    }

    /// The sum over all series of one metric.
    pub fn sum(&self, name: &str) -> f64 {
        let of_name = |series: &str| {
            series.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('{'))
        };
        self.series
            .iter()
            .filter(|(series, _)| of_name(series))
            .map(|(_, v)| v.parse::<f64>().expect("checked"))
            .sum()
    }

    /// What depends on the log alone, and not on the moment or the machine.
    pub fn of_the_log(&self) -> Page {
        let own =
            ["process_", "httpd_exporter_input_wait_", "httpd_exporter_chunks_", "httpd_exporter_http_"];
        let kept =
            self.series.iter().filter(|(series, _)| !own.iter().any(|prefix| series.starts_with(prefix)));
        Page { series: kept.map(|(series, value)| (series.clone(), value.clone())).collect() }
    }
}
