//! The delimited protobuf page, read by programs that know nothing of ours: a generic decoder with the published
//! schema (metrics.proto), and Prometheus.

use super::peers::{FORMAT, exporter_of_everything};
use super::{Client, request};
use crate::harness::{Exporter, Page, TempDir};
use crate::servers::prometheus::Prometheus;
use std::collections::BTreeMap;
use std::process::{Command, Stdio};

pub const PROTOBUF: &str =
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

/// A message as protoc prints it: what each field has, as often as it is there.
#[derive(Debug, Default)]
pub struct Message {
    values: BTreeMap<String, Vec<String>>,
    messages: BTreeMap<String, Vec<Message>>,
}

impl Message {
    fn read<'t>(lines: &mut impl Iterator<Item = &'t str>) -> Message {
        let mut message = Message::default();
        while let Some(line) = lines.next().map(str::trim).filter(|line| *line != "}") {
            // A field that the schema does not have is printed by its number.
            assert!(line.starts_with(|first: char| first.is_ascii_lowercase()), "{line}");
            if let Some(name) = line.strip_suffix(" {") {
                message.messages.entry(name.to_owned()).or_default().push(Message::read(lines));
            } else {
                let (name, value) = line.split_once(": ").expect("a value");
                message.values.entry(name.to_owned()).or_default().push(value.to_owned());
            }
        }
        message
    }

    pub fn all(&self, field: &str) -> &[Message] {
        self.messages.get(field).map_or(&[], Vec::as_slice)
    }

    pub fn value(&self, field: &str) -> Option<&str> {
        Some(self.values.get(field)?.first()?)
    }

    pub fn values(&self, field: &str) -> Vec<f64> {
        let values = self.values.get(field).into_iter().flatten();
        values.map(|value| value.parse().expect("a number")).collect()
    }

    pub fn number(&self, field: &str) -> f64 {
        self.values(field).first().copied().unwrap_or_else(|| panic!("no {field} in {self:?}"))
    }

    fn text(&self, field: &str) -> String {
        let quoted = self.value(field).unwrap_or_default();
        let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default();
        String::from_utf8(without_escapes(inner)).expect("UTF-8")
    }

    /// The labels as the text format writes them.
    fn labels(&self) -> String {
        let pair = |pair: &Message| {
            let value = pair.text("value").replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            format!("{}=\"{value}\"", pair.text("name"))
        };
        self.all("label").iter().map(pair).collect::<Vec<_>>().join(",")
    }

    /// Seconds since the epoch of the message google.protobuf.Timestamp in a field.
    fn time(&self, field: &str) -> f64 {
        let time = self.all(field).first().unwrap_or_else(|| panic!("no {field} in {self:?}"));
        time.number("seconds") + time.values("nanos").first().unwrap_or(&0.0) / 1e9
    }

    /// Samples as on the text page, by name and labels.
    fn samples(&self, family: &str, samples: &mut BTreeMap<String, f64>) {
        let labels = self.labels();
        let mut add = |suffix: &str, last: String, value: f64| {
            let labels = [labels.as_str(), &last].into_iter().filter(|part| !part.is_empty());
            let labels = labels.collect::<Vec<_>>().join(",");
            let braces = if labels.is_empty() { labels } else { format!("{{{labels}}}") };
            assert!(samples.insert(format!("{family}{suffix}{braces}"), value).is_none());
        };
        for number in self.all("counter").iter().chain(self.all("gauge")) {
            add("", String::new(), number.number("value"));
        }
        for (of, part, label, bound, value) in [
            ("histogram", "bucket", "le", "upper_bound", "cumulative_count"),
            ("summary", "quantile", "quantile", "quantile", "value"),
        ] {
            for message in self.all(of) {
                let suffix = if of == "histogram" { "_bucket" } else { "" };
                for part in message.all(part) {
                    let bound = part.number(bound);
                    let bound = if bound.is_infinite() { "+Inf".to_owned() } else { bound.to_string() };
                    add(suffix, format!("{label}=\"{bound}\""), part.number(value));
                }
                add("_sum", String::new(), message.number("sample_sum"));
                add("_count", String::new(), message.number("sample_count"));
            }
        }
    }
}

/// What protoc escapes as C does: quotes, newlines, and every byte above 127 in octal.
fn without_escapes(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => match bytes.next() {
                Some(b'n') => out.push(b'\n'),
                Some(b'r') => out.push(b'\r'),
                Some(b't') => out.push(b'\t'),
                Some(first @ b'0'..=b'3') => {
                    let digits =
                        [Some(first), bytes.next(), bytes.next()].map(|digit| digit.expect("octal") - b'0');
                    out.push(digits[0] * 64 + digits[1] * 8 + digits[2]);
                }
                other => out.extend(other),
            },
            byte => out.push(byte),
        }
    }
    out
}

/// The families of the page that an exporter serves in protobuf, as protoc reads them with the published schema.
pub fn families(exporter: &Exporter) -> BTreeMap<String, Message> {
    let reply = Client::connect(&exporter.address).ask(&request(
        "GET",
        "/metrics",
        &format!("Accept: {PROTOBUF}\r\n"),
    ));
    assert_eq!(reply.field("Content-Type"), Some(PROTOBUF));
    let dir = TempDir::new();
    let page = dir.write("page", with_keys(&reply.body));
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/serving");
    let output = Command::new("protoc")
        .arg(format!("--proto_path={folder}"))
        .args(["--decode=io.prometheus.client.Page", "metrics.proto"])
        .stdin(Stdio::from(std::fs::File::open(page).expect("it was written")))
        .output()
        .unwrap_or_else(|e| panic!("unable to run protoc: {e}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("protoc prints ASCII");
    let mut page = Message::read(&mut text.lines());
    let families = page.messages.remove("family").expect("there are families");
    families.into_iter().map(|family| (family.text("name"), family)).collect()
}

/// The messages, each behind its length, as a repeated field of one message.
fn with_keys(mut rest: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte < 0x80).expect("a length ends") + 1;
        let length = rest[..end].iter().rev().fold(0, |sum, byte| sum << 7 | usize::from(byte & 0x7f));
        out.push(1 << 3 | 2);
        out.extend(&rest[..end + length]);
        rest = &rest[end + length..];
    }
    out
}

#[test]
#[ignore = "needs protoc"]
fn a_decoder_with_the_published_schema_finds_all_that_is_on_the_text_page() {
    let exporter = exporter_of_everything();
    let families = families(&exporter);
    let text =
        String::from_utf8(Client::connect(&exporter.address).ask(&request("GET", "/metrics", "")).body);
    let text = text.expect("text");
    let mut samples = BTreeMap::new();
    for (name, family) in &families {
        let help = text.lines().find_map(|line| line.strip_prefix(&format!("# HELP {name} ")));
        assert_eq!(help, Some(family.text("help").as_str()));
        let kind = text.lines().find_map(|line| line.strip_prefix(&format!("# TYPE {name} ")));
        assert_eq!(kind, family.value("type").map(str::to_ascii_lowercase).as_deref(), "{name}");
        family.all("metric").iter().for_each(|metric| metric.samples(name, &mut samples));
    }
    let page = Page::parse(&text);
    // What is of the moment, and not of the log.
    let lasting = |name: &&String| !name.starts_with("process_") && !name.contains("_http_requests_");
    for name in page.series.keys().filter(lasting) {
        let value = page.value(name).expect("a number");
        let found = samples.remove(name).unwrap_or_else(|| panic!("{name} is missing"));
        assert!(found == value || (found.is_nan() && value.is_nan()), "{name}: {found} and not {value}");
    }
    samples.retain(|name, _| lasting(&name));
    assert_eq!(samples, BTreeMap::new(), "in protobuf only");
    for (name, unit) in
        [("httpd_request_duration_seconds", "seconds"), ("httpd_response_size_bytes", "bytes")]
    {
        assert_eq!(families[name].text("unit"), unit);
    }
}

#[test]
#[ignore = "needs protoc"]
fn counts_and_exemplars_bear_their_times() {
    let families = families(&exporter_of_everything());
    let now = std::time::UNIX_EPOCH.elapsed().expect("the clock is right").as_secs_f64();
    let lately = |time: f64, what: &str| assert!((now - 300.0..=now).contains(&time), "{what}: {time}");
    for (name, family) in families.iter().filter(|(name, _)| !name.starts_with("process_")) {
        for metric in family.all("metric") {
            for kind in ["counter", "histogram", "summary"] {
                metric.all(kind).iter().for_each(|value| lately(value.time("start_timestamp"), name));
            }
        }
    }
    let metrics = families["httpd_request_duration_seconds"].all("metric").iter();
    let buckets = metrics.flat_map(|metric| metric.all("histogram")).flat_map(|of| of.all("bucket"));
    let exemplars: Vec<&Message> = buckets.flat_map(|bucket| bucket.all("exemplar")).collect();
    let mut labels: Vec<String> = exemplars.iter().map(|exemplar| exemplar.labels()).collect();
    labels.sort();
    assert_eq!(labels, ["trace_id=\"id-1\"", "trace_id=\"id-2\"", "trace_id=\"id-3\""]);
    exemplars.iter().for_each(|exemplar| lately(exemplar.time("timestamp"), "an exemplar"));
}

#[test]
#[ignore = "needs prometheus"]
fn prometheus_takes_protobuf_where_it_wants_native_histograms() {
    let exporter = exporter_of_everything();
    assert!(FORMAT.contains("$request_time"));
    let prometheus = Prometheus::start_with(&exporter.address, &["--enable-feature=native-histograms"]);
    prometheus.wait_for_sum("count(httpd_requests_total > 0)", 4.0);
    prometheus.wait_for_sum("sum(httpd_requests_total)", 4.0);
    // What OpenMetrics has as series of its own is a field here.
    prometheus.wait_for_sum("count(httpd_requests_created) or vector(0)", 0.0);
    prometheus.wait_for_sum("sum(httpd_request_duration_quantiles_seconds_count)", 4.0);
    prometheus.wait_for_sum("max(up)", 1.0);
}
