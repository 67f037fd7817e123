//! Questions about a format that compiles: names one letter off a known one, and names of the other language.
//!
//! Whatever nginx does not know itself, a map or a module may define, so a variable that no table has is a text and no
//! error; but one that is a letter off a known one is hardly meant. Which names are near is for field.rs, whatever the
//! language.

use crate::parse::compile::dialect;
use crate::parse::compile::field::{Compiled, Piece, find_row, near};
use crate::parse::compile::language::{APACHE, Grammar, Language, NGINX};
use crate::parse::compile::map::Notation;
use crate::parse::read::text::Escape;

/// What is to be asked about the names of a format that compiles.
pub fn questions(spec: &str) -> Vec<String> {
    if let Some((_, map)) = Notation::named(spec) {
        let fields = map
            .split(',')
            .filter(|pair| !pair.contains("=="))
            .filter_map(|pair| pair.trim().rsplit_once('='));
        let variables = fields.filter_map(|(_, field)| field.strip_prefix('$'));
        let unknown = variables.filter(|name| find_row(NGINX.tables, name).is_none());
        return unknown.filter_map(|name| asked(&NGINX, name)).collect();
    }
    let Ok(given) = dialect::of(spec) else { return Vec::new() };
    let Ok(Compiled::Pieces(pieces)) = given.language.compile(&given.text, Escape::None) else {
        return Vec::new();
    };
    let mut questions: Vec<String> = Vec::new();
    for piece in &pieces {
        let found = match piece {
            Piece::Capture(slot) if slot.meaning.role.is_some() => None,
            Piece::Capture(slot) => {
                bare(given.language, &slot.name).and_then(|name| asked(given.language, name))
            }
            Piece::Literal(bytes) => foreign(given.language, &String::from_utf8_lossy(bytes)),
        };
        questions.extend(found.filter(|found| !questions.contains(found)));
    }
    questions
}

/// The name of a field without its signs, if the language's tables need not have it.
fn bare<'n>(language: &Language, written: &'n str) -> Option<&'n str> {
    let name = match language.grammar {
        Grammar::Variables => written.strip_prefix('$')?,
        Grammar::Commands => written.trim_matches('%'),
        Grammar::Parentheses(letter, _) => {
            written.strip_prefix("%(")?.strip_suffix(letter)?.strip_suffix(')')?
        }
        Grammar::Letters | Grammar::LogFormat => return None,
    };
    find_row(language.tables, name).is_none().then_some(name)
}

fn asked(language: &Language, name: &str) -> Option<String> {
    let near = near(language.tables, name)?;
    let (written, near) = (language.shown(name), language.shown(near));
    Some(format!(
        "the format has {written}, which nothing is known of and which is read as any text; did you mean {near}?"
    ))
}

/// A field of nginx's in a format of Apache's, or the other way round, which is plain text there.
fn foreign(language: &Language, literal: &str) -> Option<String> {
    let name_of = |text: &str| {
        let text = text.strip_prefix('{').unwrap_or(text);
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default().to_owned()
    };
    if std::ptr::eq(language, &NGINX) {
        let directive = literal.split('%').skip(1).find_map(|behind| {
            let behind = behind.strip_prefix('>').unwrap_or(behind);
            let end = if behind.starts_with('{') { behind.find('}')? + 1 } else { 0 };
            let letter =
                behind.get(end..end + 1).filter(|letter| find_row(APACHE.tables, letter).is_some())?;
            let ends = !behind[end + 1..].starts_with(|c: char| c.is_ascii_alphanumeric());
            ends.then(|| format!("%{}{letter}", &behind[..end]))
        })?;
        return Some(format!(
            "{directive} is a directive of Apache's, and plain text in a format with $names: write all fields in one way"
        ));
    }
    let variable =
        literal.split('$').skip(1).map(name_of).find(|name| find_row(NGINX.tables, name).is_some())?;
    (language.grammar == Grammar::Letters).then(|| {
        format!(
            "${variable} is a variable of nginx's, and plain text in a format with % directives: write all fields in one way"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_asks() {
        for (spec, asked) in [
            ("$status $reqest_time", vec!["$request_time"]),
            ("json:s=$status,t=$reqest_time", vec!["$request_time"]),
            ("w3c:time-taken=$duratoin_ms", vec!["$duration_ms"]),
            ("envoy:%RESPONSE_COD% %DURATION%", vec!["%RESPONSE_CODE%"]),
            ("uwsgi:%(status) %(mirco) %(msec)", vec!["%(msecs)"]),
            ("gunicorn:%(s)s %(x)s", vec![]),
            ("$status %h %>s %{Referer}i", vec!["%h"]),
            ("apache:%>s $request_time", vec!["$request_time"]),
            ("$status $gzip_ratio% 100%done", vec![]),
            ("combined", vec![]),
        ] {
            let questions = questions(spec);
            assert_eq!(questions.len(), asked.len(), "{spec}: {questions:?}");
            assert!(
                questions.iter().zip(&asked).all(|(said, name)| said.contains(name)),
                "{spec}: {questions:?}"
            );
        }
    }
}
