//! Remedies: what would make a format fit: the format itself with one change, a preset, or a format drafted from the
//! line.
//!
//! Turns a format and some lines that it cannot read, or reads with doubtful values, into one sentence for
//! the operator. Everything that may help is tried; of what reads the lines without a doubt, the cheapest is offered.
//! Slow, for people; a budget bounds what is read for it.

use crate::advise::budget::Budget;
use crate::advise::changes::Change;
use crate::advise::paste::quotable;
use crate::advise::price::{
    DRAFT, ODD_VALUE, OTHER_KEYS, OTHER_SERVER, OWN_KEYS, PLACEHOLDER, PRESET_FOR_FORMAT, SAME_SERVER,
    UNREAD_LINE,
};
use crate::advise::{changes, draft, no_access_log, reading, units};
use crate::parse::Format;
use crate::parse::compile::field::{Kind, Role};
use crate::parse::compile::presets::{self, PRESETS, Preset};
use crate::parse::detect::{DIFFERING_SHARE, detect, doubt, ends_in_a_bare_duration};
use crate::parse::read::keyed;
use crate::parse::read::request::RequestKind;
use crate::parse::read::spans::Spans;
use crate::parse::read::text::{Escape, unescape};
use std::fmt;

/// Presets that others are made of.
const PLAIN: [&str; 3] = ["combined", "nginx", "common"];

/// What to do so that lines are read: a sentence without its full stop, and the format that does, if one was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy {
    words: String,
    pub format: Option<String>,
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)?;
        self.format.as_ref().map_or(Ok(()), |format| write!(f, ": --format {}", quotable(format)))
    }
}

/// What to do about lines; None when they are read, or when nothing that was tried helps.
pub fn remedy(format: &Format, lines: &[&[u8]], budget: &mut Budget) -> Option<Remedy> {
    let lines: Vec<&[u8]> = lines.iter().copied().filter(|line| !line.is_empty()).collect();
    let lines = lines.as_slice();
    let line = *lines.first()?;
    if oddness(format, lines).is_some() && reading::doubt(format, lines).is_none() {
        return None;
    }
    if let Some(words) = no_access_log::named(lines) {
        return Some(Remedy { words, format: None });
    }
    let mut scale = Scale { few: spread(lines, FEW_LINES), lines, best: None, budget };
    scale.weigh_all(other_presets(format, lines).into_iter(), 0);
    let few = scale.few.clone();
    let own = changes::of(format, &few, scale.budget);
    scale.weigh_all(own.into_iter(), 0);
    if presets::of_text(format.text()).is_some() {
        // One plain preset is easily taken for another.
        for plain in PLAIN.iter().filter_map(|name| Format::compile(name).ok()) {
            if plain.text().contains('$') || !format.text().contains('$') {
                let changes = changes::of(&plain, &few, scale.budget);
                scale.weigh_all(changes.into_iter(), PLACEHOLDER - 1);
            }
        }
        // What has a mark of its own to be known by is no beginning of other formats.
        let is_plain = |preset: &&Preset| PLAIN.contains(&preset.name) || !preset.known_by.is_empty();
        for preset in PRESETS.iter().filter(|preset| !is_plain(preset)) {
            let Ok(other) = Format::compile(preset.name) else { continue };
            let changes = changes::around(&other, &few, scale.budget);
            scale.weigh_all(changes.into_iter(), PLACEHOLDER - 1);
        }
    }
    scale.weigh_all(keys(format, lines).into_iter(), OTHER_KEYS);
    scale.weigh_all(drafted(lines).into_iter(), DRAFT);
    if let Some((_, Change { what, text, .. })) = scale.best {
        let asked = Format::compile(&text).ok().and_then(|new| units::untold(format, &new, lines));
        return Some(match asked {
            Some(asked) => Remedy { words: asked.words, format: Some(asked.without) },
            None => Remedy { words: what, format: Some(text) },
        });
    }
    let words = wrapped(line).or_else(|| draft::hint_at_keys(lines)).or_else(|| further(format, line));
    words.map(|words| Remedy { words, format: None })
}

/// Lines that a change is tried on first.
const FEW_LINES: usize = 6;

/// So many of the lines, from the first to the last.
fn spread<'l>(lines: &[&'l [u8]], most: usize) -> Vec<&'l [u8]> {
    let step = lines.len().div_ceil(most).max(1);
    lines.iter().step_by(step).copied().collect()
}

/// Finds the cheapest change that helps, the first of several.
struct Scale<'l, 'b> {
    lines: &'l [&'l [u8]],
    few: Vec<&'l [u8]>,
    best: Option<(usize, Change)>,
    budget: &'b mut Budget,
}

impl Scale<'_, '_> {
    fn weigh(&mut self, change: Change) {
        let least = self.best.as_ref().map_or(usize::MAX, |(price, _)| *price);
        if change.price >= least || !self.budget.spend(change.text.len() + bytes_of(&self.few)) {
            return;
        }
        // A format without a status and a request would count lines and know nothing of them.
        let tells = |format: &Format| {
            [Role::Status, Role::Method].iter().any(|role| format.fields.source_of(*role).is_some())
        };
        let Some(format) = Format::compile(&change.text).ok().filter(tells) else { return };
        if oddness(&format, &self.few).is_none_or(|odd| change.price + odd >= least) {
            return;
        }
        if !self.budget.spend(bytes_of(self.lines)) {
            return;
        }
        let Some(odd) = oddness(&format, self.lines) else { return };
        if change.price + odd < least {
            self.best = Some((change.price + odd, change));
        }
    }

    /// Until one is found that costs no more than this.
    fn weigh_all(&mut self, changes: impl Iterator<Item = Change>, enough: usize) {
        for change in changes {
            if self.budget.is_spent() || self.best.as_ref().is_some_and(|(least, _)| *least <= enough) {
                return;
            }
            self.weigh(change);
        }
    }
}

fn bytes_of(lines: &[&[u8]]) -> usize {
    lines.iter().map(|line| line.len()).sum()
}

/// What the odd values of the lines cost, and those lines that are not read; None unless more than half of them are
/// read without a doubt: the others may not be requests at all.
fn oddness(format: &Format, lines: &[&[u8]]) -> Option<usize> {
    let mut spans = Spans::new();
    let (mut read, mut odd, mut differing) = (0, 0, 0);
    let claims_request = format.fields.source_of(Role::Method).is_some();
    let (mut valid, mut invalid) = (0, 0);
    for (seen, line) in lines.iter().enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let record = format.parse(line, &mut spans).ok();
        let record = record.filter(|record| !format.is_keyed() || !claims_request || record.has_request());
        if let Some(record) = record.filter(|record| record.status().is_some_and(|status| status < 400)) {
            let is_request = !claims_request || record.request().kind == RequestKind::Http;
            (valid, invalid) = (valid + usize::from(is_request), invalid + usize::from(!is_request));
        }
        if record.is_some() && doubt::of_line(&format.fields.slots, line, &spans).is_empty() {
            read += 1;
            odd += doubt::odd(&format.fields.slots, line, &spans);
            differing += usize::from(doubt::sizes_differ(&format.fields.slots, line, &spans));
        } else if (seen + 1 - read) * 2 >= lines.len() {
            return None;
        }
    }
    // Most requests with a successful status are valid HTTP requests, and their sizes agree.
    if invalid > valid || differing * DIFFERING_SHARE > read {
        return None;
    }
    Some((odd * ODD_VALUE + (lines.len() - read) * UNREAD_LINE) / read.max(1))
}

/// The preset that these lines would choose, after those of the same server. Where a preset was given, another preset
/// is cheap; where a format was given, correcting that format is.
fn other_presets(format: &Format, lines: &[&[u8]]) -> Vec<Change> {
    let known = presets::of_text(format.text());
    let change = |preset: &Preset, price| Change {
        what: format!("the preset `{}` reads it", preset.name),
        text: preset.name.to_owned(),
        price,
    };
    let kin =
        |preset: &&Preset| known.is_some_and(|known| known.dialect == preset.dialect) && !format.is_keyed();
    let mut changes: Vec<Change> =
        PRESETS.iter().filter(kin).map(|preset| change(preset, SAME_SERVER)).collect();
    // A number of any unit makes no other preset.
    changes.extend(
        detect(lines).filter(|found| !found.untold).map(|found| {
            change(found.preset, if known.is_some() { OTHER_SERVER } else { PRESET_FOR_FORMAT })
        }),
    );
    changes
}

/// The keys that the lines have, for those of the format that they have not.
fn keys(format: &Format, lines: &[&[u8]]) -> Option<Change> {
    let own = format.name() == "json" && presets::of_text(format.text()).is_none();
    let (what, text) = draft::of_keys(if own { format.text() } else { "" }, lines)?;
    Some(Change { what, text, price: if own { OWN_KEYS } else { OTHER_KEYS } })
}

/// Runtimes of containers put whole lines into JSON.
fn wrapped(line: &[u8]) -> Option<String> {
    let inside = |(key, value): &(String, &[u8])| {
        let mut text = Vec::new();
        unescape(value, Escape::Json, &mut text);
        let preset = detect(&[text.trim_ascii_end()])?.preset;
        Some(format!(
            "the key {key} holds a whole line, which the preset `{}` reads: take it out before, as with jq -r .{key}",
            preset.name
        ))
    };
    keyed::members(line)?.iter().find_map(inside)
}

/// A draft that finds the status, and a request or a method, where they were seen.
fn drafted(lines: &[&[u8]]) -> Option<Change> {
    let texts: Vec<(&[u8], &str)> =
        lines.iter().filter_map(|line| Some((*line, str::from_utf8(line).ok()?))).collect();
    let draft = draft::of_text(&texts.iter().map(|(_, text)| *text).collect::<Vec<&str>>())?;
    let format = Format::compile(&draft.text).ok()?;
    let status = format.fields.slots.iter().position(|slot| slot.meaning.role == Some(Role::Status));
    let mut spans = Spans::new();
    let is_found = |(at, value): &(usize, String)| {
        let line = texts[*at].0;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let read = format.parse(line, &mut spans).is_ok();
        read && status.is_some_and(|status| spans.at[status].of(line) == Some(value.as_bytes()))
    };
    let tells = !draft.statuses.is_empty() || format.fields.source_of(Role::Method).is_some();
    if !tells || !draft.statuses.iter().all(is_found) {
        return None;
    }
    let what = "written in nginx's way, with names to change as you like".to_owned();
    Some(Change { what, text: draft.text, price: DRAFT })
}

/// The preset that comes furthest into a line, how many of its fields it reads there, and how many it has.
pub fn nearest(line: &[u8]) -> (&'static str, usize, usize) {
    let json = line.starts_with(b"{");
    // What most servers write comes near most lines; of what few write, a word or two would fit any.
    let kin = |preset: &&Preset| match json {
        true => preset.dialect == "JSON" && !preset.by_name,
        false => ["Apache", "nginx"].contains(&preset.dialect) && preset.set_by.is_empty(),
    };
    let far = PRESETS.iter().filter(kin).filter_map(|preset| {
        // What only the operator can tell apart is near no line.
        let format = Format::compile(preset.name).ok().filter(|format| !ends_in_a_bare_duration(format))?;
        Some((preset.name, reached(&format, line), format.fields.slots.len()))
    });
    // The first of the equal ones, which is the simplest.
    far.reduce(|best, next| if next.1 > best.1 { next } else { best }).unwrap_or_default()
}

/// How many fields are read before the first in doubt. A header that need not be there proves nothing.
fn reached(format: &Format, line: &[u8]) -> usize {
    let optional = |reached: usize| {
        format.fields.slots[..reached].iter().filter(|slot| slot.kind == Kind::SyslogHeader).count()
    };
    match reading::explain(format, line) {
        Err(mismatch) => mismatch.reached - optional(mismatch.reached),
        Ok(readings) => readings.iter().position(|reading| reading.doubt.is_some()).unwrap_or(readings.len()),
    }
}

/// The nearest preset, if it comes further than the format itself.
fn further(format: &Format, line: &[u8]) -> Option<String> {
    let (name, most, of) = nearest(line);
    let here = reached(format, line);
    let further = most > here;
    further.then(|| {
        format!("the nearest preset, `{name}`, reads {most} of its {of} fields, and this format {here}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &[u8] =
        b"192.0.2.7 - - [22/Nov/2026:10:38:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl/8\"";

    fn advice(format: &str, line: &[u8]) -> Option<String> {
        remedy(&Format::compile(format).unwrap(), &[line], &mut Budget::new())
            .map(|remedy| remedy.to_string())
    }

    #[test]
    fn a_preset_that_reads_the_line_is_named() {
        assert_eq!(advice("common", LINE).unwrap(), "the preset `combined` reads it: --format combined");
    }

    #[test]
    fn a_change_is_offered_only_when_it_was_tried() {
        for (format, line, remedy) in [
            (r#"%h  %>s"#, "h 200", "one blank is enough behind %h: --format '%h %>s'"),
            (r#"%h %>s"#, "h  200", "put two blanks behind %h: --format '%h  %>s'"),
            (r#"%h %>s"#, "h\t200", "the fields are separated by tabs: --format '%h\\t%>s'"),
            (r#"%m %>s"#, "GET \"200\"", "%>s stands in quotes: --format '%m \"%>s\"'"),
            (r#""%h" %>s"#, "h 200", "\"%h\" stands without quotes: --format '%h %>s'"),
            ("$status $request_time", "200", "leave out $request_time: --format '$status'"),
            (
                "$status $bytes_sent",
                "200 5 0.250",
                "add $request_time behind $bytes_sent: --format '$status $bytes_sent $request_time'",
            ),
            ("%m %>s", "www.example.com:80 GET 200", "put %v:%p in front: --format '%v:%p %m %>s'"),
        ] {
            assert_eq!(advice(format, line.as_bytes()).as_deref(), Some(remedy), "{format}");
        }
        assert_eq!(advice("%h %>s", b"h 200"), None);
    }

    #[test]
    fn a_number_without_a_name_is_asked_about_in_every_unit() {
        let text = r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#;
        let behind = |number: &str| [LINE, number.as_bytes()].concat();
        for (format, line, likeliest, without) in [
            (text, behind(" 4321"), "combined_D for microseconds", format!("'{text} %{{field1}}n'")),
            (text, behind(" 307"), "'%h %l", format!("'{text} %{{field1}}n'")),
            (
                "$status $bytes_sent",
                b"200 5 0.25".to_vec(),
                "'$status $bytes_sent $request_time' for seconds",
                "'$status $bytes_sent $field1'".to_owned(),
            ),
        ] {
            let said = advice(format, &line).unwrap();
            assert!(said.contains(&format!("took, give --format {likeliest}")), "{said}");
            assert_eq!(said.matches(" for ").count(), 3, "{said}");
            assert!(said.ends_with(&format!("if it is something else: --format {without}")), "{said}");
        }
        // The number is the operator's own, or its label tells.
        assert!(!advice("%>s %b %D", b"200 5 \"307\"").unwrap().contains("unit"));
        assert!(!advice("$status", b"200 rt=0.307").unwrap().contains("unit"));
    }

    #[test]
    fn when_nothing_helps_the_nearest_preset_says_how_far_it_gets() {
        assert_eq!(
            advice("%D", b"192.0.2.7 - - [22/Nov/2026:10:38:00 +0000] rubbish").unwrap(),
            "the nearest preset, `common`, reads 4 of its 7 fields, and this format 0"
        );
        assert_eq!(nearest(b"garbage").1, 1);
    }
}
