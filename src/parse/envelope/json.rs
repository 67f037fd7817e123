//! JSON envelopes: objects in which a string is the line, as of Docker's json-file, journalctl -o json, and what
//! shippers write.
//!
//! The string is unescaped into a buffer that is used again. Which key holds the line, and which others name its pod or
//! its host, is a table. Sources: moby (daemon/logger/jsonfilelog), systemd.journal-fields(7), Fluent Bit's and
//! Vector's kubernetes filters, the Elastic Common Schema, promtail, GELF 1.1, Google Cloud's LogEntry, VictoriaLogs.

use crate::parse::envelope::facts::{Facts, Field, TimeKind};
use crate::parse::read::keyed::Keys;
use crate::parse::read::spans::{Span, Spans};
use crate::parse::read::text::{Escape, unescape};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Line,
    Time(TimeKind),
    Is(Field),
}

/// Keys in the order of preference among those of one use.
const KEYS: &[(&str, Use)] = &[
    ("log", Use::Line),
    ("message", Use::Line),
    ("MESSAGE", Use::Line),
    ("line", Use::Line),
    ("msg", Use::Line),
    ("short_message", Use::Line),
    ("textPayload", Use::Line),
    ("_msg", Use::Line),
    ("time", Use::Time(TimeKind::Plain)),
    ("@timestamp", Use::Time(TimeKind::Plain)),
    ("timestamp", Use::Time(TimeKind::Plain)),
    ("date", Use::Time(TimeKind::Plain)),
    ("_SOURCE_REALTIME_TIMESTAMP", Use::Time(TimeKind::Micros)),
    ("__REALTIME_TIMESTAMP", Use::Time(TimeKind::Micros)),
    ("stream", Use::Is(Field::Stream)),
    ("kubernetes.pod_name", Use::Is(Field::Pod)),
    ("kubernetes.pod.name", Use::Is(Field::Pod)),
    ("resource.labels.pod_name", Use::Is(Field::Pod)),
    ("pod", Use::Is(Field::Pod)),
    ("kubernetes.container_name", Use::Is(Field::Container)),
    ("kubernetes.container.name", Use::Is(Field::Container)),
    ("resource.labels.container_name", Use::Is(Field::Container)),
    ("container.name", Use::Is(Field::Container)),
    ("container_name", Use::Is(Field::Container)),
    ("CONTAINER_NAME", Use::Is(Field::Container)),
    ("kubernetes.namespace_name", Use::Is(Field::Namespace)),
    ("kubernetes.pod_namespace", Use::Is(Field::Namespace)),
    ("kubernetes.namespace", Use::Is(Field::Namespace)),
    ("resource.labels.namespace_name", Use::Is(Field::Namespace)),
    ("namespace", Use::Is(Field::Namespace)),
    ("attrs.com.docker.compose.service", Use::Is(Field::Service)),
    ("service.name", Use::Is(Field::Service)),
    ("service", Use::Is(Field::Service)),
    ("_SYSTEMD_UNIT", Use::Is(Field::Service)),
    ("host", Use::Is(Field::Host)),
    ("host.name", Use::Is(Field::Host)),
    ("hostname", Use::Is(Field::Host)),
    ("_HOSTNAME", Use::Is(Field::Host)),
    ("attrs.tag", Use::Is(Field::Tag)),
    ("tag", Use::Is(Field::Tag)),
    ("SYSLOG_IDENTIFIER", Use::Is(Field::Tag)),
    ("file", Use::Is(Field::File)),
    ("log.file.path", Use::Is(Field::File)),
    ("filename", Use::Is(Field::File)),
];

#[derive(Debug)]
pub struct JsonReader {
    keys: Keys,
    spans: Spans,
}

impl JsonReader {
    pub fn new() -> JsonReader {
        let keys = Keys::new(KEYS.iter().map(|(key, _)| *key).zip(0..));
        JsonReader { keys, spans: Spans::new() }
    }

    /// Puts the line within into `out`, without the newline at its end, and says whether it is a piece: of Docker's
    /// json-file, what does not end in a newline goes on. None when there is no such string.
    pub fn read(&mut self, text: &[u8], docker: bool, facts: &mut Facts, out: &mut Vec<u8>) -> Option<bool> {
        // Names that stand before the brace belong to a head of text.
        if text.first() != Some(&b'{') || u32::try_from(text.len()).is_err() {
            return None;
        }
        self.spans.reset(KEYS.len());
        self.keys.read(text, &mut self.spans).ok()?;
        let value = |place: usize| self.spans.at.get(place).filter(|span| **span != Span::NONE);
        let (mut line, mut has_time, mut has_stream, mut has_pod) = (None, false, false, false);
        for (place, (key, used)) in KEYS.iter().enumerate() {
            let Some(span) = value(place) else { continue };
            match *used {
                Use::Line if line.is_none() => line = Some((span.start as usize, *key)),
                Use::Line => {}
                Use::Time(_) if has_time => {}
                Use::Time(kind) => {
                    facts.set_time(kind, span.of(text)?);
                    has_time = true;
                }
                Use::Is(field) => {
                    // Of this object: a head around it may have told of a pod too.
                    has_stream |= field == Field::Stream;
                    has_pod |= field == Field::Pod;
                    facts.set_default(field, span.of(text)?);
                }
            }
        }
        let (start, key) = line?;
        // dockerd writes its keys in this order, and shippers add others to them.
        if docker && (key != "log" || !text[1..].trim_ascii_start().starts_with(b"\"log\"")) {
            return None;
        }
        if docker && (!has_stream || has_pod) {
            return None;
        }
        let end = self.spans.at[KEYS.iter().position(|(known, _)| *known == key)?].end as usize;
        out.clear();
        match text.get(start.checked_sub(1)?)? {
            b'"' => unescape(&text[start..end], Escape::Json, out),
            // What is no UTF-8 is an array of its bytes in journalctl's output.
            _ if key == "MESSAGE" => bytes_of_array(text, start, out)?,
            _ => return None,
        }
        let is_whole = out.last() == Some(&b'\n');
        out.truncate(out.len() - usize::from(is_whole));
        Some(docker && !is_whole)
    }
}

/// The bytes of `[49,50,...]`, whose first number is at `start`.
fn bytes_of_array(text: &[u8], start: usize, out: &mut Vec<u8>) -> Option<()> {
    let before = text[..start].trim_ascii_end();
    before.last().filter(|byte| **byte == b'[')?;
    let end = start + text[start..].iter().position(|byte| *byte == b']')?;
    for number in text[start..end].split(|byte| *byte == b',') {
        out.push(str::from_utf8(number.trim_ascii()).ok()?.parse().ok()?);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The line within, whether it is a piece, and some of what the head tells.
    fn read(docker: bool, text: &str) -> Option<(String, bool, String)> {
        let (mut facts, mut out) = (Facts::default(), Vec::new());
        let piece = JsonReader::new().read(text.as_bytes(), docker, &mut facts, &mut out)?;
        Some((String::from_utf8_lossy(&out).into_owned(), piece, facts.shown()))
    }

    #[test]
    fn the_line_in_an_object() {
        for (docker, text, line, piece, told) in [
            (true, r#"{"log":"a \"b\"\n","stream":"stdout","time":"x"}"#, "a \"b\"", false, "stream=stdout"),
            (true, r#"{"log":"a","stream":"stderr","time":"x"}"#, "a", true, "stream=stderr"),
            (
                true,
                r#"{"log":"a\n","stream":"stdout","attrs":{"tag":"t"},"time":"x"}"#,
                "a",
                false,
                "tag=t stream=stdout",
            ),
            (false, r#"{"log":"a\n","stream":"stdout","time":"x"}"#, "a", false, "stream=stdout"),
            (
                false,
                r#"{"@timestamp":"x","log":{"file":{"path":"/l"}},"message":"a","host":{"name":"h"}}"#,
                "a",
                false,
                "host=h file=/l",
            ),
            (
                false,
                r#"{"log":"a","kubernetes":{"pod_name":"p","namespace_name":"n","container_name":"c"}}"#,
                "a",
                false,
                "pod=p container=c namespace=n",
            ),
            (false, r#"{"_HOSTNAME":"h","SYSLOG_IDENTIFIER":"t","MESSAGE":"a"}"#, "a", false, "host=h tag=t"),
            (false, r#"{"MESSAGE":[ 97, 32,255],"_HOSTNAME":"h"}"#, "a \u{fffd}", false, "host=h"),
        ] {
            assert_eq!(read(docker, text), Some((line.to_owned(), piece, told.to_owned())), "{text}");
        }
    }

    #[test]
    fn other_objects() {
        for (docker, text) in [
            (true, r#"{"log":"a\n","stream":"stdout","kubernetes":{"pod_name":"p"}}"#),
            (true, r#"{"date":1,"log":"a\n","stream":"stdout"}"#),
            (true, r#"{"log":"a\n"}"#),
            (false, r#"{"status":200}"#),
            (false, r#"{"message":7}"#),
            (false, r#"{"MESSAGE":[300]}"#),
            (false, r#"{"MESSAGE":[1"#),
            (false, "web | {\"message\":\"a\"}"),
            (false, ""),
        ] {
            assert_eq!(read(docker, text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_line_is_the_same_inside_and_outside(line in "[^\n]{0,60}", newline: bool) {
            let text = format!("{line}{}", if newline { "\n" } else { "" });
            let object = serde_json::json!({"log": text, "stream": "stdout", "time": "2031-03-05T04:05:06Z"});
            let docker = read(true, &object.to_string()).map(|read| (read.0, read.1));
            prop_assert_eq!(docker, Some((line.clone(), !newline)));
            let bytes = serde_json::json!({"MESSAGE": line.as_bytes()}).to_string();
            let want = (!line.is_empty()).then_some(line);
            prop_assert_eq!(read(false, &bytes).map(|read| read.0), want);
        }

        #[test]
        fn no_bytes_make_it_panic(
            cut in 0usize..60,
            rest in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'"'), Just(b'{'), Just(b'['), Just(b'\\')], 0..40),
        ) {
            let object = br#"{"MESSAGE":[1,2],"log":"a\u00e9\n","stream":"stdout"}"#;
            let text = [&object[..cut.min(object.len())], &rest].concat();
            for docker in [true, false] {
                let _ = JsonReader::new().read(&text, docker, &mut Facts::default(), &mut Vec::new());
            }
        }
    }
}
