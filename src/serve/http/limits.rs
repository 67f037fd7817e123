//! Limits of the server, in time and number, each with its reason.

use std::time::Duration;

/// Bytes of an answer that the kernel holds for a client, twice this with its own accounts. It grows to 4 MiB by
/// itself, and then a reader of 1 MB/s seems to have stopped for seconds; this much is enough for 20 MB in
/// `write_time` over a line of 100 ms.
pub const SEND_BUFFER: usize = 192 << 10;
/// Descriptors left to the rest of the program (log, state files, pipes, standard streams, the web server's
/// leftovers) when the process may open few: connections never take the last ones.
pub const RESERVED_DESCRIPTORS: u64 = 32;
/// Connections kept however low the limit of descriptors is: a scraper or two and a person.
pub const FEWEST_CONNECTIONS: usize = 4;
/// Connections taken per turn and listener, so that a flood of them does not starve those already here.
pub const ACCEPTS_PER_TURN: usize = 64;
/// Places are scarce for the connections of an address that holds more than this part of them, once all are taken: an
/// eighth is more than scrapers and people behind one address use.
pub const SHARES_OF_PLACES: usize = 8;
/// Bytes of a handshake that are read at once: one record, and what comes with it.
pub const HANDSHAKE_BYTES: usize = 18 << 10;
/// Addresses whose passwords were hashed last, so that one that asks without pause does not keep the others out.
pub const HASHED_ADDRESSES: usize = 64;
/// Bytes read and thrown away after a refusal, so that the client can read why. A client that sends more than that
/// does not read.
pub const LINGER_BYTES: usize = 1 << 20;

/// What no page takes of the memory that is left: the counting, the connections and a compressor (300 KiB) allocate
/// without asking, and where that fails the process ends.
pub const SPARE_BYTES: usize = 2 << 20;

/// A page from this size on leaves enough freed memory behind to be worth giving back ...
pub const LARGE_PAGE_BYTES: usize = 1 << 20;
/// ... once nobody has asked for a page for this long: not between two scrapers of one burst.
pub const RELEASE_AFTER: Duration = Duration::from_secs(1);

/// Bounds in time and number. Tests use shorter ones; the program uses the default.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Connections at once with a guard: handshakes need several round trips, and who waits for a hash waits long.
    pub guarded_connections: usize,
    /// Connections at once when the ports are given up: with all who wait in the kernel.
    pub last_connections: usize,
    /// Bytes of one request's head, and of what is buffered per connection.
    pub head_bytes: usize,
    /// From the first byte of a head to its last, and from the first byte of a handshake to its end.
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
    /// A client that is to go on with its handshake is safe this long, even when others need its place.
    pub handshake_grace: Duration,
    /// The same for a client of an address that holds more than its share of the places.
    pub crowding_grace: Duration,
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
            // 10 KiB each while it shakes hands.
            guarded_connections: 256,
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
            // Pages are made within a deadline of their own; this is for the day it does not.
            page_time: Duration::from_secs(30),
            // A few round trips.
            linger_time: Duration::from_secs(1),
            // A request follows the handshake at once. With all places taken, 64 in 2 ms is more than the system
            // can take; a full backlog of idlers is worn off in 130 ms.
            silent_grace: Duration::from_millis(2),
            // A round trip around the world less than twice, and what a client needs to check a certificate. In a flood
            // 256 signatures take as long.
            handshake_grace: Duration::from_millis(100),
            // A round trip across a country.
            crowding_grace: Duration::from_millis(20),
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
