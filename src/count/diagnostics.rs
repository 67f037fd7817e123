//! Says what does not fit: the first line of each kind, and once that most lines do not; or that they fit and can
//! hardly be meant so.
//!
//! What strangers send ends up here, so the number of sentences is fixed: one per reason, and two for the whole.

use crate::advise::{reading, remedy};
use crate::count::ledger::Ledger;
use crate::count::totals::Outcome;
use crate::limits;
use crate::log::{log_line, shown};
use crate::parse::{Format, Malformed, Reason};

/// Lines after which nothing more is waited for when none of them fits: a quiet server may take days to log a hundred.
const HOPELESS_LINES: u64 = 10;

#[derive(Debug, Default)]
pub struct Diagnostics {
    heard: [bool; Reason::ALL.len()],
    /// Lines and malformed lines when the share was last judged.
    judged: (u64, u64),
    said_misfit: bool,
    /// The first lines that did not fit, for the advice on what would make them fit.
    samples: Vec<Vec<u8>>,
    /// The first lines of all, until there are enough to be looked at.
    first: Vec<Vec<u8>>,
    looked: bool,
}

impl Diagnostics {
    /// Shows the first line of a kind, with what was expected and where.
    #[inline]
    pub fn hear(&mut self, malformed: Malformed, line: &[u8], format: &Format, ledger: &Ledger) {
        if !self.heard[malformed.reason as usize] {
            self.first(malformed, line, format, ledger);
        }
        if self.samples.len() < limits::SAMPLE_LINES_MAX {
            self.sample(line);
        }
    }

    /// Keeps the first line that no preset reads, to be shown when none fits in the end.
    #[inline]
    pub fn keep(&mut self, line: &[u8]) {
        if self.samples.is_empty() {
            self.sample(line);
        }
    }

    #[cold]
    fn sample(&mut self, line: &[u8]) {
        if is_sample(line) {
            self.samples.push(line.to_vec());
        }
    }

    /// Looks at the first lines of all: a format that is nearly right may read them, each value one place off.
    #[inline]
    pub fn look(&mut self, bytes: &[u8], format: &Format) {
        if !self.looked {
            self.look_at(bytes, format);
        }
    }

    #[cold]
    fn look_at(&mut self, bytes: &[u8], format: &Format) {
        let lines = bytes.split(|byte| *byte == b'\n');
        let lines = lines.filter(|line| is_sample(line));
        let wanted = limits::LOOKED_LINES - self.first.len();
        self.first.extend(lines.take(wanted).map(<[u8]>::to_vec));
        if self.first.len() == limits::LOOKED_LINES {
            self.look_now(format);
        }
    }

    fn look_now(&mut self, format: &Format) {
        self.looked = true;
        let first = std::mem::take(&mut self.first);
        let lines: Vec<&[u8]> = first.iter().map(Vec::as_slice).collect();
        if let Some(doubt) = reading::doubt(format, &lines) {
            let advice = advice(format, &lines);
            log_line(format!(
                "the lines fit `{}` and can hardly be meant so: {doubt}; {advice}",
                format.text()
            ));
        }
    }

    #[cold]
    fn first(&mut self, malformed: Malformed, line: &[u8], format: &Format, ledger: &Ledger) {
        self.heard[malformed.reason as usize] = true;
        let number = ledger.totals.all() + 1;
        let Err(mismatch) = reading::explain(format, line) else { return };
        log_line(format!(
            "line {number} does not fit the format `{}` ({}): {mismatch}; the line: {}; \
             further lines of this kind are only counted",
            format.name(),
            malformed.as_str(),
            shown(line, limits::SHOWN_LINE_CHARS),
        ));
    }

    /// Judges, every hundred lines or so, whether the lines fit the format at all.
    pub fn judge(&mut self, ledger: &mut Ledger, format: &Format, guessing: bool) {
        let (lines, malformed) = (ledger.totals.all(), ledger.totals.of(Outcome::Malformed));
        let (new, new_malformed) = (lines - self.judged.0, malformed - self.judged.1);
        if new == 0 || (new < limits::JUDGED_LINES && self.judged.0 > 0 && !ledger.misfit) {
            return;
        }
        ledger.misfit = new_malformed * 2 > new;
        let enough = new >= limits::JUDGED_LINES;
        let hopeless = self.judged.0 == 0 && new >= HOPELESS_LINES && new_malformed == new && !guessing;
        if enough {
            self.judged = (lines, malformed);
        }
        if ledger.misfit && (enough || hopeless) {
            self.say_misfit(new_malformed, new, format, guessing);
        }
    }

    fn say_misfit(&mut self, malformed: u64, lines: u64, format: &Format, guessing: bool) {
        if !self.said_misfit {
            self.said_misfit = true;
            log_line(self.misfit(malformed, lines, format, guessing));
        }
    }

    fn misfit(&self, malformed: u64, lines: u64, format: &Format, guessing: bool) -> String {
        if guessing {
            return self.no_preset(malformed, lines);
        }
        let samples: Vec<&[u8]> = self.samples.iter().map(Vec::as_slice).collect();
        let advice = advice(format, &samples);
        format!(
            "{malformed} of {lines} lines do not fit the format `{}`: {}; {advice}",
            format.name(),
            format.text()
        )
    }

    /// At the end of input: a log too short to be judged must not end in silence.
    pub fn close(&mut self, ledger: &Ledger, format: &Format, guessing: bool) {
        let (lines, malformed) = (ledger.totals.all(), ledger.totals.of(Outcome::Malformed));
        if malformed * 2 > lines && (self.judged.0 == 0 || guessing) {
            self.say_misfit(malformed, lines, format, guessing);
        }
        if !self.looked && !guessing && !self.first.is_empty() {
            self.look_now(format);
        }
    }

    fn no_preset(&self, malformed: u64, lines: u64) -> String {
        let start = format!("{malformed} of {lines} lines fit none of the presets");
        let or_look = "give the server's own format with --format, or look with `httpd_exporter --explain`";
        let Some(line) = self.samples.first() else { return format!("{start}; {or_look}") };
        let (name, ..) = remedy::nearest(line);
        let nearest = Format::compile(name).ok();
        let why = nearest.as_ref().and_then(|format| match reading::explain(format, line) {
            Err(mismatch) => Some(format!("the nearest, `{name}`, {mismatch}; ")),
            Ok(_) => reading::doubt(format, &[line])
                .map(|doubt| format!("the nearest, `{name}`, is in doubt: {doubt}; ")),
        });
        let remedy = nearest.and_then(|format| remedy::remedy(&format, &[line]));
        let remedy = remedy.map_or_else(|| or_look.to_owned(), |remedy| remedy.to_string());
        let (why, line) = (why.unwrap_or_default(), shown(line, limits::SHOWN_LINE_CHARS));
        format!("{start}: {why}the line: {line}; {remedy}")
    }
}

/// Whether advice can be sought from a line: some logs begin with remarks.
fn is_sample(line: &[u8]) -> bool {
    line.len() <= limits::SAMPLE_LINE_BYTES_MAX && line.first().is_some_and(|first| *first != b'#')
}

fn advice(format: &Format, lines: &[&[u8]]) -> String {
    let look = || "`httpd_exporter --explain` shows why, line by line".to_owned();
    remedy::remedy(format, lines).map_or_else(look, |remedy| remedy.to_string())
}
