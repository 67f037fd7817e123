//! Explains: how each line is read, field by field, or where and why it does not fit; then what the format gives.
//!
//! Lines go from stdin through the same format as when they are counted, but to a person instead of the ledger. It
//! owns the wording; what it says of a line comes from parse.

use crate::advise::budget::Budget;
use crate::advise::objectives::Objectives;
use crate::advise::reading::Reading;
use crate::advise::remedy::Remedy;
use crate::advise::{reading, remedy, routes, units};
use crate::catalogue;
use crate::catalogue::Metric;
use crate::count::routes::learned::Learner;
use crate::limits;
use crate::log::printable;
use crate::options::Options;
use crate::parse::compile::field::Role;
use crate::parse::compile::presets::PRESETS;
use crate::parse::compile::questions::questions;
use crate::parse::detect::{self, detect_within, doubt};
use crate::parse::envelope::choose::{self, Choice};
use crate::parse::envelope::peel::Envelope;
use crate::parse::read::spans::{Span, Spans};
use crate::parse::{Format, NoRecord, Reason, within};
use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::{self, BufRead, Read, Write};

/// Reads lines and explains each on stdout, or says how that failed. An error names the option.
pub fn run(options: &Options, input: &mut impl BufRead) -> Result<io::Result<()>, String> {
    let mut output = io::stdout().lock();
    let first = first_lines(input);
    let written = match choice(options, &first)? {
        Some(Chosen { format, spec, within, reads, title }) => {
            let envelope = envelope(options, &format, within, &first);
            let are_watched = reads && !options.slos.is_empty();
            let objectives = are_watched.then(|| Ok::<_, String>(Objectives::of(options, compiled(&spec)?)));
            let mut explainer = Explainer::new(format, envelope, reads, &title);
            explainer.objectives = objectives.transpose()?;
            explainer.learner = options.learns_routes().then(|| Learner::new(|_| 0));
            explainer.write(&first, input, &mut output)
        }
        None => output.write_all(b"There is no line on stdin to choose a preset by.\n"),
    };
    Ok(written.and_then(|()| output.flush()))
}

/// The first lines, which the format is detected from, without their newlines.
fn first_lines(input: &mut impl BufRead) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    while lines.len() < limits::DETECT_LINES_MAX {
        match next_line(input) {
            Some(line) => lines.push(line),
            None => break,
        }
    }
    lines
}

fn next_line(input: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    let most = limits::LINE_BYTES_MAX as u64;
    input.take(most).read_until(b'\n', &mut line).ok().filter(|read| *read > 0)?;
    if line.ends_with(b"\n") {
        line.pop();
    }
    Some(line)
}

/// What is taken off the lines: what was found together with the format, as when they are counted.
fn envelope(options: &Options, format: &Format, within: Option<Choice>, first: &[Vec<u8>]) -> Envelope {
    let lines: Vec<&[u8]> = first.iter().map(Vec::as_slice).collect();
    let mut envelope = Envelope::new(options.envelope);
    match within.or_else(|| detect::envelope_of(format, options.envelope, &lines)) {
        Some(choice) => envelope.settle(choice.chain, choice.stderr),
        None => envelope.propose(choose::likely(options.envelope, &lines)),
    }
    envelope
}

/// The format to explain with.
struct Chosen {
    format: Format,
    /// What it was compiled from, once more for the objectives.
    spec: String,
    /// What is around the lines, where that was found together with the format.
    within: Option<Choice>,
    /// Whether it reads the lines, and is not only the nearest to them.
    reads: bool,
    /// What it is.
    title: String,
}

/// None when there is neither a format nor a line to detect one from.
fn choice(options: &Options, first: &[Vec<u8>]) -> Result<Option<Chosen>, String> {
    if let Some(spec) = &options.format {
        let mut format = compiled(spec)?;
        format.mix(options.mixed);
        let asked: String =
            questions(spec).iter().map(|question| format!("{}\n", capitalized(question))).collect();
        let title = format!("{asked}The format is `{}`", format.name());
        return Ok(Some(Chosen { format, spec: spec.clone(), within: None, reads: true, title }));
    }
    let lines: Vec<&[u8]> = first.iter().map(Vec::as_slice).collect();
    if let Some(within) = detect_within(options.envelope, &lines) {
        let inner: Vec<&[u8]> = within.inner.iter().map(Vec::as_slice).collect();
        let title = match units::ask(&inner).filter(|_| within.detected.untold) {
            Some(asked) => format!("{}.\nCounted is", capitalized(&asked)),
            None => format!("The format is `{}`, chosen by the lines", within.detected.preset.name),
        };
        let spec = within.detected.spec;
        let mut format = compiled(&spec)?;
        format.mix(options.mixed);
        return Ok(Some(Chosen { format, spec, within: Some(within.choice), reads: true, title }));
    }
    let likely = choose::likely(options.envelope, &lines);
    let inner = choose::inner_lines(likely, false, &lines);
    let lines: Vec<&[u8]> = inner.iter().map(Vec::as_slice).collect();
    // Some logs begin with remarks.
    let told = lines.iter().find(|line| !line.is_empty() && !line.starts_with(b"#"));
    let Some(line) = told.or(lines.first()) else { return Ok(None) };
    let (name, reached, of) = remedy::nearest(line);
    let title = format!(
        "None of the presets reads these lines. The nearest is `{name}`, which reads {reached} of its {of} fields"
    );
    let (format, spec) = (compiled(name)?, name.to_owned());
    Ok(Some(Chosen { format, spec, within: None, reads: false, title }))
}

/// Lines that are shown in full; of those behind them, the first of each kind that does not fit.
const SHOWN_LINES_MAX: u64 = 20;

/// Pieces of advice for one log: more would not help.
const REMEDIES_MAX: usize = 4;

struct Explainer {
    format: Format,
    envelope: Envelope,
    spans: Spans,
    /// What is said of the format before the first line.
    title: String,
    /// Whether it reads the lines, and is not only the nearest to them.
    chosen: bool,
    counts: Counts,
    /// The reasons that a line was shown for.
    reasons: HashSet<Reason>,
    /// Each remedy, and the number of the line under which it is printed.
    remedies: Vec<(u64, Remedy)>,
    /// With `--route auto`, what the lines teach.
    learner: Option<Learner>,
    /// With `--slo`.
    objectives: Option<Objectives>,
    /// The fields that were found in any line, by their places: not every key of a format is in its lines.
    found: Vec<bool>,
}

/// A line without what stands around it.
struct Peeled {
    line: Vec<u8>,
    /// What stood around it tells this.
    told: Vec<(String, String)>,
    /// Why it is no request, if that is so.
    foreign: Option<String>,
    /// Why it does not fit, if it should.
    reason: Option<Reason>,
    /// Whether it fits, and no value is in doubt.
    suits: bool,
}

/// Lines by what became of them.
#[derive(Default)]
struct Counts {
    lines: u64,
    fit: u64,
    /// Lines that are no requests.
    foreign: u64,
    /// Lines that fit with a doubtful value.
    doubted: u64,
    /// Lines that are not shown, and those of them that do not fit.
    hidden: u64,
    hidden_malformed: u64,
}

impl Explainer {
    fn new(format: Format, envelope: Envelope, chosen: bool, title: &str) -> Explainer {
        let mut title = format!("{title}:\n    {}\n", printable(format.text().as_bytes(), usize::MAX));
        let chain = envelope.chain();
        if !chain.is_empty() {
            let _ = writeln!(title, "The envelope is `{}`, as in:\n    {}", chain.name(), chain.example());
        }
        let found = vec![false; format.fields.slots.len()];
        let (counts, reasons, remedies) = (Counts::default(), HashSet::new(), Vec::new());
        let (spans, learner, objectives) = (Spans::new(), None, None);
        Explainer {
            format,
            envelope,
            spans,
            title,
            chosen,
            counts,
            reasons,
            remedies,
            learner,
            objectives,
            found,
        }
    }

    /// Lets a line that fits teach its route.
    fn teach(&mut self, line: &[u8]) {
        let Some(learner) = &mut self.learner else { return };
        if let Ok(record) = self.format.parse(line, &mut Spans::default())
            && let Some(path) = record.request().path()
        {
            learner.look_at(path, record.status());
        }
    }

    fn write(
        &mut self,
        first: &[Vec<u8>],
        input: &mut impl BufRead,
        output: &mut impl Write,
    ) -> io::Result<()> {
        output.write_all(self.title.as_bytes())?;
        let first: Vec<Peeled> = first.iter().map(|line| self.peel(line)).collect();
        self.seek_remedies(&first);
        for peeled in &first {
            output.write_all(self.line(peeled).as_bytes())?;
        }
        while let Some(line) = next_line(input) {
            let peeled = self.peel(&line);
            output.write_all(self.line(&peeled).as_bytes())?;
        }
        output.write_all(self.closing().as_bytes())?;
        if let Some(objectives) = self.objectives.as_ref().filter(|_| self.counts.fit > 0) {
            output.write_all(objectives.closing().as_bytes())?;
        }
        let Some(learner) = &mut self.learner else { return Ok(()) };
        learner.settle_sample(|_| 0);
        output.write_all(routes::learned(learner.latest()).as_bytes())
    }

    /// A line, taken out of its envelope just as when it is counted.
    fn peel(&mut self, line: &[u8]) -> Peeled {
        let text = [line, b"\n"].concat();
        let mut read = None;
        within::each(&self.format, &mut self.envelope, &text, &mut self.spans, &mut |inner, record| {
            read = Some((inner.to_vec(), record.err()));
        });
        self.envelope.follow_strays(1);
        let told = self.spans.facts.told();
        let told =
            told.map(|(name, value)| (format!("envelope:{name}"), printable(value, usize::MAX))).collect();
        let Some((inner, wrong)) = read else {
            let why = "a piece of a line that goes on".to_owned();
            return Peeled { line: line.to_vec(), told, foreign: Some(why), reason: None, suits: true };
        };
        let line = inner.strip_suffix(b"\r").unwrap_or(&inner).to_vec();
        let (foreign, reason) = match wrong {
            Some(NoRecord::Foreign) => {
                let why = reading::foreign(&self.format, &line);
                (Some(why.unwrap_or_else(|| "the envelope tells".to_owned())), None)
            }
            Some(NoRecord::Malformed(malformed)) => (None, Some(malformed.reason)),
            None => (None, None),
        };
        let suits = reading::suits_after(&self.format, &line, &mut self.spans);
        Peeled { line, told, foreign, reason, suits }
    }

    /// Advice on all of the first lines that need it, each said once, under the first line that it helps.
    fn seek_remedies(&mut self, first: &[Peeled]) {
        let mut budget = Budget::new();
        let numbered = (1..).zip(first).filter(|(_, peeled)| self.needs_advice(peeled));
        let mut in_need: Vec<(u64, &[u8])> =
            numbered.map(|(number, peeled)| (number, peeled.line.as_slice())).collect();
        while let Some(&(number, line)) = in_need.first().filter(|_| self.remedies.len() < REMEDIES_MAX) {
            let lines: Vec<&[u8]> = in_need.iter().map(|(_, line)| *line).collect();
            let of_all = remedy::remedy(&self.format, &lines, &mut budget);
            let Some(remedy) = of_all.or_else(|| remedy::remedy(&self.format, &[line], &mut budget)) else {
                return;
            };
            let better = remedy.format.as_deref().and_then(|format| Format::compile(format).ok());
            let Some(better) = better else {
                // Of lines that nothing reads, one remark is enough.
                self.remedies.push((number, remedy));
                return;
            };
            let helped = in_need.iter().find(|(_, line)| reading::suits(&better, line));
            self.remedies.push((helped.map_or(number, |(number, _)| *number), remedy));
            in_need.retain(|(other, line)| *other != number && !reading::suits(&better, line));
        }
    }

    fn needs_advice(&self, peeled: &Peeled) -> bool {
        let line = &peeled.line;
        // Some logs begin with remarks.
        let is_line =
            !line.is_empty() && !line.starts_with(b"#") && line.len() <= limits::SAMPLE_LINE_BYTES_MAX;
        is_line && peeled.foreign.is_none() && !(self.chosen && peeled.suits)
    }

    /// Counts a line, and shows it if it is one of the first, or the first of its kind.
    fn line(&mut self, peeled: &Peeled) -> String {
        self.counts.lines += 1;
        let (number, line) = (self.counts.lines, peeled.line.as_slice());
        if peeled.foreign.is_some() {
            self.counts.foreign += 1;
            // Its columns may be those of the lines behind it.
            let _ = self.format.parse(line, &mut self.spans);
            self.objectives.iter_mut().for_each(|objectives| objectives.judge(line));
        } else if self.format.parse(line, &mut self.spans).is_ok() {
            self.counts.fit += 1;
            // For a line that is not shown no text is made.
            let is_doubted = match number <= SHOWN_LINES_MAX {
                true => !peeled.suits,
                false => !doubt::of_line(&self.format.fields.slots, line, &self.spans).is_empty(),
            };
            self.counts.doubted += u64::from(is_doubted);
            self.found.iter_mut().zip(&self.spans.at).for_each(|(found, span)| *found |= *span != Span::NONE);
            self.teach(line);
            self.objectives.iter_mut().for_each(|objectives| objectives.judge(line));
        }
        let is_first_of_kind = peeled.reason.is_some_and(|reason| self.reasons.insert(reason));
        let is_advised = self.remedies.iter().any(|(line, _)| *line == number);
        if number <= SHOWN_LINES_MAX || is_first_of_kind || is_advised {
            return self.in_full(number, peeled);
        }
        self.counts.hidden += 1;
        self.counts.hidden_malformed += u64::from(peeled.reason.is_some());
        String::new()
    }

    /// A line as read, or as far as it could be read, and the advice that belongs to it.
    fn in_full(&mut self, number: u64, Peeled { line, told, foreign, .. }: &Peeled) -> String {
        if let Some(why) = foreign {
            let line = printable(line, limits::SHOWN_LINE_CHARS);
            return format!("\nLine {number} is no request ({why}):\n    {line}\n");
        }
        let mut text = String::new();
        match reading::explain_after(&self.format, line, &mut self.spans) {
            Ok(readings) => {
                let doubts: Vec<String> = readings.iter().filter_map(Reading::in_doubt).collect();
                let but = if doubts.is_empty() { "" } else { ", but probably has another format" };
                let _ = writeln!(text, "\nLine {number} fits{but}:");
                for (name, value) in told {
                    let _ = writeln!(text, "    {name:24} {value}");
                }
                for reading in readings {
                    let value = if reading.value == reading.raw { String::new() } else { reading.value };
                    let row = format!("    {:24} {:32} {value}", reading.name, reading.raw);
                    let _ = writeln!(text, "{}", row.trim_end());
                }
                for doubt in &doubts {
                    let _ = writeln!(text, "    in doubt: {doubt}");
                }
            }
            Err(mismatch) => {
                let (excerpt, caret) = pointed(line, mismatch.column);
                let caret = " ".repeat(caret) + "^";
                let _ = writeln!(text, "\nLine {number} does not fit:\n    {excerpt}\n    {caret}");
                let _ = writeln!(text, "    {mismatch}");
            }
        }
        for (_, remedy) in self.remedies.iter().filter(|(line, _)| *line == number) {
            let _ = writeln!(text, "    {remedy}");
        }
        text
    }

    fn closing(&self) -> String {
        let counts = &self.counts;
        if counts.lines == 0 {
            return "\nThere is no line on stdin.\n".to_owned() + &self.metrics();
        }
        let mut text = String::new();
        if counts.hidden > 0 {
            let _ = write!(text, "\nNot shown are {} further lines", counts.hidden);
            if counts.hidden_malformed > 0 {
                let _ = write!(text, ", {} of which do not fit, as lines above", counts.hidden_malformed);
            }
            text.push_str(".\n");
        }
        let _ = write!(text, "\n{} of {} lines fit", counts.fit, counts.lines);
        if counts.doubted > 0 {
            let _ = write!(text, ", {} of them in doubt", counts.doubted);
        }
        if counts.foreign > 0 {
            let _ = write!(text, ", {} are no requests", counts.foreign);
        }
        text.push_str(".\n");
        // The metrics of a format that reads no line would be misleading.
        text.push_str(&match (counts.fit, self.remedies.is_empty()) {
            (0, false) => "Try again with what is advised above.\n".to_owned(),
            (0, true) => "Write a line down in nginx's way, with a $name in the place of each value: a name that nginx \
                          does not know\nreads any text.\n"
                .to_owned(),
            _ => self.metrics(),
        });
        text
    }

    /// What the format gives, and what it does not.
    fn metrics(&self) -> String {
        let mut text = "\nThis format gives:\n".to_owned();
        let mut missing = Vec::new();
        for metric in METRIC_SOURCES {
            match metric.role.map(|role| (role, self.source_of(role))) {
                None => row(&mut text, &metric.what(), "from every line"),
                Some((_, Some(source))) => row(&mut text, &metric.what(), &format!("from {source}")),
                Some((role, None)) => missing.push((metric, role)),
            }
        }
        text.push_str(&if self.format.is_keyed() { self.absent(&missing) } else { self.longer(&missing) });
        text
    }

    /// The field that plays a role; of a JSON format, one that is in the lines, if there are any.
    fn source_of(&self, role: Role) -> Option<&str> {
        let source = self.format.fields.source_of(role)?;
        if !self.format.is_keyed() || self.counts.lines == 0 {
            return Some(source);
        }
        let request = (role == Role::Method).then(|| self.format.fields.keys_of(Role::Request));
        let mut keys = request.into_iter().flatten().chain(self.format.fields.keys_of(role));
        let is_found = |key: &str| {
            self.format.fields.slots.iter().zip(&self.found).any(|(slot, found)| *found && slot.name == key)
        };
        keys.find(|key| is_found(key))
    }

    /// Metrics whose keys no line has.
    fn absent(&self, missing: &[(&MetricSource, Role)]) -> String {
        let mut text = String::new();
        for (source, role) in missing {
            let keys: Vec<&str> = self.format.fields.keys_of(*role).collect();
            if !keys.is_empty() {
                row(&mut text, &source.what(), &format!("no {}", keys.join(" or ")));
            }
        }
        if text.is_empty() { text } else { format!("\nThe lines have no key for:\n{text}") }
    }

    /// Metrics that the format has no field for, and the format with all of them.
    fn longer(&self, missing: &[(&MetricSource, Role)]) -> String {
        let nginx = self.is_nginx();
        let field_of = |source: &MetricSource| if nginx { source.nginx } else { source.apache };
        let missing: Vec<(&MetricSource, &str)> =
            missing.iter().map(|(source, _)| (*source, field_of(source))).collect();
        let missing = missing.iter().filter(|(_, field)| !field.is_empty());
        let elsewhere = self.elsewhere();
        let mut text = String::new();
        // One field may give several metrics.
        let mut fields: Vec<&str> = Vec::new();
        for (source, field) in missing {
            let add = if elsewhere.is_some() { String::new() } else { format!("add {field}") };
            row(&mut text, &source.what(), &add);
            if !fields.contains(field) {
                fields.push(field);
            }
        }
        if text.is_empty() {
            return text;
        }
        let paste = elsewhere.unwrap_or_else(|| {
            let longer = format!("{} {}", self.format.text(), fields.join(" "));
            if nginx { nginx_line(&longer) } else { apache_line(&longer) }
        });
        format!("\nIt does not give:\n{text}\n{paste}")
    }

    /// Where the fields of a format are configured, for servers other than Apache and nginx.
    fn elsewhere(&self) -> Option<String> {
        let preset = PRESETS.iter().find(|preset| preset.name == self.format.name());
        match (preset.map_or("", |preset| preset.set_by), self.format.name_of_ours()) {
            ("", None) => None,
            ("", Some(name)) => Some(format!(
                "The server that writes this does not call it {name}; what it can log more, its own manual says.\n"
            )),
            (set_by, _) => Some(format!("What is logged is set by {set_by}.\n")),
        }
    }

    fn is_nginx(&self) -> bool {
        let preset = PRESETS.iter().find(|preset| preset.name == self.format.name());
        preset.map_or(self.format.name() == "nginx", |preset| preset.dialect == "nginx")
    }
}

fn row(text: &mut String, what: &str, whence: &str) {
    let _ = writeln!(text, "{}", format!("    {what:46} {whence}").trim_end());
}

fn nginx_line(format: &str) -> String {
    let quoted = format.replace('\\', "\\\\").replace('\'', "\\'").replace('\t', "\\t");
    format!("For all of it, in nginx:\n    log_format timed '{quoted}';\n")
}

fn apache_line(format: &str) -> String {
    let quoted = format.replace('\\', "\\\\").replace('"', "\\\"").replace('\t', "\\t");
    format!(
        "For all of it, in Apache (%I and %^FB need mod_logio and LogIOTrackTTFB On):\n    LogFormat \"{quoted}\" timed\n"
    )
}

fn capitalized(text: &str) -> String {
    let (first, rest) = text.split_at(text.chars().next().map_or(0, char::len_utf8));
    first.to_uppercase() + rest
}

fn compiled(spec: &str) -> Result<Format, String> {
    Format::compile(spec).map_err(|e| format!("--format: {e}"))
}

/// How much of a line stands before and behind the caret.
const BEFORE_CARET: usize = 60;
const BEHIND_CARET: usize = 40;

/// The part of a line around a column, printable, and where in it the caret goes.
fn pointed(line: &[u8], column: usize) -> (String, usize) {
    let at = column.saturating_sub(1).min(line.len());
    let from = at.saturating_sub(BEFORE_CARET);
    let to = line.len().min(at + BEHIND_CARET);
    let cut = |yes: bool| if yes { "..." } else { "" };
    let before = format!("{}{}", cut(from > 0), printable(&line[from..at], usize::MAX));
    let caret = before.chars().count();
    (format!("{before}{}{}", printable(&line[at..to], usize::MAX), cut(to < line.len())), caret)
}

/// What a format can give, and the directive or variable that does.
struct MetricSource {
    metric: &'static Metric,
    /// The label, where it is not the metric itself.
    label: &'static str,
    role: Option<Role>,
    apache: &'static str,
    nginx: &'static str,
}

impl MetricSource {
    fn what(&self) -> String {
        match self.label {
            "" => self.metric.name.to_owned(),
            label => format!("{}{{{label}}}", self.metric.name),
        }
    }
}

const fn source(
    metric: &'static Metric,
    label: &'static str,
    role: Option<Role>,
    apache: &'static str,
    nginx: &'static str,
) -> MetricSource {
    MetricSource { metric, label, role, apache, nginx }
}

const METRIC_SOURCES: &[MetricSource] = &[
    source(&catalogue::REQUESTS, "", None, "", ""),
    source(&catalogue::REQUESTS, "status_code", Some(Role::Status), "%>s", "$status"),
    source(&catalogue::REQUESTS, "method", Some(Role::Method), "\"%r\"", "\"$request\""),
    source(&catalogue::REQUESTS, "vhost", Some(Role::Vhost), "%v", "$server_name"),
    source(&catalogue::BYTES_SENT, "", Some(Role::BytesSent), "%B", "$body_bytes_sent"),
    source(&catalogue::BYTES_RECEIVED, "", Some(Role::BytesReceived), "%I", "$request_length"),
    source(&catalogue::DURATION, "", Some(Role::Duration), "%D", "$request_time"),
    source(&catalogue::SIZE, "", Some(Role::BytesSent), "%B", "$body_bytes_sent"),
    source(&catalogue::FIRST_BYTE, "", Some(Role::TimeToFirstByte), "%^FB", "\"$upstream_header_time\""),
    source(&catalogue::UPSTREAM, "", Some(Role::UpstreamDuration), "", "\"$upstream_response_time\""),
    source(&catalogue::ABORTED, "", Some(Role::Aborted), "%X", ""),
    source(&catalogue::LAST_REQUEST, "", Some(Role::Timestamp), "%t", "[$time_local]"),
];
