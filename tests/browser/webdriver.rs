//! Speaks WebDriver (W3C) and Chromium's additions to chromedriver over plain HTTP: open a page, ask it, look at it.
//!
//! Owns the driver and the browser: both are gone when their owner is dropped, also when a test fails.

use crate::harness::{PATIENCE, Process, TempDir, free_port, wait_for};
use serde_json::{Value, json};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::Command;

/// What Chromium needs to run as root and without a display, and to keep to itself.
const SWITCHES: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--no-proxy-server",
];

pub struct Browser {
    address: String,
    session: String,
    _driver: Process,
    _profile: TempDir,
}

impl Browser {
    pub fn start() -> Browser {
        let port = free_port();
        let address = format!("127.0.0.1:{port}");
        let profile = TempDir::new();
        let driver = Process::start(Command::new("chromedriver").arg(format!("--port={port}")));
        wait_for("chromedriver", || match call(&address, "GET", "/status", &Value::Null) {
            Ok(status) if status["ready"] == true => Ok(()),
            other => Err(format!("{other:?}; {}", driver.stderr())),
        });
        let profile_switch = format!("--user-data-dir={}", profile.path().display());
        let switches: Vec<&str> = SWITCHES.into_iter().chain([profile_switch.as_str()]).collect();
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": switches},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }}});
        // Chromium may take longer than its driver waits.
        let session = wait_for("Chromium", || call(&address, "POST", "/session", &capabilities));
        let session = session["sessionId"].as_str().expect("a session has an id").to_owned();
        Browser { address, session, _driver: driver, _profile: profile }
    }

    fn ask(&self, path: &str, body: &Value) -> Value {
        call(&self.address, "POST", &format!("/session/{}{path}", self.session), body)
            .unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    pub fn open(&self, url: &str) {
        self.ask("/url", &json!({"url": url}));
    }

    /// The value of a script that returns one.
    pub fn value(&self, script: &str) -> Value {
        self.ask("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// The text of the element of that id, as it is.
    pub fn text(&self, id: &str) -> String {
        let text = self.value(&format!("return document.getElementById({id:?}).textContent"));
        text.as_str().unwrap_or_default().to_owned()
    }

    /// The number that a text of the page begins with.
    pub fn number(&self, id: &str) -> Option<f64> {
        let text = self.text(id);
        let digits = text.trim_start_matches(|c: char| !c.is_ascii_digit());
        let end = digits.find(|c: char| !"0123456789.,".contains(c)).unwrap_or(digits.len());
        digits[..end].replace(',', "").parse().ok()
    }

    /// Presses a key of that name (as in the DOM) with the focus where it is.
    pub fn press(&self, key: &str) {
        for kind in ["keyDown", "keyUp"] {
            self.chromium("Input.dispatchKeyEvent", &json!({"type": kind, "key": key, "code": key}));
        }
    }

    /// A command of the DevTools protocol.
    pub fn chromium(&self, command: &str, parameters: &Value) -> Value {
        self.ask("/goog/cdp/execute", &json!({"cmd": command, "params": parameters}))
    }

    /// A screen of that size in a colour scheme, as people set it.
    pub fn look(&self, width: u32, height: u32, scheme: &str) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500});
        self.chromium("Emulation.setDeviceMetricsOverride", &size);
        self.chromium("Emulation.setScrollbarsHidden", &json!({"hidden": true}));
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.chromium("Emulation.setEmulatedMedia", &json!({"features": features}));
    }

    /// The whole page, as PNG.
    pub fn picture(&self) -> Vec<u8> {
        // A chart is drawn anew after its width has changed.
        self.chromium("Runtime.evaluate", &json!({"expression": "dispatchEvent(new Event('resize'))"}));
        let picture = self.chromium("Page.captureScreenshot", &json!({"captureBeyondViewport": true}));
        base64(picture["data"].as_str().expect("a picture has data"))
    }

    /// What the browser complained of since the last call. That a page was not made in time is none: a busy machine
    /// may need longer, and who asked asks again.
    pub fn problems(&self) -> Vec<String> {
        let log = self.ask("/se/log", &json!({"type": "browser"}));
        let said = log.as_array().into_iter().flatten().map(ToString::to_string);
        said.filter(|text| !text.contains("status of 503") && !text.contains("Error: status 503")).collect()
    }

    /// The addresses of everything that pages of this origin asked for since the last call, also of what was refused.
    pub fn requested(&self, origin: &str) -> Vec<String> {
        let log = self.ask("/se/log", &json!({"type": "performance"}));
        let events = log.as_array().into_iter().flatten();
        let messages =
            events.filter_map(|entry| serde_json::from_str::<Value>(entry["message"].as_str()?).ok());
        let sent = messages.filter(|entry| entry["message"]["method"] == "Network.requestWillBeSent");
        let ours = sent.filter_map(|mut entry| {
            let request = entry["message"]["params"].take();
            request["documentURL"].as_str()?.starts_with(origin).then(|| request["request"]["url"].clone())
        });
        ours.filter_map(|url| Some(url.as_str()?.to_owned())).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ends Chromium, which would outlive a driver that is killed.
        let _ = call(&self.address, "DELETE", &format!("/session/{}", self.session), &Value::Null);
    }
}

/// One command; the `value` of its answer.
fn call(address: &str, method: &str, path: &str, body: &Value) -> Result<Value, String> {
    let answer = exchange(address, method, path, body).map_err(|e| e.to_string())?;
    let answer: Value = serde_json::from_slice(&answer).map_err(|e| e.to_string())?;
    match &answer["value"]["error"] {
        Value::Null => Ok(answer["value"].clone()),
        error => Err(format!("{error}: {}", answer["value"]["message"])),
    }
}

fn exchange(address: &str, method: &str, path: &str, body: &Value) -> io::Result<Vec<u8>> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all((head + &body).as_bytes())?;
    // The driver keeps the connection, so its answer is read to its length and not to an end.
    let mut answer = Vec::new();
    let mut buffer = [0; 65_536];
    loop {
        if let Some(body) = whole_body(&answer) {
            return Ok(body.to_vec());
        }
        match stream.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => answer.extend_from_slice(&buffer[..count]),
        }
    }
}

fn whole_body(answer: &[u8]) -> Option<&[u8]> {
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let length: usize =
        head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())?;
    answer.get(end..end + length)
}

fn base64(text: &str) -> Vec<u8> {
    let sextet = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let sextets: Vec<u8> = text.bytes().filter_map(sextet).collect();
    let bytes = sextets.chunks(4).flat_map(|four| {
        let word = four.iter().fold(0u32, |word, &six| word << 6 | u32::from(six)) << (6 * (4 - four.len()));
        word.to_be_bytes()[1..four.len()].to_vec()
    });
    bytes.collect()
}
