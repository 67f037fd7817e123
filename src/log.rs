//! Messages on stderr, which under Apache is the error log: one line each, never a panic and never a long wait.

use crate::calendar::Date;
use crate::clock;
use crate::os::{WriteMode, is_writable, stderr_is_stamped};
use nix::poll::PollTimeout;
use std::fmt::{Display, Write as _};
use std::io::{self, ErrorKind};
use std::sync::{Mutex, OnceLock, PoisonError};

/// How long a reader of stderr that does not read is waited for; after that not at all until it reads again.
const READER_WAIT_MAX_MS: u8 = 100;

/// Messages that were dropped because stderr was not read.
static UNREAD: Mutex<u64> = Mutex::new(0);

/// How grave a message is, as the loggers of other exporters have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// No message has it: the least that can be asked for.
    Debug,
    Info,
    Warn,
    Error,
}

impl Level {
    pub const ALL: [(&str, Level); 4] =
        [("debug", Level::Debug), ("info", Level::Info), ("warn", Level::Warn), ("error", Level::Error)];

    pub fn parse(name: &str) -> Option<Level> {
        Level::ALL.iter().find(|(known, _)| *known == name).map(|(_, level)| *level)
    }

    fn name(self) -> &'static str {
        Level::ALL.iter().find(|(_, level)| *level == self).map_or("", |(name, _)| name)
    }
}

/// What a message looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Text,
    Logfmt,
    Json,
}

impl Form {
    pub fn parse(name: &str) -> Option<Form> {
        match name {
            "text" => Some(Form::Text),
            "logfmt" => Some(Form::Logfmt),
            "json" => Some(Form::Json),
            _ => None,
        }
    }
}

/// What the options say of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    pub least: Level,
    pub form: Form,
    /// Whether a text tells the time where nobody else writes it down.
    pub stamps: bool,
}

static STYLE: OnceLock<Style> = OnceLock::new();

/// To be called once, as soon as the options are known; what is said before has the default style.
pub fn set_style(style: Style) {
    let _ = STYLE.set(style);
}

/// Something that the operator may want to know.
pub fn log_info(text: impl Display) {
    log(Level::Info, &text);
}

/// Something that somebody should look after.
pub fn log_warning(text: impl Display) {
    log(Level::Warn, &text);
}

/// Something that the program cannot go on with, or a fault of its own.
pub fn log_error(text: impl Display) {
    log(Level::Error, &text);
}

/// Writes a message in one write, so that lines of several processes do not mix. Where stderr is a pipe or a socket
/// that nobody reads, the message is dropped, and the number of dropped messages is logged when it is read again. A
/// file is written without this care.
fn log(level: Level, text: &dyn Display) {
    let style = STYLE.get().copied().unwrap_or(Style { least: Level::Info, form: Form::Text, stamps: true });
    if level < style.least {
        return;
    }
    let line = |level, text: &str| {
        let now = clock::now_nanos();
        let is_stamped = style.form != Form::Text || style.stamps && !stderr_is_stamped();
        line_of(style.form, is_stamped.then_some(now), level, text)
    };
    let mut unread = UNREAD.lock().unwrap_or_else(PoisonError::into_inner);
    let wait = if *unread == 0 { READER_WAIT_MAX_MS } else { 0 };
    let note = format!("{} messages were dropped, because stderr was not read", *unread);
    let written = if *unread == 0 { Ok(()) } else { write_all(&line(Level::Warn, &note), wait) };
    if written.is_err() {
        *unread += 1;
        return;
    }
    *unread = u64::from(write_all(&line(level, &text.to_string()), wait).is_err());
}

/// A message as it is written. The time is that of RFC 3339, in milliseconds, as other exporters have it.
fn line_of(form: Form, nanos: Option<u64>, level: Level, text: &str) -> String {
    let time = nanos.map(|nanos| {
        let Date { year, month, day, hour, minute, second } = Date::of(nanos / 1_000_000_000);
        let millis = nanos / 1_000_000 % 1000;
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    });
    let level = level.name().to_ascii_uppercase();
    match (form, time) {
        (Form::Text, None) => format!("httpd_exporter: {text}\n"),
        (Form::Text, Some(time)) => format!("{time} httpd_exporter: {text}\n"),
        (Form::Logfmt, time) => {
            format!("time={} level={level} msg={}\n", time.unwrap_or_default(), quoted(text))
        }
        (Form::Json, time) => {
            let time = quoted(&time.unwrap_or_default());
            format!("{{\"time\":{time},\"level\":\"{level}\",\"msg\":{}}}\n", quoted(text))
        }
    }
}

/// A string of JSON (RFC 8259 section 7), which readers of logfmt take as well.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => drop(write!(quoted, "\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// An error only where nobody reads; one that has gone is nobody's loss.
fn write_all(text: &str, wait_ms: u8) -> io::Result<()> {
    let (stderr, mut rest) = (io::stderr(), text.as_bytes());
    let mode = WriteMode::of(&stderr);
    let mut wait = wait_ms;
    while !rest.is_empty() {
        match mode.write(&stderr, rest) {
            Ok(written) => rest = &rest[written..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if wait == 0 || !is_writable(&stderr, PollTimeout::from(wait)) {
                    return Err(error);
                }
                // Once: room that is too little for poll(2) and for us is no reader.
                wait = 0;
            }
            Err(_) => return Ok(()),
        }
    }
    Ok(())
}

/// What the system says, without the number that std puts behind it.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

/// Bytes of a log as text that a terminal survives: escaped, and cut to about `most` characters.
pub fn printable(bytes: &[u8], most: usize) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if text.len() >= most {
                return text + "...";
            }
            match c {
                '"' | '\'' | '\\' => text.push(c),
                '\t' | '\n' | '\r' => text.extend(c.escape_default()),
                c if c.is_ascii_control() => text.push_str(&format!("\\x{:02x}", u32::from(c))),
                c if c.is_control() => text.extend(c.escape_default()),
                // Those too that turn the direction of what follows.
                c => text.extend(c.escape_debug()),
            }
        }
        for byte in chunk.invalid() {
            if text.len() >= most {
                return text + "...";
            }
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use crate::log::{Form, Level, line_of, printable};

    #[test]
    fn a_message_is_one_line_in_every_form() {
        let text = "a \"word\" and C:\\path\nsecond\u{1b}";
        let at = Some(1_795_734_027_012_000_000);
        assert_eq!(line_of(Form::Text, None, Level::Warn, "a"), "httpd_exporter: a\n");
        assert_eq!(line_of(Form::Text, at, Level::Warn, "a"), "2026-11-26T23:00:27.012Z httpd_exporter: a\n");
        assert_eq!(
            line_of(Form::Logfmt, at, Level::Info, text),
            "time=2026-11-26T23:00:27.012Z level=INFO msg=\"a \\\"word\\\" and C:\\\\path\\nsecond\\u001b\"\n"
        );
        let json = line_of(Form::Json, at, Level::Error, text);
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read["time"], "2026-11-26T23:00:27.012Z");
        assert_eq!((&read["level"], &read["msg"]), (&"ERROR".into(), &text.into()));
        assert_eq!(json.matches('\n').count(), 1);
    }

    #[test]
    fn what_a_log_contains_cannot_steer_a_terminal() {
        assert_eq!(printable(b"a\x1b[31m\xff\t\xc3\xa9", 80), "a\\x1b[31m\\xff\\t\u{e9}");
        assert_eq!(printable("a\u{202e}\\\"b".as_bytes(), 80), "a\\u{202e}\\\"b");
        assert_eq!(printable(&[b'x'; 50], 10), "xxxxxxxxxx...");
        assert_eq!(printable(&[0xff; 50], 8), "\\xff\\xff...");
    }
}
