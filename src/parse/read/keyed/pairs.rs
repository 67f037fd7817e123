//! Lines of labels with their values: LTSV (`status:200<TAB>size:5`) and logfmt (`status=200 path="/a b"`).
//!
//! Turns a line into spans of the values at the wanted labels, in any order; what is not there is absent. LTSV
//! (ltsv.org) has no quotes: a tab ends a value. In logfmt (as Go's slog and Heroku write it) a blank ends a value
//! unless it stands in quotes, where a backslash takes the meaning from a quote. What is no pair is passed over. One
//! pass, and nothing is allocated.

use crate::bytes::scan::{find_byte, find_either};
use crate::parse::read::keyed::{Keys, Unreadable};
use crate::parse::read::spans::{Span, Spans};

/// What stands between a label and its value, and behind that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Punctuation {
    pub between: u8,
    pub behind: u8,
    pub quotes: bool,
}

pub const LTSV: Punctuation = Punctuation { between: b':', behind: b'\t', quotes: false };
pub const LOGFMT: Punctuation = Punctuation { between: b'=', behind: b' ', quotes: true };

impl Punctuation {
    /// Reads a line and fills the spans of the labels found in it.
    pub fn read(self, keys: &Keys, line: &[u8], spans: &mut Spans) -> Result<(), Unreadable> {
        spans.clear();
        spans.keys.reset_for(keys.token());
        let (mut pairs, mut at) = (0, 0);
        while at < line.len() {
            let text = &line[at..];
            let known = spans.keys.find(pairs, 0, text, 0);
            let (length, node) = match known {
                Some(known) => known,
                None => match self.label(text) {
                    Some(length) => {
                        let node = keys.child(0, &text[..length]);
                        spans.keys.insert(pairs, 0, text, length + 1, node);
                        (length + 1, node)
                    }
                    None => {
                        at = find_byte(line, at, self.behind) + 1;
                        continue;
                    }
                },
            };
            pairs += 1;
            let (span, end) = self.value(line, at + length);
            if let Some(place) = keys.slot(node).and_then(|slot| spans.at.get_mut(slot)) {
                *place = span;
            }
            at = end + 1;
        }
        if pairs > 0 { Ok(()) } else { Err(Unreadable { at: 0, expected: "a label and its value" }) }
    }

    /// The labels of a line of nothing but pairs, with their values as they stand there: for people.
    #[cold]
    pub fn members(self, line: &[u8]) -> Option<Vec<(String, &[u8])>> {
        let (mut found, mut at) = (Vec::new(), 0);
        while at < line.len() {
            let length = self.label(&line[at..])?;
            let label = str::from_utf8(&line[at..at + length]).ok()?;
            let (span, end) = self.value(line, at + length + 1);
            found.push((label.to_owned(), span.of(line)?));
            at = end + 1;
        }
        Some(found)
    }

    /// The length of the label that some text begins with.
    fn label(self, text: &[u8]) -> Option<usize> {
        let end = find_either(text, 0, self.between, self.behind);
        (end > 0 && text.get(end) == Some(&self.between)).then_some(end)
    }

    /// The value at `start`, and where what follows it stands.
    fn value(self, line: &[u8], start: usize) -> (Span, usize) {
        if !self.quotes || line.get(start) != Some(&b'"') {
            let end = find_byte(line, start, self.behind);
            return (Span::new(start, end), end);
        }
        let mut at = start + 1;
        loop {
            at = find_either(line, at, b'"', b'\\');
            match line.get(at) {
                Some(b'\\') => at += 2,
                Some(_) => return (Span::new(start + 1, at), find_byte(line, at, self.behind)),
                None => return (Span::new(start + 1, line.len()), line.len()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(punctuation: Punctuation, labels: &[&str], line: &str) -> Option<Vec<Option<String>>> {
        let keys = Keys::new(labels.iter().copied().zip(0..));
        let mut spans = Spans::new();
        spans.reset(labels.len());
        // Twice, for the second time the order is known.
        punctuation.read(&keys, line.as_bytes(), &mut spans).ok()?;
        punctuation.read(&keys, line.as_bytes(), &mut spans).ok()?;
        let text = |span: &Span| Some(String::from_utf8_lossy(span.of(line.as_bytes())?).into_owned());
        Some(spans.at.iter().map(text).collect())
    }

    fn texts(values: &[Option<&str>]) -> Option<Vec<Option<String>>> {
        Some(values.iter().map(|value| value.map(str::to_owned)).collect())
    }

    #[test]
    fn labels_in_any_order() {
        let line = "host:2001:db8::7\tstatus:200\tua:a \"b\" c\tcache:\tnonsense";
        let labels = ["status", "host", "ua", "cache", "size"];
        let want = [Some("200"), Some("2001:db8::7"), Some("a \"b\" c"), Some(""), None];
        assert_eq!(read(LTSV, &labels, line), texts(&want));
    }

    #[test]
    fn values_with_and_without_quotes() {
        let line = r#"at=info path="/a b=c" msg="x \"y\" z" bare connect= service=18ms host=a.example"#;
        let labels = ["path", "msg", "connect", "service", "host", "bare"];
        let want = [Some("/a b=c"), Some(r#"x \"y\" z"#), Some(""), Some("18ms"), Some("a.example"), None];
        assert_eq!(read(LOGFMT, &labels, line), texts(&want));
        assert_eq!(read(LOGFMT, &["a"], r#"a="never closed"#), texts(&[Some("never closed")]));
    }

    #[test]
    fn a_line_without_any_pair() {
        assert_eq!(read(LTSV, &["a"], "Puma starting"), None);
        assert_eq!(read(LOGFMT, &["a"], "* Listening"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(line in proptest::collection::vec(
            prop_oneof![any::<u8>(), Just(b'"'), Just(b'='), Just(b':'), Just(b' '), Just(b'\t'), Just(b'\\')],
            0..80,
        )) {
            let keys = Keys::new([("a", 0), ("b.c", 1)].into_iter());
            for punctuation in [LTSV, LOGFMT] {
                let mut spans = Spans::new();
                spans.reset(2);
                if punctuation.read(&keys, &line, &mut spans).is_ok() {
                    prop_assert!(spans.at.iter().all(|span| *span == Span::NONE || span.of(&line).is_some()));
                }
            }
        }
    }
}
