//! Facts of a head: values for labels, and a time for lines that have none.
//!
//! The values are copied, for the line within may have been joined or unescaped elsewhere; there are few and they are
//! short. What a name of a file tells holds for all lines that follow, until the next name.

use crate::parse::read::time;

/// What `--label NAME=envelope:FIELD` can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Pod,
    Container,
    Namespace,
    Service,
    Host,
    Tag,
    Stream,
    File,
}

impl Field {
    pub const ALL: [(Field, &'static str); 8] = [
        (Field::Pod, "pod"),
        (Field::Container, "container"),
        (Field::Namespace, "namespace"),
        (Field::Service, "service"),
        (Field::Host, "host"),
        (Field::Tag, "tag"),
        (Field::Stream, "stream"),
        (Field::File, "file"),
    ];

    pub fn named(name: &str) -> Option<Field> {
        Field::ALL.iter().find(|(_, known)| *known == name).map(|&(field, _)| field)
    }

    /// All names, for messages.
    pub fn names() -> String {
        Field::ALL.map(|(_, name)| name).join(" ")
    }
}

/// How a head writes its time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeKind {
    /// RFC 3339, or seconds since 1970.
    #[default]
    Plain,
    /// Microseconds since 1970 (journald).
    Micros,
    /// TAI64N: 2^62 + seconds of atomic time and nanoseconds, in 24 hexadecimal digits.
    Tai64n,
}

/// Longer values are not names; this bounds what is copied for a line.
const VALUE_BYTES_MAX: usize = 256;

type Range = (u32, u32);

/// The values of one head, used again for every line.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    text: Vec<u8>,
    at: [Range; Field::ALL.len()],
    time: Range,
    time_kind: TimeKind,
    /// What holds for all lines that follow.
    kept: (u32, [Range; Field::ALL.len()]),
}

impl Facts {
    /// Forgets what the last line told.
    #[inline]
    pub fn clear(&mut self) {
        self.text.truncate(self.kept.0 as usize);
        self.at = self.kept.1;
        self.time = (0, 0);
    }

    #[inline]
    pub fn set(&mut self, field: Field, value: &[u8]) {
        self.at[field as usize] = self.push(value);
    }

    /// The same where nothing has told it yet.
    pub fn set_default(&mut self, field: Field, value: &[u8]) {
        if self.get(field).is_empty() {
            self.set(field, value);
        }
    }

    #[inline]
    pub fn set_time(&mut self, kind: TimeKind, text: &[u8]) {
        self.time = self.push(text);
        self.time_kind = kind;
    }

    #[inline]
    fn push(&mut self, value: &[u8]) -> Range {
        let value = &value[..value.len().min(VALUE_BYTES_MAX)];
        let start = self.text.len();
        self.text.extend_from_slice(value);
        let place = |at: usize| u32::try_from(at).unwrap_or(0);
        (place(start), place(self.text.len()))
    }

    /// A value; empty where the head does not tell it.
    #[inline]
    pub fn get(&self, field: Field) -> &[u8] {
        self.of(self.at[field as usize])
    }

    fn of(&self, (start, end): Range) -> &[u8] {
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }

    /// The writer of the line, by the narrowest name that the head has for it.
    #[inline]
    pub fn source(&self) -> &[u8] {
        let told = |field| Some(self.get(field)).filter(|name| !name.is_empty());
        told(Field::Container)
            .or_else(|| told(Field::Service))
            .or_else(|| told(Field::Tag))
            .unwrap_or_default()
    }

    /// All that is told, by name.
    pub fn told(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        Field::ALL
            .into_iter()
            .map(|(field, name)| (name, self.get(field)))
            .filter(|(_, value)| !value.is_empty())
    }

    /// The same as tests want it.
    #[cfg(test)]
    pub fn shown(&self) -> String {
        let told = self.told().map(|(name, value)| format!("{name}={}", String::from_utf8_lossy(value)));
        told.collect::<Vec<_>>().join(" ")
    }

    /// All values, which tell apart the streams that pieces of lines belong to.
    pub fn key(&self, key: &mut Vec<u8>) {
        key.clear();
        for (field, _) in Field::ALL {
            key.extend_from_slice(self.get(field));
            key.push(0);
        }
    }

    /// The time of the head, in nanoseconds since 1970. None for one without a zone: whose clock it was is not guessed.
    #[inline]
    pub fn moment(&self) -> Option<i64> {
        if self.time.1 == self.time.0 { None } else { self.moment_told() }
    }

    #[inline(never)]
    fn moment_told(&self) -> Option<i64> {
        let text = self.of(self.time);
        match self.time_kind {
            TimeKind::Micros => time::moment(text, 3),
            TimeKind::Tai64n => tai64n(text),
            // Thousandths or millionths of seconds, which nobody names, are beyond what there is.
            TimeKind::Plain => time::moment(text, 9),
        }
    }

    /// Takes the name of a file that the lines which follow come from, and what Kubernetes put into it.
    #[cold]
    pub fn keep_file(&mut self, path: &[u8]) {
        *self = Facts::default();
        self.set_file(path);
        self.kept = (u32::try_from(self.text.len()).unwrap_or(0), self.at);
    }

    /// The same for one line.
    pub fn set_file(&mut self, path: &[u8]) {
        self.set(Field::File, path);
        let mut parts = path.rsplit(|byte| *byte == b'/');
        let (name, above, above_that) = (parts.next(), parts.next(), parts.next());
        // /var/log/pods/NAMESPACE_POD_UID/CONTAINER/N.log
        if let (Some(container), Some(pod)) = (above, above_that)
            && let [namespace, pod, _] = pod.split(|byte| *byte == b'_').collect::<Vec<_>>()[..]
        {
            self.set_pod(namespace, pod, container);
        }
        // /var/log/containers/POD_NAMESPACE_CONTAINER-ID.log
        if let Some(name) = name.and_then(|name| name.strip_suffix(b".log"))
            && above == Some(b"containers")
            && let [pod, namespace, container] = name.split(|byte| *byte == b'_').collect::<Vec<_>>()[..]
        {
            let dash = container.iter().rposition(|byte| *byte == b'-').unwrap_or(container.len());
            self.set_pod(namespace, pod, &container[..dash]);
        }
    }

    fn set_pod(&mut self, namespace: &[u8], pod: &[u8], container: &[u8]) {
        self.set(Field::Namespace, namespace);
        self.set(Field::Pod, pod);
        self.set(Field::Container, container);
    }
}

/// Atomic time is ahead of UTC by 37 seconds since 2017; the 10 of 1970 are in every TAI64 label (D. J. Bernstein,
/// "TAI64, TAI64N, and TAI64NA"), and daemontools and s6 know no others by default.
const TAI_LESS_UTC: i64 = 10;

fn tai64n(digits: &[u8]) -> Option<i64> {
    let digits = str::from_utf8(digits).ok().filter(|digits| digits.len() == 24)?;
    let seconds = u64::from_str_radix(&digits[..16], 16).ok()?.checked_sub(1 << 62)?;
    let nanos = i64::from_str_radix(&digits[16..], 16).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    let seconds = i64::try_from(seconds).ok()?.checked_sub(TAI_LESS_UTC)?;
    seconds.checked_mul(1_000_000_000)?.checked_add(nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kubernetes_put_into_a_name() {
        for (path, pod, container) in [
            ("/var/log/pods/shop_web-1_0a1b-2c/nginx/0.log", "web-1", "nginx"),
            ("/var/log/containers/web-1_shop_nginx-0123abcd.log", "web-1", "nginx"),
        ] {
            let mut facts = Facts::default();
            facts.keep_file(path.as_bytes());
            facts.clear();
            let told = [Field::Namespace, Field::Pod, Field::Container, Field::File].map(|f| facts.get(f));
            assert_eq!(told, [&b"shop"[..], pod.as_bytes(), container.as_bytes(), path.as_bytes()]);
        }
        let mut facts = Facts::default();
        facts.set_file(b"/var/log/nginx/a_b_c.log");
        assert_eq!((facts.get(Field::Pod), facts.source()), (&b""[..], &b""[..]));
    }

    #[test]
    fn what_a_line_told_is_forgotten_and_what_a_file_told_is_not() {
        let mut facts = Facts::default();
        facts.keep_file(b"a.log");
        facts.set(Field::Tag, b"nginx");
        facts.set_time(TimeKind::Micros, b"1797000000500000");
        assert_eq!((facts.source(), facts.moment()), (&b"nginx"[..], Some(1_797_000_000_500_000_000)));
        facts.clear();
        assert_eq!((facts.get(Field::File), facts.source(), facts.moment()), (&b"a.log"[..], &b""[..], None));
    }

    #[test]
    fn times_of_heads() {
        let told = |kind, text: &[u8]| {
            let mut facts = Facts::default();
            facts.set_time(kind, text);
            facts.moment()
        };
        assert_eq!(told(TimeKind::Tai64n, b"400000006b1c40ca1dcd6500"), Some(1_797_013_696_500_000_000));
        assert_eq!(told(TimeKind::Tai64n, b"400000006b1c40ca1dcd650"), None);
        assert_eq!(told(TimeKind::Tai64n, b"000000006b1c40ca1dcd6500"), None);
        assert_eq!(told(TimeKind::Plain, b"2026-12-09T00:00:00+00:00"), Some(1_796_774_400_000_000_000));
        assert_eq!(told(TimeKind::Plain, b"1797000000.25"), Some(1_797_000_000_250_000_000));
        assert_eq!(told(TimeKind::Plain, b"1797000000250"), None);
        assert_eq!(told(TimeKind::Plain, b"Dec  9 00:00:00"), None);
    }
}
