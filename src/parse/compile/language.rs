//! The languages in which a format can be written: each a name before a colon, a grammar, and tables of rows.
//!
//! `tomcat9:%h "%r" %s %D` is a LogFormat whose letters mean what Tomcat 9 means by them. Without such a name the text
//! is Apache's or nginx's (dialect.rs tells which). A language more is a row here and a table of fields; only a new
//! grammar is code.

use crate::parse::compile::error::FormatError;
use crate::parse::compile::field::{Compiled, Kind, Meaning, Role, Slot, Tables, Unit};
use crate::parse::compile::vocabulary::NAMES;
use crate::parse::compile::{apache, envoy, haproxy, nginx, parentheses};
use crate::parse::read::keyed::members;
use crate::parse::read::text::Escape;
use std::fmt::Write;

/// Bytes of a format with the columns, from 1, at which the user wrote them.
pub type Text = Vec<(u8, usize)>;

/// How a field is written in a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grammar {
    /// `$name`, `${name}`
    Variables,
    /// `%h`, `%>s`, `%{Referer}i`
    Letters,
    /// `%(h)s`, with this behind the parentheses, and whether quotes are escaped.
    Parentheses(&'static str, Escape),
    /// `%RESPONSE_CODE%`
    Commands,
    /// `%ci`, `%{+Q}r`, `%[method]`
    LogFormat,
}

#[derive(Debug)]
pub struct Language {
    /// What stands before the colon.
    pub name: &'static str,
    pub about: &'static str,
    pub grammar: Grammar,
    /// The fields; of several with one name the first is meant.
    pub tables: Tables,
}

const fn letters(name: &'static str, about: &'static str, tables: Tables) -> Language {
    Language { name, about, grammar: Grammar::Letters, tables }
}

pub static APACHE: Language = letters("apache", "Apache's LogFormat", &[apache::APACHE]);

pub static NGINX: Language =
    Language { name: "nginx", about: "nginx's log_format", grammar: Grammar::Variables, tables: NAMES };

pub static LANGUAGES: &[&Language] = &[
    &APACHE,
    &NGINX,
    &letters("tomcat", "Tomcat's pattern since 10.1", &[apache::TOMCAT, apache::APACHE]),
    &letters(
        "tomcat9",
        "Tomcat's pattern up to 9.0: %D is milliseconds",
        &[apache::TOMCAT_9, apache::TOMCAT, apache::APACHE],
    ),
    &letters(
        "undertow",
        "Undertow's and WildFly's pattern: %D is milliseconds",
        &[apache::UNDERTOW, apache::APACHE],
    ),
    &letters("varnish", "varnishncsa's -F", &[apache::VARNISH, apache::APACHE]),
    &letters("h2o", "h2o's access-log", &[apache::H2O, apache::APACHE]),
    &HAPROXY,
    &Language {
        name: "envoy",
        about: "Envoy's text_format, or its json_format as an object in braces",
        grammar: Grammar::Commands,
        tables: &[envoy::ENVOY],
    },
    &Language {
        name: "gunicorn",
        about: "gunicorn's and hypercorn's access_log_format",
        grammar: Grammar::Parentheses("s", Escape::None),
        tables: &[parentheses::GUNICORN],
    },
    &Language {
        name: "uwsgi",
        about: "uWSGI's log-format",
        grammar: Grammar::Parentheses("", Escape::None),
        tables: &[parentheses::UWSGI],
    },
];

pub static HAPROXY: Language = Language {
    name: "haproxy",
    about: "HAProxy's log-format, also with its JSON encoder",
    grammar: Grammar::LogFormat,
    tables: &[haproxy::HAPROXY],
};

impl Language {
    /// The language named at the start of what was given, and what follows the colon.
    pub fn named(given: &str) -> Option<(&'static Language, &str)> {
        let (name, rest) = given.split_once(':')?;
        LANGUAGES.iter().find(|language| language.name == name.trim_start()).map(|language| (*language, rest))
    }

    /// A field as it is written in a format.
    pub fn shown(&self, name: &str) -> String {
        match self.grammar {
            Grammar::Variables => format!("${name}"),
            Grammar::Letters | Grammar::LogFormat => format!("%{name}"),
            Grammar::Parentheses(letter, _) => format!("%({name}){letter}"),
            Grammar::Commands => format!("%{name}%"),
        }
    }

    /// The pieces of a format. `escape` is for the grammar that has a choice.
    pub fn compile(&self, text: &Text, escape: Escape) -> Result<Compiled, FormatError> {
        let pieces = match self.grammar {
            Grammar::Variables => nginx::compile(text, escape)?,
            Grammar::Letters => apache::compile(text, self.tables)?,
            Grammar::Parentheses(letter, escape) => {
                parentheses::compile(text, self.tables, letter.as_bytes(), escape)?
            }
            Grammar::Commands if text.first().is_some_and(|&(byte, _)| byte == b'{') => {
                return self.template(text);
            }
            Grammar::Commands => envoy::compile(text, self.tables)?,
            Grammar::LogFormat => return haproxy::compile(text, self.tables),
        };
        Ok(Compiled::Pieces(pieces))
    }

    /// The keys of Envoy's json_format: an object whose values are commands.
    fn template(&self, text: &Text) -> Result<Compiled, FormatError> {
        let bytes: Vec<u8> = text.iter().map(|&(byte, _)| byte).collect();
        let Some(members) = members(&bytes) else {
            return Err(FormatError::new(text[0].1, "the braces enclose no JSON object".to_owned()));
        };
        let slot = |(key, value): (String, &[u8])| {
            let command = str::from_utf8(value).ok()?;
            let slot = envoy::slot(command, self.tables);
            command.starts_with('%').then_some(Slot {
                name: key,
                kind: Kind::Text,
                escape: Escape::Json,
                ..slot
            })
        };
        Ok(Compiled::Keys(members.into_iter().filter_map(slot).collect()))
    }
}

/// The text of `--help fields`: every field of every language that gives a metric, with its unit.
pub fn help() -> String {
    let mut out = String::from(
        "The fields that a format can have: what each is for, and its unit. Others may stand in\n\
         a format too: they are read, and can be labels. Of several with one meaning the finest\n\
         unit is taken. The fields of json:KEY=FIELD are those of nginx.\n",
    );
    for language in LANGUAGES {
        let _ = writeln!(out, "\n{}: {}", language.name, language.about);
        for (index, table) in language.tables.iter().enumerate() {
            let heard = |name: &str| {
                language.tables[..index].iter().any(|table| table.iter().any(|row| row.name == name))
            };
            // What a language has in common with Apache's is written there.
            if index > 0 && std::ptr::eq(*table, apache::APACHE) {
                let _ = writeln!(out, "  and what `apache` has");
                continue;
            }
            for row in table.iter().filter(|row| !heard(row.name)) {
                let what = what(&row.meaning, row.kind);
                let remark = if row.remark.is_empty() { String::new() } else { format!("; {}", row.remark) };
                if row.meaning.role.is_some() || !row.remark.is_empty() {
                    let _ = writeln!(out, "  {:28} {what}{remark}", language.shown(row.name));
                }
            }
        }
    }
    out
}

/// What a field is for, and its unit.
fn what(meaning: &Meaning, kind: Kind) -> String {
    let unit = match meaning.unit {
        Unit::Bytes | Unit::Plain => "",
        Unit::Nanos => ", nanoseconds",
        Unit::Micros => ", microseconds",
        Unit::Millis => ", milliseconds",
        Unit::Seconds => ", seconds",
        Unit::Own => ", any unit",
    };
    let Some(role) = meaning.role else { return "no metric".to_owned() };
    let what = match role {
        Role::Status => "status",
        Role::Request => "request line",
        Role::Method => "method",
        Role::Path => "path",
        Role::Query => "query",
        Role::Protocol => "protocol",
        Role::Scheme => "scheme",
        Role::Vhost => "virtual host",
        Role::BytesSent => "bytes sent",
        Role::BytesReceived => "bytes received",
        Role::Duration => "duration",
        Role::TimeToFirstByte => "time to first byte",
        Role::UpstreamDuration => "upstream duration",
        Role::UpstreamConnect => "upstream connect",
        Role::UpstreamQueue => "upstream queue",
        Role::DurationPart => "part of the duration",
        Role::Aborted => "client went away",
        Role::Timestamp => "time",
        Role::Date => "day",
    };
    let several = if kind == Kind::Decimals { ", one for each upstream" } else { "" };
    format!("{what}{unit}{several}")
}
