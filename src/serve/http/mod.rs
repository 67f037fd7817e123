//! Turns connections into answers: the network face of the program, HTTP/1.1 after RFC 9110 and RFC 9112.
//!
//! Three threads, started once and never another: `serve` (reactor.rs) holds every listener and every
//! connection in one poll(2) loop and never waits for anybody; `serve-metrics` and `serve-pages`
//! (desk.rs) ask the `Site` for pages, which may take a while. So a stranger costs a slot in a table of
//! fixed size and not a thread, and nothing has to be started while the system is short of something.
//! tiny_http gives the words (status lines, headers, dates); its server is not used, because one
//! unauthenticated request can end or deadlock it.
//!
//! A page is rendered once for all who wait for it. A request that arrives while a rendering is under way
//! waits for the next one: no scrape shows counts older than its own request, and still the cost is that
//! of one rendering at a time, however many ask.
//!
//! This room must never reach a counter, hold up the reading of stdin, or grow with what strangers send.

mod address;
mod answer;
mod connection;
mod desk;
#[allow(unsafe_code)]
mod inherited;
mod listener;
mod negotiate;
mod reactor;
mod request;
#[cfg(test)]
mod tests;

use crate::snapshot::exposition::Form;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub use crate::serve::http::address::Address;
pub use crate::serve::http::listener::Listener;

// ---- Bounds -------------------------------------------------------------------------------------------

/// Connections waiting in the kernel until we take them; it caps this at net.core.somaxconn (4096). What finds no room
/// comes again a second later, so it is to be all that strangers send while another thread has the processor.
const BACKLOG: i32 = 4096;
/// Bytes of an answer that the kernel holds for a client, twice this with its own accounts. It grows to 4 MiB by
/// itself, and then a reader of 1 MB/s seems to have stopped for seconds; this much is enough for 20 MB in `write_time`
/// over a line of 100 ms.
const SEND_BUFFER: usize = 192 << 10;
/// Descriptors left to the rest of the house (log, state files, pipes, standard streams, the web server's
/// leftovers) when the process may open few: connections never take the last ones.
const RESERVED_DESCRIPTORS: u64 = 32;
/// Connections kept however low the limit of descriptors is: a scraper or two and a person.
const FEWEST_CONNECTIONS: usize = 4;
/// Connections taken per turn and listener, so that a flood of them does not starve those already here.
const ACCEPTS_PER_TURN: usize = 64;
/// Bytes read and thrown away after a refusal, so that the client can read why. Who sends more than that
/// does not listen.
const LINGER_BYTES: usize = 1 << 20;

/// A page from this size on leaves enough freed memory behind to be worth giving back ...
const LARGE_PAGE_BYTES: usize = 1 << 20;
/// ... once nobody has asked for a page for this long: not between two scrapers of one burst.
const RELEASE_AFTER: Duration = Duration::from_secs(1);

/// Bounds in time and number. Tests use shorter ones; the program uses the default.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Connections at once when the ports are given up: with all who wait in the kernel.
    pub last_connections: usize,
    /// Bytes of one request's head, and of what is buffered per connection.
    pub head_bytes: usize,
    /// From the first byte of a head to its last.
    pub head_time: Duration,
    /// From the first byte of an answer to its last.
    pub write_time: Duration,
    /// Between two requests.
    pub idle_time: Duration,
    /// From a request to the page that answers it.
    pub page_time: Duration,
    /// From our last byte to the client's close.
    pub linger_time: Duration,
    /// A silent connection is safe this long, even when others need its place.
    pub silent_grace: Duration,
    /// A connection that takes nothing of its answer is safe this long, even when others need its place.
    pub write_grace: Duration,
    /// No new connections are taken for this long when the system refuses and nobody can give way.
    pub accept_pause: Duration,
    /// Bytes of pages on their way to slow readers; beyond that the one is cut that has taken nothing for longest.
    pub page_bytes: usize,
    /// Pages smaller than this are sent as they are when gzip is offered.
    pub gzip_from: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            // A scraper needs one, a web server that proxies for us a few more.
            connections: 64,
            // 10 MB at most, of a process that ends. Each needs a descriptor, of which there are mostly 1024.
            last_connections: 1024,
            // Browsers and proxies with long cookies stay below it; it is Apache's and nginx's bound as well.
            head_bytes: 8 * 1024,
            // A head is one packet; this outlasts two lost ones.
            head_time: Duration::from_secs(5),
            // Prometheus gives up after 10 s by itself (scrape_timeout).
            write_time: Duration::from_secs(10),
            // Twice the usual slowest scrape interval, so that scrapers keep their connection.
            idle_time: Duration::from_secs(120),
            // The house answers within its own deadline; this is for the day it does not.
            page_time: Duration::from_secs(30),
            // A few round trips.
            linger_time: Duration::from_secs(1),
            // A request follows the handshake at once. With all places taken, 64 in 2 ms is more than the system can
            // take; a full backlog of idlers is worn off in 130 ms.
            silent_grace: Duration::from_millis(2),
            // A reader takes some every round trip; a backlog of those who stopped is worn off in 1.6 s.
            write_grace: Duration::from_millis(100),
            // Descriptors come back when files are closed; ten tries a second cost nothing.
            accept_pause: Duration::from_millis(100),
            // Six pages of the largest kind (100,000 series, 20 MB).
            page_bytes: 128 << 20,
            // Measured: 26 us for 2 KiB of metrics, a sixth of which remains. Below, it saves no packet.
            gzip_from: 2 * 1024,
        }
    }
}

// ---- The surface --------------------------------------------------------------------------------------

/// What the server asks of the house. It is called on threads of this room, which may wait for it.
pub trait Site: Send + Sync + 'static {
    /// The metrics, or why there are none at the moment.
    fn exposition(&self, form: Form) -> Result<Vec<u8>, &'static str>;
    /// Whether counts can be relied upon, or the reason why not yet.
    fn ready(&self) -> Result<(), String>;
    /// The HTML of `/`.
    fn landing(&self) -> String;
    /// Any other page: its content type and its bytes.
    fn extra(&self, path: &str) -> Option<(&'static str, Vec<u8>)>;
}

/// Why a page is not made.
pub const NO_MEMORY: &str = "there is not enough memory for the page";

/// What the server tells the house, for its counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A request was answered with this status code.
    Answered(u16),
    /// A connection was ended, or could not be taken, because there was no room.
    Refused,
}

/// Called on the serving thread; it must not wait.
pub type Meter = Arc<dyn Fn(Event) + Send + Sync>;

enum Order {
    Add(Listener),
    Close(Sender<()>),
    Stop,
}

/// The running server. Dropping it ends it.
#[derive(Debug)]
pub struct Server {
    orders: Sender<Order>,
    bell: UnixStream,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(
        listeners: Vec<Listener>,
        telemetry_path: String,
        site: Arc<dyn Site>,
        meter: Meter,
    ) -> io::Result<Server> {
        Server::start_with(Limits::default(), listeners, telemetry_path, site, meter)
    }

    fn start_with(
        limits: Limits,
        listeners: Vec<Listener>,
        telemetry_path: String,
        site: Arc<dyn Site>,
        meter: Meter,
    ) -> io::Result<Server> {
        let (bell, rung) = UnixStream::pair()?;
        bell.set_nonblocking(true)?;
        rung.set_nonblocking(true)?;
        let (orders, received) = mpsc::channel();
        let desks = desk::Desks::open(site, &bell, limits.gzip_from)?;
        let mut reactor =
            reactor::Reactor::new(limits, listeners, telemetry_path, desks, received, rung, meter);
        let thread = thread::Builder::new().name("serve".into()).spawn(move || reactor.run())?;
        Ok(Server { orders, bell, thread: Some(thread) })
    }

    /// A listener won later, when a predecessor gave up the port.
    pub fn add(&self, listener: Listener) {
        self.order(Order::Add(listener));
    }

    /// Gives up the ports: the listeners are closed when this returns. Who is connected gets one more
    /// answer, with `Connection: close`.
    pub fn close(&self) {
        let (closed, wait) = mpsc::channel();
        self.order(Order::Close(closed));
        // An error means that the thread is gone, and its listeners with it.
        let _ = wait.recv();
    }

    fn order(&self, order: Order) {
        if self.orders.send(order).is_ok() {
            ring(&self.bell);
        }
    }
}

impl Drop for Server {
    /// The desks are not waited for: they end with the reactor, once the site lets them.
    fn drop(&mut self) {
        self.order(Order::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Wakes the reactor. A bell that cannot be rung any more has rung already.
fn ring(bell: &UnixStream) {
    let _ = (&mut &*bell).write(&[1]);
}
