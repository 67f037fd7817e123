//! `--health-check`: who is asked whether an exporter is well, and what the exit code says.

use super::LINE;
use crate::harness::{BINARY, Ended, Exporter, Process, TempDir, free_port, run, wait_for};
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::thread;

fn check(addresses: &[&str]) -> Ended {
    let mut args = vec!["--health-check"];
    addresses.iter().for_each(|address| args.extend(["--web.listen-address", address]));
    run(&args, b"")
}

/// Checks that all of them are healthy, or says what was said instead.
fn is_well(addresses: &[&str]) {
    // On a busy machine an answer may take longer than is waited for.
    let ended = wait_for("an answer in time", || match check(addresses) {
        late if late.stderr.contains("there is no answer within") => Err(late.stderr),
        ended => Ok(ended),
    });
    assert_eq!((ended.status.code(), &*ended.stderr), (Some(0), ""), "{addresses:?}");
    assert_eq!(ended.stdout.lines().count(), addresses.len(), "{}", ended.stdout);
}

fn is_not_well(addresses: &[&str], why: &str) {
    let ended = check(addresses);
    let of = addresses.last().expect("an address");
    assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
    assert!(
        ended.stderr.contains(&format!("--health-check: {of} is not healthy: {why}")),
        "{}",
        ended.stderr
    );
}

#[test]
fn an_exporter_is_asked_on_every_kind_of_address() {
    let dir = TempDir::new();
    let unix = format!("unix:{}", dir.join("socket").display());
    let mut exporter = Exporter::start(&["--format", "combined", "--web.listen-address", &unix]);
    exporter.wait_for_stderr(&format!("serving /metrics on {unix}"));
    let address = exporter.address.clone();
    let port = address.rsplit(':').next().expect("a port");
    // Ready or not: no line has come.
    is_well(&[&address]);
    is_well(&[&unix, &address]);
    is_well(&[&format!("localhost:{port}")]);
    // The harness binds the loopback of IPv4; it is found from the text that binds all addresses.
    is_well(&[&format!("0.0.0.0:{port}")]);
    is_well(&[&format!(":{port}")]);
    // What else the command line of the exporter has is no hindrance.
    let args = ["--health-check", "--format", "combined", "--mixed", "--web.listen-address", &address];
    assert_eq!(run(&args, LINE.as_bytes()).status.code(), Some(0));

    exporter.process.close();
    assert_eq!(exporter.process.wait().status.code(), Some(0));
    is_not_well(&[&address], "Connection refused");
    is_not_well(&[&unix], "No such file or directory");
}

#[test]
fn the_image_says_by_its_environment_who_is_asked() {
    let exporter = Exporter::start(&["--format", "combined"]);
    let asked = |address: &str| {
        let mut command = Command::new(BINARY);
        let command = command.arg("--health-check").env("HTTPD_EXPORTER_LISTEN_ADDRESS", address);
        Process::start(command).wait().status.code()
    };
    assert_eq!(asked(&exporter.address), Some(0));
    assert_eq!(asked(&format!("127.0.0.1:{}", free_port())), Some(1));
    // Of a socket of systemd nothing is known.
    let ended = run(&["--health-check", "--web.systemd-socket"], b"");
    assert_eq!(ended.status.code(), Some(2));
    assert!(ended.stderr.contains("--web.listen-address tells"), "{}", ended.stderr);
}

#[test]
fn one_that_answers_wrongly_or_never_is_not_well() {
    let exporter = Exporter::start(&["--format", "combined"]);
    for (answer, why) in [
        ("HTTP/1.1 503 Service Unavailable\r\n\r\n", "it answers with 503"),
        ("HTTP/1.1 404 Not Found\r\n\r\n", "it answers with 404"),
        ("SSH-2.0-OpenSSH_9.2p1\r\n", "the answer is not one of HTTP"),
        ("", "the answer is not one of HTTP"),
    ] {
        let (stranger, address) = listener();
        let answers = thread::spawn(move || -> io::Result<()> {
            let (mut client, _) = stranger.accept()?;
            // To its last byte: who closes with bytes unread takes the answer away as well.
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                client.read_exact(&mut byte)?;
                request.extend(byte);
            }
            client.write_all(answer.as_bytes())
        });
        is_not_well(&[&exporter.address, &address], why);
        answers.join().expect("it ends").expect("it was asked and heard");
    }
    // Its connections wait in the kernel.
    let (_silent, address) = listener();
    is_not_well(&[&exporter.address, &address], "there is no answer within 5 s");
}

fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound").to_string();
    (listener, address)
}
