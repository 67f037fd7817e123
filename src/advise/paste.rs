//! Formats as words of a command line, ready to paste.

/// Fit for a shell.
pub fn quotable(text: &str) -> String {
    if text.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_".contains(&c)) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\t', "\\t").replace('\'', r"'\''"))
}
