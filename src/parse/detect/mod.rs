//! Format detection: which preset reads the lines, and which values fit and yet are doubtful.
//!
//! All lines at hand decide, and what no line tells is left out: a number at the end without a name may have any unit,
//! so it is not counted until the operator says what it is.

pub mod doubt;

use crate::limits::{DETECT_LINE_BYTES_MAX, DETECT_LONG_BYTES_MAX};
use crate::parse::compile::field::{Kind, Role};
use crate::parse::compile::presets::{PRESETS, Preset};
use crate::parse::envelope::chain::Wanted;
use crate::parse::envelope::choose::{self, Choice};
use crate::parse::read::record::Record;
use crate::parse::read::request::RequestKind;
use crate::parse::read::spans::{Span, Spans};
use crate::parse::{Format, NoRecord};

/// Lines that suffice for a choice where most lines at hand are something else; a single line does not.
const ENOUGH_LINES: usize = 2;

/// Of so many lines one may have sizes that contradict each other: its client went away.
pub const DIFFERING_SHARE: usize = 4;

/// The preset that lines are written in.
#[derive(Clone, Debug)]
pub struct Detected {
    pub preset: &'static Preset,
    /// The format to count by: the preset's name, or its text without the field whose unit is untold, or without keys
    /// that mean something else here.
    pub spec: String,
    pub untold: bool,
}

/// What is around the lines of a format: the heads behind which most of them fit it.
pub fn envelope_of(format: &Format, wanted: Wanted, lines: &[&[u8]]) -> Option<Choice> {
    let mut spans = Spans::new();
    let fitting = |inner: &[&[u8]]| {
        let fit = inner.iter().filter(|line| format.parse(line, &mut spans).is_ok()).count();
        Some(fit).filter(|fit| *fit > 0)
    };
    choose::choose(wanted, lines, format.is_json(), fitting)
}

/// What lines are written in and what is around them, with the lines within.
#[derive(Debug)]
pub struct DetectedWithin {
    pub choice: Choice,
    pub inner: Vec<Vec<u8>>,
    pub detected: Detected,
}

/// The preset that reads the lines best, and what is around them then. Each line is read by every preset behind every
/// head that it may have, which takes a hundred times as long as to count it. So long ones, which a stranger may have
/// made so, are read where the others tell nothing, and then only some of them.
pub fn detect_within(wanted: Wanted, lines: &[&[u8]]) -> Option<DetectedWithin> {
    let usual: Vec<&[u8]> =
        lines.iter().filter(|line| line.len() <= DETECT_LINE_BYTES_MAX).copied().collect();
    let found = detect_among(wanted, &usual);
    if found.is_some() || usual.len() == lines.len() {
        return found;
    }
    let mut bytes = 0;
    let has_room = |line: &&&[u8]| {
        bytes += line.len();
        bytes <= DETECT_LONG_BYTES_MAX
    };
    detect_among(wanted, &lines.iter().take_while(has_room).copied().collect::<Vec<_>>())
}

fn detect_among(wanted: Wanted, lines: &[&[u8]]) -> Option<DetectedWithin> {
    let choice = choose::choose(wanted, lines, false, |inner| scored(inner).map(|(score, _)| score))?;
    let inner = choose::inner_lines(choice.chain, choice.stderr, lines);
    let (_, detected) = scored(&inner.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
    Some(DetectedWithin { choice, inner, detected })
}

/// The preset that reads most of the lines, a reading in doubt being half a reading; among equals the one that finds
/// more values, then the one named first. None when none reads enough of them.
pub fn detect(lines: &[&[u8]]) -> Option<Detected> {
    scored(lines).map(|(_, detected)| detected)
}

/// The same with how well it reads them.
fn scored(lines: &[&[u8]]) -> Option<(Score, Detected)> {
    let mut best: Option<(Score, Detected)> = None;
    for candidate in PRESETS.iter().filter(|preset| !preset.by_name).filter_map(Candidate::of) {
        let score = candidate.score(lines);
        if score.readings > 0 && best.as_ref().is_none_or(|(most, _)| score > *most) {
            best = Some((score, candidate.detected));
        }
    }
    let (score, mut detected) = best?;
    let some = lines.iter().filter(|line| !line.is_empty() && !line.starts_with(b"#")).count();
    if score.lines < ENOUGH_LINES && score.lines * 2 < some.saturating_sub(score.foreign) {
        return None;
    }
    if !detected.untold
        && let Some(spec) = without_whole_duration(detected.preset, lines)
    {
        detected = Detected { preset: detected.preset, spec, untold: true };
    }
    if let Some(spec) = without_rare_keys(detected.preset, lines).filter(|_| !detected.untold) {
        detected.spec = spec;
    }
    Some((score, detected))
}

/// How well a preset reads lines: the first figure that differs decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Score {
    /// Twice for what is read without a doubt.
    readings: usize,
    values: usize,
    lines: usize,
    /// Lines that are no requests, and known to be none.
    foreign: usize,
}

struct Candidate {
    detected: Detected,
    format: Format,
}

impl Candidate {
    fn of(preset: &'static Preset) -> Option<Candidate> {
        let format = Format::compile(preset.name).ok()?;
        if preset.tells_unit || !ends_in_a_bare_duration(&format) {
            let detected = Detected { preset, spec: preset.name.to_owned(), untold: false };
            return Some(Candidate { detected, format });
        }
        let (before, last) = preset.text.rsplit_once(' ')?;
        let placeholder = if last.starts_with('$') { "$field1" } else { "%{field1}n" };
        let spec = format!("{before} {placeholder}");
        let format = Format::compile(&spec).ok()?;
        Some(Candidate { detected: Detected { preset, spec, untold: true }, format })
    }

    fn score(&self, lines: &[&[u8]]) -> Score {
        let (mut score, mut spans) = (Score::default(), Spans::new());
        // Whether any line has what the preset is known by.
        let known_by =
            self.format.fields.slots.iter().position(|slot| slot.name == self.detected.preset.known_by);
        let mut known = known_by.is_none();
        // Lines whose sizes contradict each other.
        let mut differing = 0;
        // Whether any request that was answered well is one, and whether any is not.
        let (mut valid, mut invalid) = (false, false);
        for line in lines {
            let Some(record) = self.read(line, &mut spans) else {
                score.foreign +=
                    usize::from(self.format.parse(line, &mut spans).err() == Some(NoRecord::Foreign));
                continue;
            };
            let is_known =
                |slot: usize| record.spans.at[slot].of(line).is_some_and(|value| !value.is_empty());
            known = known || known_by.is_some_and(is_known);
            if record.status().is_some_and(|status| (200..300).contains(&status)) {
                let request = record.request();
                let usual = request.method.iter().all(|c| c.is_ascii_uppercase() || matches!(c, b'-' | b'_'));
                let usual = usual && (self.format.is_keyed() || request.target.is_none_or(is_target));
                let is_request = request.kind == RequestKind::Http && usual;
                (valid, invalid) = (valid || is_request, invalid || !is_request);
            }
            // A host that stands in the URL is a value too.
            let host = self.format.fields.names_host() && record.vhost().is_some();
            let doubts = doubt::of_line(&self.format.fields.slots, line, &spans);
            // A line whose words have slipped into other fields is not read: a preset that takes the stamp of syslog
            // for a host would make labels of it.
            let slipped = |doubt: &doubt::Doubt| {
                doubt.certain || self.format.fields.slots[doubt.slot].kind == Kind::Text
            };
            if doubts.iter().any(slipped) {
                continue;
            }
            score.lines += 1;
            // Figures that can hardly be of their unit make no other preset of a line with more fields.
            if doubt::has_odd_figure(&self.format.fields.slots, line, &spans) {
                differing += usize::from(doubt::sizes_differ(&self.format.fields.slots, line, &spans));
                continue;
            }
            let values = self.format.fields.roles.iter().filter(|&&(slot, _)| {
                let found = spans.at.get(usize::from(slot)).copied().unwrap_or(Span::NONE).of(line);
                found.is_some_and(|text| text != b"-")
            });
            score.values += values.count() + usize::from(host);
            score.readings += 1 + usize::from(doubts.is_empty());
        }
        // Where no request that was answered with 200 is one, the words of the request are something else; and so are
        // sizes that contradict each other.
        let fits = known && (valid || !invalid) && differing * DIFFERING_SHARE <= score.lines;
        if fits { score } else { Score::default() }
    }

    /// Any JSON object with a status would fit some map; an access log has a request as well.
    fn read<'a>(&'a self, line: &'a [u8], spans: &'a mut Spans) -> Option<Record<'a, 'a>> {
        let record = self.format.parse(line, spans).ok().filter(Record::has_request)?;
        let last = record.spans.at.last().and_then(|span| span.of(line)).unwrap_or_default();
        (!self.detected.untold || is_number(last)).then_some(record)
    }
}

/// A path, `*`, a URL, or the host and port of CONNECT: words that have slipped into its place are none of these.
fn is_target(text: &[u8]) -> bool {
    text.starts_with(b"/") || text == b"*" || text == b"-" || text.contains(&b':')
}

fn is_number(text: &[u8]) -> bool {
    text == b"-" || (!text.is_empty() && text.iter().all(|c| c.is_ascii_digit() || *c == b'.'))
}

/// Whether the last word of a format is a duration and nothing else, which any number would do for.
pub fn ends_in_a_bare_duration(format: &Format) -> bool {
    let last = format.fields.slots.last().filter(|slot| slot.meaning.role == Some(Role::Duration));
    // Some values tell their unit by how they are written.
    let last = last.filter(|slot| !matches!(slot.kind, Kind::WithUnit | Kind::FourDecimals));
    !format.is_keyed() && last.is_some_and(|slot| format.text().ends_with(&format!(" {}", slot.name)))
}

/// Seconds are written with a fraction; where a key that should have them has whole numbers, they are something else.
fn without_whole_duration(preset: &Preset, lines: &[&[u8]]) -> Option<String> {
    let format = Format::compile(preset.name).ok().filter(Format::is_keyed)?;
    let slot = format.fields.slots.iter().position(|slot| slot.meaning.role == Some(Role::Duration))?;
    let seconds = format.fields.slots[slot].meaning.unit.power() == 9;
    let mut spans = Spans::new();
    let mut is_whole = |line: &&&[u8]| {
        format.parse(line, &mut spans).is_ok()
            && spans.at[slot].of(line).is_some_and(|raw| raw != b"0" && raw.iter().all(u8::is_ascii_digit))
    };
    let whole = lines.iter().filter(|line| is_whole(line)).count();
    if !seconds || whole == 0 {
        return None;
    }
    without_keys(preset, &[&format.fields.slots[slot].name])
}

/// Of the keys that mean something only where all lines have them, those that only some lines have are left out.
fn without_rare_keys(preset: &Preset, lines: &[&[u8]]) -> Option<String> {
    let format = Format::compile(preset.name).ok().filter(|_| !preset.in_every_line.is_empty())?;
    let mut spans = Spans::new();
    let (mut read, mut seen) = (0, vec![0; format.fields.slots.len()]);
    for line in lines {
        if format.parse(line, &mut spans).is_ok() {
            read += 1;
            seen.iter_mut().zip(&spans.at).for_each(|(seen, span)| *seen += usize::from(*span != Span::NONE));
        }
    }
    let is_rare = |key: &&&str| {
        let slot = format.fields.slots.iter().position(|slot| slot.name == **key);
        slot.is_some_and(|slot| (1..read).contains(&seen[slot]))
    };
    let rare: Vec<&str> = preset.in_every_line.iter().filter(is_rare).copied().collect();
    if rare.is_empty() { None } else { without_keys(preset, &rare) }
}

/// The text of a preset without some of its keys, and with its conditions.
fn without_keys(preset: &Preset, keys: &[&str]) -> Option<String> {
    let (notation, map) = preset.text.split_once(':')?;
    let is_left = |pair: &&str| !pair.split_once('=').is_some_and(|(key, _)| keys.contains(&key));
    let mut pairs: Vec<String> = map.split(',').filter(is_left).map(str::to_owned).collect();
    pairs.extend(preset.conditions.iter().map(|(field, text)| format!("{field}=={text}")));
    Some(format!("{notation}:{}", pairs.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line of the Common Log Format, and one that no preset reads, of so many bytes.
    fn line(bytes: usize, is_request: bool) -> Vec<u8> {
        let end = if is_request { "\" 200 5" } else { "" };
        let path = "x".repeat(bytes);
        format!("192.0.2.1 - - [05/Mar/2031:04:05:06 +0100] \"GET /{path} HTTP/1.1{end}").into_bytes()
    }

    fn detected(lines: &[Vec<u8>]) -> Option<&'static str> {
        let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
        detect_within(Wanted::Auto, &lines).map(|found| found.detected.preset.name)
    }

    /// Each line is read by all presets behind all heads, so a few that strangers have made long would hold up the
    /// counting for seconds; neither do they outweigh the others.
    #[test]
    fn long_lines_are_read_where_the_others_tell_nothing() {
        const LONG: usize = 4 * DETECT_LINE_BYTES_MAX;
        let mut lines = vec![line(LONG, false); 90];
        lines.extend(vec![line(10, true); 3]);
        assert_eq!(detected(&lines), Some("common"));
        assert_eq!(detected(&vec![line(LONG, true); 3]), Some("common"));
        // No access log has such lines only.
        assert_eq!(detected(&[line(2 * DETECT_LONG_BYTES_MAX, true)]), None);
    }
}
