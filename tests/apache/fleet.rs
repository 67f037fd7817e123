//! Many processes with one directory and one port, users other than root, and ports that cannot be had.

use super::*;
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt;

/// A request to a virtual host; true when it was answered.
fn ask(address: &str, host: &str) -> bool {
    let answer = TcpStream::connect(address).and_then(|mut stream| {
        write!(stream, "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text).map(|_| text)
    });
    answer.is_ok_and(|text| text.starts_with("HTTP/1.1 200"))
}

/// Twenty virtual hosts, each with a CustomLog and so a process of its own: one page, the sum of all, over a graceful
/// restart too, and nobody complains that the port is in use.
#[test]
#[ignore = "needs apache2"]
fn twenty_virtual_hosts_are_one_page() {
    const HOSTS: usize = 20;
    let _alone = alone();
    let (dir, exporter) = (TempDir::in_memory(), format!("127.0.0.1:{}", free_port()));
    let path = dir.path().display();
    let hosts: String = (0..HOSTS)
        .map(|host| {
            format!(
                "<VirtualHost *:*>\nServerName v{host}.test\n\
                 CustomLog \"|{BINARY} --format vhost_combined --web.listen-address {exporter} --state-dir {path}/state\" vhost_combined\n\
                 </VirtualHost>\n"
            )
        })
        .collect();
    let mut apache = Apache::start_in(dir, Run::Daemon, "event", &hosts);
    wait_until("the first page", || scrape(&exporter).is_ok());
    let watch = Watch::begin(&exporter);
    let page_with = |each: usize| {
        wait_for("the sum of all virtual hosts", || {
            let page = scrape(&exporter)?;
            let sum = page.sum("httpd_requests_total");
            // The first one has seen the request that starting makes.
            if sum == (HOSTS * each + 1) as f64 {
                Ok(page)
            } else {
                Err(format!("{sum}; {}", apache.error_log()))
            }
        })
    };
    for round in 1..=3 {
        for host in 0..HOSTS {
            assert!((0..5).all(|_| ask(&apache.address, &format!("v{host}.test"))));
        }
        let page = page_with(round * 5);
        let of = |host| {
            format!("httpd_requests_total{{method=\"GET\",status_code=\"200\",vhost=\"v{host}.test\"}}")
        };
        assert!((1..HOSTS).all(|host| page.value(&of(host)) == Some(round as f64 * 5.0)), "{page:?}");
        apache.restart(Signal::SIGUSR1);
    }
    wait_until("the others to wait out their first patience", || {
        scrape(&exporter).is_ok_and(|page| page.value("httpd_exporter_generations") == Some(HOSTS as f64))
    });
    watch.end("twenty virtual hosts");
    apache.stop();
    assert!(!apache.error_log().contains("is in use"), "{}", apache.error_log());
}

/// Root is given up by every thread and for good, what is written belongs to the user, and the successor, which Apache
/// starts as root again, has a privileged port from its predecessor.
#[test]
#[ignore = "needs apache2, ab, and root to give it up"]
fn root_is_given_up_and_the_successor_is_well() {
    let Some(port) = free_low_port() else {
        println!("skipped: no port below 1024 may be bound");
        return;
    };
    for form in ["|", "|$"] {
        let _alone = alone();
        let privileged = format!("127.0.0.1:{port}");
        let mut site = Site::with("event", form, Run::Daemon, |dir| {
            let given = Command::new("chown").arg("www-data").arg(dir).status();
            assert!(given.is_ok_and(|status| status.success()));
            let dir = dir.display();
            format!("--user www-data --web.listen-address {privileged} --tee {dir}/tee.log")
        });
        wait_until("the privileged port", || scrape(&privileged).is_ok());
        let watch = Watch::begin(&privileged);
        let slow = Slow::begin(&site);
        for round in 1..=3 {
            assert_eq!(failed(&mut ab(&site.apache.address, 500)), 0);
            page_with_requests(&site, f64::from(round) * 500.0 + 1.0);
            site.apache.restart(Signal::SIGUSR1);
        }
        slow.end(&site, Duration::ZERO);
        page_with_requests(&site, 1502.0);
        let generation = site.generation();
        let user = fs::metadata(site.path("tee.log")).expect("a tee").uid();
        assert_ne!(user, 0);
        all_threads_are(generation, user);
        for entry in fs::read_dir(site.path("state")).expect("the directory").flatten() {
            // A new file has another name a moment later.
            let Ok(meta) = entry.metadata() else { continue };
            assert_eq!(meta.uid(), user, "{entry:?}");
        }
        watch.end(&format!("a privileged port, {form}"));
        site.apache.stop();
        site.tee_holds_every_line_once(false);
        site.nothing_is_wrong_but(&[]);
    }
}

/// All four user ids of each thread, and no way to more (proc(5), status). One may bind low ports until the predecessor
/// has given its port up; then that ends.
fn all_threads_are(pid: i32, user: u32) {
    let uid = format!("Uid:\t{user}\t{user}\t{user}\t{user}\n");
    wait_for("threads without rights", || {
        for task in fs::read_dir(format!("/proc/{pid}/task")).expect("a living process").flatten() {
            let Ok(status) = fs::read_to_string(task.path().join("status")) else { continue };
            assert!(status.contains(&uid) && status.contains("NoNewPrivs:\t1\n"), "{status}");
            if !status.contains("CapEff:\t0000000000000000\n") {
                assert!(status.contains("CapEff:\t0000000000000400\n"), "{status}");
                return Err(status);
            }
        }
        Ok(())
    });
}

/// An address that no interface has, and one that a stranger holds: each is said once, Apache serves, lines are
/// counted, and the second is served when it becomes free.
#[test]
#[ignore = "needs apache2, ab"]
fn ports_that_cannot_be_had_are_said_once() {
    let _alone = alone();
    let stranger = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = stranger.local_addr().expect("bound").to_string();
    // 192.0.2.1 is a documentation address (RFC 5737): no interface has it.
    let mut site = Site::with("event", "|", Run::Daemon, |_| {
        format!("--web.listen-address 192.0.2.1:19117 --web.listen-address {taken}")
    });
    assert_eq!(failed(&mut ab(&site.apache.address, 500)), 0);
    site.page_with(501);
    let pid = site.generation();
    wait_for("the message that the port is in use", || {
        let said = site.said();
        if said.contains(&format!("{taken} is in use")) { Ok(()) } else { Err(said) }
    });
    drop(stranger);
    wait_until("the freed port to be served", || scrape(&taken).is_ok());
    assert_eq!(site.generations(), [pid], "it was not started again");
    let said = site.said();
    assert_eq!(said.matches("192.0.2.1:19117").count(), said.matches("unable to listen").count(), "{said}");
    assert!(said.matches("unable to listen on 192.0.2.1:19117").count() <= 2, "once per process: {said}");
    assert_eq!(said.matches("is in use").count(), 1, "{said}");
    site.apache.stop();
}
