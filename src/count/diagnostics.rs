//! Diagnostics: reports lines that do not fit, with samples: the first line of each kind; once, that most lines do not
//! fit; and once the first lines of the log, which may fit and yet mean something else.
//!
//! Advice is worked out elsewhere, on a thread of its own. Strangers choose what ends up here, so the number of reports
//! is fixed, and so are the lines and bytes that are kept.

use crate::count::ledger::{Advice, Doubt, Ledger, Rejected};
use crate::count::totals::Outcome;
use crate::limits;
use crate::log::printable;
use crate::parse::envelope::choose::inner_lines;
use crate::parse::envelope::peel::Envelope;
use crate::parse::{Malformed, Reason};
use std::collections::VecDeque;
use std::fmt;
use std::sync::PoisonError;
use std::time::Instant;

/// Lines after which nothing more is waited for when none of them fits: a quiet server may take days to log a
/// hundred.
const HOPELESS_LINES: u64 = 10;

/// The newest lines that do not fit, of which so many are kept for who looks at the live page.
const LATEST_MAX: usize = 10;

/// A fact that the operator should be told.
#[derive(Clone, Debug)]
pub struct Report {
    /// The format as it was given, or the preset's name; none while no lines have chosen one.
    pub format: Option<String>,
    pub finding: Finding,
}

#[derive(Clone, Debug)]
pub enum Finding {
    /// The first line that does not fit for this reason, and its number.
    Malformed { number: u64, reason: Reason, line: Vec<u8> },
    /// So many of so many lines do not fit; some of them.
    Misfit { malformed: u64, lines: u64, samples: Samples },
    /// The first lines that were read.
    FirstLines(Samples),
    /// These lines have chosen a format, and none tells the unit of a number in them.
    Untold(Samples),
}

/// Sends reports to the advisor, and holds its answer.
pub struct Reporter {
    /// Takes a report; it must never wait.
    take: Box<dyn FnMut(Report) + Send>,
    /// The advisor's doubt about lines that fit.
    pub doubt: Doubt,
    /// All that it has said.
    pub advice: Advice,
}

impl Reporter {
    pub fn new(take: impl FnMut(Report) + Send + 'static, doubt: Doubt, advice: Advice) -> Reporter {
        Reporter { take: Box::new(take), doubt, advice }
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reporter")
    }
}

/// Lines kept for people, bounded in number and in bytes.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    /// Each with its newline, so that keeping one more allocates nothing as a rule.
    text: Vec<u8>,
    count: usize,
}

impl Samples {
    pub fn is_full(&self) -> bool {
        self.count >= limits::SAMPLE_LINES_MAX || self.text.len() >= limits::SAMPLE_BYTES_MAX
    }

    fn add(&mut self, line: &[u8]) {
        if is_sample(line) && !self.is_full() {
            self.text.extend_from_slice(line);
            self.text.push(b'\n');
            self.count += 1;
        }
    }

    fn clear(&mut self) {
        self.text.clear();
        self.count = 0;
    }

    pub fn lines(&self) -> Vec<&[u8]> {
        self.text.split_inclusive(|byte| *byte == b'\n').map(|line| &line[..line.len() - 1]).collect()
    }
}

#[derive(Debug)]
pub struct Diagnostics {
    reporter: Reporter,
    /// The reasons that a line was shown for.
    shown: [bool; Reason::ALL.len()],
    /// Lines and malformed lines when the share was last judged.
    judged: (u64, u64),
    told_misfit: bool,
    /// Lines that did not fit since the share was last judged.
    misfits: Samples,
    /// The first lines of all, until there are enough to be looked at.
    first: Samples,
    looked: bool,
    /// When it is said that no line has fitted yet, from the first that did not.
    due: Option<Instant>,
    /// The newest lines that did not fit: their numbers, why, and their beginnings.
    latest: VecDeque<(u64, Reason, Vec<u8>)>,
}

impl Diagnostics {
    pub fn new(reporter: Reporter) -> Diagnostics {
        Diagnostics {
            reporter,
            shown: Default::default(),
            judged: (0, 0),
            told_misfit: false,
            misfits: Samples::default(),
            first: Samples::default(),
            looked: false,
            due: None,
            latest: VecDeque::with_capacity(LATEST_MAX),
        }
    }

    fn report(&mut self, format: Option<&str>, finding: Finding) {
        (self.reporter.take)(Report { format: format.map(str::to_owned), finding });
    }

    /// Keeps a line that does not fit, and reports the first of its kind.
    #[inline]
    pub fn record(&mut self, malformed: Malformed, line: &[u8], format: Option<&str>, ledger: &Ledger) {
        if !self.shown[malformed.reason as usize] {
            self.show(malformed, line, format, ledger);
        }
        self.keep(ledger.totals.all() + 1, malformed.reason, line);
    }

    /// Keeps a line that does not fit, for the advice on all of them and for who looks.
    #[inline(never)]
    pub fn keep(&mut self, number: u64, reason: Reason, line: &[u8]) {
        let mut text = match self.latest.len() < LATEST_MAX {
            true => Vec::new(),
            false => self.latest.pop_front().map(|(_, _, text)| text).unwrap_or_default(),
        };
        text.clear();
        text.extend_from_slice(&line[..line.len().min(limits::SAMPLE_LINE_BYTES_MAX)]);
        self.latest.push_back((number, reason, text));
        if !self.told_misfit {
            self.misfits.add(line);
        }
    }

    /// The newest lines that do not fit, and what was said of such lines.
    pub fn latest(&self) -> (Vec<Rejected>, Vec<String>) {
        let rejected = self.latest.iter().map(|(number, reason, text)| Rejected {
            number: *number,
            reason: reason.as_str(),
            text: printable(text, limits::SHOWN_LINE_CHARS),
        });
        let advice = self.reporter.advice.lock().unwrap_or_else(PoisonError::into_inner);
        (rejected.collect(), advice.clone())
    }

    #[cold]
    fn show(&mut self, malformed: Malformed, line: &[u8], format: Option<&str>, ledger: &Ledger) {
        self.shown[malformed.reason as usize] = true;
        let (number, reason) = (ledger.totals.all() + 1, malformed.reason);
        self.report(format, Finding::Malformed { number, reason, line: line.to_vec() });
    }

    /// Keeps the first lines of all, without their heads: a format that is nearly right may read them, each value one
    /// place off.
    #[inline]
    pub fn sample(&mut self, bytes: &[u8], envelope: &Envelope, format: Option<&str>) {
        if !self.looked {
            self.sample_first(bytes, envelope, format);
        }
    }

    #[cold]
    fn sample_first(&mut self, bytes: &[u8], envelope: &Envelope, format: Option<&str>) {
        let wanted = limits::FIRST_LINES_CHECKED.saturating_sub(self.first.count);
        let lines = bytes.split_inclusive(|byte| *byte == b'\n').map(|line| &line[..line.len() - 1]);
        let lines: Vec<&[u8]> = lines.take(wanted).collect();
        for line in inner_lines(envelope.chain(), envelope.stderr(), &lines) {
            self.first.add(&line);
        }
        if self.first.count >= limits::FIRST_LINES_CHECKED {
            self.report_first(format);
        }
    }

    fn report_first(&mut self, format: Option<&str>) {
        self.looked = true;
        let first = std::mem::take(&mut self.first);
        self.report(format, Finding::FirstLines(first));
    }

    pub fn report_untold(&mut self, lines: &[&[u8]]) {
        let mut samples = Samples::default();
        lines.iter().for_each(|line| samples.add(line));
        self.report(None, Finding::Untold(samples));
    }

    /// Judges, every hundred lines or so, whether the lines fit the format at all.
    pub fn assess_fit(&mut self, ledger: &mut Ledger, format: Option<&str>) {
        let (lines, malformed) = (ledger.totals.not_foreign(), ledger.totals.of(Outcome::Malformed));
        let (new, new_malformed) = (lines - self.judged.0, malformed - self.judged.1);
        if new == 0 || (new < limits::FIT_WINDOW_LINES && self.judged.0 > 0 && !ledger.misfit) {
            return;
        }
        ledger.misfit = new_malformed * 2 > new;
        if new_malformed > 0 && self.due.is_none() {
            self.due = Some(Instant::now() + limits::MISFIT_WAIT_MAX);
        }
        let enough = new >= limits::FIT_WINDOW_LINES;
        let never_fitted = self.judged.0 == 0 && new_malformed == new;
        let hopeless = never_fitted && new >= HOPELESS_LINES && format.is_some();
        if ledger.misfit && (enough || hopeless) {
            self.report_misfit(new_malformed, new, format);
        }
        if enough {
            self.judged = (lines, malformed);
            self.misfits.clear();
        }
    }

    /// When `on_time` is to be called, if it is.
    pub fn due(&self) -> Option<Instant> {
        self.due.filter(|_| !self.told_misfit && self.judged.0 == 0)
    }

    /// On a quiet log: reports that no line fits before there are enough lines to judge shares by.
    pub fn on_time(&mut self, ledger: &Ledger, format: Option<&str>) {
        let (lines, malformed) = (ledger.totals.not_foreign(), ledger.totals.of(Outcome::Malformed));
        if malformed * 2 > lines {
            self.report_misfit(malformed, lines, format);
        }
        // Looked at once more when the next line does not fit.
        self.due = None;
    }

    fn report_misfit(&mut self, malformed: u64, lines: u64, format: Option<&str>) {
        if !self.told_misfit {
            self.told_misfit = true;
            let samples = std::mem::take(&mut self.misfits);
            self.report(format, Finding::Misfit { malformed, lines, samples });
        }
    }

    /// At the end of input: a log too short to be judged must not end in silence.
    pub fn close(&mut self, ledger: &Ledger, format: Option<&str>) {
        let (lines, malformed) = (ledger.totals.not_foreign(), ledger.totals.of(Outcome::Malformed));
        if malformed * 2 > lines && (self.judged.0 == 0 || format.is_none()) {
            self.report_misfit(malformed, lines, format);
        }
        if !self.looked && format.is_some() && self.first.count > 0 {
            self.report_first(format);
        }
    }
}

/// Whether advice can be sought from a line: some logs begin with remarks.
fn is_sample(line: &[u8]) -> bool {
    line.len() <= limits::SAMPLE_LINE_BYTES_MAX && line.first().is_some_and(|first| *first != b'#')
}
