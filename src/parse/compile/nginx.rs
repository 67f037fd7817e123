//! nginx log_format strings.
//!
//! Turns the text of a `log_format`, after its quotes are gone, into literals and captures. Follows
//! `ngx_http_log_compile_format`; what the names mean is in vocabulary.rs. A variable it has never heard of (maps and
//! modules define their own) is text. Knows nothing of lines.

use crate::parse::compile::error::FormatError;
use crate::parse::compile::field::{Kind, Meaning, Piece, Slot, find_row, push_literal};
use crate::parse::compile::vocabulary::{NAMES, OURS};
use crate::parse::read::text::Escape;

/// Names for what other servers write, and those that advice makes up.
pub fn is_ours(name: &str) -> bool {
    let made_up = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    OURS.iter().any(|row| row.name == name) || name.strip_prefix("field").is_some_and(made_up)
}

/// The slot of a variable.
pub fn variable(name: &str, escape: Escape) -> Slot {
    let found = find_row(NAMES, name);
    let (kind, meaning) = found.map_or((Kind::Text, Meaning::NONE), |row| (row.kind, row.meaning));
    // escape=json and escape=none print nothing for what is absent; the default prints `-`. Values that are found but
    // empty print nothing in every mode: the protocol of a bad request, the name of a server without one, the port of a
    // socket in the file system. Only what nginx works out itself for every line is always there.
    let may_be_empty = !matches!(escape, Escape::Hex) || found.is_none_or(|row| row.may_be_empty);
    Slot { name: format!("${name}"), kind, meaning, escape, may_be_empty, dash_is_value: false }
}

/// Compiles a log_format. `text` pairs each byte with its column in what the user wrote.
pub fn compile(text: &[(u8, usize)], escape: Escape) -> Result<Vec<Piece>, FormatError> {
    let bytes: Vec<u8> = text.iter().map(|&(byte, _)| byte).collect();
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'$' {
            push_literal(&mut pieces, &bytes[at..=at]);
            at += 1;
            continue;
        }
        let column = text[at].1;
        let braced = bytes.get(at + 1) == Some(&b'{');
        let start = at + 1 + usize::from(braced);
        let len = bytes[start.min(bytes.len())..]
            .iter()
            .position(|&c| !is_name(c))
            .unwrap_or(bytes.len() - start.min(bytes.len()));
        let end = start + len;
        if len == 0 {
            return Err(FormatError::new(
                column,
                format!("$ without the name of a variable at column {column}"),
            ));
        }
        if braced && bytes.get(end) != Some(&b'}') {
            return Err(FormatError::new(column, format!("${{ without its }} at column {column}")));
        }
        let name = String::from_utf8_lossy(&bytes[start..end]).into_owned();
        pieces.push(Piece::Capture(variable(&name, escape)));
        at = end + usize::from(braced);
    }
    Ok(pieces)
}

fn is_name(c: u8) -> bool {
    c.is_ascii_alphanumeric() || c == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Result<String, FormatError> {
        let pieces = compile(&text.bytes().zip(1..).collect::<Vec<_>>(), Escape::Hex)?;
        let words: Vec<String> = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Literal(bytes) => format!("{:?}", String::from_utf8_lossy(bytes)),
                Piece::Capture(slot) => slot.name.clone(),
            })
            .collect();
        Ok(words.join(" "))
    }

    #[test]
    fn names_with_and_without_braces() {
        assert_eq!(names("$status ${uri}x$a$b%").unwrap(), r#"$status " " $uri "x" $a $b "%""#);
    }

    #[test]
    fn what_nginx_refuses() {
        for (text, column) in [("a $ b", 3), ("${uri", 1), ("x$", 2), ("${}", 1)] {
            assert_eq!(names(text).unwrap_err().column, column, "{text}");
        }
    }

    #[test]
    fn an_unknown_variable_is_text() {
        assert_eq!(variable("my_map", Escape::Hex).kind, Kind::Text);
    }
}
