//! JSON reader: finds the wanted keys of a line in one pass.
//!
//! Turns a line that holds one JSON object into spans of the values at the wanted keys. Follows RFC 8259,
//! read as logs need it: text before the first brace is skipped (container runtimes put a name there),
//! bytes that are no UTF-8 and control characters are taken in strings, a backslash protects whatever byte
//! comes next, and a value that is missing (`"a":,`) or a bare `-` is absent, for that is what templates of
//! hand-made JSON leave behind. Objects and arrays that are not wanted are checked for their quotes and
//! brackets only. Of equal keys the last wins. An array stands for its first element.
//!
//! Reads in one pass without recursion; nesting is bounded. Allocates nothing and must never panic.

pub mod key_cache;
pub mod pairs;

use crate::bytes::digits::digits_end;
use crate::bytes::scan::{find_byte, find_either};
use crate::bytes::words::byte_at;
use crate::bytes::work::scanned;
use crate::parse::read::spans::{Span, Spans};
use crate::parse::read::text::{Escape, unescape};
use std::sync::Arc;

/// How deep objects and arrays may be nested. Access logs reach four (headers of a request); a line that goes
/// deeper than this is no access record.
const DEPTH: usize = 32;

// What reads values is compiled into the reader of lines by order (`inline(always)`): since `members` calls it too, the
// compiler would leave calls there, which cost a tenth of the whole.

/// No node, no slot.
const NONE: u16 = u16::MAX;

/// Parts that the path of a key may have, so that the nodes of all keys can be numbered in 16 bits.
pub const PARTS_MAX: usize = 64;

/// The wanted keys as a tree, by the parts of their paths.
#[derive(Debug)]
pub struct Keys {
    nodes: Vec<Node>,
    /// Tells these keys from all others, for numbers of their nodes are kept elsewhere.
    token: Arc<()>,
}

#[derive(Debug)]
struct Node {
    children: Vec<(Box<[u8]>, u16)>,
    slot: u16,
}

#[derive(Clone, Copy)]
struct Frame {
    node: u16,
    array: bool,
}

/// What was expected where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable {
    pub at: usize,
    pub expected: &'static str,
}

impl Keys {
    /// `paths` are dotted; the value at the n-th goes to the slot named beside it.
    pub fn new<'p>(paths: impl Iterator<Item = (&'p str, usize)>) -> Keys {
        let root = Node { children: Vec::new(), slot: NONE };
        let mut keys = Keys { nodes: vec![root], token: Arc::default() };
        for (path, slot) in paths {
            let node = path.split('.').fold(0, |node, part| keys.enter(node, part));
            keys.nodes[node].slot = u16::try_from(slot).unwrap_or(NONE);
        }
        keys
    }

    /// The node behind a part of a path, made if need be.
    fn enter(&mut self, node: usize, part: &str) -> usize {
        let known = self.nodes[node].children.iter().find(|(key, _)| **key == *part.as_bytes());
        if let Some(&(_, child)) = known {
            return usize::from(child);
        }
        let child = self.nodes.len();
        // PARTS_MAX sees to it that the number fits.
        self.nodes[node].children.push((part.as_bytes().into(), u16::try_from(child).unwrap_or(NONE)));
        self.nodes.push(Node { children: Vec::new(), slot: NONE });
        child
    }

    /// The node that a key leads to from another. A key may have dots in its own name; each of them is a step, so that
    /// a path is found however objects and dots share it.
    pub fn child(&self, node: u16, key: &[u8]) -> u16 {
        key.split(|byte| *byte == b'.').fold(node, |node, part| {
            let children = self.nodes.get(usize::from(node)).map_or(&[][..], |node| &node.children);
            children.iter().find(|(known, _)| **known == *part).map_or(NONE, |&(_, child)| child)
        })
    }

    /// Tells these keys from all others.
    pub fn token(&self) -> &Arc<()> {
        &self.token
    }

    /// Reads a line and fills the spans of the keys found in it.
    pub fn read(&self, line: &[u8], spans: &mut Spans) -> Result<(), Unreadable> {
        spans.clear();
        spans.keys.reset_for(&self.token);
        let mut members = 0;
        let mut nest = Nest { frames: [Frame { node: 0, array: false }; DEPTH], depth: 0, opened: true };
        let mut at = find_byte(line, 0, b'{') + 1;
        if at > line.len() {
            return Err(Unreadable { at: 0, expected: "{" });
        }
        loop {
            at = skip_blanks(line, at);
            if byte_at(line, at) == nest.closing() {
                at += 1;
                if nest.leave() {
                    break;
                }
                continue;
            }
            at = nest.comma(line, at)?;
            let (wanted, value) = self.next_value(line, at, &mut nest, &mut members, spans)?;
            at = self.take(line, value, wanted, &mut nest, spans)?;
        }
        at = skip_blanks(line, at);
        if at == line.len() { Ok(()) } else { Err(Unreadable { at, expected: "the end of the line" }) }
    }

    /// The node of the value that comes next in the innermost object or array, and where that value begins.
    #[inline(always)]
    fn next_value(
        &self,
        line: &[u8],
        at: usize,
        nest: &mut Nest,
        members: &mut usize,
        spans: &mut Spans,
    ) -> Result<(u16, usize), Unreadable> {
        let Frame { node, array } = nest.frames[nest.depth];
        if array {
            // Only the first element stands for the array. Keys of objects inside arrays have no path.
            nest.frames[nest.depth].node = NONE;
            return Ok((if byte_at(line, at) == b'{' { NONE } else { node }, at));
        }
        let (child, value) = match spans.keys.find(*members, node, line, at) {
            Some((length, child)) => (child, at + length),
            None => self.member(line, at, (node, *members), spans)?,
        };
        *members += 1;
        Ok((child, skip_blanks(line, value)))
    }

    /// Takes the value of a node, or goes into it, or passes over it; and says where the line goes on.
    #[inline(always)]
    fn take(
        &self,
        line: &[u8],
        at: usize,
        wanted: u16,
        nest: &mut Nest,
        spans: &mut Spans,
    ) -> Result<usize, Unreadable> {
        let is_array = byte_at(line, at) == b'[';
        if is_array || byte_at(line, at) == b'{' {
            if wanted != NONE {
                return nest.enter(Frame { node: wanted, array: is_array }, at);
            }
            nest.opened = false;
            return skip(line, at, DEPTH - nest.depth);
        }
        let (span, end) = scalar(line, at)?;
        if let Some(place) = self.slot(wanted).and_then(|slot| spans.at.get_mut(slot)) {
            *place = span;
        }
        nest.opened = false;
        Ok(end)
    }

    pub fn slot(&self, node: u16) -> Option<usize> {
        let slot = self.nodes.get(usize::from(node))?.slot;
        (slot != NONE).then_some(usize::from(slot))
    }

    /// Reads `"key" :`, which is so many members into the line, and says which node it leads to and where it ends.
    #[inline(never)]
    fn member(
        &self,
        line: &[u8],
        at: usize,
        (node, place): (u16, usize),
        spans: &mut Spans,
    ) -> Result<(u16, usize), Unreadable> {
        if line.get(at) != Some(&b'"') {
            return Err(Unreadable { at, expected: "\"" });
        }
        let (span, end, escaped) = string(line, at)?;
        let mut colon = end;
        if line.get(colon) != Some(&b':') {
            colon = skip_blanks(line, end);
            if line.get(colon) != Some(&b':') {
                return Err(Unreadable { at: colon, expected: ":" });
            }
        }
        let Spans { key: scratch, keys, .. } = spans;
        let mut key = span.of(line).unwrap_or_default();
        if escaped {
            scratch.clear();
            unescape(key, Escape::Json, scratch);
            key = scratch;
        }
        let child = self.child(node, key);
        keys.insert(place, node, &line[at..], colon + 1 - at, child);
        Ok((child, colon + 1))
    }
}

/// The objects and arrays around the place that is read.
struct Nest {
    frames: [Frame; DEPTH],
    depth: usize,
    /// Nothing has been read of the innermost one.
    opened: bool,
}

impl Nest {
    #[inline(always)]
    fn closing(&self) -> u8 {
        if self.frames[self.depth].array { b']' } else { b'}' }
    }

    /// Leaves the innermost one; whether it was the outermost, too.
    #[inline(always)]
    fn leave(&mut self) -> bool {
        self.opened = false;
        let outermost = self.depth == 0;
        self.depth = self.depth.saturating_sub(1);
        outermost
    }

    #[inline(always)]
    fn enter(&mut self, frame: Frame, at: usize) -> Result<usize, Unreadable> {
        self.depth += 1;
        self.opened = true;
        *self.frames.get_mut(self.depth).ok_or(Unreadable { at, expected: "less nesting" })? = frame;
        Ok(at + 1)
    }

    /// Passes over the comma that stands before every value but the first.
    #[inline(always)]
    fn comma(&self, line: &[u8], at: usize) -> Result<usize, Unreadable> {
        if self.opened {
            return Ok(at);
        }
        if byte_at(line, at) != b',' {
            let expected = if self.frames[self.depth].array { ", or ]" } else { ", or }" };
            return Err(Unreadable { at, expected });
        }
        Ok(skip_blanks(line, at + 1))
    }
}

/// The keys of a line that have a value of their own, by their paths, with the values as they stand there: for people.
/// What is in arrays has no path.
#[cold]
pub fn members(line: &[u8]) -> Option<Vec<(String, &[u8])>> {
    let mut at = find_byte(line, 0, b'{') + 1;
    let (mut path, mut found) = (Vec::new(), Vec::new());
    loop {
        at = skip_blanks(line, at);
        match line.get(at)? {
            b',' => at += 1,
            b'}' => {
                at += 1;
                if path.pop().is_none() {
                    return (skip_blanks(line, at) == line.len()).then_some(found);
                }
            }
            b'"' => {
                let (key, end, _) = string(line, at).ok()?;
                let key = str::from_utf8(key.of(line)?).ok()?;
                let colon = skip_blanks(line, end);
                line.get(colon).filter(|byte| **byte == b':')?;
                at = skip_blanks(line, colon + 1);
                match line.get(at)? {
                    b'{' if path.len() < DEPTH => {
                        path.push(key);
                        at += 1;
                    }
                    b'{' | b'[' => at = skip(line, at, DEPTH).ok()?,
                    _ => {
                        let (span, end) = scalar(line, at).ok()?;
                        let dotted = [path.as_slice(), &[key]].concat().join(".");
                        found.extend(span.of(line).map(|value| (dotted, value)));
                        at = end;
                    }
                }
            }
            _ => return None,
        }
    }
}

/// Where the object or array at `at` ends. No value in it is wanted, so only its quotes and brackets are
/// checked. `levels` is how deep it may go.
#[inline(always)]
fn skip(line: &[u8], mut at: usize, levels: usize) -> Result<usize, Unreadable> {
    // One bit for each open bracket: is it square?
    let (mut square, mut depth) = (0u64, 0);
    loop {
        scanned(1);
        match line.get(at) {
            Some(b'"') => {
                at = string(line, at)?.1;
                continue;
            }
            Some(&open @ (b'{' | b'[')) => {
                square = square << 1 | u64::from(open == b'[');
                depth += 1;
                if depth > levels {
                    return Err(Unreadable { at, expected: "less nesting" });
                }
            }
            Some(&close @ (b'}' | b']')) => {
                if (square & 1 == 1) != (close == b']') {
                    return Err(Unreadable { at, expected: if square & 1 == 1 { "]" } else { "}" } });
                }
                square >>= 1;
                depth -= 1;
                if depth == 0 {
                    return Ok(at + 1);
                }
            }
            Some(_) => {}
            None => return Err(Unreadable { at, expected: if square & 1 == 1 { "]" } else { "}" } }),
        }
        at += 1;
    }
}

#[inline]
fn skip_blanks(line: &[u8], mut at: usize) -> usize {
    while matches!(byte_at(line, at), b' ' | b'\t' | b'\r' | b'\n') {
        scanned(1);
        at += 1;
    }
    at
}

/// The string whose opening quote is at `at`: its inside, where it ends, and whether it has escapes.
#[inline(always)]
fn string(line: &[u8], at: usize) -> Result<(Span, usize, bool), Unreadable> {
    let start = at + 1;
    let mut end = start;
    let mut escaped = false;
    loop {
        end = find_either(line, end, b'"', b'\\');
        if byte_at(line, end) == b'"' {
            return Ok((Span::new(start, end), end + 1, escaped));
        }
        if end + 2 > line.len() {
            return Err(Unreadable { at: line.len(), expected: "\"" });
        }
        escaped = true;
        end += 2;
    }
}

/// Where the number at `at` ends: a sign (which may stand alone), digits, a fraction, an exponent.
#[inline]
fn number(line: &[u8], at: usize) -> usize {
    let mut end = digits_end(line, at + 1);
    if byte_at(line, end) == b'.' {
        end = digits_end(line, end + 1);
    }
    if matches!(byte_at(line, end), b'e' | b'E') {
        let sign = matches!(byte_at(line, end + 1), b'+' | b'-');
        end = digits_end(line, end + 1 + usize::from(sign));
    }
    end
}

/// A string, a number, a word or nothing: its span (`NONE` for what is absent) and where it ends.
#[inline(always)]
fn scalar(line: &[u8], at: usize) -> Result<(Span, usize), Unreadable> {
    match byte_at(line, at) {
        b'"' => string(line, at).map(|(span, end, _)| (span, end)),
        b'-' | b'0'..=b'9' => {
            let end = number(line, at);
            // A number ends at a blank or at punctuation; anything else would be part of a word.
            match byte_at(line, end) {
                b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n' => Ok((Span::new(at, end), end)),
                _ if end >= line.len() => Ok((Span::new(at, end), end)),
                _ => Err(Unreadable { at: end, expected: "a number" }),
            }
        }
        b',' | b'}' | b']' => Ok((Span::NONE, at)),
        _ => word(line, at),
    }
}

#[inline(never)]
fn word(line: &[u8], at: usize) -> Result<(Span, usize), Unreadable> {
    match line.get(at..).unwrap_or_default() {
        rest if rest.starts_with(b"null") => Ok((Span::NULL, at + 4)),
        rest if rest.starts_with(b"true") => Ok((Span::new(at, at + 4), at + 4)),
        rest if rest.starts_with(b"false") => Ok((Span::new(at, at + 5), at + 5)),
        _ => Err(Unreadable { at: at.min(line.len()), expected: "a value" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn read(paths: &[&str], line: &[u8]) -> Result<Vec<Option<String>>, Unreadable> {
        let keys = Keys::new(paths.iter().copied().zip(0..));
        let mut spans = Spans::new();
        spans.reset(paths.len());
        keys.read(line, &mut spans)?;
        let text = |span: &Span| {
            let mut out = Vec::new();
            unescape(span.of(line)?, Escape::Json, &mut out);
            Some(String::from_utf8_lossy(&out).into_owned())
        };
        Ok(spans.at.iter().map(text).collect())
    }

    #[test]
    fn values_at_their_paths() {
        let line =
            br#"web | {"a": 1, "b": {"c": "x\ny", "d": [ "e", 2 ], "c.d": true}, "g.h": -1.5e3, "n": null} "#;
        let paths = ["a", "b.c", "b.d", "b.c.d", "g.h", "n", "nowhere"];
        let want = [Some("1"), Some("x\ny"), Some("e"), Some("true"), Some("-1.5e3"), None, None];
        assert_eq!(read(&paths, line).unwrap(), want.map(|v| v.map(str::to_owned)));
    }

    #[test]
    fn what_templates_leave_behind_is_absent_and_the_last_of_equal_keys_wins() {
        let got = read(&["a", "b", "c"], br#"{"a":,"b":-,"c":1,"c":2}"#).unwrap();
        assert_eq!(got, [None, Some("-".to_owned()), Some("2".to_owned())]);
        assert_eq!(read(&["a\"b"], br#"{"\u0061\"b":7}"#).unwrap(), [Some("7".to_owned())]);
    }

    #[test]
    fn a_path_with_many_dots_is_as_many_nodes() {
        let path = vec!["k"; PARTS_MAX].join(".");
        assert_eq!(Keys::new([(path.as_str(), 0)].into_iter()).nodes.len(), PARTS_MAX + 1);
        assert_eq!(read(&[&path], format!("{{\"{path}\":7}}").as_bytes()).unwrap(), [Some("7".to_owned())]);
        let (outer, inner) = path.split_at(PARTS_MAX - 1);
        let cut = format!("{{\"{outer}\":{{\"{}\":8}}}}", &inner[1..]);
        assert_eq!(read(&[&path], cut.as_bytes()).unwrap(), [Some("8".to_owned())]);
    }

    #[test]
    fn the_keys_of_a_line() {
        let line =
            br#"web | {"a": 1, "b": {"c": "x", "d": [ "e", {"f": 2} ], "g": {}}, "n": null, "h": true} "#;
        let found = members(line).unwrap();
        let found: Vec<(&str, &[u8])> = found.iter().map(|(key, value)| (key.as_str(), *value)).collect();
        assert_eq!(found, [("a", &b"1"[..]), ("b.c", b"x"), ("h", b"true")]);
        for line in ["", "{", "plain", r#"{"a"}"#, r#"{"a":1} x"#, r#"{"a":"x"#, "{1}"] {
            assert_eq!(members(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn what_is_no_object_says_where() {
        for (line, at, expected) in [
            ("plain", 0, "{"),
            ("", 0, "{"),
            ("{", 1, "\""),
            (r#"{"a" 1}"#, 5, ":"),
            (r#"{"a":1 "b":2}"#, 7, ", or }"),
            (r#"{"a":1}x"#, 7, "the end of the line"),
            (r#"{"a":"x"#, 7, "\""),
            (r#"{"a":"x\"#, 8, "\""),
            (r#"{"a":nil}"#, 5, "a value"),
            (r#"{"a":1-2}"#, 6, "a number"),
            (r#"{"a":[1}"#, 7, ", or ]"),
            (r#"{"a":1,}"#, 7, "\""),
        ] {
            assert_eq!(read(&["a"], line.as_bytes()), Err(Unreadable { at, expected }), "{line}");
        }
        for key in ["a", "b"] {
            let deep = format!("{{\"{key}\":{}", "[".repeat(100_000));
            assert_eq!(read(&["a"], deep.as_bytes()).unwrap_err().expected, "less nesting");
        }
        for line in [r#"{"b":[}"#, r#"{"b":{]}"#, r#"{"b":[["]"#, r#"{"b":[{}"#] {
            assert!(read(&["a"], line.as_bytes()).is_err(), "{line}");
        }
    }

    #[test]
    fn dots_of_a_path_are_those_of_objects_or_of_names_in_any_mixture() {
        let path = vec!["k"; 41].join(".");
        let nested = format!("{}1{}", r#"{"k":"#.repeat(41), "}".repeat(41));
        assert_eq!(read(&[&path], nested.as_bytes()).unwrap_err().expected, "less nesting");
        for line in [
            format!(r#"{{"{path}":1}}"#),
            format!(r#"{{"{}":{{"k.k":1}}}}"#, vec!["k"; 39].join(".")),
            format!(r#"{{"k":{{"k":{{"{}":1}}}}}}"#, vec!["k"; 39].join(".")),
        ] {
            assert_eq!(
                read(&[&path, "k.k"], line.as_bytes()).unwrap(),
                [Some("1".to_owned()), None],
                "{line}"
            );
        }
        for line in [r#"{"k":{"k.":1}}"#, r#"{"k..k":1}"#, r#"{".k.k":1}"#, r#"{"k.k.k":1}"#] {
            assert_eq!(read(&["k.k"], line.as_bytes()).unwrap(), [None], "{line}");
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e9f64..1e9).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("[a-c]", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    /// What our reader should find at `value`: scalars as text, arrays by their first element.
    fn expected(value: &Value) -> Option<String> {
        match value {
            Value::Null | Value::Object(_) => None,
            Value::String(text) => Some(text.clone()),
            Value::Array(items) => items.first().and_then(expected),
            other => Some(other.to_string()),
        }
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json(
            map in proptest::collection::btree_map("[a-c]", any_value(), 0..4),
            pretty: bool,
        ) {
            let object = Value::Object(map.into_iter().collect());
            let text = if pretty { format!("{object:#}") } else { object.to_string() };
            let paths = ["a", "b", "c", "a.a", "a.b", "b.c", "c.a.b"];
            let got = read(&paths, text.as_bytes()).unwrap();
            for (path, got) in paths.iter().zip(got) {
                let value = path.split('.').try_fold(&object, |value, key| value.get(key));
                prop_assert_eq!(got, value.and_then(expected), "{} in {}", path, text);
            }
        }

        #[test]
        fn a_path_is_found_however_it_is_cut(parts in prop::collection::vec("[ab]{0,2}", 1..9), cuts: u16) {
            let path = parts.join(".");
            let mut line = String::from("{\"");
            for (index, part) in parts.iter().enumerate() {
                let seam = if cuts >> index & 1 == 1 { "\":{\"" } else { "." };
                line += if index > 0 { seam } else { "" };
                line += part;
            }
            let depth = line.matches('{').count();
            line = format!("{line}\":1{}", "}".repeat(depth));
            let found = read(&[&path, "c"], line.as_bytes()).unwrap();
            prop_assert_eq!(found, [Some("1".to_owned()), None]);
        }

        #[test]
        fn any_bytes_are_survived(line in proptest::collection::vec(
            prop_oneof![any::<u8>(), Just(b'"'), Just(b'{'), Just(b'['), Just(b':')],
            0..80,
        )) {
            let _ = members(&line);
            let keys = Keys::new([("a", 0), ("b.c", 1)].into_iter());
            let mut spans = Spans::new();
            spans.reset(2);
            if keys.read(&line, &mut spans).is_ok() {
                for span in &spans.at {
                    prop_assert!(*span == Span::NONE || span.of(&line).is_some());
                }
            }
        }
    }
}
