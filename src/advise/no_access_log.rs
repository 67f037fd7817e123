//! Recognizes logs that are no access logs (error logs, HTTP heads), and says where the access log is.

use crate::log::printable;

/// A kind of lines, how they are told, and what to say of them.
struct Kind {
    is: fn(&str) -> bool,
    words: &'static str,
}

/// Sources: ngx_log.c, server/log.c of Apache 2.4, lighttpd's log.c, RFC 9110's first line of a message.
const KINDS: &[Kind] = &[
    Kind {
        is: |line| has_shape(line, "####/##/## ##:##:## [") && line.contains('#'),
        words: "these lines are of nginx's error log: give the file of access_log",
    },
    Kind {
        is: |line| {
            let module = line
                .split_once("] [")
                .is_some_and(|(_, rest)| rest.contains("] [pid ") || rest.contains("] "));
            let level = ["error]", "warn]", "notice]", "info]", "crit]", "debug]", "alert]", "emerg]"];
            let day = ["[Mon ", "[Tue ", "[Wed ", "[Thu ", "[Fri ", "[Sat ", "[Sun "];
            module
                && day.iter().any(|day| line.starts_with(day))
                && level.iter().any(|level| line.contains(level))
        },
        words: "these lines are of Apache's ErrorLog: give what CustomLog writes",
    },
    Kind {
        is: |line| has_shape(line, "####-##-## ##:##:##: (") && line.contains(".c."),
        words: "these lines are of lighttpd's error log: give the file of accesslog.filename",
    },
    Kind {
        is: |line| {
            line.starts_with("LogFormat ")
                || line.starts_with("log_format ")
                || line.starts_with("CustomLog ")
        },
        words: "this is a server's configuration: give it with --format, and the log on stdin",
    },
    Kind {
        is: |line| line.bytes().filter(|c| *c < b' ' && *c != b'\t').count() * 8 > line.len(),
        words: "these lines are not text: if the log is compressed, decompress it first, as with zcat",
    },
];

/// What the lines are, if most of them do not come from an access log.
pub fn named(lines: &[&[u8]]) -> Option<String> {
    let texts: Vec<String> = lines.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    let most = |kind: &&Kind| texts.iter().filter(|text| (kind.is)(text)).count() * 2 > texts.len();
    KINDS.iter().find(most).map(|kind| kind.words.to_owned()).or_else(|| nickname(lines))
}

/// Apache takes an unknown nickname for a format without directives, and writes the nickname as every line.
fn nickname(lines: &[&[u8]]) -> Option<String> {
    let first = *lines.first()?;
    let is_name = first.iter().all(|c| c.is_ascii_alphanumeric() || b"_-.".contains(c)) && !first.is_empty();
    let letters = first.first().is_some_and(u8::is_ascii_alphabetic);
    (lines.len() > 1 && is_name && letters && lines.iter().all(|line| *line == first)).then(|| {
        format!(
            "every line is the word {name}: Apache writes this where CustomLog names a LogFormat that is not defined: put \
             LogFormat \"%v:%p %h %l %u %t \\\"%r\\\" %>s %O\" {name} before it",
            name = printable(first, 60)
        )
    })
}

/// Whether a text begins with a pattern, in which `#` is any digit.
fn has_shape(text: &str, pattern: &str) -> bool {
    let same = |(c, wanted): (u8, u8)| if wanted == b'#' { c.is_ascii_digit() } else { c == wanted };
    text.len() >= pattern.len() && text.bytes().zip(pattern.bytes()).all(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_access_log_is_named_and_an_access_log_is_not() {
        for (line, word) in [
            ("2026/02/03 04:05:06 [error] 7#7: *20 connect() failed", Some("nginx's error log")),
            (
                "[Tue Feb 03 04:05:06.123456 2026] [core:error] [pid 9:tid 8] [client ::1:5] AH1: x",
                Some("ErrorLog"),
            ),
            ("[Tue Feb 03 04:05:06 2026] [notice] Apache configured", Some("ErrorLog")),
            ("2026-02-03 04:05:06: (server.c.1234) server started", Some("lighttpd's error log")),
            ("LogFormat \"%h %l\" x", Some("configuration")),
            ("\u{1}\u{2}\u{3}\u{0}", Some("not text")),
            ("combinde", Some("the word combinde")),
            ("192.0.2.7 - - [03/Feb/2026:04:05:06 +0100] \"GET / HTTP/1.1\" 200 5", None),
            ("[03/Feb/2026:04:05:06 +0100] 192.0.2.7 GET / 200", None),
            ("2026/02/03 04:05:06 192.0.2.7 GET / 200", None),
            ("200", None),
        ] {
            let named = named(&[line.as_bytes(), line.as_bytes()]);
            assert_eq!(named.is_some(), word.is_some(), "{line}: {named:?}");
            assert!(word.is_none_or(|word| named.unwrap().contains(word)), "{line}");
        }
    }
}
