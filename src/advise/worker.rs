//! Advice thread: turns the reports of the counting thread into messages to the operator.
//!
//! It starts with the first report, gets all others over a bounded channel, and ends when the reporter is dropped.
//! Its work is bounded. Nothing waits for it except the end of the program: where it serves, for a moment only, and
//! where it reads its input once, for all that is to be said.

use crate::advise::budget::Budget;
use crate::advise::{no_access_log, reading, remedy, units};
use crate::count::diagnostics::{Finding, Report, Reporter};
use crate::count::ledger::{Advice, Doubt};
use crate::limits;
use crate::log::{log_warning, printable};
use crate::parse::{Format, Reason};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::convert::Infallible;
use std::sync::PoisonError;
use std::thread;
use std::time::Duration;

/// How often it is looked whether somebody ends the program.
const STOP_LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// Tells when the last report has been answered.
#[derive(Debug)]
pub struct Advisor(Receiver<Infallible>);

impl Advisor {
    /// An advisor, and the way to it for the counting thread.
    pub fn new() -> (Advisor, Reporter) {
        let (ended, end) = bounded(0);
        let (doubt, advice) = (Doubt::default(), Advice::default());
        let said = Said { doubt: doubt.clone(), advice: advice.clone() };
        let (mut idle, mut thread) = (Some((ended, said)), None);
        let take = move |report| {
            if let Some((ended, said)) = idle.take() {
                thread = started(ended, said);
            }
            // If the queue is full or the thread cannot be started, advice is lost, but no line.
            let _ = thread.as_ref().map(|thread: &Sender<Report>| thread.try_send(report));
        };
        (Advisor(end), Reporter::new(take, doubt, advice))
    }

    /// Waits until all reports are answered, the work on which is bounded, or until somebody ends the program. The
    /// reporter has to be dropped before.
    pub fn wait(&self, mut is_stopped: impl FnMut() -> bool) {
        while !is_stopped() && self.0.recv_timeout(STOP_LOOK_INTERVAL) == Err(RecvTimeoutError::Timeout) {}
    }

    /// The same for a limited time.
    pub fn finish(&self) {
        if self.0.recv_timeout(limits::ADVICE_WAIT_MAX) == Err(RecvTimeoutError::Timeout) {
            let seconds = limits::ADVICE_WAIT_MAX.as_secs();
            log_warning(format!(
                "advice on the format is left out, for it takes longer than {seconds} s; --explain gives it"
            ));
        }
    }
}

/// What is told to others than the operator at the log of the program.
struct Said {
    doubt: Doubt,
    advice: Advice,
}

impl Said {
    /// Says it, and keeps it for the live page.
    fn say(&self, text: String) {
        let mut advice = self.advice.lock().unwrap_or_else(PoisonError::into_inner);
        if advice.len() < limits::REPORTS_MAX {
            advice.push(text.clone());
        }
        drop(advice);
        log_warning(text);
    }
}

/// `ended` is dropped when the thread ends.
fn started(ended: Sender<Infallible>, said: Said) -> Option<Sender<Report>> {
    let (sender, reports) = bounded(limits::REPORTS_MAX);
    let work = move || {
        let _ended = ended;
        reports.iter().for_each(|report| answer(&report, &said));
    };
    let thread = thread::Builder::new().name("advise".to_owned()).spawn(work);
    thread
        .map(|_| sender)
        .map_err(|_| log_warning("unable to start a thread for advice; lines are counted all the same"))
        .ok()
}

fn answer(Report { format: spec, finding }: &Report, said: &Said) {
    let format = spec.as_deref().and_then(|spec| Format::compile(spec).ok());
    match (finding, format) {
        (Finding::Malformed { number, reason, line }, Some(format)) => {
            first_of_a_kind(&format, (*number, *reason), line, said);
        }
        (Finding::FirstLines(samples), Some(format)) => first_lines(&format, &samples.lines(), said),
        (Finding::Misfit { malformed, lines, samples }, Some(format)) => {
            let (name, text) = (format.name(), format.text());
            // The columns of W3C's logs are named by the log.
            let text = if text == format!("{name}:") { String::new() } else { format!(": {text}") };
            let advice = advice(&format, &samples.lines());
            said.say(format!("{malformed} of {lines} lines do not fit the format `{name}`{text}; {advice}"));
        }
        (Finding::Misfit { malformed, lines, samples }, None) => {
            let start = format!("{malformed} of {lines} lines fit none of the presets");
            said.say(no_preset(&start, &samples.lines()));
        }
        (Finding::Untold(samples), _) => {
            if let Some(asked) = units::ask(&samples.lines()) {
                said.say(asked);
            }
        }
        // Only a format that is known reads lines, and misses them.
        (Finding::Malformed { .. } | Finding::FirstLines(_), None) => {}
    }
}

fn first_of_a_kind(format: &Format, (number, reason): (u64, Reason), line: &[u8], said: &Said) {
    let Some(why) = reading::why_not(format, line, reason) else { return };
    said.say(format!(
        "line {number} does not fit the format `{}` ({}): {why}; the line: {}; \
         further lines of this kind are only counted",
        format.name(),
        reason.as_str(),
        printable(line, limits::SHOWN_LINE_CHARS),
    ));
}

/// A format that is nearly right may read lines, each value one place off.
fn first_lines(format: &Format, lines: &[&[u8]], said: &Said) {
    let Some(why) = reading::doubt(format, lines) else { return };
    let start = format!("the lines fit `{}`, which is probably the wrong format: {why}", format.text());
    let _ = said.doubt.set(start.clone());
    said.say(format!("{start}; {}", advice(format, lines)));
}

/// What to do about lines that do not fit the format, or any preset, in words without a full stop.
pub fn what_to_do(spec: Option<&str>, lines: &[&[u8]]) -> String {
    match spec.and_then(|spec| Format::compile(spec).ok()) {
        Some(format) => advice(&format, lines),
        None => no_preset("the lines fit none of the presets", lines),
    }
}

fn advice(format: &Format, lines: &[&[u8]]) -> String {
    let look = || "`httpd_exporter --explain` shows why, line by line".to_owned();
    remedy::remedy(format, lines, &mut Budget::new()).map_or_else(look, |remedy| remedy.to_string())
}

fn no_preset(start: &str, lines: &[&[u8]]) -> String {
    let or_look = "give the server's own format with --format, or look with `httpd_exporter --explain`";
    let Some(line) = lines.first() else { return format!("{start}; {or_look}") };
    if let Some(named) = no_access_log::named(lines) {
        return format!("{start}: {named}; the line: {}", printable(line, limits::SHOWN_LINE_CHARS));
    }
    let (name, ..) = remedy::nearest(line);
    let nearest = Format::compile(name).ok();
    let why = nearest.as_ref().and_then(|format| match reading::explain(format, line) {
        Err(mismatch) => Some(format!("the nearest, `{name}`, {mismatch}; ")),
        Ok(_) => reading::doubt(format, &[line])
            .map(|doubt| format!("the nearest, `{name}`, is in doubt: {doubt}; ")),
    });
    let remedy = nearest.and_then(|format| remedy::remedy(&format, lines, &mut Budget::new()));
    let remedy = remedy.map_or_else(|| or_look.to_owned(), |remedy| remedy.to_string());
    let (why, line) = (why.unwrap_or_default(), printable(line, limits::SHOWN_LINE_CHARS));
    format!("{start}: {why}the line: {line}; {remedy}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_is_waited_for_until_somebody_ends_the_program() {
        let (advisor, reporter) = Advisor::new();
        let mut looks = 0..3;
        // There may be more to say for as long as somebody may report it.
        advisor.wait(|| looks.next().is_none());
        drop(reporter);
        advisor.wait(|| false);
    }
}
