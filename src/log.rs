//! Says things on stderr, which under Apache is the error log: one line each, and never a panic when nobody listens.

use std::fmt::Display;
use std::io::Write;

/// Writes `httpd_exporter: TEXT` in one write, so that lines of several processes do not mix.
pub fn log_line(text: impl Display) {
    let _ = std::io::stderr().write_all(format!("httpd_exporter: {text}\n").as_bytes());
}

/// What the system says, without the number that std puts behind it.
pub fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

/// Bytes of a log as text that a terminal survives: escaped, and cut to about `most` characters.
pub fn shown(bytes: &[u8], most: usize) -> String {
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
    use crate::log::shown;

    #[test]
    fn what_a_log_contains_cannot_steer_a_terminal() {
        assert_eq!(shown(b"a\x1b[31m\xff\t\xc3\xa9", 80), "a\\x1b[31m\\xff\\t\u{e9}");
        assert_eq!(shown("a\u{202e}\\\"b".as_bytes(), 80), "a\\u{202e}\\\"b");
        assert_eq!(shown(&[b'x'; 50], 10), "xxxxxxxxxx...");
        assert_eq!(shown(&[0xff; 50], 8), "\\xff\\xff...");
    }
}
