//! The table of heads: what may stand in front of a line or around it, and the function that reads it.

use crate::parse::envelope::facts::Facts;
use crate::parse::envelope::lines::{self, Inner};
use crate::parse::envelope::syslog;

/// One shape of head.
#[derive(Debug)]
pub struct Head {
    /// What `--envelope` and `httpd_exporter_format_info` call it; several shapes may share a name.
    pub envelope: &'static str,
    /// The head in front of the word LINE, or around it.
    pub example: &'static str,
    pub reader: Reader,
    /// Whether it is distinctive: hardly any other text looks like it. Among readings that fit lines equally well,
    /// such a head is preferred.
    pub is_certain: bool,
}

#[derive(Clone, Copy, Debug)]
pub enum Reader {
    Text(fn(&[u8], &mut Facts) -> Option<Inner>),
    /// The line is a string in an object; Docker's own objects hold pieces of lines as well.
    Json {
        docker: bool,
    },
}

const fn certain(envelope: &'static str, example: &'static str, reader: Reader) -> Head {
    Head { envelope, example, reader, is_certain: true }
}

const fn likely(envelope: &'static str, example: &'static str, reader: Reader) -> Head {
    Head { envelope, example, reader, is_certain: false }
}

/// In the order of preference among those that read lines equally well.
#[rustfmt::skip]
pub const HEADS: &[Head] = &[
    certain("cri", "2031-03-05T04:05:06.7Z stdout F LINE", Reader::Text(lines::cri)),
    certain("docker", r#"{"log":"LINE\n","stream":"stdout","time":"2031-03-05T04:05:06.7Z"}"#, Reader::Json { docker: true }),
    certain("json", r#"{"message":"LINE","host":"web1"}"#, Reader::Json { docker: false }),
    certain("syslog", "<190>Mar  5 04:05:06 web1 nginx[42]: LINE", Reader::Text(syslog::syslog)),
    likely("syslog", "Mar  5 04:05:06 web1 nginx LINE", Reader::Text(syslog::without_colon)),
    certain("prefix", "[pod/web-1/nginx] LINE", Reader::Text(lines::pod)),
    certain("prefix", "web-1  | LINE", Reader::Text(lines::compose)),
    certain("prefix", "[web-1 nginx] LINE", Reader::Text(lines::kubetail)),
    certain("prefix", "/var/log/access.log:12:LINE", Reader::Text(lines::grep)),
    likely("prefix", "web-1 nginx LINE", Reader::Text(lines::stern)),
    likely("prefix", "shop web-1 nginx LINE", Reader::Text(lines::stern_namespace)),
    certain("stamp", "@40000000730ea3fc29b92700 LINE", Reader::Text(lines::tai64n)),
    certain("stamp", "2031-03-05T04:05:06Z {pod=\"web-1\"} LINE", Reader::Text(lines::logcli)),
    likely("stamp", "2031-03-05T04:05:06.7Z LINE", Reader::Text(lines::stamp)),
    likely("stamp", "2031-03-05T04:05:06+00:00\tnginx.access\tLINE", Reader::Text(lines::fluentd)),
    likely("stamp", "2031-03-05T04:05:06+00:00 web/nginx/1 LINE", Reader::Text(lines::stamp_and_stream)),
    likely("stamp", "1930446306.7 LINE", Reader::Text(lines::unix_stamp)),
    likely("stamp", "Mar  5 04:05:06 LINE", Reader::Text(lines::bsd_stamp)),
];

/// What `--envelope` takes.
pub const NAMES: [&str; 8] = ["auto", "none", "cri", "docker", "syslog", "stamp", "prefix", "json"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::envelope::json::JsonReader;

    #[test]
    fn every_head_reads_its_own_example_and_has_a_name() {
        for head in HEADS {
            assert!(NAMES[2..].contains(&head.envelope), "{head:?}");
            let (line, mut facts, mut out) = (head.example.as_bytes(), Facts::default(), Vec::new());
            match head.reader {
                Reader::Text(read) => {
                    let inner = read(line, &mut facts).unwrap_or_else(|| panic!("{}", head.example));
                    assert_eq!(&line[inner.from..], b"LINE", "{}", head.example);
                }
                Reader::Json { docker } => {
                    JsonReader::new().read(line, docker, &mut facts, &mut out).unwrap();
                    assert_eq!(out, b"LINE", "{}", head.example);
                }
            }
        }
        for name in &NAMES[2..] {
            assert!(HEADS.iter().any(|head| head.envelope == *name), "{name}");
        }
    }
}
