//! TLS and passwords on the real program: who is let in, what happens when files change, and the clients of others.
//!
//! The certificates in tests/data/tls are the tests' own: a server's two, a scraper's, a stranger's and one that signed
//! itself.

use super::{Client, LINE, Reply, SCRAPE, request};
use crate::harness::{BINARY, Exporter, PATIENCE, Process, TempDir, free_port, run, wait_for, wait_until};
use crate::servers::prometheus::Prometheus;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::fs::{self, Permissions};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

const PAIR: &str = "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n";
/// alice's password is `secret`. A cheap hash, for debug builds.
const ALICE: &str =
    "basic_auth_users:\n  alice: $2y$04$zadh2XkgZNSXOXvkxYacGu2IQanYzknQLIy0Y17bmrwqbJ1rq81Ui\n";
const AS_ALICE: &str = "Authorization: Basic YWxpY2U6c2VjcmV0\r\n";

type Stream = StreamOwned<ClientConnection, TcpStream>;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls").join(name)
}

/// A directory with all certificates and keys, and this configuration.
fn place(config: &str) -> TempDir {
    let dir = TempDir::new();
    for entry in fs::read_dir(data("")).expect("the data of the tests").flatten() {
        fs::copy(entry.path(), dir.join(&entry.file_name().to_string_lossy())).expect("writable");
    }
    dir.write("web.yml", config);
    dir
}

fn start(dir: &TempDir) -> Exporter {
    let config = dir.join("web.yml");
    Exporter::start(&["--format", "combined", "--web.config.file", &config.display().to_string()])
}

/// A client that trusts the server's authority, with a certificate of its own or without.
fn connect(address: &str, identity: Option<&str>) -> Option<Client<Stream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(data("ca.pem")).expect("a certificate")).expect("an authority");
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().expect("versions");
    let builder = builder.with_root_certificates(roots);
    let config = match identity {
        None => builder.with_no_client_auth(),
        Some(name) => {
            let chain =
                vec![CertificateDer::from_pem_file(data(&format!("{name}.pem"))).expect("a certificate")];
            let key = PrivateKeyDer::from_pem_file(data(&format!("{name}.key"))).expect("a key");
            builder.with_client_auth_cert(chain, key).expect("a pair")
        }
    };
    let name = ServerName::try_from("localhost").expect("a name");
    let tls = ClientConnection::new(Arc::new(config), name).expect("a client");
    let socket = TcpStream::connect(address).ok()?;
    socket.set_read_timeout(Some(PATIENCE)).ok()?;
    socket.set_write_timeout(Some(PATIENCE)).ok()?;
    Some(Client { socket: StreamOwned::new(tls, socket), held: Vec::new() })
}

/// One request over a new connection; None where the server refuses to speak.
fn ask(address: &str, identity: Option<&str>, request: &str) -> Option<Reply> {
    let mut client = connect(address, identity)?;
    client.send(request).ok()?;
    client.reply(false)
}

fn scrape(address: &str) -> Option<Reply> {
    ask(address, None, SCRAPE).filter(|reply| reply.code == 200)
}

#[test]
fn a_password_is_asked_for_and_nobody_learns_who_has_one() {
    let dir = place(&format!("{PAIR}{ALICE}http_server_config:\n  headers:\n    X-Frame-Options: deny\n"));
    let exporter = start(&dir);
    let get =
        |fields: &str| ask(&exporter.address, None, &request("GET", "/metrics", fields)).expect("an answer");
    let none = get("");
    assert_eq!((none.code, none.field("X-Frame-Options")), (401, Some("deny")));
    assert!(none.field("WWW-Authenticate").is_some_and(|value| value.starts_with("Basic ")), "{}", none.head);
    assert_eq!(get(AS_ALICE).code, 200);
    // alice:wrong, bob:secret
    let replies: Vec<Reply> = ["YWxpY2U6d3Jvbmc=", "Ym9iOnNlY3JldA=="]
        .map(|credentials| get(&format!("Authorization: Basic {credentials}\r\n")))
        .into();
    let said = |reply: &Reply| {
        let head: Vec<&str> = reply.head.lines().filter(|line| !line.starts_with("Date: ")).collect();
        format!("{} {}", head.join("\n"), reply.text())
    };
    assert_eq!(replies[0].code, 401);
    assert_eq!(said(&replies[0]), said(&replies[1]));
    // Every page, that of health too.
    let healthy = ask(&exporter.address, None, &request("GET", "/-/healthy", "")).expect("an answer");
    assert_eq!(healthy.code, 401);
    let health = run(&["--health-check", "--web.listen-address", &exporter.address], b"");
    assert_eq!(health.status.code(), Some(0), "{}", health.stderr);
    let plain = Client::connect(&exporter.address).ask(SCRAPE);
    assert!(plain.code == 400 && plain.text().contains("this port speaks TLS"), "{}", plain.text());
}

#[test]
fn passwords_and_a_rate_work_without_tls_as_well() {
    let dir = place(&format!("{ALICE}rate_limit:\n  interval: 24h\n  burst: 3\n"));
    let exporter = start(&dir);
    let mut client = Client::connect(&exporter.address);
    assert_eq!(client.ask(SCRAPE).code, 401);
    assert_eq!(client.ask(&request("GET", "/metrics", AS_ALICE)).code, 200);
    assert_eq!(client.ask(&request("HEAD", "/metrics", AS_ALICE)).code, 200);
    assert_eq!(client.ask(&request("GET", "/metrics", AS_ALICE)).code, 429);
}

#[test]
fn clients_are_known_by_their_certificates() {
    let verify = "RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n";
    for (config, passed, refused) in [
        (verify.to_owned(), &[Some("client")][..], &[None, Some("stranger"), Some("own")][..]),
        // Its own certificate is the authority.
        (verify.replace("ca.pem", "own.pem"), &[Some("own")], &[None, Some("client"), Some("stranger")]),
        (
            verify.replace("RequireAndVerifyClientCert", "VerifyClientCertIfGiven"),
            &[None, Some("client")],
            &[Some("stranger")],
        ),
        // The authorities are those of the system, and know none of these.
        ("RequireAndVerifyClientCert\n".to_owned(), &[], &[None, Some("client"), Some("own")]),
        ("VerifyClientCertIfGiven\n".to_owned(), &[None], &[Some("client"), Some("own")]),
        ("RequireAnyClientCert\n".to_owned(), &[Some("client"), Some("stranger")], &[None]),
        ("RequestClientCert\n".to_owned(), &[None, Some("client"), Some("stranger")], &[]),
        ("NoClientCert\n".to_owned(), &[None, Some("client")], &[]),
        (
            format!("{verify}  client_allowed_sans: ['spiffe://example/scraper']\n"),
            &[Some("client")],
            &[None],
        ),
        (format!("{verify}  client_allowed_sans: [192.0.2.7, other]\n"), &[Some("client")], &[None]),
        (format!("{verify}  client_allowed_sans: [scraper.example.org]\n"), &[], &[Some("client")]),
        (
            "RequireAnyClientCert\n  client_allowed_sans: [own.example]\n".to_owned(),
            &[Some("own")],
            &[Some("client")],
        ),
    ] {
        let dir = place(&format!("{PAIR}  client_auth_type: {config}"));
        let exporter = start(&dir);
        for (identities, passes) in [(passed, true), (refused, false)] {
            for identity in identities {
                let reply = ask(&exporter.address, *identity, SCRAPE);
                assert_eq!(reply.is_some_and(|reply| reply.code == 200), passes, "{config}{identity:?}");
            }
        }
    }
}

/// In whatever order the files come, each scrape is answered, and the new pair is there with the next connection.
#[test]
fn certificates_are_replaced_while_scrapes_come() {
    let dir = place(PAIR);
    let exporter = start(&dir);
    for round in 0..50 {
        let name = ["server2", "server"][round % 2];
        let replace = |kind: &str| {
            let (from, to) = (data(&format!("{name}.{kind}")), dir.join(&format!("server.{kind}")));
            if round % 3 == 0 {
                fs::copy(&from, dir.join("new")).expect("writable");
                fs::rename(dir.join("new"), to).expect("writable");
            } else {
                fs::write(&to, fs::read(&from).expect("the data of the tests")).expect("writable");
            }
        };
        replace(["pem", "key"][round / 2 % 2]);
        assert!(scrape(&exporter.address).is_some(), "round {round}: {}", exporter.process.stderr());
        replace(["key", "pem"][round / 2 % 2]);
        let mut client = connect(&exporter.address, None).expect("a connection");
        assert_eq!(client.ask(SCRAPE).code, 200, "round {round}");
        let shown = client.socket.conn.peer_certificates().expect("a certificate")[0].clone();
        let expected = CertificateDer::from_pem_file(data(&format!("{name}.pem"))).expect("a certificate");
        assert!(shown == expected, "round {round}: {}", exporter.process.stderr());
    }
}

#[test]
fn a_new_file_that_is_wrong_is_said_once_and_the_old_one_holds() {
    let dir = place(&format!("{PAIR}{ALICE}"));
    let exporter = start(&dir);
    let code = || ask(&exporter.address, None, &request("GET", "/metrics", AS_ALICE)).map(|reply| reply.code);
    for (config, said) in [
        (
            PAIR.replace("cert_file", "cert_fil"),
            "web.yml:2: tls_server_config.cert_fil: there is no such key",
        ),
        (String::new(), "tls_server_config is gone"),
        (PAIR.to_owned(), "basic_auth_users is gone"),
        (
            format!("{PAIR}{ALICE}").replace("server.key", "no.key"),
            "web.yml:3: tls_server_config.key_file: unable to read",
        ),
    ] {
        dir.write("web.yml", config);
        for _ in 0..3 {
            assert_eq!(code(), Some(200), "{said}");
        }
        exporter.wait_for_stderr(said);
        assert_eq!(exporter.process.stderr().matches(said).count(), 1, "{}", exporter.process.stderr());
        assert_eq!(ask(&exporter.address, None, SCRAPE).map(|reply| reply.code), Some(401));
    }
    dir.write("web.yml", format!("{PAIR}{ALICE}"));
    assert_eq!(code(), Some(200));
    exporter.wait_for_stderr("is read again and holds");
}

/// A key that only root may read is read before root is given up; another one, which the user may not read, changes
/// nothing.
#[test]
#[ignore = "needs root, to give it up"]
fn a_key_that_only_root_may_read_is_read_before_root_is_given_up() {
    let dir = place(PAIR);
    let key = dir.join("server.key");
    fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("the mode is set");
    let config = dir.join("web.yml").display().to_string();
    let exporter =
        Exporter::start(&["--format", "combined", "--user", "www-data", "--web.config.file", &config]);
    let status = fs::read_to_string(format!("/proc/{}/status", exporter.process.id())).expect("it lives");
    let user = status.lines().find_map(|line| line.strip_prefix("Uid:\t")).expect("a user");
    assert!(!user.split('\t').any(|id| id == "0"), "it is still root: {user}");
    assert!(scrape(&exporter.address).is_some(), "{}", exporter.process.stderr());
    fs::copy(data("server2.pem"), dir.join("server.pem")).expect("writable");
    fs::copy(data("server2.key"), &key).expect("writable");
    fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("the mode is set");
    assert!(scrape(&exporter.address).is_some(), "{}", exporter.process.stderr());
    exporter.wait_for_stderr("server.key: Permission denied");
    exporter.wait_for_stderr("what was read before holds");
    assert!(scrape(&exporter.address).is_some(), "{}", exporter.process.stderr());
}

/// A file that the user can write could name any key of root's.
#[test]
#[ignore = "needs root, to give it up"]
fn a_key_that_only_root_may_read_is_not_read_for_a_file_of_the_users() {
    let dir = place(PAIR);
    fs::set_permissions(dir.join("server.key"), Permissions::from_mode(0o600)).expect("the mode is set");
    let user = nix::unistd::User::from_name("www-data").expect("readable").expect("there is one");
    let config = dir.join("web.yml");
    chown(&config, Some(user.uid.as_raw()), None).expect("root gives it away");
    let config = config.display().to_string();
    let ended = run(
        &["--user", "www-data", "--web.config.file", &config, "--web.listen-address", "127.0.0.1:0"],
        b"",
    );
    assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("server.key: Permission denied"), "{}", ended.stderr);
}

#[test]
fn a_user_who_is_removed_is_refused_on_a_connection_that_is_kept() {
    let dir = place(&format!("{PAIR}{ALICE}"));
    let exporter = start(&dir);
    let mut client = connect(&exporter.address, None).expect("a connection");
    assert_eq!(client.ask(&request("GET", "/metrics", AS_ALICE)).code, 200);
    dir.write("web.yml", format!("{PAIR}{}", ALICE.replace("alice", "carol")));
    wait_until("the refusal", || client.ask(&request("HEAD", "/metrics", AS_ALICE)).code == 401);
}

#[test]
fn a_wrong_file_ends_a_program_that_was_run_by_hand() {
    for (config, said) in [
        (
            PAIR.replace("cert_file", "cert_fil"),
            "web.yml:2: tls_server_config.cert_fil: there is no such key",
        ),
        (
            format!("{PAIR}  client_ca_file: ca.pem\n"),
            "web.yml:4: tls_server_config.client_ca_file: clients are not asked",
        ),
    ] {
        let dir = place(&config);
        let file = dir.join("web.yml").display().to_string();
        let ended = run(&["--web.config.file", &file, "--web.listen-address", "127.0.0.1:0"], b"");
        assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
    }
    let ended = run(&["--web.config.file", "/nowhere/web.yml"], b"");
    assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
}

/// Never plain service: lines are counted, and who connects is sent away, until the file is put right.
#[test]
fn under_a_server_a_wrong_file_serves_nobody_until_it_is_right() {
    let dir = place(&PAIR.replace("server.key", "no.key"));
    let address = format!("127.0.0.1:{}", free_port());
    let mut command = Command::new(BINARY);
    command.args(["--format", "combined", "--web.listen-address", &address]).arg("--web.config.file");
    command.arg(dir.join("web.yml"));
    let mut process = Process::start_under_server(&command, Stdio::null());
    process.feed(LINE.as_bytes());
    wait_for("what is said", || {
        let said = process.stderr();
        if said.contains("nothing is served until it is put right") { Ok(()) } else { Err(said) }
    });
    wait_until("the port", || TcpStream::connect(&address).is_ok());
    let mut plain = Client::connect(&address);
    plain.send(SCRAPE).expect("it listens");
    assert!(plain.reply(false).is_none(), "plain service");
    assert!(ask(&address, None, SCRAPE).is_none());
    dir.write("web.yml", PAIR);
    wait_for("the line on the page", || {
        let page = scrape(&address).ok_or_else(|| process.stderr())?.text();
        let counted = page.contains("\nhttpd_exporter_lines_total{outcome=\"counted\"} 1\n");
        if counted { Ok(()) } else { Err(page) }
    });
    process.close();
}

/// Hashes of strangers wait, and who is known does not; lines are counted meanwhile.
#[test]
fn wrong_passwords_hold_up_neither_counting_nor_who_is_known() {
    let dir = place(ALICE);
    let mut exporter = start(&dir);
    let known = request("GET", "/metrics", AS_ALICE);
    assert_eq!(Client::connect(&exporter.address).ask(&known).code, 200);
    // The same hash as one that costs hours: whoever is not known waits.
    dir.write(
        "web.yml",
        format!(
            "{ALICE}  bob: {}\n",
            ALICE.trim().rsplit(' ').next().expect("a hash").replace("$04$", "$22$")
        ),
    );
    let mut strangers = Vec::new();
    for number in 0..200 {
        let Ok(mut client) = Client::try_connect(&exporter.address) else { continue };
        // `someNNN:x`, in base64 by the test's own hand: any three bytes are four letters.
        let fields = format!(
            "Authorization: Basic c29tZTp{}\r\n",
            ["4", "5", "6"][number % 3].repeat(1 + number / 3 * 4)
        );
        let _ = client.send(request("GET", "/metrics", &fields));
        strangers.push(client);
    }
    exporter.process.feed(LINE.repeat(1_000).as_bytes());
    wait_for("the lines on the page of who is known", || {
        let mut client = Client::try_connect(&exporter.address).map_err(|e| e.to_string())?;
        client.send(&known).map_err(|e| e.to_string())?;
        let page = client.reply(false).ok_or("no answer")?.text();
        if page.contains("\nhttpd_exporter_lines_total{outcome=\"counted\"} 1000\n") {
            Ok(())
        } else {
            Err(page)
        }
    });
}

// ------------------------------------------------------------------------------------------ the clients of others ---

#[test]
#[ignore = "needs prometheus"]
fn prometheus_scrapes_with_tls_a_password_and_a_certificate() {
    let dir = place(&format!(
        "{PAIR}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n{ALICE}"
    ));
    let mut exporter = start(&dir);
    let file = |name: &str| data(name).display().to_string();
    let scrape = format!(
        "    scheme: https\n    basic_auth:\n      username: alice\n      password: secret\n    tls_config:\n      \
         ca_file: {}\n      cert_file: {}\n      key_file: {}\n      server_name: localhost\n",
        file("ca.pem"),
        file("client.pem"),
        file("client.key")
    );
    let prometheus = Prometheus::start_as(TempDir::new(), &exporter.address, &scrape, &[]);
    exporter.process.feed(LINE.repeat(7).as_bytes());
    prometheus.wait_for_sum("sum(httpd_requests_total)", 7.0);
    prometheus.wait_for_sum("up{job=\"httpd\"}", 1.0);
}

#[test]
#[ignore = "needs curl"]
fn curl_speaks_both_versions_and_no_older_one() {
    let dir = place(&format!("{PAIR}{ALICE}"));
    let exporter = start(&dir);
    let url = format!("https://localhost:{}/metrics", exporter.address.rsplit(':').next().expect("a port"));
    let curl = |arguments: &[&str]| {
        let mut command = Command::new("curl");
        command.args([
            "-s",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code} %{http_version}",
            "--ipv4",
            "-u",
            "alice:secret",
        ]);
        let said =
            command.arg("--cacert").arg(data("ca.pem")).args(arguments).arg(&url).output().expect("curl");
        String::from_utf8_lossy(&said.stdout).into_owned()
    };
    for arguments in [
        &["--tls-max", "1.2"][..],
        &["--tlsv1.3"],
        &["--http2"],
        &["--ciphers", "ECDHE-ECDSA-CHACHA20-POLY1305", "--tls-max", "1.2"],
    ] {
        assert_eq!(curl(arguments), "200 1.1", "{arguments:?}");
    }
    assert_eq!(curl(&["--tls-max", "1.1"]), "000 0");
}

/// A client that asks for a new handshake within TLS 1.2 is told that there is none.
#[test]
#[ignore = "needs openssl"]
fn openssl_is_refused_a_renegotiation() {
    let dir = place(PAIR);
    let exporter = start(&dir);
    let mut client = Command::new("openssl");
    client.args(["s_client", "-tls1_2", "-connect", &exporter.address, "-CAfile"]).arg(data("ca.pem"));
    let mut client = Process::start(&mut client);
    wait_for("the handshake", || {
        let said = client.stdout();
        if said.contains("Verify return code: 0 (ok)") { Ok(()) } else { Err(said) }
    });
    client.feed(b"R\n");
    wait_for("the refusal", || {
        let said = client.stderr();
        if said.contains("no renegotiation") { Ok(()) } else { Err(said) }
    });
    assert!(scrape(&exporter.address).is_some());
}
