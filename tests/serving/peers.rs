//! The programs of others that read our pages: Prometheus' own parsers in Python and Go, Prometheus itself, and the
//! web servers that publish the page as the README shows it.
//!
//! These need Debian's packages and are ignored without them; tests/run installs what is missing.

use super::{Client, Exporter, request};
use crate::harness::{PATIENCE, Process, TempDir, free_port, wait_for};
use crate::readme::blocks_of;
use crate::servers::apache::Apache;
use crate::servers::finished;
use crate::servers::nginx::Nginx;
use crate::servers::prometheus::Prometheus;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::Command;

/// Has every field that a metric comes from.
pub const FORMAT: &str = "$server_name \"$request\" $status $bytes_sent $request_length $request_time \
                      $upstream_header_time $upstream_response_time \"$http_user_agent\" $http_x_request_id [$time_local]";

/// Every kind of metric has something to show, and one label has every character that needs an escape.
const LINES: &str = "\
a.example \"GET /a HTTP/1.1\" 200 300 50 0.004 0.001 0.002 \"say \\x22hi\\x22 \\x5C \\x0A\\x0D caf\\xC3\\xA9 \\xFF\" id-1 [03/Feb/2026:04:05:06 +0100]
a.example \"GET /b HTTP/1.1\" 200 70000 50 0.3 0.2 0.25 \"x\" id-2 [03/Feb/2026:04:05:07 +0100]
b.example \"POST /c HTTP/2.0\" 499 5000000 900 12.5 11 12 \"x\" id-3 [03/Feb/2026:04:05:08 +0100]
b.example \"\\x16\\x03\\x01\" 400 150 0 0.000 - - \"-\" - [03/Feb/2026:04:05:09 +0100]
no line of this format
";

/// An exporter that has counted the lines above.
pub fn exporter_of_everything() -> Exporter {
    let mut exporter = Exporter::start(&[
        "--format",
        FORMAT,
        "--quantiles",
        "0.5,0.9,0.99",
        "--exemplar",
        "$http_x_request_id",
        "--label",
        "agent=$http_user_agent",
    ]);
    exporter.process.feed(LINES.as_bytes());
    exporter.wait_for_lines(5);
    exporter
}

fn page(exporter: &Exporter, accept: &str) -> String {
    let fields = format!("Accept: {accept}\r\n");
    Client::connect(&exporter.address).ask(&request("GET", "/metrics", &fields)).text()
}

// ----------------------------------------------------------------------------------------------------- parsers ---

/// Reads both pages with the parsers of prometheus_client, and prints what they find as JSON: for each sample its
/// name, labels and value; `le` and `quantile` as numbers, for the two formats spell them differently.
const PARSE: &str = r#"
import json, sys
from prometheus_client.parser import text_string_to_metric_families as text
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics

def found(families):
    samples, exemplars, types = {}, {}, {}
    for family in families:
        types[family.name] = [family.type, family.unit]
        for sample in family.samples:
            labels = {k: float(v) if k in ("le", "quantile") else v for k, v in sample.labels.items()}
            key = sample.name + json.dumps(labels, sort_keys=True)
            assert key not in samples, key
            samples[key] = repr(float(sample.value))
            if sample.exemplar:
                exemplars[key] = [sample.exemplar.labels, sample.exemplar.value, float(sample.exemplar.timestamp)]
    return {"samples": samples, "exemplars": exemplars, "types": types}

pages = open(sys.argv[1], newline="").read(), open(sys.argv[2], newline="").read()
print(json.dumps([found(text(pages[0])), found(open_metrics(pages[1]))]))
"#;

/// What the two parsers find.
fn parsed(exporter: &Exporter) -> (Value, Value) {
    let dir = TempDir::new();
    let text = dir.write("page.txt", page(exporter, "text/plain"));
    let open_metrics = dir.write("page.om", page(exporter, "application/openmetrics-text"));
    // Debian's interpreter, for which the package is.
    let output = finished(Command::new("/usr/bin/python3").args(["-c", PARSE]).arg(text).arg(open_metrics));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    (found[0].clone(), found[1].clone())
}

#[test]
#[ignore = "needs python3-prometheus-client"]
fn the_parsers_of_others_find_the_same_on_both_pages() {
    let (text, open_metrics) = parsed(&exporter_of_everything());
    let samples = |found: &Value| found["samples"].as_object().expect("an object").clone();
    // What is of the moment, and not of the log.
    let lasting = |name: &String| !name.starts_with("process_") && !name.contains("_http_requests_");
    let (in_text, in_open_metrics) = (samples(&text), samples(&open_metrics));
    for (name, value) in in_text.iter().filter(|(name, _)| lasting(name)) {
        assert_eq!(in_open_metrics.get(name), Some(value), "{name}");
    }
    for name in in_open_metrics.keys().filter(|name| !name.contains("_created{")) {
        assert!(in_text.contains_key(name), "{name} is in OpenMetrics only");
    }
    let agent = "say \\\"hi\\\" \\\\ \\n";
    let escaped =
        |name: &&String| name.starts_with("httpd_requests_total{\"agent\": \"say") && name.contains(agent);
    // The usual statuses of the method stand beside it at zero.
    let counted =
        in_open_metrics.iter().filter(|(name, value)| escaped(name) && value.as_str() != Some("0.0"));
    assert_eq!(counted.count(), 1, "{in_open_metrics:?}");
    for (name, kind, unit) in [
        ("httpd_requests", "counter", ""),
        ("httpd_response_size_bytes", "histogram", "bytes"),
        ("httpd_request_duration_quantiles_seconds", "summary", "seconds"),
        ("httpd_exporter_build", "info", ""),
        ("process_cpu_seconds", "counter", "seconds"),
        ("httpd_exporter_chunks_queued", "gauge", ""),
    ] {
        assert_eq!(open_metrics["types"][name], serde_json::json!([kind, unit]), "{name}");
    }
    every_count_has_its_beginning(&open_metrics, &in_open_metrics);
    let exemplars = open_metrics["exemplars"].as_object().expect("an object");
    let of = |part: &str| exemplars.iter().filter(|(name, _)| name.starts_with(part)).count();
    assert_eq!(
        (of("httpd_request_duration_seconds_bucket"), of("httpd_requests_total")),
        (3, 3),
        "{exemplars:?}"
    );
    assert!(exemplars.values().any(|exemplar| exemplar[0] == serde_json::json!({"trace_id": "id-3"})));
    assert!(text["exemplars"].as_object().is_some_and(serde_json::Map::is_empty));
}

/// Each series that counts has a `_created`, not in the future and not long ago.
fn every_count_has_its_beginning(found: &Value, samples: &serde_json::Map<String, Value>) {
    let now = std::time::UNIX_EPOCH.elapsed().expect("the clock is right").as_secs_f64();
    let types = found["types"].as_object().expect("an object");
    let mut seen = 0;
    for (family, _) in
        types.iter().filter(|(_, of)| ["counter", "histogram", "summary"].iter().any(|k| of[0] == *k))
    {
        let counted = |name: &&String| {
            ["_total{", "_count{"].iter().any(|suffix| name.starts_with(&format!("{family}{suffix}")))
        };
        for name in samples.keys().filter(counted) {
            let labels = &name[name.find('{').unwrap_or(name.len())..];
            let created = samples.get(&format!("{family}_created{labels}")).and_then(Value::as_str);
            let created: f64 = created.and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{name}"));
            assert!((now - 60.0 * 5.0..=now).contains(&created), "{name}: {created}");
            seen += 1;
        }
    }
    assert!(seen > 40, "{seen}");
}

#[test]
#[ignore = "needs promtool"]
fn promtool_has_nothing_to_say_of_a_page_with_everything_on_it() {
    let exporter = exporter_of_everything();
    let text = page(&exporter, "text/plain");
    for metric in
        ["_quantiles_seconds{", "_upstream_response_duration_seconds_bucket", "_format_info", "_aborted_"]
    {
        assert!(text.contains(metric), "{metric}");
    }
    let mut promtool = Process::start(Command::new("promtool").args(["check", "metrics"]));
    promtool.feed(text.as_bytes());
    promtool.close();
    let ended = promtool.wait();
    assert_eq!((ended.status.code(), ended.stdout + &ended.stderr), (Some(0), String::new()));
}

// -------------------------------------------------------------------------------------------------- Prometheus ---

#[test]
#[ignore = "needs prometheus"]
fn prometheus_takes_open_metrics_and_shows_the_exemplars() {
    let exporter = exporter_of_everything();
    let prometheus = Prometheus::start_with(&exporter.address, &["--enable-feature=exemplar-storage"]);
    // Only OpenMetrics has this series: so that is what it asked for and was given.
    // Four have requests, the others are the usual statuses of their methods.
    prometheus.wait_for_sum("count(httpd_requests_created)", 16.0);
    prometheus.wait_for_sum("count(httpd_requests_total > 0)", 4.0);
    prometheus.wait_for_sum("sum(httpd_request_duration_seconds_bucket{le=\"1.0\"})", 3.0);
    prometheus.wait_for_sum("sum(httpd_response_size_bytes_bucket{le=\"1.048576e+06\"})", 3.0);
    prometheus.wait_for_sum("max(up)", 1.0);
    let now = std::time::UNIX_EPOCH.elapsed().expect("the clock is right").as_secs();
    let (start, end) = (now - 3_600, now + 3_600);
    for (metric, id, value) in [
        ("httpd_request_duration_seconds_bucket", "id-2", "0.3"),
        ("httpd_request_duration_seconds_bucket", "id-3", "12.5"),
        ("httpd_requests_total", "id-3", "1"),
    ] {
        let path = format!("/api/v1/query_exemplars?query={metric}&start={start}&end={end}");
        wait_for(&format!("the exemplar {id} of {metric}"), || {
            let answer = prometheus.ask(&path)?;
            let series = answer["data"].as_array().into_iter().flatten();
            let mut exemplars =
                series.flat_map(|series| series["exemplars"].as_array().into_iter().flatten());
            let wanted =
                |exemplar: &Value| exemplar["labels"]["trace_id"] == id && exemplar["value"] == value;
            if exemplars.any(wanted) { Ok(()) } else { Err(answer.to_string()) }
        });
    }
}

/// The head that our answer has to suit: asked for by a real Prometheus, and sent on to the program.
#[test]
#[ignore = "needs prometheus"]
fn the_very_words_of_prometheus_get_open_metrics() {
    let exporter = exporter_of_everything();
    let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback has free ports");
    let address = listener.local_addr().expect("it is bound").to_string();
    let _prometheus = Prometheus::start(&address);
    // A scrape that ran out of time before it was sent has no head.
    let head: Vec<String> = wait_for("a head", || {
        let (stream, _) = listener.accept().expect("it scrapes");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        let lines = BufReader::new(stream).lines().map_while(Result::ok);
        let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
        if head.is_empty() { Err("none".to_owned()) } else { Ok(head) }
    });
    println!("{head:#?}");
    let reply = Client::connect(&exporter.address).ask(&format!("{}\r\n\r\n", head.join("\r\n")));
    assert_eq!(reply.field("Content-Type"), Some(super::OPEN_METRICS));
    assert_eq!(reply.field("Content-Encoding"), Some("gzip"));
}

// ------------------------------------------------------------------------------------------------- web servers ---

/// What the README's configurations name, as it is here.
struct Site {
    dir: TempDir,
    port: u16,
}

const PASSWORD: &str = "open sesame";

impl Site {
    /// A certificate and a password.
    fn new() -> Site {
        let dir = TempDir::new();
        let (key, certificate) = (dir.join("metrics.key"), dir.join("metrics.pem"));
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
        openssl.args(["-subj", "/CN=www.example.org", "-addext", "subjectAltName=DNS:www.example.org"]);
        let made = finished(openssl.arg("-keyout").arg(&key).arg("-out").arg(&certificate));
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let hash = finished(Command::new("openssl").args(["passwd", "-apr1", PASSWORD])).stdout;
        dir.write("metrics.htpasswd", format!("prometheus:{}", String::from_utf8_lossy(&hash)));
        Site { dir, port: free_port() }
    }

    fn socket(&self) -> String {
        self.dir.join("metrics.sock").display().to_string()
    }

    /// The README's block of this language that holds `word`, with the ports and paths of this site. Of the two ways
    /// to the program it shows, the second, a comment, is taken for the Unix socket.
    fn configuration(&self, language: &str, word: &str, exporter: &Exporter, unix: bool) -> String {
        let block =
            blocks_of(language).into_iter().find(|block| block.contains(word)).expect("the README has it");
        let line = |line: &str| match (line.trim_start().strip_prefix("# "), line.contains(word)) {
            (Some(second), true) if unix => second.to_owned(),
            (None, true) if unix => String::new(),
            _ => line.to_owned(),
        };
        let block: String = block.lines().map(|text| line(text) + "\n").collect();
        let own = |name: &str| self.dir.join(name).display().to_string();
        let mut text = block
            .replace("/run/httpd_exporter/metrics.sock", &self.socket())
            .replace("127.0.0.1:19117", &exporter.address)
            .replace("*:443", &format!("127.0.0.1:{}", self.port))
            .replace("listen 443", &format!("listen 127.0.0.1:{}", self.port));
        for name in ["metrics.pem", "metrics.key", "metrics.htpasswd"] {
            let at = text.find(name).expect("the README names it");
            let start = text[..at].rfind([' ', '"']).map_or(0, |before| before + 1);
            text.replace_range(start..at + name.len(), &own(name));
        }
        text
    }

    /// Status and body of a request over TLS, whose certificate is checked.
    fn curl(&self, user: &str, headers: &[&str]) -> (String, String) {
        let mut curl = Command::new("curl");
        curl.args([
            "--silent",
            "--show-error",
            "--compressed",
            "--write-out",
            "\n%{http_code} %{content_type}",
        ]);
        curl.arg("--cacert").arg(self.dir.join("metrics.pem"));
        curl.args(["--connect-to", &format!("www.example.org:443:127.0.0.1:{}", self.port)]);
        curl.args(headers.iter().flat_map(|header| ["--header", header]));
        let output = finished(curl.args(["--user", user, "https://www.example.org/metrics"]));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (body, status) = text.rsplit_once('\n').expect("curl writes a last line");
        (status.to_owned(), format!("{body}{}", String::from_utf8_lossy(&output.stderr)))
    }

    /// The page is there for who knows the password, and for nobody else.
    fn is_published(&self) {
        let (status, body) = self.curl(&format!("prometheus:{PASSWORD}"), &[]);
        assert_eq!(status, format!("200 {}", super::TEXT), "{body}");
        assert!(body.contains("httpd_exporter_build_info{"), "{body}");
        let accept = ["Accept: application/openmetrics-text;version=1.0.0"];
        let (status, body) = self.curl(&format!("prometheus:{PASSWORD}"), &accept);
        assert_eq!(status, format!("200 {}", super::OPEN_METRICS), "{body}");
        assert!(body.ends_with("# EOF\n"), "{body}");
        let (status, body) = self.curl("prometheus:guessed", &[]);
        assert!(status.starts_with("401 ") && !body.contains("httpd_exporter_"), "{status} {body}");
    }

    /// An exporter on a port and on the site's Unix socket, which the web server's user may use.
    fn exporter(&self, server_user: &str) -> Exporter {
        let unix = format!("unix:{}", self.socket());
        let mut args = vec!["--format", "combined", "--web.listen-address", &unix];
        if nix::unistd::geteuid().is_root() {
            args.extend(["--user", server_user]);
        }
        let exporter = Exporter::start(&args);
        exporter.wait_for_stderr(&unix);
        exporter
    }
}

const APACHE_MODULES: [&str; 7] =
    ["ssl", "proxy", "proxy_http", "authn_core", "authn_file", "auth_basic", "authz_user"];

#[test]
#[ignore = "needs apache2, openssl, curl"]
fn published_by_apache_as_the_readme_shows() {
    let site = Site::new();
    let exporter = site.exporter("www-data");
    for unix in [false, true] {
        let modules = APACHE_MODULES
            .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"))
            .concat();
        let block = site.configuration("apache", "ProxyPass ", &exporter, unix);
        let mut apache = Apache::start("event", &format!("{modules}Listen 127.0.0.1:{}\n{block}", site.port));
        site.is_published();
        apache.stop();
    }
}

#[test]
#[ignore = "needs nginx, openssl, curl"]
fn published_by_nginx_as_the_readme_shows() {
    let site = Site::new();
    let exporter = site.exporter("nobody:nogroup");
    for unix in [false, true] {
        let _nginx = Nginx::start(&site.configuration("nginx", "proxy_pass ", &exporter, unix));
        site.is_published();
    }
}
