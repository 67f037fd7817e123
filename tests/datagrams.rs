//! Stdin as a datagram socket: a line for each datagram, an end by a signal, and nothing lost that is not told.

use crate::harness::{BINARY, Exporter, Process, TempDir, wait_for};
use nix::sys::signal::Signal;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::Command;

const LINE: &str = "<190>Nov 26 12:00:00 web nginx: 192.0.2.7 - - [26/Nov/2026:12:00:00 +0000] \"GET / HTTP/1.1\" 200 12 \"-\" \"-\"";

fn start(socket: impl Into<OwnedFd>) -> Exporter {
    start_with(socket, &[])
}

fn start_with(socket: impl Into<OwnedFd>, args: &[&str]) -> Exporter {
    let socket: OwnedFd = socket.into();
    let mut command = Command::new(BINARY);
    command.args(["--web.listen-address=127.0.0.1:0", "--format=combined"]).args(args);
    Exporter::of(Process::start_on_stdin(&mut command, socket))
}

#[test]
fn a_datagram_is_a_line_and_an_empty_one_ends_nothing() {
    let (ours, theirs) = UnixDatagram::pair().expect("sockets");
    let mut exporter = start(theirs);
    exporter.wait_for_lines(0);
    for datagram in [LINE.to_owned(), String::new(), format!("{LINE}\n"), format!("{LINE}\n{LINE}")] {
        ours.send(datagram.as_bytes()).expect("sent");
    }
    let page = exporter.wait_for_lines(4);
    assert_eq!(page.sum("httpd_requests_total"), 4.0);
    exporter.process.signal(Signal::SIGTERM);
    assert!(exporter.process.wait().status.success());
}

fn socket() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let address = socket.local_addr().expect("bound");
    (socket, address)
}

fn send(datagrams: u64, to: SocketAddr) {
    let from = UdpSocket::bind("127.0.0.1:0").expect("a port");
    for _ in 0..datagrams {
        from.send_to(LINE.as_bytes(), to).expect("sent");
    }
}

fn lost(exporter: &Exporter) -> f64 {
    exporter.scrape().value("httpd_exporter_datagrams_lost_total").unwrap_or_default()
}

/// Waits until so many are counted or counted as lost.
fn wait_for_all(exporter: &Exporter, sent: u64) {
    wait_for("each datagram", || {
        let (lost, seen) = (lost(exporter), exporter.scrape().sum("httpd_exporter_lines_total"));
        if seen + lost == sent as f64 { Ok(()) } else { Err(format!("{seen} counted, {lost} lost")) }
    });
}

#[test]
fn each_of_many_datagrams_is_counted_or_counted_as_lost() {
    let (socket, to) = socket();
    let exporter = start(socket);
    send(200_000, to);
    wait_for_all(&exporter, 200_000);
}

#[test]
fn what_a_socket_dropped_before_it_was_read_is_lost_too() {
    let (socket, to) = socket();
    send(5_000, to);
    let exporter = start(socket);
    send(1, to);
    wait_for_all(&exporter, 5_001);
    assert!(lost(&exporter) > 0.0);
}

#[test]
fn with_a_state_nothing_that_a_socket_dropped_is_counted_twice() {
    let (socket, to) = socket();
    let dir = TempDir::new();
    let state = format!("--state-dir={}", dir.path().display());
    let mut exporter = start_with(socket.try_clone().expect("a descriptor"), &[&state]);
    exporter.wait_for_lines(0);
    exporter.process.signal(Signal::SIGSTOP);
    send(50_000, to);
    exporter.process.signal(Signal::SIGCONT);
    wait_for_all(&exporter, 50_000);
    let lost_before = lost(&exporter);
    assert!(lost_before > 0.0);
    exporter.process.signal(Signal::SIGTERM);
    assert!(exporter.process.wait().status.success());
    let exporter = start_with(socket, &[&state]);
    send(1, to);
    wait_for_all(&exporter, 50_001);
    assert_eq!(lost(&exporter), lost_before);
}
