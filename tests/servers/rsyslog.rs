//! A real rsyslog: what servers send to it, and what it writes into files in each of its own formats.

use crate::harness::{Process, TempDir, free_port, run, wait_for};
use std::fs;
use std::net::UdpSocket;
use std::process::Command;

/// rsyslog's names of the formats: of old files, of files, of RFC 5424.
const TEMPLATES: [&str; 3] =
    ["RSYSLOG_TraditionalFileFormat", "RSYSLOG_FileFormat", "RSYSLOG_SyslogProtocol23Format"];

const LINE: &str = r#"192.0.2.7 - - [05/Mar/2031:04:05:06 +0100] "GET /a HTTP/1.1" 200 17"#;

/// What nginx, HAProxy and logger(1) send: with a host and without, with the process and without, old and new.
const SENT: [(&str, &str); 4] = [
    ("<190>Mar  5 04:05:06 web1 nginx: ", "nginx"),
    ("<134>Mar  5 04:05:06 web1 haproxy[104]: ", "haproxy"),
    ("<134>1 2031-03-05T04:05:06.732390+00:00 web1 httpd 104 - - ", "httpd"),
    ("<134>1 2031-03-05T04:05:06.7Z web1 caddy - x [a@1 b=\"c\"] ", "caddy"),
];

#[test]
#[ignore = "needs rsyslog"]
fn what_rsyslog_writes_is_read_in_every_format_of_its_own() {
    let dir = TempDir::new();
    let port = free_port();
    let mut config =
        format!("module(load=\"imudp\")\ninput(type=\"imudp\" address=\"127.0.0.1\" port=\"{port}\")\n");
    for template in TEMPLATES {
        let file = dir.join(template);
        config +=
            &format!("*.* action(type=\"omfile\" file=\"{}\" template=\"{template}\")\n", file.display());
    }
    let config = dir.write("rsyslog.conf", config);
    let mut rsyslog = Process::start(Command::new("rsyslogd").args(["-n", "-i", "NONE", "-f"]).arg(config));
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
    for template in TEMPLATES {
        let file = dir.join(template);
        // Datagrams that come before the port is open are lost, so they are sent until they arrive.
        let log = wait_for(template, || {
            assert!(!rsyslog.has_ended(), "rsyslogd has ended: {}", rsyslog.stderr());
            let log = fs::read_to_string(&file).unwrap_or_default();
            let complete =
                log.ends_with('\n') && SENT.iter().all(|(_, tag)| log.lines().any(|line| line.contains(tag)));
            if complete {
                return Ok(log);
            }
            for (head, _) in SENT {
                let _ = socket.send_to(format!("{head}{LINE}").as_bytes(), ("127.0.0.1", port));
            }
            Err(log)
        });
        let ended =
            run(&["--once", "--label", "tag=envelope:tag", "--label", "host=envelope:host"], log.as_bytes());
        let page = ended.page();
        let requests = log.lines().filter(|line| line.contains(LINE)).count();
        assert_eq!(page.sum("httpd_requests_total"), requests as f64, "{template}: {log}\n{}", ended.stderr);
        for (_, tag) in SENT {
            let of_tag = format!("host=\"web1\",method=\"GET\",status_code=\"200\",tag=\"{tag}\"");
            let counted = page.value(&format!("httpd_requests_total{{{of_tag}}}"));
            assert!(counted > Some(0.0), "{template}: {tag}: {log}");
        }
        assert_eq!(
            page.value("httpd_exporter_lines_total{outcome=\"malformed\"}"),
            Some(0.0),
            "{template}: {log}"
        );
    }
}
