//! Explains: how each line is read, field by field, or where and why it does not fit; then what the format gives.
//!
//! The other tail of the house: lines go from stdin through the same format as everywhere, but to a person instead of
//! the ledger. It owns the wording; what it says of a line comes from parse.

use crate::catalogue::{self, Metric};
use crate::limits;
use crate::options::Options;
use crate::parse::{self, Format, PRESETS, Reading, Role};
use crate::say::shown;
use std::fmt::Write as _;
use std::io::{self, BufRead, Read, Write};

/// Reads lines on stdin and explains each on stdout. An error names the option.
pub fn run(options: &Options) -> Result<(), String> {
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let first = first_lines(&mut input);
    let mut explainer = Explainer::new(options, &first)?;
    // A reader of the output that goes away has read enough, and so has a broken input.
    let _ = explainer.write(&first, &mut input, &mut output);
    Ok(())
}

/// The lines that choose the format, without their newlines.
fn first_lines(input: &mut impl BufRead) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    while lines.len() < limits::GUESS_LINES_MAX {
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

struct Explainer {
    format: Format,
    /// What is said of the format before the first line.
    title: String,
    lines: u64,
    fit: u64,
    /// Lines that fit and can hardly be meant so.
    doubted: u64,
    /// Lines that advice was sought for, and the last that was given.
    advised: usize,
    remedy: String,
}

impl Explainer {
    fn new(options: &Options, first: &[Vec<u8>]) -> Result<Explainer, String> {
        let lines: Vec<&[u8]> = first.iter().map(Vec::as_slice).collect();
        let how;
        let (format, how) = match &options.format {
            Some(spec) => (Format::compile(spec).map_err(|e| format!("--format: {e}"))?, ""),
            None => match parse::guess(&lines) {
                Some(preset) => (compiled(preset.name)?, ", chosen by the lines"),
                None => {
                    let (name, reached, of) = parse::nearest(lines.first().copied().unwrap_or_default());
                    how = format!(
                        ", the nearest preset; it reads {reached} of the {of} fields of the first line"
                    );
                    (compiled(name)?, how.as_str())
                }
            },
        };
        let title = format!("The format is `{}`{how}:\n    {}\n", format.name(), format.text());
        Ok(Explainer { format, title, lines: 0, fit: 0, doubted: 0, advised: 0, remedy: String::new() })
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
        output.write_all(self.closing().as_bytes())
    }

    /// One line, as read or as far as it could be read.
    fn line(&mut self, line: &[u8]) -> String {
        self.lines += 1;
        let mut text = String::new();
        match self.format.explain(line) {
            Ok(readings) => {
                self.fit += 1;
                let doubts: Vec<String> = readings.iter().filter_map(Reading::in_doubt).collect();
                let but = if doubts.is_empty() { "" } else { ", but can hardly be meant so" };
                self.doubted += u64::from(!doubts.is_empty());
                let _ = writeln!(text, "\nLine {} fits{but}:", self.lines);
                for reading in readings {
                    let value = if reading.value == reading.raw { String::new() } else { reading.value };
                    let row = format!("    {:24} {:32} {value}", reading.name, reading.raw);
                    let _ = writeln!(text, "{}", row.trim_end());
                }
                for doubt in &doubts {
                    let _ = writeln!(text, "    in doubt: {doubt}");
                }
                if !doubts.is_empty() {
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

    /// What to do about a line; only of the first ones, and nothing twice.
    fn advice(&mut self, line: &[u8]) -> String {
        if self.advised == limits::SAMPLE_LINES_MAX {
            return String::new();
        }
        self.advised += 1;
        match self.format.remedy(&[line]).filter(|remedy| *remedy != self.remedy) {
            None => String::new(),
            Some(remedy) => {
                self.remedy.clone_from(&remedy);
                format!("    {remedy}\n")
            }
        }
    }

    fn closing(&self) -> String {
        let mut text = format!("\n{} of {} lines fit", self.fit, self.lines);
        if self.doubted > 0 {
            let _ = write!(text, ", {} of them in doubt", self.doubted);
        }
        text.push_str(".\n");
        if self.fit == 0 && !self.remedy.is_empty() {
            // What a format gives that reads nothing would only lead astray.
            text.push_str("Look again with what is advised above.\n");
            return text;
        }
        text.push_str("\nThis format gives:\n");
        let (given, missing): (Vec<&Gift>, Vec<&Gift>) =
            GIFTS.iter().partition(|gift| gift.role.is_none_or(|role| self.format.source_of(role).is_some()));
        for gift in given {
            let source = gift.role.and_then(|role| self.format.source_of(role)).unwrap_or("every line");
            let _ = writeln!(text, "    {:46} from {source}", gift.what());
        }
        let nginx = self.is_nginx();
        let missing: Vec<(&Gift, &str)> = missing
            .into_iter()
            .map(|gift| (gift, if nginx { gift.nginx } else { gift.apache }))
            .filter(|(_, field)| !field.is_empty())
            .collect();
        if missing.is_empty() || self.format.is_json() {
            return text;
        }
        text.push_str("\nIt does not give:\n");
        for (gift, field) in &missing {
            let _ = writeln!(text, "    {:46} add {field}", gift.what());
        }
        // One field may give several metrics.
        let mut fields: Vec<&str> = Vec::new();
        for (_, field) in &missing {
            if !fields.contains(field) {
                fields.push(field);
            }
        }
        let longer = format!("{} {}", self.format.text(), fields.join(" "));
        let _ = match nginx {
            true => writeln!(text, "\nFor all of it, in nginx:\n    log_format timed '{longer}';"),
            false => {
                let quoted = longer.replace('\\', "\\\\").replace('"', "\\\"");
                writeln!(
                    text,
                    "\nFor all of it, in Apache (%I and %^FB need mod_logio and LogIOTrackTTFB On):\n    LogFormat \"{quoted}\" timed"
                )
            }
        };
        text
    }

    fn is_nginx(&self) -> bool {
        let preset = PRESETS.iter().find(|preset| preset.name == self.format.name());
        preset.map_or(self.format.name() == "nginx", |preset| preset.dialect == "nginx")
    }
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
