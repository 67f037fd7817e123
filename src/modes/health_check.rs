//! `--health-check`: asks a running exporter on its own addresses whether it is well, where there is no shell and no
//! curl to do so, as in an image with nothing but this program.
//!
//! The exit code is the answer, as Docker's HEALTHCHECK and systemd take it: 0 or 1.

use crate::limits;
use crate::log;
use crate::modes::shared::{Failure, print, start_thread};
use crate::modes::start::addresses_of;
use crate::options::Options;
use crate::serve::http::Address;
use crossbeam_channel::bounded;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::Instant;

/// Closes with the answer, so that a place among the server's connections is free again.
const REQUEST: &str = "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// Bytes of an answer that are read: the status line is within them.
const ANSWER_BYTES_MAX: u64 = 1 << 10;

/// All addresses have to answer. They are asked on a thread of their own, for not every wait has a limit of its own:
/// connecting to a Unix socket whose queue is full has none.
pub fn run(options: &Options) -> Result<(), Failure> {
    let addresses = addresses_of(options)?;
    if addresses.is_empty() {
        let wrong =
            "--health-check: which sockets systemd hands over is not known here; --web.listen-address tells";
        return Err(Failure::Usage(wrong.to_owned()));
    }
    let (answers, answered) = bounded(addresses.len());
    let asked = addresses.clone();
    start_thread("health", move || asked.iter().all(|address| answers.send(ask(address)).is_ok()))?;
    let deadline = Instant::now() + limits::HEALTH_WAIT_MAX;
    for address in addresses {
        match answered.recv_deadline(deadline) {
            Ok(Ok(code)) if is_alive(code) => print(&format!("{address} answers: {code}\n"))?,
            Ok(Ok(code)) => return Err(unhealthy(&address, &format!("it answers with {code}"))),
            Ok(Err(error)) => return Err(unhealthy(&address, &log::reason(&error))),
            Err(_) => {
                let waited = limits::HEALTH_WAIT_MAX.as_secs();
                return Err(unhealthy(&address, &format!("there is no answer within {waited} s")));
            }
        }
    }
    Ok(())
}

fn unhealthy(address: &Address, why: &str) -> Failure {
    Failure::Broken(format!("--health-check: {address} is not healthy: {why}"))
}

/// A server that wants TLS (400), a password (401) or fewer requests (429) is one that works.
fn is_alive(code: u16) -> bool {
    matches!(code, 200 | 400 | 401 | 429)
}

/// The status of the answer.
fn ask(address: &Address) -> io::Result<u16> {
    let mut stream = connect(address)?;
    stream.write_all(REQUEST.as_bytes())?;
    let mut line = Vec::new();
    BufReader::new(stream.take(ANSWER_BYTES_MAX)).read_until(b'\n', &mut line)?;
    status_of(&line).ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "the answer is not one of HTTP"))
}

/// `HTTP/1.1 200 OK`: RFC 9112 section 4.
fn status_of(line: &[u8]) -> Option<u16> {
    let code = std::str::from_utf8(line).ok()?.strip_prefix("HTTP/1.1 ")?;
    code.get(..3)?.parse().ok()
}

/// A stream socket is read and written by the same calls, whatever its family.
fn connect(address: &Address) -> io::Result<TcpStream> {
    match address {
        Address::Unix(path) => Ok(TcpStream::from(OwnedFd::from(UnixStream::connect(path)?))),
        Address::Tcp { list, .. } => {
            let ways: Vec<SocketAddr> = list.iter().flat_map(ways_to).collect();
            TcpStream::connect(&ways[..])
        }
    }
}

/// From this machine. What is bound to all of its addresses is on the loopback too; without IPv6 only on that of IPv4.
fn ways_to(bound: &SocketAddr) -> Vec<SocketAddr> {
    let loopbacks: &[IpAddr] = match bound.ip() {
        ip if !ip.is_unspecified() => &[ip],
        IpAddr::V4(_) => &[IpAddr::V4(Ipv4Addr::LOCALHOST)],
        IpAddr::V6(_) => &[IpAddr::V6(Ipv6Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::LOCALHOST)],
    };
    loopbacks.iter().map(|ip| SocketAddr::new(*ip, bound.port())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_bound_to_all_addresses_is_asked_on_the_loopback() {
        for (bound, ways) in [
            ("192.0.2.1:80", "192.0.2.1:80"),
            ("0.0.0.0:80", "127.0.0.1:80"),
            ("[::]:80", "[::1]:80 127.0.0.1:80"),
            ("[2001:db8::1]:80", "[2001:db8::1]:80"),
        ] {
            let found = ways_to(&bound.parse().expect("an address"));
            assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "), ways);
        }
    }

    #[test]
    fn only_a_status_line_has_a_status() {
        for (line, status) in [
            (&b"HTTP/1.1 200 OK\r\n"[..], Some(200)),
            (b"HTTP/1.1 503 Service Unavailable\r\n", Some(503)),
            (b"HTTP/1.1 20", None),
            (b"HTTP/1.1 \xff\xff\xff", None),
            (b"SSH-2.0-OpenSSH_9.2\r\n", None),
            (b"", None),
        ] {
            assert_eq!(status_of(line), status, "{line:?}");
        }
    }
}
