//! Random formats against a real Apache and a real nginx: each request is logged in dozens of formats, and beside
//! them in one that cannot be misread; the figures that the program makes of each are those.
//!
//! FORMATS is how many formats to try (24), SEED where the chance begins.

use super::apache::Apache;
use super::nginx::Nginx;
use crate::harness::{free_port, run, wait_until};
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

/// Chance that can be repeated (xorshift64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, many: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % many
    }

    fn of<'t>(&mut self, these: &[&'t str]) -> &'t str {
        these[self.below(these.len())]
    }
}

fn asked(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// A language of formats: its values, by how their end is told.
struct Language {
    status: &'static [&'static str],
    bytes: &'static str,
    /// Without blanks in them.
    words: &'static [&'static str],
    /// Whatever strangers send.
    texts: &'static [&'static str],
    numbers: &'static [&'static str],
}

const APACHE: Language = Language {
    status: &["%>s"],
    bytes: "%B",
    words: &["%h", "%a", "%l", "%v", "%X", "%t", "%{%FT%T%z}t", "%U", "%U%q"],
    texts: &[
        "%r",
        "%{User-Agent}i",
        "%{Referer}i",
        "%{Host}i",
        "%u",
        "%V",
        "%m",
        "%H",
        "%f",
        "%q",
        "%R",
        "%{x}n",
    ],
    numbers: &["%D", "%T", "%{ms}T", "%p", "%P", "%k", "%^FB", "%I", "%{usec}t"],
};

const NGINX: Language = Language {
    status: &["$status"],
    bytes: "$body_bytes_sent",
    words: &[
        "$remote_addr",
        "$server_name",
        "$host",
        "$time_iso8601",
        "$time_local",
        "$server_protocol",
        "$scheme",
        "$request_method",
        "$ssl_protocol",
        "$upstream_addr",
    ],
    texts: &[
        "$request",
        "$http_user_agent",
        "$http_referer",
        "$http_host",
        "$request_uri",
        "$args",
        "$remote_user",
        "$uri",
        "$http_x",
    ],
    numbers: &[
        "$request_time",
        "$request_length",
        "$msec",
        "$connection",
        "$upstream_response_time",
        "$upstream_status",
        "$remote_port",
        "$gzip_ratio",
    ],
};

/// A format, at whose separators every value ends: a text without quotes stands between bytes that no request has.
fn format(chance: &mut Chance, language: &Language) -> String {
    let mut fields = vec![chance.of(language.status).to_owned(), language.bytes.to_owned()];
    for _ in 0..chance.below(7) {
        let field = match chance.below(4) {
            0 => chance.of(language.words).to_owned(),
            1 => chance.of(language.numbers).to_owned(),
            2 => format!("\"{}\"", chance.of(language.texts)),
            _ => format!("|{}|", chance.of(language.texts)),
        };
        fields.insert(chance.below(fields.len() + 1), field);
    }
    let mut format = chance.of(&["", "", "", "'", "[", "log: "]).to_owned();
    let separator = chance.of(&[" ", " ", " ", "|", ";", " - "]);
    for (index, field) in fields.iter().enumerate() {
        format += if index > 0 { separator } else { "" };
        format += field;
    }
    format + chance.of(&["", "", "", "'", "]", " end"])
}

/// What clients send, the odd ones too.
const REQUESTS: [&str; 18] = [
    "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n",
    "GET /index.html?a=b&c=%22 HTTP/1.1\r\nHost: a.example:80\r\nUser-Agent: curl/8 (x; y) \"z\" 'q'\r\nConnection: close\r\n\r\n",
    "HEAD /missing?x HTTP/1.1\r\nHost: b.example\r\nReferer: http://x/?a=b c\r\nConnection: close\r\n\r\n",
    "GET /a%20b%3Fc HTTP/1.0\r\n\r\n",
    "GET /? HTTP/1.0\r\nUser-Agent:\r\n\r\n",
    "GET http:// HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n",
    "GET http://c.example/d?e HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n",
    "GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
    "GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n",
    "\x16\x03\x01\x02\r\n\r\n",
    "hello\r\n\r\n",
    "GET /\r\n\r\n",
    "GET /a b HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n",
    "get / HTTP/1.0\r\nUser-Agent: - \\ \\\" [05/Mar/2031:04:05:06 +0100] 200 5\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n",
    "GET / HTTP/1.0\r\nAuthorization: Basic YSBiOmM=\r\nReferer: a, b : c\r\n\r\n",
    "GET / HTTP/9.9\r\nHost: a.example\r\nConnection: close\r\n\r\n",
];

fn send(address: &str) {
    for request in REQUESTS {
        let mut stream = TcpStream::connect(address).expect("the server listens");
        let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
        let _ = stream.write_all(request.as_bytes());
        let _ = stream.read_to_end(&mut Vec::new());
    }
}

fn lines(path: &Path) -> usize {
    fs::read(path).unwrap_or_default().iter().filter(|&&byte| byte == b'\n').count()
}

/// By the log that cannot be misread: requests by status, and the bytes of all.
fn truth(path: &Path) -> (BTreeMap<String, u64>, u64) {
    let (mut statuses, mut bytes) = (BTreeMap::new(), 0);
    for line in fs::read_to_string(path).expect("the truth").lines() {
        let (status, size) = line.split_once('\t').expect("two columns");
        *statuses.entry(status.to_owned()).or_default() += 1;
        bytes += size.parse::<u64>().expect("a number");
    }
    (statuses, bytes)
}

/// What the program makes of one log; `None` when it is the truth.
fn wrong(format: &str, log: &Path, truth: &(BTreeMap<String, u64>, u64)) -> Option<String> {
    let page = run(&["--once", "--format", format], &fs::read(log).expect("a log")).page();
    let mut statuses = BTreeMap::new();
    for (series, value) in &page.series {
        let value = value.parse::<u64>().unwrap_or(0);
        if let Some(labels) = series.strip_prefix("httpd_requests_total{").filter(|_| value > 0) {
            let code = labels.split("status_code=\"").nth(1).and_then(|rest| rest.split('"').next());
            *statuses.entry(code.unwrap_or_default().to_owned()).or_default() += value;
        }
    }
    let seen = (statuses, page.sum("httpd_bytes_sent_total"));
    (seen.0 != truth.0 || seen.1 != truth.1 as f64)
        .then(|| format!("{format}\n  found {seen:?}\n  for   {truth:?}"))
}

fn judged(formats: &[String], folder: &Path) {
    let truth = truth(&folder.join("truth"));
    let log = |index: usize| folder.join(format!("log-{index}"));
    let all = formats.iter().enumerate();
    let wrong: Vec<String> = all.filter_map(|(index, format)| wrong(format, &log(index), &truth)).collect();
    assert!(wrong.is_empty(), "{} of {} formats\n{}", wrong.len(), formats.len(), wrong.join("\n"));
}

fn formats(language: &Language) -> Vec<String> {
    let mut chance = Chance(0x5eed_0000 + asked("SEED", 1) as u64);
    // nginx's own strings begin with such a quote.
    let quote =
        |format: String| if language.bytes.starts_with('$') { format.replace('\'', "`") } else { format };
    (0..asked("FORMATS", 24)).map(|_| quote(format(&mut chance, language))).collect()
}

#[test]
#[ignore = "needs apache2"]
fn random_formats_of_apache_are_read() {
    let formats = formats(&APACHE);
    for protocol in ["Strict", "Unsafe"] {
        let escaped = |format: &String| format.replace('\\', "\\\\").replace('"', "\\\"");
        let logs = formats
            .iter()
            .enumerate()
            .map(|(i, format)| format!("CustomLog log-{i} \"{}\"\n", escaped(format)));
        let logging = format!(
            "HttpProtocolOptions {protocol}\nLogIOTrackTTFB on\n{}CustomLog truth \"%>s\\t%B\"",
            logs.collect::<String>()
        );
        let mut apache = Apache::start("event", &logging);
        send(&apache.address);
        wait_until("all lines", || lines(&apache.dir.join("truth")) == REQUESTS.len() + 1);
        apache.stop();
        judged(&formats, apache.dir.path());
    }
}

#[test]
#[ignore = "needs nginx"]
fn random_formats_of_nginx_are_read() {
    let formats = formats(&NGINX);
    let mut logging = String::new();
    for (i, format) in formats.iter().enumerate() {
        let escaped = format.replace('\\', "\\\\").replace('\'', "\\'");
        logging += &format!("log_format f{i} '{escaped}';\naccess_log log-{i} f{i};\n");
    }
    let address = format!("127.0.0.1:{}", free_port());
    logging += "log_format truth '$status\t$body_bytes_sent';\naccess_log truth truth;\n";
    logging += &format!("server {{ listen {address}; server_name \"\"; root htdocs; }}\n");
    let nginx = Nginx::start(&logging);
    send(&nginx.address);
    send(&address);
    wait_until("all lines", || lines(&nginx.dir.join("truth")) == 2 * REQUESTS.len() + 1);
    judged(&formats, nginx.dir.path());
}
