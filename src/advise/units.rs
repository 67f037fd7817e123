//! Asks for the unit of a number that no line tells, with formats ready to paste.
//!
//! The choices are the presets that end in a bare duration and read the lines, and the directives of the same shape in
//! the other units, each with the servers that write it. The likeliest by the size of the numbers comes
//! first; which one it is, only the operator knows.

use crate::advise::changes::in_words_of_nginx;
use crate::advise::remedy::quotable;
use crate::parse::Format;
use crate::parse::compile::field::{Role, Unit};
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
        nginx: "",
        servers: "%D of Apache, lighttpd, Tomcat 10.1 and later",
    },
    Choice {
        unit: Unit::Millis,
        name: "milliseconds",
        apache: "%{ms}T",
        nginx: "$millis",
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
    &[("$millis", "milliseconds"), ("$nanos", "nanoseconds"), ("$request_time", "seconds")];

/// The question, if there is one.
pub fn ask(lines: &[&[u8]]) -> Option<String> {
    let found = detect(lines).filter(|found| found.untold)?;
    let of_json = found.preset.text.starts_with("json:");
    let choices = if of_json { of_keys(&found) } else { of_text(&found, lines) };
    let read = count_read(&found.spec, lines);
    let choices: Vec<String> = choices
        .into_iter()
        .filter(|(_, spec)| count_read(spec, lines) >= read)
        .map(|(what, spec)| paste(&what, &spec))
        .collect();
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
            choices.join(", or ")
        )
    })
}

fn paste(what: &str, spec: &str) -> String {
    format!("--format {} for {what}", quotable(spec))
}

/// How many of the lines a format reads.
fn count_read(spec: &str, lines: &[&[u8]]) -> usize {
    let (Ok(format), mut spans) = (Format::compile(spec), Spans::new()) else { return 0 };
    lines.iter().filter(|line| format.parse(line, &mut spans).is_ok()).count()
}

/// What stands behind the text of a preset but its last word, in every unit.
fn of_text(found: &Detected, lines: &[&[u8]]) -> Vec<(String, String)> {
    let Some((before, _)) = found.preset.text.rsplit_once(' ') else { return Vec::new() };
    let preset = |choice: &Choice| {
        let same = |preset: &&Preset| {
            let format = Format::compile(preset.name).ok().filter(ends_in_a_bare_duration);
            let unit = format.and_then(|format| format.fields.slots.last().map(|slot| slot.meaning.unit));
            unit == Some(choice.unit) && preset.text.rsplit_once(' ').is_some_and(|(text, _)| text == before)
        };
        PRESETS.iter().find(same).map(|preset| preset.name.to_owned())
    };
    let read = count_read(&found.spec, lines);
    let nginx = if before.contains('$') { Some(before.to_owned()) } else { in_words_of_nginx(before) };
    let mut choices: Vec<(&Choice, String)> = Vec::new();
    for choice in CHOICES {
        let of_apache = format!("{before} {}", choice.apache);
        let of_nginx = nginx.as_ref().filter(|_| !choice.nginx.is_empty());
        let of_nginx = of_nginx.map(|text| format!("{text} {}", choice.nginx));
        let mut specs = preset(choice).into_iter().chain(Some(of_apache).filter(|spec| !spec.contains('$')));
        let spec = specs.find(|spec| count_read(spec, lines) >= read).or(of_nginx);
        choices.extend(spec.map(|spec| (choice, spec)));
    }
    let (least, most) = range(found, lines);
    match () {
        // Hardly any answer takes less than ten microseconds, and few take longer than ten minutes.
        () if least < 10 && most <= 600 => choices.reverse(),
        () if least < 1000 => choices.sort_by_key(|(choice, _)| choice.unit != Unit::Millis),
        () => {}
    }
    let what = |choice: &Choice| format!("{} ({})", choice.name, choice.servers);
    choices.into_iter().map(|(choice, spec)| (what(choice), spec)).collect()
}

/// The least and the greatest of the numbers, without their fractions.
fn range(found: &Detected, lines: &[&[u8]]) -> (u64, u64) {
    let Ok(format) = Format::compile(&found.spec) else { return (0, 0) };
    let mut spans = Spans::new();
    let numbers = lines.iter().filter_map(|line| {
        format.parse(line, &mut spans).ok()?;
        decimal(spans.at.last()?.of(line)?, 0)
    });
    numbers.fold((u64::MAX, 0), |(least, most), number| (least.min(number), most.max(number)))
}

fn of_keys(found: &Detected) -> Vec<(String, String)> {
    let Ok(format) = Format::compile(found.preset.name) else { return Vec::new() };
    let Some(key) = format.fields.source_of(Role::Duration) else { return Vec::new() };
    let spec = |field: &str| format!("{},{key}={field}", found.spec);
    OF_KEYS.iter().map(|(field, name)| ((*name).to_owned(), spec(field))).collect()
}
