//! Foreign lines: which lines of a log are not meant to be requests.
//!
//! Servers write more than requests where their log goes: they start, they warn, they report errors with a method and
//! a status of their own. A condition on a field tells requests from the rest among lines that fit (Caddy: `msg` is
//! `handled request`), a pattern names other lines that do not fit, and `--mixed` says it of all that do not fit.

use crate::bytes::glob::Glob;

/// A value that one field of every request has.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The place of the field in the format.
    pub slot: usize,
    /// As given: patterns with `*`, parted by `|`; an empty one, and only that, stands for a field that is absent.
    pub text: String,
    patterns: Vec<Glob>,
    /// Whether the field may be absent.
    pub absent: bool,
}

impl Condition {
    pub fn new(slot: usize, text: &str) -> Condition {
        let absent = text.split('|').any(str::is_empty);
        Condition { slot, text: text.to_owned(), patterns: globs(text), absent }
    }

    #[inline]
    pub fn holds(&self, value: Option<&[u8]>) -> bool {
        match value.unwrap_or_default() {
            [] => self.absent,
            value => self.patterns.iter().any(|pattern| pattern.matches(value)),
        }
    }
}

/// What is known of the lines that are no requests.
#[derive(Clone, Debug, Default)]
pub struct Foreign {
    /// All of them hold for a request.
    pub conditions: Vec<Condition>,
    /// What whole lines look like that do not fit and are no requests.
    pub others: Vec<Glob>,
    /// Whether nothing that does not fit is a request.
    pub mixed: bool,
}

impl Foreign {
    /// Whether a line that does not fit is foreign.
    #[cold]
    pub fn owns(&self, line: &[u8]) -> bool {
        self.mixed || self.others.iter().any(|other| other.matches(line))
    }
}

fn globs(text: &str) -> Vec<Glob> {
    text.split('|').map(|pattern| Glob::compile(pattern.as_bytes())).collect()
}

/// The patterns of a preset.
pub fn others(patterns: &[&str]) -> Vec<Glob> {
    patterns.iter().map(|pattern| Glob::compile(pattern.as_bytes())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_has_alternatives_and_may_allow_what_is_absent() {
        let strict = Condition::new(0, "handled request|access*");
        for (value, holds) in [
            (Some(&b"handled request"[..]), true),
            (Some(b"access.log0"), true),
            (Some(b"handled requests"), false),
            (Some(b""), false),
            (None, false),
        ] {
            assert_eq!(strict.holds(value), holds, "{value:?}");
        }
        let lenient = Condition::new(0, "handled request|");
        assert!(lenient.holds(None) && lenient.holds(Some(b"handled request")));
        assert!(!lenient.holds(Some(b"other")));
    }
}
