//! The attacks that TLS adds: handshakes that are not ended, records that are none. The scraper speaks TLS as well.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::libc::linger;
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, bind, connect as connect_socket, setsockopt, socket,
    sockopt,
};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::serve::guard::{Guard, read_file};
use crate::serve::http::limits::Limits;
use crate::serve::http::tests::attacks::{PAGE_BYTES, SCRAPE, Target, can_open};
use crate::serve::http::tests::{FakeHandler, PATIENCE, Running, serve_guarded, until};

/// The files of the tests: a server's certificate and who made it.
fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls").join(name)
}

/// A client that has not begun to speak.
fn client() -> ClientConnection {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(data("ca.pem")).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let config = builder.with_root_certificates(roots).with_no_client_auth();
    ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap()
}

/// The first flight of a client.
fn hello() -> Vec<u8> {
    let mut bytes = Vec::new();
    client().write_tls(&mut bytes).unwrap();
    bytes
}

type Stream = StreamOwned<ClientConnection, TcpStream>;

fn connect(address: &str) -> io::Result<Stream> {
    let socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    Ok(StreamOwned::new(client(), socket))
}

/// One scrape, as the connection lets; an error where it was ended before the page was whole.
fn scrape(stream: &mut Stream) -> io::Result<()> {
    stream.write_all(SCRAPE.as_bytes())?;
    let (mut held, mut piece) = (Vec::new(), [0; 1 << 14]);
    loop {
        let count = stream.read(&mut piece)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        held.extend_from_slice(&piece[..count]);
        let end = held.windows(4).position(|window| window == b"\r\n\r\n");
        if end.is_some_and(|end| held.len() == end + 4 + PAGE_BYTES) {
            assert!(held.starts_with(b"HTTP/1.1 200 "));
            return Ok(());
        }
    }
}

/// As Prometheus does: a connection that is kept, and a new one when it was ended; every third scrape is a newcomer's.
fn scrape_until(address: &str, over: &AtomicBool) -> Vec<Duration> {
    let mut times = Vec::new();
    let mut kept: Option<Stream> = None;
    while times.len() < 30 || !over.load(Ordering::Relaxed) {
        let begin = Instant::now();
        let reused = kept.take().and_then(|mut stream| scrape(&mut stream).ok().map(|()| stream));
        let again = std::iter::repeat_with(|| {
            assert!(begin.elapsed() < 3 * PATIENCE, "no scrape for {:?}", begin.elapsed());
            let mut stream = connect(address).ok()?;
            scrape(&mut stream).ok().map(|()| stream)
        });
        let stream = reused.into_iter().chain(again.flatten()).next().unwrap();
        times.push(begin.elapsed());
        kept = (times.len() % 3 != 0).then_some(stream);
    }
    times
}

fn start() -> Target {
    Target::start_with(None, None, Some(&data("web.yml")), |address| {
        // A handshake that takes longer than it may is begun anew.
        until("a scrape", || connect(address).and_then(|mut stream| scrape(&mut stream)).is_ok());
    })
}

#[test]
fn handshakes_that_are_not_ended() {
    if !can_open(2_000) {
        eprintln!("skipped: the limit of descriptors is too low");
        return;
    }
    let (target, hello) = (start(), hello());
    // Nothing, half a handshake, and a whole first flight, which costs a signature, that is never followed up.
    for (name, bytes, each) in
        [("silent", &hello[..0], 1_000), ("half", &hello[..100], 1_000), ("begun", &hello[..], 250)]
    {
        target.under_with(
            &format!("10 times {each} handshakes, {name}"),
            |address| {
                // More than are held at once.
                for _ in 0..10 {
                    let mut held: Vec<TcpStream> = Vec::new();
                    for _ in 0..each {
                        let mut socket = TcpStream::connect(address).unwrap();
                        // One that had to give way is no matter.
                        let _ = socket.write_all(bytes);
                        held.push(socket);
                    }
                }
            },
            scrape_until,
        );
    }
}

/// Has given way to another.
fn is_ended(mut socket: &TcpStream) -> bool {
    socket.set_nonblocking(true).unwrap();
    loop {
        match socket.read(&mut [0; 1 << 12]) {
            Ok(count) if count > 0 => {}
            Err(error) => return error.kind() != io::ErrorKind::WouldBlock,
            Ok(_) => return true,
        }
    }
}

/// A scraper that has been let in goes on with its connection, however many others want its place.
#[test]
fn who_was_let_in_keeps_the_connection() {
    if !can_open(2_000) {
        eprintln!("skipped: the limit of descriptors is too low");
        return;
    }
    let (target, hello) = (start(), hello());
    let mut kept = connect(&target.address).unwrap();
    until("somebody is let in", || {
        scrape(&mut kept).is_ok() || {
            kept = connect(&target.address).unwrap();
            false
        }
    });
    let mut held = Vec::new();
    for round in 0..3 {
        for _ in 0..400 {
            let mut socket = TcpStream::connect(&target.address).unwrap();
            // One that had to give way is no matter.
            let _ = socket.write_all(&hello);
            held.push(socket);
        }
        scrape(&mut kept).unwrap_or_else(|error| panic!("round {round}: {error}"));
        // All places were taken.
        until("somebody gives way", || held.iter().any(is_ended));
        scrape(&mut kept).unwrap_or_else(|error| panic!("round {round}: {error}"));
        held.retain(|socket| !is_ended(socket));
    }
}

/// A connection from one of this machine's own addresses.
fn connect_from(host: u8, address: &str) -> TcpStream {
    let stream = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).unwrap();
    bind(stream.as_raw_fd(), &SockaddrIn::from(SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, host), 0)))
        .unwrap();
    let address: SocketAddrV4 = address.parse().unwrap();
    connect_socket(stream.as_raw_fd(), &SockaddrIn::from(address)).unwrap();
    let stream = TcpStream::from(stream);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Serves few, who may take as long as they like for their handshake unless their address crowds out others.
fn serve_few() -> Running {
    let (handshake_grace, head_time) = (10 * PATIENCE, 10 * PATIENCE);
    let limits = Limits { guarded_connections: 16, handshake_grace, head_time, ..Limits::default() };
    let (guard, _) = Guard::open(&data("web.yml"), &read_file).unwrap();
    serve_guarded(
        Limits { crowding_grace: Duration::ZERO, ..limits },
        Some(guard),
        FakeHandler::new(PAGE_BYTES),
    )
}

/// One address begins handshakes without end, and others go on as if nothing were.
#[test]
fn one_address_crowds_out_no_other() {
    let (running, hello) = (serve_few(), hello());
    let mut slow = StreamOwned::new(client(), connect_from(3, &running.address));
    slow.conn.write_tls(&mut slow.sock).unwrap();
    for round in 0..5 {
        let mut held = Vec::new();
        for _ in 0..64 {
            let mut socket = connect_from(2, &running.address);
            // One that had to give way is no matter.
            let _ = socket.write_all(&hello);
            held.push(socket);
        }
        let mut newcomer = StreamOwned::new(client(), connect_from(4, &running.address));
        scrape(&mut newcomer).unwrap_or_else(|error| panic!("round {round}: {error}"));
    }
    scrape(&mut slow).unwrap();
}

#[test]
fn handshakes_byte_by_byte() {
    let (target, hello) = (start(), hello());
    target.under_with(
        "100 handshakes byte by byte",
        |address| {
            let mut sockets: Vec<TcpStream> =
                (0..100).map(|_| TcpStream::connect(address).unwrap()).collect();
            for byte in hello.chunks(1) {
                sockets.retain_mut(|socket| socket.write_all(byte).is_ok());
            }
        },
        scrape_until,
    );
}

#[test]
fn records_that_are_none() {
    let (target, hello) = (start(), hello());
    target.under_with(
        "records of every kind",
        |address| {
            let mut state = 1_u64;
            for number in 0..1_500 {
                let mut bytes = hello.clone();
                match number % 4 {
                    // A record longer than any may be.
                    0 => bytes = [&[22, 3, 1, 255, 255][..], &[0; 70_000]].concat(),
                    // An alert, and data before the handshake.
                    1 => bytes = vec![21, 3, 1, 0, 2, 1, 0, 23, 3, 3, 0, 1, 0],
                    _ => {
                        for _ in 0..3 {
                            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                            let at = (state >> 33) as usize % bytes.len();
                            bytes[at] ^= 1 << (state >> 61);
                        }
                    }
                }
                let mut socket = TcpStream::connect(address).unwrap();
                let _ = socket.write_all(&bytes);
                let _ = socket.shutdown(std::net::Shutdown::Write);
                let _ = socket.read_to_end(&mut Vec::new());
            }
        },
        scrape_until,
    );
}

#[test]
fn connections_reset_in_the_handshake() {
    let (target, hello) = (start(), hello());
    target.under_with(
        "3,000 handshakes reset",
        |address| {
            for number in 0..3_000 {
                let mut socket = TcpStream::connect(address).unwrap();
                let _ = socket.write_all(&hello[..hello.len() * (number % 3) / 2]);
                setsockopt(&socket.as_fd(), sockopt::Linger, &linger { l_onoff: 1, l_linger: 0 }).unwrap();
            }
        },
        scrape_until,
    );
}
