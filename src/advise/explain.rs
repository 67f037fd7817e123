//! Explains: how each line is read, field by field, or where and why it does not fit; then what the format gives.
//!
//! The other tail of the house: lines go from stdin through the same format as everywhere, but to a person instead of
//! the ledger. It owns the wording; what it says of a line comes from parse.

use crate::advise::budget::Budget;
use crate::advise::reading::Reading;
use crate::advise::remedy::Remedy;
use crate::advise::{reading, remedy, routes, units};
use crate::catalogue;
use crate::catalogue::Metric;
use crate::count::routes::learned::Learner;
use crate::limits;
use crate::log::shown;
use crate::options::Options;
use crate::parse::Format;
use crate::parse::compile::field::Role;
use crate::parse::compile::presets::PRESETS;
use crate::parse::detect;
use crate::parse::envelope::choose;
use crate::parse::envelope::peel::Envelope;
use crate::parse::read::spans::Spans;
use crate::parse::{NoRecord, within};
use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::{self, BufRead, Read, Write};

/// Reads lines on stdin and explains each on stdout. An error names the option.
pub fn run(options: &Options) -> Result<(), String> {
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let first = first_lines(&mut input);
    // A reader of the output that goes away has read enough, and so has a broken input.
    let _ = match choice(options, &first)? {
        Some((format, chosen, title)) => {
            let envelope = envelope(options, &format, &first);
            let mut explainer = Explainer::new(format, envelope, chosen, &title);
            explainer.learner = options.learns_routes().then(|| Learner::new(|_| 0));
            explainer.write(&first, &mut input, &mut output)
        }
        None => output.write_all(b"There is no line on stdin to choose a preset by.\n"),
    };
    Ok(())
}

/// The lines that choose the format, without their newlines.
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

/// What is taken off the lines.
fn envelope(options: &Options, format: &Format, first: &[Vec<u8>]) -> Envelope {
    let lines: Vec<&[u8]> = first.iter().map(Vec::as_slice).collect();
    let mut envelope = Envelope::new(options.envelope);
    match detect::envelope_of(format, options.envelope, &lines) {
        Some(choice) => envelope.settle(choice.chain, choice.stderr),
        None => envelope.propose(choose::likely(options.envelope, &lines)),
    }
    envelope
}

/// The format to explain by, whether it is the one of the lines, and what is said of it. None when there is neither a
/// format nor a line to choose one by.
fn choice(options: &Options, first: &[Vec<u8>]) -> Result<Option<(Format, bool, String)>, String> {
    if let Some(spec) = &options.format {
        let mut format = compiled(spec)?;
        format.mix(options.mixed);
        let title = format!("The format is `{}`", format.name());
        return Ok(Some((format, true, title)));
    }
    let lines: Vec<&[u8]> = first.iter().map(Vec::as_slice).collect();
    if let Some(within) = detect::detect_within(options.envelope, &lines) {
        let inner: Vec<&[u8]> = within.inner.iter().map(Vec::as_slice).collect();
        let title = match units::ask(&inner).filter(|_| within.detected.untold) {
            Some(asked) => format!("{}.\nCounted is", capitalized(&asked)),
            None => format!("The format is `{}`, chosen by the lines", within.detected.preset.name),
        };
        let mut format = compiled(&within.detected.spec)?;
        format.mix(options.mixed);
        return Ok(Some((format, true, title)));
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
    Ok(Some((compiled(name)?, false, title)))
}

struct Explainer {
    format: Format,
    envelope: Envelope,
    spans: Spans,
    /// What is said of the format before the first line.
    title: String,
    /// Whether it is the format of the lines, and not only the nearest to them.
    chosen: bool,
    lines: u64,
    fit: u64,
    /// Lines that are no requests.
    foreign: u64,
    /// Lines that fit and can hardly be meant so.
    doubted: u64,
    /// Lines that advice was sought for, all that was given, and the formats that it names.
    sought: usize,
    advice: Vec<Remedy>,
    better: Vec<Format>,
    budget: Budget,
    /// With `--route auto`, what the lines teach.
    learner: Option<Learner>,
    /// The fields that were found in any line, by name: not every key of a format is in its lines.
    found: HashSet<String>,
}

impl Explainer {
    fn new(format: Format, envelope: Envelope, chosen: bool, title: &str) -> Explainer {
        let mut title = format!("{title}:\n    {}\n", shown(format.text().as_bytes(), usize::MAX));
        let chain = envelope.chain();
        if !chain.is_empty() {
            let _ = writeln!(title, "The envelope is `{}`, as in:\n    {}", chain.name(), chain.example());
        }
        let (advice, better, found) = (Vec::new(), Vec::new(), HashSet::new());
        let (lines, fit, foreign, doubted, sought) = (0, 0, 0, 0, 0);
        let budget = Budget::new();
        Explainer {
            format,
            envelope,
            spans: Spans::new(),
            title,
            chosen,
            lines,
            fit,
            foreign,
            doubted,
            sought,
            advice,
            better,
            budget,
            learner: None,
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
        for line in first {
            output.write_all(self.line(line).as_bytes())?;
        }
        while let Some(line) = next_line(input) {
            output.write_all(self.line(&line).as_bytes())?;
        }
        output.write_all(self.closing().as_bytes())?;
        let Some(learner) = &mut self.learner else { return Ok(()) };
        learner.settle_sample(|_| 0);
        output.write_all(routes::learned(learner.latest()).as_bytes())
    }

    /// A line, taken out of its envelope just as when it is counted.
    fn line(&mut self, line: &[u8]) -> String {
        self.lines += 1;
        let text = [line, b"\n"].concat();
        let mut read = None;
        within::each(&self.format, &mut self.envelope, &text, &mut self.spans, |inner, record| {
            read = Some((inner.to_vec(), record.err()));
        });
        self.envelope.follow_strays(1);
        let (why, line) = match read {
            None => ("a piece of a line that goes on".to_owned(), line.to_vec()),
            Some((inner, Some(NoRecord::Foreign))) => {
                let why = reading::foreign(&self.format, &inner);
                (why.unwrap_or_else(|| "the envelope tells".to_owned()), inner)
            }
            Some((inner, _)) => return self.inner_line(&inner),
        };
        self.foreign += 1;
        let line = shown(&line, limits::SHOWN_LINE_CHARS);
        format!("\nLine {} is no request ({why}):\n    {line}\n", self.lines)
    }

    /// One line, as read or as far as it could be read.
    fn inner_line(&mut self, line: &[u8]) -> String {
        let mut text = String::new();
        match reading::explain(&self.format, line) {
            Ok(readings) => {
                self.fit += 1;
                self.teach(line);
                let doubts: Vec<String> = readings.iter().filter_map(Reading::in_doubt).collect();
                let but = if doubts.is_empty() { "" } else { ", but can hardly be meant so" };
                self.doubted += u64::from(!doubts.is_empty());
                let _ = writeln!(text, "\nLine {} fits{but}:", self.lines);
                for (name, value) in self.spans.facts.told() {
                    let _ =
                        writeln!(text, "    {:24} {}", format!("envelope:{name}"), shown(value, usize::MAX));
                }
                for reading in readings {
                    if !self.found.contains(&reading.name) {
                        self.found.insert(reading.name.clone());
                    }
                    let value = if reading.value == reading.raw { String::new() } else { reading.value };
                    let row = format!("    {:24} {:32} {value}", reading.name, reading.raw);
                    let _ = writeln!(text, "{}", row.trim_end());
                }
                for doubt in &doubts {
                    let _ = writeln!(text, "    in doubt: {doubt}");
                }
                if !doubts.is_empty() || !self.chosen {
                    text.push_str(&self.advice(line));
                }
            }
            Err(mismatch) => {
                let (excerpt, caret) = pointed(line, mismatch.column);
                let caret = " ".repeat(caret) + "^";
                let _ = writeln!(text, "\nLine {} does not fit:\n    {excerpt}\n    {caret}", self.lines);
                let _ = writeln!(text, "    {mismatch}");
                text.push_str(&self.advice(line));
            }
        }
        text
    }

    /// What to do about a line; only of the first ones, and only if nothing that was said before helps.
    fn advice(&mut self, line: &[u8]) -> String {
        let enough = self.advice.len() == limits::SAMPLE_LINES_MAX || self.sought == limits::DETECT_LINES_MAX;
        if enough || self.better.iter().any(|format| reading::suits(format, line)) {
            return String::new();
        }
        self.sought += 1;
        // Of lines that nothing reads, one remark is enough.
        let new = |remedy: &Remedy| !self.advice.iter().any(|given| given.format == remedy.format);
        let remedy = remedy::remedy(&self.format, &[line], &mut self.budget).filter(new);
        let Some(remedy) = remedy else { return String::new() };
        let text = format!("    {remedy}\n");
        self.better.extend(remedy.format.as_deref().and_then(|format| Format::compile(format).ok()));
        self.advice.push(remedy);
        text
    }

    fn closing(&self) -> String {
        if self.lines == 0 {
            return "\nThere is no line on stdin.\n".to_owned() + &self.gifts();
        }
        let mut text = format!("\n{} of {} lines fit", self.fit, self.lines);
        if self.doubted > 0 {
            let _ = write!(text, ", {} of them in doubt", self.doubted);
        }
        if self.foreign > 0 {
            let _ = write!(text, ", {} are no requests", self.foreign);
        }
        text.push_str(".\n");
        // What a format gives that reads nothing would only lead astray.
        text.push_str(&match (self.fit, self.advice.is_empty()) {
            (0, false) => "Look again with what is advised above.\n".to_owned(),
            (0, true) => "Write a line down in nginx's way, with a $name in the place of each value: a name that nginx \
                          does not know\nreads any text.\n"
                .to_owned(),
            _ => self.gifts(),
        });
        text
    }

    /// What the format gives, and what it does not.
    fn gifts(&self) -> String {
        let mut text = "\nThis format gives:\n".to_owned();
        let mut missing = Vec::new();
        for gift in GIFTS {
            match gift.role.map(|role| (role, self.source_of(role))) {
                None => row(&mut text, &gift.what(), "from every line"),
                Some((_, Some(source))) => row(&mut text, &gift.what(), &format!("from {source}")),
                Some((role, None)) => missing.push((gift, role)),
            }
        }
        text.push_str(&if self.format.is_json() { self.absent(&missing) } else { self.longer(&missing) });
        text
    }

    /// The field that plays a role; of a JSON format, one that is in the lines, if there are any.
    fn source_of(&self, role: Role) -> Option<&str> {
        let source = self.format.source_of(role)?;
        if !self.format.is_json() || self.lines == 0 {
            return Some(source);
        }
        let request = (role == Role::Method).then(|| self.format.keys_of(Role::Request));
        let mut keys = request.into_iter().flatten().chain(self.format.keys_of(role));
        keys.find(|key| self.found.contains(*key))
    }

    /// Metrics whose keys no line has.
    fn absent(&self, missing: &[(&Gift, Role)]) -> String {
        let mut text = String::new();
        for (gift, role) in missing {
            let keys: Vec<&str> = self.format.keys_of(*role).collect();
            if !keys.is_empty() {
                row(&mut text, &gift.what(), &format!("no {}", keys.join(" or ")));
            }
        }
        if text.is_empty() { text } else { format!("\nThe lines have no key for:\n{text}") }
    }

    /// Metrics that the format has no field for, and the format with all of them.
    fn longer(&self, missing: &[(&Gift, Role)]) -> String {
        let nginx = self.is_nginx();
        let field_of = |gift: &Gift| if nginx { gift.nginx } else { gift.apache };
        let missing: Vec<(&Gift, &str)> = missing.iter().map(|(gift, _)| (*gift, field_of(gift))).collect();
        let missing = missing.iter().filter(|(_, field)| !field.is_empty());
        let elsewhere = self.elsewhere();
        let mut text = String::new();
        // One field may give several metrics.
        let mut fields: Vec<&str> = Vec::new();
        for (gift, field) in missing {
            let add = if elsewhere.is_some() { String::new() } else { format!("add {field}") };
            row(&mut text, &gift.what(), &add);
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

    /// Where the fields of a format are set, if what is known here of Apache and nginx is of no use there.
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
    let before = format!("{}{}", cut(from > 0), shown(&line[from..at], usize::MAX));
    let caret = before.chars().count();
    (format!("{before}{}{}", shown(&line[at..to], usize::MAX), cut(to < line.len())), caret)
}

/// What a format can give, and the directive or variable that does.
struct Gift {
    metric: &'static Metric,
    /// The label, where it is not the metric itself.
    label: &'static str,
    role: Option<Role>,
    apache: &'static str,
    nginx: &'static str,
}

impl Gift {
    fn what(&self) -> String {
        match self.label {
            "" => self.metric.name.to_owned(),
            label => format!("{}{{{label}}}", self.metric.name),
        }
    }
}

const fn gift(
    metric: &'static Metric,
    label: &'static str,
    role: Option<Role>,
    apache: &'static str,
    nginx: &'static str,
) -> Gift {
    Gift { metric, label, role, apache, nginx }
}

const GIFTS: &[Gift] = &[
    gift(&catalogue::REQUESTS, "", None, "", ""),
    gift(&catalogue::REQUESTS, "status_code", Some(Role::Status), "%>s", "$status"),
    gift(&catalogue::REQUESTS, "method", Some(Role::Method), "\"%r\"", "\"$request\""),
    gift(&catalogue::REQUESTS, "vhost", Some(Role::Vhost), "%v", "$server_name"),
    gift(&catalogue::BYTES_SENT, "", Some(Role::BytesSent), "%B", "$body_bytes_sent"),
    gift(&catalogue::BYTES_RECEIVED, "", Some(Role::BytesReceived), "%I", "$request_length"),
    gift(&catalogue::DURATION, "", Some(Role::Duration), "%D", "$request_time"),
    gift(&catalogue::SIZE, "", Some(Role::BytesSent), "%B", "$body_bytes_sent"),
    gift(&catalogue::FIRST_BYTE, "", Some(Role::TimeToFirstByte), "%^FB", "\"$upstream_header_time\""),
    gift(&catalogue::UPSTREAM, "", Some(Role::UpstreamDuration), "", "\"$upstream_response_time\""),
    gift(&catalogue::ABORTED, "", Some(Role::Aborted), "%X", ""),
    gift(&catalogue::LAST_REQUEST, "", Some(Role::Timestamp), "%t", "[$time_local]"),
];
