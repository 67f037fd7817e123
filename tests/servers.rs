//! The program where it is meant to live: real requests to a real server, its log into the program, its page into a
//! real Prometheus, and the sum there equals the requests made.
//!
//! These need Debian's packages and are ignored without them; tests/run installs what is missing.

pub mod apache;
mod formats;
pub mod nginx;
mod odd;
mod others;
pub mod prometheus;
mod rotation;
mod rsyslog;

use crate::harness::{BINARY, Page, Process, free_port, get, scrape, wait_for};
use apache::Apache;
use nginx::Nginx;
use prometheus::Prometheus;
use std::process::{Command, Output, Stdio};

const REQUESTS: u64 = 3_000;

/// Makes so many requests with 8 clients at once, and sees to it that all were answered.
pub fn load(address: &str, path: &str, requests: u64) {
    let url = format!("http://{address}{path}");
    let output = finished(Command::new("ab").args(["-q", "-c", "8", "-n", &requests.to_string(), &url]));
    let report = String::from_utf8_lossy(&output.stdout).into_owned();
    let complete = report.lines().find_map(|line| line.strip_prefix("Complete requests:")).map(str::trim);
    assert_eq!(
        complete,
        Some(requests.to_string().as_str()),
        "{report}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A command that ends by itself.
pub fn finished(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap_or_else(|e| panic!("unable to run {command:?}: {e}"))
}

/// Waits until a server answers at all.
pub fn wait_for_answer(address: &str, path: &str, server: &mut Process) {
    wait_for(&format!("an answer from http://{address}{path}"), || {
        assert!(!server.has_ended(), "the server has ended: {}{}", server.stdout(), server.stderr());
        get(address, path).map(|_| ()).map_err(|e| e.to_string())
    });
}

/// The page once that many requests are on it.
pub fn page_with(exporter: &str, requests: u64) -> Page {
    wait_for(&format!("{requests} requests on the page"), || {
        let page = scrape(exporter)?;
        let seen = page.sum("httpd_requests_total");
        if seen == requests as f64 { Ok(page) } else { Err(format!("{seen}")) }
    })
}

/// What promtool has to say of a page.
fn promtool_says(exporter: &str) -> String {
    let text = get(exporter, "/metrics").expect("a page").body;
    let mut promtool = Process::start(Command::new("promtool").args(["check", "metrics"]));
    promtool.feed(text.as_bytes());
    promtool.close();
    let ended = promtool.wait();
    format!("{}{}", ended.stdout, ended.stderr)
}

/// Load on a server whose log the program at `exporter` reads, watched by Prometheus.
fn prometheus_sees_every_request(server: &str, exporter: &str, already: u64) {
    let prometheus = Prometheus::start(exporter);
    load(server, "/", REQUESTS);
    load(server, "/missing", 100);
    let made = already + REQUESTS + 100;
    let page = page_with(exporter, made);
    assert_eq!(page.value("httpd_exporter_lines_total{outcome=\"malformed\"}"), Some(0.0));
    prometheus.wait_for_sum("sum(httpd_requests_total)", made as f64);
    prometheus.wait_for_sum("sum(httpd_requests_total{status_code=\"404\"})", 100.0);
    prometheus.wait_for_sum("sum(httpd_exporter_lines_total)", made as f64);
    assert_eq!(promtool_says(exporter), "");
}

fn under_apache(mpm: &str) {
    let exporter = format!("127.0.0.1:{}", free_port());
    let log = format!(
        "CustomLog \"|{BINARY} --format vhost_combined --web.listen-address {exporter}\" vhost_combined"
    );
    let mut apache = Apache::start(mpm, &log);
    // Starting asked for a page once; that request is in the log like any other.
    page_with(&exporter, 1);
    prometheus_sees_every_request(&apache.address, &exporter, 1);
    apache.stop();
    // The server is gone, so is its piped log.
    wait_for("the program to end with Apache", || match get(&exporter, "/metrics") {
        Ok(_) => Err("it still answers".to_owned()),
        Err(_) => Ok(()),
    });
    assert!(!apache.error_log().contains("panicked"), "{}", apache.error_log());
}

#[test]
#[ignore = "needs apache2, ab, prometheus"]
fn under_apache_event() {
    under_apache("event");
}

#[test]
#[ignore = "needs apache2, ab, prometheus"]
fn under_apache_worker() {
    under_apache("worker");
}

#[test]
#[ignore = "needs apache2, ab, prometheus"]
fn under_apache_prefork() {
    under_apache("prefork");
}

#[test]
#[ignore = "needs apache2, ab"]
fn a_log_format_copied_from_apache_is_understood() {
    let exporter = format!("127.0.0.1:{}", free_port());
    let format = r#"%v:%p %a %l %u %{%FT%T%z}t \"%r\" %>s %I %O %D %^FB %X %{ms}T \"%{User-Agent}i\""#;
    let log = format!(
        "LogFormat \"{format}\" own\n\
         LogIOTrackTTFB on\n\
         CustomLog \"|{BINARY} --format '{format}' --web.listen-address {exporter}\" own"
    );
    let mut apache = Apache::start("event", &log);
    load(&apache.address, "/", 200);
    let page = page_with(&exporter, 201);
    assert_eq!(page.sum("httpd_request_duration_seconds_count"), 201.0);
    assert_eq!(page.sum("httpd_response_size_bytes_count"), 201.0);
    assert!(page.sum("httpd_bytes_received_total") > 201.0 * 30.0);
    assert_eq!(page.value("httpd_exporter_lines_total{outcome=\"malformed\"}"), Some(0.0));
    assert_eq!(promtool_says(&exporter), "");
    apache.stop();
}

#[test]
#[ignore = "needs nginx, ab, prometheus"]
fn behind_nginx_and_tail() {
    let nginx = Nginx::start("access_log access.log combined;");
    let exporter = format!("127.0.0.1:{}", free_port());
    let log = nginx.dir.join("access.log");
    let (_tail, _exporter) =
        tail_into_exporter(&log, &["--format", "nginx", "--web.listen-address", &exporter]);
    page_with(&exporter, 1);
    prometheus_sees_every_request(&nginx.address, &exporter, 1);
}

#[test]
#[ignore = "needs nginx, ab"]
fn a_log_format_copied_from_nginx_is_understood() {
    let format = "'$remote_addr - $remote_user [$time_iso8601] \"$request\" ' '$status $bytes_sent $request_length \
                  rt=$request_time urt=\"$upstream_response_time\" $server_name'";
    let config = format!("log_format own {format};\naccess_log access.log own;");
    let nginx = Nginx::start(&config);
    let exporter = format!("127.0.0.1:{}", free_port());
    let log = nginx.dir.join("access.log");
    let (_tail, _exporter) =
        tail_into_exporter(&log, &["--format", format, "--web.listen-address", &exporter]);
    load(&nginx.address, "/", 200);
    let page = page_with(&exporter, 201);
    assert_eq!(page.sum("httpd_request_duration_seconds_count"), 201.0);
    assert_eq!(page.value("httpd_exporter_lines_total{outcome=\"malformed\"}"), Some(0.0));
    assert!(page.series.keys().any(|series| series.contains("vhost=\"test.example\"")), "{page:?}");
    assert_eq!(promtool_says(&exporter), "");
}

/// `tail -n +1 -F LOG | httpd_exporter ARGS`, as two processes.
fn tail_into_exporter(log: &std::path::Path, args: &[&str]) -> (Process, Process) {
    let mut exporter = Process::start(Command::new(BINARY).args(args));
    let tail = Process::start_into(Command::new("tail").args(["-n", "+1", "-F"]).arg(log), &mut exporter);
    (tail, exporter)
}
