//! Stdin as a datagram socket: a line for each datagram, an end by a signal, and nothing lost that is not told.

use crate::harness::{BINARY, Exporter, Process, wait_for};
use nix::sys::signal::Signal;
use std::net::UdpSocket;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::Command;

const LINE: &str = "<190>Nov 26 12:00:00 web nginx: 192.0.2.7 - - [26/Nov/2026:12:00:00 +0000] \"GET / HTTP/1.1\" 200 12 \"-\" \"-\"";

fn start(socket: impl Into<OwnedFd>) -> Exporter {
    let socket: OwnedFd = socket.into();
    let mut command = Command::new(BINARY);
    command.args(["--web.listen-address=127.0.0.1:0", "--format=combined"]);
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

#[test]
fn each_of_many_datagrams_is_counted_or_counted_as_lost() {
    const SENT: u64 = 200_000;
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let (to, from) = (socket.local_addr().expect("bound"), UdpSocket::bind("127.0.0.1:0").expect("a port"));
    let exporter = start(socket);
    for _ in 0..SENT {
        from.send_to(LINE.as_bytes(), to).expect("sent");
    }
    wait_for("each datagram", || {
        let page = exporter.scrape();
        let lost = page.value("httpd_exporter_datagrams_lost_total").unwrap_or_default();
        let seen = page.sum("httpd_exporter_lines_total");
        if seen + lost == SENT as f64 { Ok(()) } else { Err(format!("{seen} counted, {lost} lost")) }
    });
}
