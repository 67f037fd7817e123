//! Messages on stderr, which under Apache is the error log: one line each, never a panic and never a long wait.

use crate::os::{WriteMode, is_writable};
use nix::poll::PollTimeout;
use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::sync::{Mutex, PoisonError};

/// How long a reader of stderr that does not read is waited for; after that not at all until it reads again.
const READER_WAIT_MAX_MS: u8 = 100;

/// Messages that were dropped because stderr was not read.
static UNREAD: Mutex<u64> = Mutex::new(0);

/// Writes `httpd_exporter: TEXT` in one write, so that lines of several processes do not mix. Where stderr is a pipe
/// or a socket that nobody reads, the message is dropped, and the number of dropped messages is logged when it is
/// read again. A file is written without this care.
pub fn log_line(text: impl Display) {
    let mut unread = UNREAD.lock().unwrap_or_else(PoisonError::into_inner);
    let wait = if *unread == 0 { READER_WAIT_MAX_MS } else { 0 };
    let note = format!("httpd_exporter: {} messages were dropped, because stderr was not read\n", *unread);
    let written = if *unread == 0 { Ok(()) } else { write_all(&note, wait) };
    if written.is_err() {
        *unread += 1;
        return;
    }
    *unread = u64::from(write_all(&format!("httpd_exporter: {text}\n"), wait).is_err());
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
    use crate::log::printable;

    #[test]
    fn what_a_log_contains_cannot_steer_a_terminal() {
        assert_eq!(printable(b"a\x1b[31m\xff\t\xc3\xa9", 80), "a\\x1b[31m\\xff\\t\u{e9}");
        assert_eq!(printable("a\u{202e}\\\"b".as_bytes(), 80), "a\\u{202e}\\\"b");
        assert_eq!(printable(&[b'x'; 50], 10), "xxxxxxxxxx...");
        assert_eq!(printable(&[0xff; 50], 8), "\\xff\\xff...");
    }
}
