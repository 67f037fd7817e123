//! Writer: the increments in the order of time, summed up, as samples at every step: one file for each window of two
//! hours, or one stream.
//!
//! A series begins with a sample of 0 one step before it counts, so that `increase()` sees its first request. Where no
//! line was for longer than a week, nothing is written; behind such a hole all series go on from where they were.

use crate::catalogue::Metric;
use crate::count::ledger::Ledger;
use crate::fixed_point::{self, FixedPoint};
use crate::history::increment::{BUCKETS, HISTOGRAMS, Place, QUANTILES, WINDOW_SECONDS};
use crate::history::journal::Merge;
use crate::history::recorder::Recorded;
use crate::history::series;
use crate::history::totals::Totals;
use crate::snapshot::exposition::text::{self, TextForm};
use crate::snapshot::page::push_label;
use crate::timeline::{self, Stretch};
use std::io::{self, Write};

/// Bytes that are written at once.
const PIECE_BYTES: usize = 64 << 10;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// How samples are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// OpenMetrics with times in seconds, which promtool reads.
    OpenMetrics,
    /// Without metadata and with times in milliseconds, which VictoriaMetrics reads.
    Milliseconds,
}

/// What every sample is labelled with, as if it had been scraped.
#[derive(Clone, Debug)]
pub struct Scrape {
    pub job: String,
    pub instance: String,
}

/// Where windows go.
pub trait Files {
    /// Opens the file of a window; `left` are still to be written, with this one.
    fn open(&mut self, window: u64, left: u64) -> io::Result<Box<dyn WindowFile>>;
}

/// Where one window goes.
pub trait WindowFile: Write {
    /// Writes what is still to be written.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// What was written.
#[derive(Debug)]
pub struct Written {
    /// How far samples are apart.
    pub step: u64,
    /// The first and the last second of each stretch.
    pub spans: Vec<(u64, u64)>,
    pub windows: u64,
    pub series: u64,
    pub samples: u64,
    /// The length of the text.
    pub bytes: u64,
    /// What is not written, for it is far from the rest.
    pub far: Vec<Stretch>,
    pub totals: Totals,
}

/// When each row of a family counts for the first time; `u64::MAX` where it does not.
type Begins = Vec<Vec<u64>>;

pub fn write(
    recorded: &Recorded,
    ledger: &Ledger,
    scrape: &Scrape,
    form: Form,
    files: &mut dyn Files,
) -> io::Result<Written> {
    let windows = recorded.windows.iter();
    let second = |window: &u64| i64::try_from(window * WINDOW_SECONDS).unwrap_or(i64::MAX);
    let width = i64::try_from(WINDOW_SECONDS).unwrap_or(i64::MAX);
    let stretches = timeline::stretches(windows.map(|(window, lines)| (second(window), *lines)), width);
    let (near, far) = timeline::part_far(stretches);
    let totals = Totals::new(ledger);
    let (mut begins, mut spans) = survey(recorded, &near, totals.families())?;
    let step = recorded.step_over(spans.iter().map(|(first, last)| last.saturating_sub(*first)).sum());
    // From here on times are those of samples.
    let sampled = |second: &mut u64| *second = second.checked_next_multiple_of(step).unwrap_or(u64::MAX);
    begins.iter_mut().flatten().for_each(sampled);
    spans.iter_mut().flat_map(|(first, last)| [first, last]).for_each(sampled);
    let merge = recorded.increments.merge()?;
    let mut writer = Writer {
        recorded,
        step,
        ledger,
        scrape: labels_of_scrape(scrape),
        form,
        far: &far,
        begins,
        merge,
        totals,
        samples: 0,
        bytes: 0,
    };
    let all: Vec<(u64, (u64, u64))> = spans.iter().flat_map(|span| windows_of(*span, step)).collect();
    let windows = all.len() as u64;
    for (left, (window, span)) in (1..=windows).rev().zip(all) {
        writer.file(window, span, files.open(window, left)?)?;
    }
    let series = writer.series_begun();
    let Writer { totals, samples, bytes, .. } = writer;
    Ok(Written { step, spans, windows, series, samples, bytes, far, totals })
}

fn labels_of_scrape(scrape: &Scrape) -> String {
    let mut labels = String::new();
    push_label(&mut labels, "instance", &scrape.instance);
    push_label(&mut labels, "job", &scrape.job);
    labels
}

/// The windows of a stretch of time, which begins one step before its first sample that counts.
fn windows_of((first, last): (u64, u64), step: u64) -> impl Iterator<Item = (u64, (u64, u64))> {
    let first = first - step;
    (first / WINDOW_SECONDS..=last / WINDOW_SECONDS).map(move |window| (window, (first, last)))
}

fn lies_in(stretches: &[Stretch], place: Place) -> Option<usize> {
    let second = i64::try_from(place.second()).unwrap_or(i64::MAX);
    stretches.iter().position(|stretch| (stretch.from..stretch.to).contains(&second))
}

/// Reads all increments once, for what has to be known before the first is written.
fn survey(recorded: &Recorded, near: &[Stretch], families: u64) -> io::Result<(Begins, Vec<(u64, u64)>)> {
    let mut begins: Begins = (0..families).map(|_| Vec::new()).collect();
    let mut spans = vec![(u64::MAX, 0); near.len()];
    let mut latest = None;
    recorded.increments.each(|place, _| {
        if latest.is_none_or(|(window, _)| window != place.window()) {
            latest = Some((place.window(), lies_in(near, place)));
        }
        let Some((_, Some(stretch))) = latest else { return Ok(()) };
        let second = place.second();
        let (first, last) = &mut spans[stretch];
        (*first, *last) = ((*first).min(second), (*last).max(second));
        let Some(rows) = usize::try_from(place.family()).ok().and_then(|at| begins.get_mut(at)) else {
            return Ok(());
        };
        if rows.len() <= place.row() {
            rows.resize(place.row() + 1, u64::MAX);
        }
        rows[place.row()] = rows[place.row()].min(second);
        Ok(())
    })?;
    Ok((begins, spans))
}

struct Writer<'r> {
    recorded: &'r Recorded,
    step: u64,
    ledger: &'r Ledger,
    scrape: String,
    form: Form,
    far: &'r [Stretch],
    begins: Begins,
    merge: Merge<'r>,
    totals: Totals,
    samples: u64,
    bytes: u64,
}

/// The samples of one series in one window.
struct Run<'t> {
    family: u64,
    row: usize,
    first: u64,
    last: u64,
    /// What stands before the figure, cell by cell.
    heads: &'t [String],
}

impl Writer<'_> {
    fn file(&mut self, window: u64, span: (u64, u64), file: Box<dyn WindowFile>) -> io::Result<()> {
        let mut out = Output { out: file, text: String::with_capacity(2 * PIECE_BYTES), bytes: 0 };
        self.window(window, span, &mut out)?;
        if self.form == Form::OpenMetrics {
            out.text.push_str("# EOF\n");
        }
        self.bytes += out.finish()?;
        Ok(())
    }

    /// How many series there are: a row of a histogram is one for each bucket, and two.
    fn series_begun(&self) -> u64 {
        let families = (0..).zip(&self.begins);
        let of_family = |(family, rows): (u64, &Vec<u64>)| {
            let rows = rows.iter().filter(|begin| **begin != u64::MAX).count();
            (rows * self.heads_of_row(family)) as u64
        };
        families.map(of_family).sum()
    }

    fn heads_of_row(&self, family: u64) -> usize {
        if family < QUANTILES {
            return 1;
        }
        let buckets = self.shape(family).filter(|_| self.has_buckets(family));
        2 + buckets.map_or(0, |shape| shape.bounds.len() + 1)
    }

    fn window(&mut self, window: u64, (first, last): (u64, u64), out: &mut Output) -> io::Result<()> {
        let step = self.step;
        let start = (window * WINDOW_SECONDS).div_ceil(step) * step;
        let (start, end) = (start.max(first), last.min((window + 1) * WINDOW_SECONDS - 1));
        for family in 0..self.totals.families() {
            let Some(metric) = series::metric_of(family, self.ledger) else { continue };
            let place = usize::try_from(family).unwrap_or(0);
            let mut has_metadata = self.form != Form::OpenMetrics;
            for row in 0..self.begins[place].len() {
                let begin = self.begins[place][row];
                let from = start.max(begin.saturating_sub(step));
                if begin == u64::MAX || from > end {
                    continue;
                }
                if !std::mem::replace(&mut has_metadata, true) {
                    text::open_metrics_metadata(&mut out.text, metric.name, metric.kind, metric.help);
                }
                let heads = self.heads(metric, family, row);
                self.series(&Run { family, row, first: from, last: end, heads: &heads }, out)?;
            }
        }
        Ok(())
    }

    fn series(&mut self, run: &Run<'_>, out: &mut Output) -> io::Result<()> {
        let step = usize::try_from(self.step).unwrap_or(1);
        let mut figures: Vec<String> = Vec::new();
        for second in (run.first..=run.last).step_by(step) {
            if self.take(run, second)? || figures.is_empty() {
                figures = self.figures(run);
            }
            let time = second * if self.form == Form::Milliseconds { 1000 } else { 1 };
            for (head, figure) in run.heads.iter().zip(&figures) {
                out.text.push_str(head);
                out.text.push_str(figure);
                out.text.push(' ');
                fixed_point::push_count(&mut out.text, time);
                out.text.push('\n');
            }
            self.samples += figures.len() as u64;
            out.write_piece()?;
        }
        // What comes after the last sample of the window is in the first one of the next.
        self.take(run, (run.first / WINDOW_SECONDS + 1) * WINDOW_SECONDS - 1)?;
        Ok(())
    }

    /// Adds what comes up to this second; false where nothing does.
    fn take(&mut self, run: &Run<'_>, second: u64) -> io::Result<bool> {
        let mut has_changed = false;
        while let Some(place) = self.merge.peek() {
            let is_far = lies_in(self.far, place).is_some();
            let is_of_run = (place.family(), place.row(), place.window())
                == (run.family, run.row, second / WINDOW_SECONDS);
            let is_due = is_of_run && place.second() <= second;
            if !is_far && !is_due {
                break;
            }
            let Some((place, amount)) = self.merge.next()? else { break };
            if !is_far {
                self.totals.add(place, amount);
                has_changed = true;
            }
        }
        Ok(has_changed)
    }

    /// What stands before each figure of a series.
    fn heads(&self, metric: &Metric, family: u64, row: usize) -> Vec<String> {
        let labels = self.recorded.labels.of(family, row);
        let comma = if labels.is_empty() { "" } else { "," };
        let (name, scrape) = (metric.name, &self.scrape);
        if family < QUANTILES {
            return vec![format!("{name}{{{labels}{comma}{scrape}}} ")];
        }
        let mut heads = Vec::new();
        let form = match self.form {
            Form::OpenMetrics => TextForm::OpenMetrics,
            Form::Milliseconds => TextForm::Prometheus,
        };
        let bounds = self.shape(family).map(|shape| (&shape.bounds, shape.per_unit));
        if let Some((bounds, per_unit)) = bounds.filter(|_| self.has_buckets(family)) {
            let bounds = bounds.iter().map(|bound| text::le(in_units(u128::from(*bound), per_unit), form));
            for le in bounds.chain(["le=\"+Inf\"".to_owned()]) {
                heads.push(format!("{name}_bucket{{{labels}{comma}{scrape},{le}}} "));
            }
        }
        heads.extend(["sum", "count"].map(|what| format!("{name}_{what}{{{labels}{comma}{scrape}}} ")));
        heads
    }

    fn shape(&self, family: u64) -> Option<&crate::count::histograms::Shape> {
        self.ledger.histograms.shapes().get(usize::try_from(family.checked_sub(HISTOGRAMS)?).ok()?)
    }

    /// As on the live page: without chosen bounds there is +Inf alone, which OpenMetrics wants.
    fn has_buckets(&self, family: u64) -> bool {
        let shape = self.shape(family);
        shape.is_some_and(|shape| !shape.bounds.is_empty() || self.form == Form::OpenMetrics)
    }

    /// The figures of a series now, in the order of its heads.
    fn figures(&self, run: &Run<'_>) -> Vec<String> {
        let cells = self.totals.of(run.family, run.row);
        let whole = |count: u64| {
            let mut text = String::new();
            fixed_point::push_count(&mut text, count);
            text
        };
        if run.family < QUANTILES {
            return vec![whole(cells.first().copied().unwrap_or(0))];
        }
        // A summary has no buckets, but for one with all.
        let shape = self.shape(run.family);
        let (bounds, per_unit) =
            shape.map_or((0, NANOS_PER_SECOND), |shape| (shape.bounds.len(), shape.per_unit));
        let counts = cells.get(usize::try_from(BUCKETS).unwrap_or(0)..).unwrap_or_default();
        let has_buckets = self.has_buckets(run.family);
        let mut all = 0u64;
        let mut figures = Vec::with_capacity(bounds + 3);
        for bucket in 0..=bounds {
            all = all.saturating_add(counts.get(bucket).copied().unwrap_or(0));
            if has_buckets {
                figures.push(whole(all));
            }
        }
        let half = |at: usize| u128::from(cells.get(at).copied().unwrap_or(0));
        let mut sum = String::new();
        in_units(half(1) << 64 | half(0), per_unit).push_to(&mut sum);
        figures.extend([sum, whole(all)]);
        figures
    }
}

/// A number of the smallest unit, of which there are `per_unit` in a unit.
fn in_units(value: u128, per_unit: u64) -> FixedPoint {
    FixedPoint::nanos(value.saturating_mul(u128::from(1_000_000_000 / per_unit)))
}

/// Text on its way to a file.
struct Output {
    out: Box<dyn WindowFile>,
    text: String,
    bytes: u64,
}

impl Output {
    fn write_piece(&mut self) -> io::Result<()> {
        if self.text.len() >= PIECE_BYTES { self.write_all() } else { Ok(()) }
    }

    fn write_all(&mut self) -> io::Result<()> {
        self.out.write_all(self.text.as_bytes())?;
        self.bytes += self.text.len() as u64;
        self.text.clear();
        Ok(())
    }

    /// How many bytes it is.
    fn finish(mut self) -> io::Result<u64> {
        self.write_all()?;
        self.out.finish()?;
        Ok(self.bytes)
    }
}
