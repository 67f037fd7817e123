//! What the user gave as a format, before it is compiled.
//!
//! Turns a pasted directive (`LogFormat "..." name`, `log_format main '...' '...';`), a quoted string out of a
//! configuration file, or a bare format string into its language and its text, each byte with its column in what was
//! given. A name before a colon tells the language (`tomcat9:%h ...`). Else a text with `$name` in it is nginx's, any
//! other is Apache's: a dollar sign before a letter is as rare in a LogFormat as `%` before one is common in a
//! log_format (`$gzip_ratio%`).

use crate::parse::compile::error::FormatError;
use crate::parse::compile::language::{APACHE, Grammar, HAPROXY, Language, NGINX, Text};
use crate::parse::read::text::Escape;

/// What was given, understood.
#[derive(Debug)]
pub struct Given {
    pub language: &'static Language,
    pub text: Text,
    /// nginx's, which has a choice of them.
    pub escape: Escape,
}

impl Given {
    fn new(language: &'static Language, text: Text) -> Given {
        Given { language, text, escape: Escape::Hex }
    }
}

/// A reading place in the given text.
struct Cursor<'t> {
    bytes: &'t [u8],
    at: usize,
}

pub fn of(given: &str) -> Result<Given, FormatError> {
    let mut cursor = Cursor { bytes: given.as_bytes(), at: 0 };
    if let Some((language, text)) = Language::named(given) {
        cursor.at = given.len() - text.len();
        let escape = if language.grammar == Grammar::Variables { cursor.escape()? } else { None };
        return Ok(Given { language, text: cursor.whole()?, escape: escape.unwrap_or(Escape::Hex) });
    }
    let first = cursor.word();
    if first.eq_ignore_ascii_case(b"LogFormat") {
        return Ok(Given::new(&APACHE, cursor.argument()?));
    }
    if first.eq_ignore_ascii_case(b"CustomLog") || first.eq_ignore_ascii_case(b"GlobalLog") {
        cursor.argument()?;
        return Ok(Given::new(&APACHE, cursor.argument()?));
    }
    if first == b"log-format" {
        return Ok(Given::new(&HAPROXY, cursor.argument()?));
    }
    if first == b"log_format" {
        cursor.word();
        let escape = cursor.escape()?.unwrap_or(Escape::Hex);
        return Ok(Given { language: &NGINX, text: cursor.arguments()?, escape });
    }
    cursor.at = 0;
    let escape = cursor.escape()?;
    let text = cursor.whole()?;
    match escape {
        Some(escape) => Ok(Given { language: &NGINX, text, escape }),
        None if has_variable(&text.iter().map(|&(byte, _)| byte).collect::<Vec<u8>>()) => {
            Ok(Given::new(&NGINX, text))
        }
        None => Ok(Given::new(&APACHE, text)),
    }
}

fn has_variable(text: &[u8]) -> bool {
    text.windows(2).any(|pair| pair[0] == b'$' && matches!(pair[1], b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'{'))
}

impl<'t> Cursor<'t> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(|c| c.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// A remark of nginx.conf goes to the end of its line.
    fn skip_line(&mut self) {
        while self.peek().is_some_and(|c| c != b'\n') {
            self.at += 1;
        }
    }

    /// The next word, up to white space.
    fn word(&mut self) -> &'t [u8] {
        self.skip_blanks();
        let start = self.at;
        while self.peek().is_some_and(|c| !c.is_ascii_whitespace()) {
            self.at += 1;
        }
        &self.bytes[start..self.at]
    }

    /// `escape=json` and its like, if it stands here.
    fn escape(&mut self) -> Result<Option<Escape>, FormatError> {
        let before = self.at;
        let word = self.word();
        let Some(kind) = word.strip_prefix(b"escape=") else {
            self.at = before;
            return Ok(None);
        };
        let column = self.at - word.len() + 1;
        self.skip_blanks();
        match kind {
            b"default" => Ok(Some(Escape::Hex)),
            b"json" => Ok(Some(Escape::Json)),
            b"none" => Ok(Some(Escape::None)),
            _ => {
                let shown = String::from_utf8_lossy(word);
                Err(FormatError::new(
                    column,
                    format!("unknown {shown} at column {column}: default, json or none"),
                ))
            }
        }
    }

    /// One argument of a directive: quoted with either quote, or a word.
    fn argument(&mut self) -> Result<Text, FormatError> {
        self.skip_blanks();
        match self.peek() {
            Some(quote @ (b'"' | b'\'')) => self.quoted(quote),
            _ => {
                let start = self.at;
                Ok(self.word().iter().copied().zip(start + 1..).collect())
            }
        }
    }

    /// All arguments up to a semicolon, joined. Manuals put remarks in parentheses behind a format, which are
    /// copied along with it.
    fn arguments(&mut self) -> Result<Text, FormatError> {
        let mut text = Text::new();
        loop {
            self.skip_blanks();
            match self.peek() {
                None | Some(b';' | b'(') => return Ok(text),
                Some(b'#') => self.skip_line(),
                Some(_) => text.extend(self.argument()?),
            }
        }
    }

    /// A quoted string, where a backslash takes the meaning from a quote or another backslash, and makes a tab, a
    /// newline or a carriage return of a letter: nginx does so here (ngx_conf_file.c), Apache when it compiles the
    /// format.
    fn quoted(&mut self, quote: u8) -> Result<Text, FormatError> {
        let column = self.at + 1;
        self.at += 1;
        let mut text = Text::new();
        loop {
            match (self.peek(), self.bytes.get(self.at + 1)) {
                (None, _) => {
                    let message = format!("the quote at column {column} is never closed");
                    return Err(FormatError::new(column, message));
                }
                (Some(byte), _) if byte == quote => {
                    self.at += 1;
                    return Ok(text);
                }
                (Some(b'\\'), Some(&next @ (b'"' | b'\'' | b'\\'))) => {
                    text.push((next, self.at + 2));
                    self.at += 2;
                }
                (Some(b'\\'), Some(&letter @ (b't' | b'n' | b'r'))) => {
                    text.push((control(letter), self.at + 1));
                    self.at += 2;
                }
                (Some(byte), _) => {
                    text.push((byte, self.at + 1));
                    self.at += 1;
                }
            }
        }
    }

    /// All that is left: quoted strings as in a configuration file when it is made of them, or else the
    /// text as it stands, with `\"` taken for `"`.
    fn whole(&mut self) -> Result<Text, FormatError> {
        let start = self.at;
        let rest = &self.bytes[start..];
        let outer = rest.trim_ascii();
        if is_named_string(outer) {
            return Cursor { bytes: self.bytes, at: start }.argument();
        }
        // nginx's strings stand side by side; a LogFormat may begin with such a quote.
        if (outer.first() == Some(&b'\'') && has_variable(outer)) || is_one_string(outer) {
            let mut strings = Cursor { bytes: self.bytes, at: start };
            return strings.arguments();
        }
        let mut text = Text::new();
        let mut at = 0;
        while let Some(&byte) = rest.get(at) {
            let (byte, taken) = match (byte, rest.get(at + 1)) {
                (b'\\', Some(&quote @ (b'"' | b'\''))) => (quote, 2),
                (b'\\', Some(&letter @ (b't' | b'n' | b'r'))) => (control(letter), 2),
                // It stands for itself; whose language has an escape for it finds both.
                (b'\\', Some(b'\\')) => {
                    text.push((byte, start + at + 1));
                    at += 1;
                    (byte, 1)
                }
                _ => (byte, 1),
            };
            at += taken;
            text.push((byte, start + at));
        }
        Ok(text)
    }
}

/// What a letter behind a backslash stands for.
fn control(letter: u8) -> u8 {
    match letter {
        b't' => b'\t',
        b'n' => b'\n',
        _ => b'\r',
    }
}

/// Whether the text is one double-quoted string whose inner quotes are escaped. With bare quotes inside, the
/// outer ones belong to the log.
fn is_one_string(text: &[u8]) -> bool {
    let [b'"', inner @ .., b'"'] = text else { return false };
    let mut escaped = false;
    for &c in inner {
        if c == b'"' && !escaped {
            return false;
        }
        escaped = c == b'\\' && !escaped;
    }
    !escaped
}

/// Whether the text is what follows `LogFormat`: a string with escaped quotes in it, and the name of the format.
fn is_named_string(text: &[u8]) -> bool {
    let Some(end) = text.iter().rposition(|c| !(c.is_ascii_alphanumeric() || b"_-.".contains(c))) else {
        return false;
    };
    let string = text[..=end].trim_ascii_end();
    let named = end + 1 < text.len() && text[end].is_ascii_whitespace();
    named && is_one_string(string) && string.windows(2).any(|pair| pair == b"\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of a dialect, and the column of its last byte.
    fn read(given: &str) -> (&'static str, String, usize) {
        let Given { language, text, escape } = of(given).unwrap();
        let name = match (language.name, escape) {
            ("nginx", Escape::Json) => "nginx json",
            ("nginx", Escape::None) => "nginx none",
            (name, _) => name,
        };
        let column = text.last().map_or(0, |&(_, column)| column);
        (name, String::from_utf8(text.into_iter().map(|(byte, _)| byte).collect()).unwrap(), column)
    }

    #[test]
    fn pasted_in_many_ways() {
        for (given, dialect, text) in [
            (r#"%h "%r" %>s "#, "apache", r#"%h "%r" %>s "#),
            (r#"%h \"%r\" %>s"#, "apache", r#"%h "%r" %>s"#),
            (r#""%h \"%r\" %>s""#, "apache", r#"%h "%r" %>s"#),
            (r#""%h "%r" %>s""#, "apache", r#""%h "%r" %>s""#),
            (r#"LogFormat "%h \"%r\" %>s" mine"#, "apache", r#"%h "%r" %>s"#),
            (r#"  logformat "%v \\ %h" mine"#, "apache", r"%v \ %h"),
            (r#"CustomLog logs/access.log "%h %>s""#, "apache", "%h %>s"),
            (r#"$status "$request""#, "nginx", r#"$status "$request""#),
            (r#"'$status ' '"$request"';"#, "nginx", r#"$status "$request""#),
            (r#"log_format main '$status ' "\"$uri\"" ;"#, "nginx", r#"$status "$uri""#),
            ("log_format combined '$status'   (predefined);", "nginx", "$status"),
            (r#"log_format j escape=json '{"s":$status}';"#, "nginx json", r#"{"s":$status}"#),
            (r#""%h \"%r\"" short"#, "apache", r#"%h "%r""#),
            (r#""%h" short"#, "apache", r#""%h" short"#),
            ("log_format m # first\n '$status' # then\n ' $uri';", "nginx", "$status $uri"),
            (r#"escape=json {"s":$status}"#, "nginx json", r#"{"s":$status}"#),
            ("escape=none $status", "nginx none", "$status"),
            (r"log_format t '$status\t\'$uri\'';", "nginx", "$status\t'$uri'"),
            (r"$status\t$uri", "nginx", "$status\t$uri"),
            (r"$status\r\n", "nginx", "$status\r\n"),
            (r"log_format t '$status\n';", "nginx", "$status\n"),
            (r"%h\\n", "apache", r"%h\\n"),
            (r#"tomcat9:%h \"%r\" %D"#, "tomcat9", r#"%h "%r" %D"#),
            (r#"varnish:"%h \"%r\"""#, "varnish", r#"%h "%r""#),
            ("nginx:escape=json $status", "nginx json", "$status"),
            (r#"log-format "%ci %{+Q}r""#, "haproxy", "%ci %{+Q}r"),
            ("%h:%>s", "apache", "%h:%>s"),
            ("$gzip_ratio% $status", "nginx", "$gzip_ratio% $status"),
            ("%h $5 %>s", "apache", "%h $5 %>s"),
            ("'%h' '%b' %>s", "apache", "'%h' '%b' %>s"),
            ("'%h %>s'", "apache", "'%h %>s'"),
        ] {
            let (got, shown, _) = read(given);
            assert_eq!((got, shown.as_str()), (dialect, text), "{given}");
        }
    }

    #[test]
    fn columns_are_those_of_the_given_text() {
        assert_eq!(read(r#"LogFormat "\"%z" x"#).2, 15);
        assert_eq!(read(r#"%h \"%z"#).2, 7);
        assert_eq!(read("log_format a '$b' '$c'").2, 21);
    }

    #[test]
    fn broken_directives() {
        assert_eq!(of(r#"LogFormat "%h"#).unwrap_err().column, 11);
        assert_eq!(of("escape=yaml $status").unwrap_err().column, 1);
    }
}
