//! A real Prometheus of Debian's package that scrapes one exporter once a second.

use super::wait_for_answer;
use crate::harness::{Process, TempDir, free_port, get, wait_for};
use std::process::Command;

pub struct Prometheus {
    address: String,
    _server: Process,
    _dir: TempDir,
}

impl Prometheus {
    pub fn start(exporter: &str) -> Prometheus {
        Prometheus::start_with(exporter, &[])
    }

    pub fn start_with(exporter: &str, flags: &[&str]) -> Prometheus {
        Prometheus::start_in(TempDir::new(), exporter, flags)
    }

    /// With a directory whose `data` may have blocks already.
    pub fn start_in(dir: TempDir, exporter: &str, flags: &[&str]) -> Prometheus {
        Prometheus::start_as(dir, exporter, "", flags)
    }

    /// With more lines about the scrape.
    pub fn start_as(dir: TempDir, exporter: &str, scrape: &str, flags: &[&str]) -> Prometheus {
        let address = format!("127.0.0.1:{}", free_port());
        let config = format!(
            "global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\n\
             scrape_configs:\n  - job_name: httpd\n{scrape}    static_configs:\n      - targets: ['{exporter}']\n"
        );
        let config = dir.write("prometheus.yml", config);
        let mut server = Process::start(
            Command::new("prometheus")
                .arg(format!("--config.file={}", config.display()))
                .arg(format!("--storage.tsdb.path={}", dir.join("data").display()))
                .arg(format!("--web.listen-address={address}"))
                .args(flags),
        );
        wait_for_answer(&address, "/-/ready", &mut server);
        Prometheus { address, _server: server, _dir: dir }
    }

    /// What its API answers.
    pub fn ask(&self, path: &str) -> Result<serde_json::Value, String> {
        let answer = get(&self.address, path).map_err(|e| e.to_string())?.body;
        // The answer comes in chunks of HTTP/1.1; the JSON is what lies between the outermost braces.
        let json = answer.find('{').zip(answer.rfind('}')).map_or("", |(start, end)| &answer[start..=end]);
        serde_json::from_str(json).map_err(|e| format!("{e}: {answer}"))
    }

    /// The one value of a query, if there is one.
    pub fn query(&self, query: &str) -> Result<f64, String> {
        self.value(&format!("/api/v1/query?query={}", percent_encoded(query)))
    }

    /// The one value of an answer.
    pub fn value(&self, path: &str) -> Result<f64, String> {
        let json = self.ask(path)?;
        let value =
            json["data"]["result"][0]["value"][1].as_str().ok_or_else(|| format!("no value: {json}"))?;
        value.parse().map_err(|_| format!("no number: {value}"))
    }

    pub fn wait_for_sum(&self, query: &str, value: f64) {
        wait_for(&format!("{query} to be {value}"), || match self.query(query)? {
            seen if seen == value => Ok(()),
            seen => Err(format!("{seen}")),
        });
    }
}

pub fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}
