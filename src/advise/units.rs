//! Asks for the unit of a number that no line tells, with formats ready to paste.
//!
//! The choices are the presets that end in a bare duration and read the lines, and the directives of the same shape in
//! the other units, each with the servers that write it. The likeliest by the size of the numbers comes
//! first; which one it is, only the operator knows. It is asked of lines that a preset reads but for that number
//! (`ask`), and where advice would put a duration into a format (`untold`).

use crate::advise::changes::in_words_of_nginx;
use crate::advise::draft::is_of_nginx;
use crate::advise::paste::quotable;
use crate::order;
use crate::parse::Format;
use crate::parse::compile::field::{Kind, Role, Slot, Unit};
use crate::parse::compile::presets::{PRESETS, Preset};
use crate::parse::detect::{Detected, detect, ends_in_a_bare_duration};
use crate::parse::read::spans::Spans;
use crate::parse::read::text::decimal;

/// A unit, the fields that have it, and the servers that write it.
struct Choice {
    unit: Unit,
    name: &'static str,
    /// What is written for it behind a text of Apache's, and of nginx's.
    apache: &'static str,
    nginx: &'static str,
    servers: &'static str,
}

/// From the finest to the coarsest.
const CHOICES: &[Choice] = &[
    Choice {
        unit: Unit::Micros,
        name: "microseconds",
        apache: "%D",
        nginx: "$duration_us",
        servers: "%D of Apache, lighttpd, Tomcat 10.1 and later",
    },
    Choice {
        unit: Unit::Millis,
        name: "milliseconds",
        apache: "%{ms}T",
        nginx: "$duration_ms",
        servers: "%D of Tomcat 9 and before, Undertow, WildFly, latency of Jetty 9",
    },
    Choice {
        unit: Unit::Seconds,
        name: "seconds",
        apache: "%T",
        nginx: "$request_time",
        servers: "%T of Apache, Icecast; with decimals nginx, Puma and Tomcat 9",
    },
];

/// Keys of JSON, where a whole number can hardly be seconds.
const OF_KEYS: &[(&str, &str)] =
    &[("$duration_ms", "milliseconds"), ("$duration_ns", "nanoseconds"), ("$request_time", "seconds")];

/// The question, if there is one.
pub fn ask(lines: &[&[u8]]) -> Option<String> {
    let found = detect(lines).filter(|found| found.untold)?;
    let of_json = found.preset.text.starts_with("json:");
    let choices = if of_json {
        let read = count_read(&found.spec, lines);
        of_keys(&found).into_iter().filter(|(_, spec)| count_read(spec, lines) >= read).collect()
    } else {
        let (before, _) = found.preset.text.rsplit_once(' ')?;
        let format = Format::compile(&found.spec).ok()?;
        in_each_unit(&format!("{before} "), "", &format, format.fields.slots.len() - 1, lines)
    };
    let what = if of_json {
        "has a whole number where seconds would have a fraction"
    } else {
        "ends in a number without a name"
    };
    (!choices.is_empty()).then(|| {
        format!(
            "the format is {}: each line {what}, and none tells its unit, so it is not counted. If it is how long a \
             request took, give {}",
            quotable(&found.spec),
            listed(&choices)
        )
    })
}

/// A question about a format that advice has come to, and the same format without the duration.
#[derive(Debug)]
pub struct Question {
    pub words: String,
    pub without: String,
}

/// What to ask where a new format has a duration that the old one has not, and neither the format nor the lines tell
/// its unit.
pub fn untold(old: &Format, new: &Format, lines: &[&[u8]]) -> Option<Question> {
    let slots = &new.fields.slots;
    let times = |slots: &[Slot], name: &str| slots.iter().filter(|slot| slot.name == name).count();
    let is_new = |slot: &Slot| {
        slot.meaning.role == Some(Role::Duration)
            && times(slots, &slot.name) > times(&old.fields.slots, &slot.name)
    };
    let at = slots.iter().rposition(|slot| is_new(slot) && !tells_unit(slot))?;
    let (before, after) = bare(new.text(), &slots[at].name)?;
    if new.is_keyed()
        || (before.contains('$') && values(new, at, lines).iter().all(|value| is_of_nginx(value)))
    {
        return None;
    }
    let number = (1..).find(|number| !new.text().contains(&format!("field{number}")))?;
    let name =
        if new.text().contains('$') { format!("$field{number}") } else { format!("%{{field{number}}}n") };
    let without = format!("{before}{name}{after}");
    let choices = in_each_unit(before, after, &Format::compile(&without).ok()?, at, lines);
    let place = if after.is_empty() { "ends in" } else { "has" };
    (!choices.is_empty()).then(|| Question {
        words: format!(
            "each line {place} a number without a name, and none tells its unit. If it is how long a request took, give \
             {}; if it is something else",
            listed(&choices)
        ),
        without,
    })
}

/// Some values tell their unit by how they are written.
fn tells_unit(slot: &Slot) -> bool {
    matches!(slot.kind, Kind::WithUnit | Kind::FourDecimals)
}

/// What stands in a format before a field and behind it, where that is neither a label nor a unit.
fn bare<'t>(text: &'t str, name: &str) -> Option<(&'t str, &'t str)> {
    let (before, after) = text.split_at(text.rfind(name)?);
    let after = &after[name.len()..];
    let apart = |c: char| c.is_whitespace() || "\"'[](){}|,;".contains(c);
    (before.chars().next_back().is_none_or(apart) && after.chars().next().is_none_or(apart))
        .then_some((before, after))
}

/// The values of a field in all lines that have one.
fn values(format: &Format, slot: usize, lines: &[&[u8]]) -> Vec<String> {
    let mut spans = Spans::new();
    let value = |line: &&[u8]| {
        format.parse(line, &mut spans).ok()?;
        let value = str::from_utf8(spans.at.get(slot)?.of(line)?).ok()?;
        (value != "-").then(|| value.to_owned())
    };
    lines.iter().filter_map(value).collect()
}

fn listed(choices: &[(String, String)]) -> String {
    let paste = |(what, spec): &(String, String)| format!("--format {} for {what}", quotable(spec));
    choices.iter().map(paste).collect::<Vec<String>>().join(", or ")
}

/// How many of the lines a format reads.
fn count_read(spec: &str, lines: &[&[u8]]) -> usize {
    let (Ok(format), mut spans) = (Format::compile(spec), Spans::new()) else { return 0 };
    lines.iter().filter(|line| format.parse(line, &mut spans).is_ok()).count()
}

/// The formats with a duration between two texts in every unit, of those that read as much as `without`, which has
/// a field of no meaning there.
fn in_each_unit(
    before: &str,
    after: &str,
    without: &Format,
    slot: usize,
    lines: &[&[u8]],
) -> Vec<(String, String)> {
    let preset = |choice: &Choice| {
        let same = |preset: &&Preset| {
            let format = Format::compile(preset.name).ok().filter(ends_in_a_bare_duration);
            let last = format.as_ref().and_then(|format| format.fields.slots.last());
            let is_same = |last: &Slot| preset.text.strip_suffix(last.name.as_str()) == Some(before);
            last.is_some_and(|last| last.meaning.unit == choice.unit && after.is_empty() && is_same(last))
        };
        PRESETS.iter().find(same).map(|preset| preset.name.to_owned())
    };
    let read = count_read(without.text(), lines);
    let reads = |spec: &String| count_read(spec, lines) >= read;
    let nginx =
        if before.contains('$') { Some(before.to_owned()) } else { in_words_of_nginx(before.trim_end()) };
    let blank = if before.ends_with(' ') { " " } else { "" };
    let mut choices: Vec<(&Choice, String)> = Vec::new();
    for choice in CHOICES {
        let of_apache = (!before.contains('$')).then(|| format!("{before}{}{after}", choice.apache));
        let of_nginx =
            nginx.as_ref().map(|text| format!("{}{blank}{}{after}", text.trim_end(), choice.nginx));
        let mut specs = preset(choice).into_iter().chain(of_apache).chain(of_nginx);
        choices.extend(specs.find(reads).map(|spec| (choice, spec)));
    }
    let whole = |value: &String| decimal(value.as_bytes(), 0);
    let numbers: Vec<u64> = values(without, slot, lines).iter().filter_map(whole).collect();
    let (least, most) =
        (numbers.iter().min().copied().unwrap_or(0), numbers.iter().max().copied().unwrap_or(0));
    match () {
        // Hardly any answer takes less than ten microseconds, and few take longer than ten minutes.
        () if least < 10 && most <= 600 => choices.reverse(),
        () if least < 1000 => order::sort_by_key(&mut choices, |(choice, _)| choice.unit != Unit::Millis),
        () => {}
    }
    let what = |choice: &Choice| format!("{} ({})", choice.name, choice.servers);
    choices.into_iter().map(|(choice, spec)| (what(choice), spec)).collect()
}

fn of_keys(found: &Detected) -> Vec<(String, String)> {
    let Ok(format) = Format::compile(found.preset.name) else { return Vec::new() };
    let Some(key) = format.fields.source_of(Role::Duration) else { return Vec::new() };
    let spec = |field: &str| format!("{},{key}={field}", found.spec);
    OF_KEYS.iter().map(|(field, name)| ((*name).to_owned(), spec(field))).collect()
}
