//! Counting thread: owns the ledger, turns chunks of lines into records, and records into figures.
//!
//! It does no input or output except for a few messages on stderr, and takes no lock. The figures are asked for over a
//! channel and handed out as a copy, so the thread is never held up for longer than copying takes.

mod admission;
pub mod clients;
mod detector;
pub mod diagnostics;
pub mod dictionary;
pub mod distinct;
pub mod exemplars;
mod extras;
pub mod frequent;
pub mod histograms;
pub mod labels;
pub mod ledger;
pub mod memo;
pub mod meter;
pub mod native;
pub mod observer;
pub mod quantiles;
pub mod routes;
pub mod slo;
pub mod slo_counts;
mod sources;
pub mod table;
pub mod totals;

use crate::clock;
use crate::count::detector::FormatDetector;
use crate::count::diagnostics::{Diagnostics, Reporter};
use crate::count::distinct::DayKeys;
use crate::count::ledger::{LabelSet, Ledger, Native, Summary};
use crate::count::meter::Meter;
use crate::count::observer::{Entry, Observer};
use crate::count::sources::{Sources, Stretch};
use crate::count::totals::Outcome;
use crate::input::{Chunk, ChunkReceiver};
use crate::limits;
use crate::log::{log_info, log_warning};
use crate::options::Options;
use crate::parse::compile::presets::PRESETS;
use crate::parse::compile::questions::questions;
use crate::parse::detect;
use crate::parse::envelope::chain::{Chain, Wanted};
use crate::parse::envelope::choose;
use crate::parse::envelope::peel::Envelope;
use crate::parse::read::spans::Spans;
use crate::parse::within;
use crate::parse::{Format, NoRecord, Reason};
use crate::self_metrics::SelfMetrics;
use crossbeam_channel::{Receiver, Sender, at, bounded, never, select};
use std::sync::Arc;

/// A question for the figures, and where the answer goes.
#[derive(Debug)]
pub enum SnapshotRequest {
    All(Native, Sender<Ledger>),
    Summary(Sender<Summary>),
}

/// The way to a copy of the ledger.
#[derive(Clone, Debug)]
pub struct SnapshotHandle(Sender<SnapshotRequest>);

impl SnapshotHandle {
    /// A pair of both ends. Nothing is queued in between: a request waits until it is taken, and what is taken
    /// is answered. So the end of the counting is told to all who ask, and leaves no question behind.
    pub fn new() -> (SnapshotHandle, Receiver<SnapshotRequest>) {
        let (sender, receiver) = bounded(0);
        (SnapshotHandle(sender), receiver)
    }

    /// A copy of the ledger; None when the counting thread has ended or does not answer in time.
    pub fn ledger(&self, native: Native) -> Option<Ledger> {
        self.ask(|reply| SnapshotRequest::All(native, reply))
    }

    /// A few figures of it, which cost the counting thread no copy however large the ledger is.
    pub fn summary(&self) -> Option<Summary> {
        self.ask(SnapshotRequest::Summary)
    }

    fn ask<T>(&self, question: impl FnOnce(Sender<T>) -> SnapshotRequest) -> Option<T> {
        let (reply, answer) = bounded(1);
        self.0.send_timeout(question(reply), limits::LEDGER_PATIENCE).ok()?;
        answer.recv_timeout(limits::LEDGER_PATIENCE).ok()
    }
}

/// Chunks whose lines are asked for their envelope while none of them fits.
const ASKED_MAX: u32 = 100;

/// How often it is said what is around the lines; a stream of many containers may change all the time.
const ENVELOPES_TOLD_MAX: u32 = 3;

/// What the counting thread works with.
#[derive(Debug)]
pub struct Counter {
    format: Format,
    /// The format as it was given, or the name of the preset that the lines have chosen; none until they have.
    chosen: Option<String>,
    meter: Meter,
    ledger: Ledger,
    /// While the format is still to be detected, the lines that will choose it.
    detector: Option<FormatDetector>,
    /// Series that were on the page before us, until there is a ledger for them.
    known: Vec<LabelSet>,
    /// With `--once` and learned routes, the lines that will teach these, before any is counted.
    route_sample: Option<Vec<u8>>,
    sources: Sources,
    spans: Spans,
    envelope: Envelope,
    /// How often the first lines did not tell their envelope.
    asked: u32,
    envelopes_told: u32,
    diagnostics: Diagnostics,
    observer: Option<Box<dyn Observer>>,
    /// Those that `--distinct` shares with the other generations.
    day_keys: DayKeys,
}

impl Counter {
    /// Compiles format and options; an error names the option. Reports on the lines go to `reporter`.
    pub fn new(options: Options, reporter: Reporter) -> Result<Counter, String> {
        Counter::observed(options, reporter, None)
    }

    /// The same with an observer, who sees each line that is counted.
    pub fn observed(
        options: Options,
        reporter: Reporter,
        mut observer: Option<Box<dyn Observer>>,
    ) -> Result<Counter, String> {
        let detecting = options.format.is_none();
        // Until the lines have chosen, the first preset stands in, for the reasons why none reads them.
        let spec = options.format.as_deref().unwrap_or(PRESETS[0].name);
        let mut format = Format::compile(spec).map_err(|e| format!("--format: {e}"))?;
        format.mix(options.mixed);
        let wanted = if detecting { options.without_fields() } else { options.clone() };
        let (meter, mut ledger) = Meter::compile(&wanted, &mut format, observer.as_deref_mut())?;
        ledger.format_known = !detecting;
        ledger.doubt = reporter.doubt.clone();
        if !detecting {
            questions(spec).into_iter().for_each(log_warning);
            tell_unused(&options, &meter, &ledger);
        }
        // A page that is read while lines come has the routes settled by then; in these modes all lines can have them.
        let at_the_end = options.mode.reads_to_the_end();
        let route_sample = (at_the_end && options.learns_routes()).then(Vec::new);
        Ok(Counter {
            format,
            chosen: options.format.clone(),
            meter,
            ledger,
            known: Vec::new(),
            sources: Sources::default(),
            spans: Spans::default(),
            envelope: Envelope::new(options.envelope),
            asked: 0,
            envelopes_told: 0,
            detector: detecting.then(|| FormatDetector::new(options)),
            diagnostics: Diagnostics::new(reporter),
            route_sample,
            observer,
            day_keys: DayKeys::default(),
        })
    }

    /// Gives the series that are on the page already their places before others can have them.
    pub fn seed(&mut self, known: Vec<LabelSet>) {
        self.ledger.seed(&known, clock::now_nanos());
        self.meter.know_routes(&known, &mut self.ledger);
        if self.detector.is_some() {
            self.known = known;
        }
    }

    /// Lets `--distinct` hash as the other generations do.
    pub fn share_day_keys(&mut self, keys: DayKeys) {
        if let Some(distinct) = &mut self.ledger.distinct {
            distinct.keys = keys.clone();
        }
        self.day_keys = keys;
    }

    /// Counts a chunk, and notes up to where its file is counted.
    fn take(&mut self, chunk: &mut Chunk) {
        let origin = chunk.origin.take();
        if let Some(origin) = &origin {
            let stretch = self.sources.enter(origin);
            self.turn_to(Some(stretch));
        }
        self.count(chunk.bytes(), chunk.oversized);
        if let Some(origin) = origin {
            self.sources.read_to(origin);
        }
        self.note_places();
    }

    /// The places of lines that are counted go with their counts.
    fn note_places(&mut self) {
        if self.detector.as_ref().is_none_or(|detector| detector.held() == 0) {
            self.sources.counted(&mut self.ledger.places, |stretch| self.envelope.is_unfinished(stretch));
        }
    }

    /// Counts every line of a chunk.
    pub fn count(&mut self, bytes: &[u8], oversized: u64) {
        debug_assert!(bytes.is_empty() || bytes.ends_with(b"\n"));
        self.ledger.totals.lines[Outcome::Oversized as usize] += oversized;
        let mut rest = bytes;
        while let Some(detector) = self.detector.as_mut().filter(|_| !rest.is_empty()) {
            self.sources.mark(detector.held());
            rest = &rest[detector.take(rest)..];
            if detector.has_enough() {
                self.choose();
            }
        }
        if self.envelope.is_open() && self.detector.is_none() && !rest.is_empty() {
            self.ask_for_envelope(rest);
        }
        self.lines(rest);
    }

    /// Lets the first lines tell what is around them; where none fits the format, the next ones are asked.
    #[cold]
    fn ask_for_envelope(&mut self, bytes: &[u8]) {
        let lines = bytes.split_inclusive(|byte| *byte == b'\n').map(|line| &line[..line.len() - 1]);
        let lines: Vec<&[u8]> = lines.take(limits::DETECT_LINES_MAX).collect();
        let choice = detect::envelope_of(&self.format, self.envelope.wanted(), &lines);
        self.asked += 1;
        match choice {
            Some(choice) => self.settle(choice.chain, choice.stderr),
            None if self.asked > ASKED_MAX => self.settle(self.envelope.chain(), false),
            None => self.envelope.propose(choose::likely(self.envelope.wanted(), &lines)),
        }
    }

    fn settle(&mut self, chain: Chain, stderr: bool) {
        self.envelope.settle(chain, stderr);
        self.tell_envelope();
    }

    /// Says once what is around the lines, and again when it has changed, a few times at most.
    fn tell_envelope(&mut self) {
        let name = self.envelope.chain().name();
        if self.ledger.envelope == name {
            return;
        }
        self.envelopes_told += 1;
        if self.envelopes_told <= ENVELOPES_TOLD_MAX {
            let on = if self.envelope.stderr() { "; the requests are on stderr" } else { "" };
            let example = self.envelope.chain().example();
            log_info(match name.as_str() {
                "none" => "the lines have no envelope".to_owned(),
                name => format!("the envelope is `{name}`, as in {example}{on}"),
            });
        }
        self.ledger.envelope = name;
    }

    /// Counts lines, or holds them back while they are to teach the routes.
    fn lines(&mut self, bytes: &[u8]) {
        if self.sources.is_again() {
            return self.rejoin(bytes);
        }
        let Some(sample) = &mut self.route_sample else { return self.measure(bytes) };
        self.sources.mark(sample.len());
        sample.extend_from_slice(bytes);
        if sample.len() >= limits::ROUTE_SAMPLE_BYTES {
            self.learn_routes();
        }
    }

    /// Takes the pieces out of lines that have been counted before.
    #[cold]
    fn rejoin(&mut self, bytes: &[u8]) {
        within::each(&self.format, &mut self.envelope, bytes, &mut self.spans, &mut |_, _| {});
        self.envelope.take_tally();
    }

    /// Learns the routes of the lines that were held back for it, and counts them.
    #[cold]
    fn learn_routes(&mut self) {
        let Some(sample) = self.route_sample.take() else { return };
        let Counter { format, meter, spans, envelope, .. } = self;
        // What an envelope keeps of a line in pieces is for the second reading.
        let mut again = Envelope::new(envelope.wanted());
        again.settle(envelope.chain(), envelope.stderr());
        within::each(format, &mut again, &sample, spans, &mut |_, read| {
            if let Ok(record) = read {
                meter.look_at(&record);
            }
        });
        self.meter.settle_routes(&mut self.ledger);
        for (stretch, part) in self.sources.parts(sample.len()) {
            self.turn_to(stretch);
            self.measure(&sample[part]);
        }
        self.meter.go_on_learning();
    }

    /// The lines that come now are of this part of a file.
    fn turn_to(&mut self, stretch: Option<Arc<Stretch>>) {
        let Some(stretch) = stretch else { return };
        self.envelope.enter(stretch.number);
        if self.sources.turn_to(&stretch) {
            self.spans.facts.keep_file(stretch.file.as_bytes());
        }
    }

    fn measure(&mut self, bytes: &[u8]) {
        let now = clock::now_nanos();
        self.ledger.totals.check_time(now);
        let before = self.ledger.totals.all();
        if self.observer.is_some() {
            return self.measure_observed(bytes, now, before);
        }
        let Counter { format, chosen, meter, ledger, spans, envelope, diagnostics, .. } = self;
        within::each(format, envelope, bytes, spans, &mut |line, read| {
            let outcome = match read {
                Ok(record) => meter.measure(&record, ledger, now),
                Err(NoRecord::Foreign) => Outcome::Foreign,
                Err(NoRecord::Malformed(malformed)) => {
                    ledger.totals.malformed[malformed.reason as usize] += 1;
                    diagnostics.record(malformed, line, chosen.as_deref(), ledger);
                    Outcome::Malformed
                }
            };
            ledger.totals.enter(outcome);
        });
        self.end_measure(bytes, before);
    }

    /// The same, and tells the observer.
    #[inline(never)]
    fn measure_observed(&mut self, bytes: &[u8], now: u64, before: u64) {
        let Counter { format, chosen, meter, ledger, spans, envelope, diagnostics, observer, .. } = self;
        let Some(observer) = observer else { return };
        within::each(format, envelope, bytes, spans, &mut |line, read| {
            let outcome = match read {
                Ok(record) => {
                    let mut entry = Entry::default();
                    let outcome = meter.measure_noting(&record, ledger, now, &mut entry);
                    if outcome == Outcome::Counted {
                        observer.counted(&record, &entry, ledger);
                    }
                    outcome
                }
                Err(NoRecord::Foreign) => Outcome::Foreign,
                Err(NoRecord::Malformed(malformed)) => {
                    ledger.totals.malformed[malformed.reason as usize] += 1;
                    diagnostics.record(malformed, line, chosen.as_deref(), ledger);
                    observer.malformed(line);
                    Outcome::Malformed
                }
            };
            ledger.totals.enter(outcome);
        });
        self.end_measure(bytes, before);
    }

    fn end_measure(&mut self, bytes: &[u8], before: u64) {
        self.ledger.histograms.settle();
        if self.chosen.is_some() {
            self.diagnostics.sample(bytes, &self.envelope, self.chosen.as_deref());
        }
        self.enter_tally();
        let follows = self.envelope.follow_strays(self.ledger.totals.all() - before);
        if follows {
            self.tell_envelope();
        }
        self.diagnostics.assess_fit(&mut self.ledger, self.chosen.as_deref());
    }

    /// Enters what was not handed over line by line: the pieces of lines, and lines that never ended.
    fn enter_tally(&mut self) {
        let tally = self.envelope.take_tally();
        let totals = &mut self.ledger.totals;
        totals.lines[Outcome::Foreign as usize] += tally.pieces;
        totals.lines[Outcome::Oversized as usize] += tally.too_long;
        totals.lines[Outcome::Malformed as usize] += tally.unfinished;
        totals.malformed[Reason::Truncated as usize] += tally.unfinished;
    }

    /// The lines that are held back have waited long enough for others.
    fn choose_in_time(&mut self) {
        let wanted = self.envelope.wanted();
        if self.detector.as_mut().is_some_and(|detector| detector.puts_off(wanted)) {
            return;
        }
        self.choose();
        self.note_places();
    }

    /// Lets the lines that are held back choose the format, and counts them.
    #[cold]
    fn choose(&mut self) {
        let Some(detector) = &mut self.detector else { return };
        let held = detector.hand_out();
        let lines: Vec<&[u8]> =
            held.split_inclusive(|byte| *byte == b'\n').map(|line| &line[..line.len() - 1]).collect();
        let chosen = detect::detect_within(self.envelope.wanted(), &lines)
            .and_then(|within| Some((Format::compile(&within.detected.spec).ok()?, within)));
        let Some((format, within)) = chosen else { return self.fit_nothing(&held, &lines) };
        let (choice, found) = (within.choice, within.detected);
        let Some(FormatDetector { options, .. }) = self.detector.take() else { return };
        if found.untold {
            let inner: Vec<&[u8]> = within.inner.iter().map(Vec::as_slice).collect();
            self.diagnostics.report_untold(&inner);
        } else {
            let preset = found.preset;
            let text = if found.spec == preset.name { preset.text } else { &found.spec };
            log_info(format!("the format is `{}`: {text}", preset.name));
        }
        self.format = format;
        self.format.mix(options.mixed);
        self.chosen = Some(found.spec);
        let Counter { format, observer, .. } = self;
        let compiled = Meter::compile(&options, format, observer.as_deref_mut()).or_else(|wrong| {
            // The command line was right in itself, so the lines are counted all the same.
            log_warning(format!(
                "{wrong}; lines are counted without the labels, excludes, exemplars, objectives and different values \
                 asked for"
            ));
            Meter::compile(&options.without_fields(), format, observer.as_deref_mut())
        });
        if let Ok((meter, mut ledger)) = compiled {
            ledger.totals = std::mem::take(&mut self.ledger.totals);
            ledger.envelope = std::mem::take(&mut self.ledger.envelope);
            ledger.doubt = std::mem::take(&mut self.ledger.doubt);
            ledger.places = std::mem::take(&mut self.ledger.places);
            (self.meter, self.ledger) = (meter, ledger);
            self.ledger.format_known = true;
            let known = std::mem::take(&mut self.known);
            self.seed(known);
            self.share_day_keys(self.day_keys.clone());
            tell_unused(&options, &self.meter, &self.ledger);
        }
        self.settle(choice.chain, choice.stderr);
        for (stretch, part) in self.sources.parts(held.len()) {
            self.turn_to(stretch);
            self.lines(&held[part]);
        }
    }

    /// Lines that no preset reads as they are meant are malformed, also where one could be bent to read them.
    fn fit_nothing(&mut self, held: &[u8], lines: &[&[u8]]) {
        let chain = choose::likely(self.envelope.wanted(), lines);
        self.envelope.propose(chain);
        for (stretch, part) in self.sources.parts(held.len()) {
            self.turn_to(stretch);
            if self.sources.is_again() {
                self.rejoin(&held[part]);
                continue;
            }
            let Counter { format, ledger, spans, envelope, diagnostics, observer, .. } = self;
            within::each(format, envelope, &held[part], spans, &mut |line, read| {
                let reason = match read {
                    Err(NoRecord::Foreign) => return ledger.totals.enter(Outcome::Foreign),
                    Err(NoRecord::Malformed(malformed)) => malformed.reason,
                    Ok(_) => Reason::Value,
                };
                ledger.totals.malformed[reason as usize] += 1;
                ledger.totals.enter(Outcome::Malformed);
                diagnostics.keep(ledger.totals.all(), reason, line);
                if let Some(observer) = observer {
                    observer.malformed(line);
                }
            });
            self.enter_tally();
        }
        self.diagnostics.assess_fit(&mut self.ledger, None);
    }

    /// The end of input. The reporter is dropped with the counter, so no report comes any more.
    fn close(mut self) -> Ledger {
        self.choose();
        self.note_places();
        // What was in pieces is a line all the same, as far as it came.
        let mut open = self.envelope.close(|stretch| self.sources.is_kept(stretch)).join(&b'\n');
        if !open.is_empty() {
            open.push(b'\n');
            self.envelope = Envelope::new(Wanted::Nothing);
            self.lines(&open);
        }
        self.learn_routes();
        self.diagnostics.close(&self.ledger, self.chosen.as_deref());
        if let Some(observer) = self.observer {
            observer.close(&self.ledger);
        }
        self.ledger
    }
}

/// An option that has no effect with this format is no error, but the operator should not wait for its metric.
fn tell_unused(options: &Options, meter: &Meter, ledger: &Ledger) {
    if options.upstream_phases && !meter.has_phases() {
        log_warning("--upstream-phases: the format has no time in a queue or to connect, so there are none");
    }
    if !options.quantiles.is_empty() && ledger.quantiles.is_none() {
        log_warning(
            "--quantiles: the format has no duration, so there are none; --explain tells what would give one",
        );
    }
}

/// The receiver may have gone meanwhile.
fn answer(question: Option<SnapshotRequest>, ledger: &mut Ledger, diagnostics: &Diagnostics) {
    match question {
        Some(SnapshotRequest::All(native, reply)) => drop(reply.try_send(ledger.copy(native))),
        Some(SnapshotRequest::Summary(reply)) => {
            let (rejected, advice) = diagnostics.latest();
            let _ = reply.try_send(Summary { rejected, advice, ..ledger.summary() });
        }
        None => {}
    }
}

/// The counting thread: until the chunks end, then the ledger is the caller's.
pub fn run(
    mut counter: Counter,
    inbox: &ChunkReceiver,
    requests: &Receiver<SnapshotRequest>,
    self_metrics: &SelfMetrics,
) -> Ledger {
    loop {
        // With `--once` nobody waits for a page, and the same lines have to choose the same format at any speed.
        let waiting = counter.detector.as_ref().filter(|detector| !detector.options.mode.reads_to_the_end());
        let choice_due = waiting.and_then(FormatDetector::until).map_or_else(never, at);
        let report_due = counter.diagnostics.due().map_or_else(never, at);
        select! {
            recv(inbox.chunks) -> chunk => match chunk {
                Ok(mut chunk) => {
                    self_metrics.chunks_queued.set(i64::try_from(inbox.chunks.len()).unwrap_or(i64::MAX));
                    counter.take(&mut chunk);
                    inbox.give_back(chunk);
                }
                Err(_) => break,
            },
            recv(requests) -> question => answer(question.ok(), &mut counter.ledger, &counter.diagnostics),
            recv(choice_due) -> _ => counter.choose_in_time(),
            recv(report_due) -> _ => counter.diagnostics.on_time(&counter.ledger, counter.chosen.as_deref()),
        }
    }
    counter.close()
}
