//! Samples: the increments in the order of time, summed up, as the figures of each series at every step, window by
//! window of two hours. What becomes of them is up to a writer.
//!
//! A series begins with a sample of 0 one step before it counts, so that `increase()` sees its first request. Where no
//! line was for longer than a week, there are none; behind such a hole all series go on from where they were.

use crate::catalogue::{self, Metric};
use crate::count::histograms::Shape;
use crate::count::ledger::Ledger;
use crate::fixed_point::{self, FixedPoint};
use crate::history::increment::{BUCKETS, HISTOGRAMS, Place, QUANTILES, SUM_HIGH, SUM_LOW, WINDOW_SECONDS};
use crate::history::journal::Merge;
use crate::history::recorder::Recorded;
use crate::history::series;
use crate::history::totals::Totals;
use crate::snapshot::exposition::text::{self, TextForm};
use crate::snapshot::page::push_label;
use crate::timeline::{self, Stretch};
use std::io;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// What becomes of the samples. A writer is told every row first, then window by window the samples of each row.
pub trait Writer {
    /// Whether a histogram without chosen bounds has a bucket, for all, which OpenMetrics wants.
    fn wants_lone_bucket(&self) -> bool;
    /// Somewhere this row has samples.
    fn announce(&mut self, row: &Row<'_>);
    fn begin_window(&mut self, window: u64) -> io::Result<()>;
    fn begin_row(&mut self, row: &Row<'_>) -> io::Result<()>;
    /// The figures of its parts at a second; what has not changed is as at the second before.
    fn sample(&mut self, second: u64, figures: &[Figure], has_changed: bool) -> io::Result<()>;
    fn end_row(&mut self) -> io::Result<()>;
    fn end_window(&mut self) -> io::Result<()>;
    /// The length of what was written.
    fn bytes(&self) -> u64;
}

/// Series that have everything in common but for the part of a histogram that each is.
#[derive(Debug)]
pub struct Row<'r> {
    /// In the order in which they are announced.
    pub number: usize,
    pub metric: &'static Metric,
    /// Those of the ledger as text, without those of the scrape.
    pub labels: &'r str,
    pub parts: &'r [Part],
}

/// Which series of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Whole,
    /// Up to a bound; without one it is for all.
    Bucket(Option<FixedPoint>),
    Sum,
    Count,
}

impl Part {
    /// What the series' name has behind that of the metric.
    pub fn suffix(self) -> &'static str {
        match self {
            Part::Whole => "",
            Part::Bucket(_) => "_bucket",
            Part::Sum => "_sum",
            Part::Count => "_count",
        }
    }

    /// The label of a bucket.
    pub fn le(self, form: TextForm) -> Option<String> {
        match self {
            Part::Bucket(Some(bound)) => Some(text::le(bound, form)),
            Part::Bucket(None) => Some("le=\"+Inf\"".to_owned()),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    Count(u64),
    Amount(FixedPoint),
}

impl Figure {
    pub fn push_to(self, out: &mut String) {
        match self {
            Figure::Count(count) => fixed_point::push_count(out, count),
            Figure::Amount(amount) => amount.push_to(out),
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "as whoever reads the text has it")]
    pub fn to_f64(self) -> f64 {
        match self {
            Figure::Count(count) => count as f64,
            Figure::Amount(amount) => amount.to_f64(),
        }
    }
}

/// What every sample is labelled with, as if it had been scraped.
#[derive(Clone, Debug)]
pub struct Scrape {
    pub job: String,
    pub instance: String,
}

impl Scrape {
    pub fn labels(&self) -> String {
        let mut labels = String::new();
        push_label(&mut labels, "instance", &self.instance);
        push_label(&mut labels, "job", &self.job);
        labels
    }
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
    /// The length of all windows.
    pub bytes: u64,
    /// What is not written, for it is far from the rest.
    pub far: Vec<Stretch>,
    pub totals: Totals,
}

/// When each row of a family counts for the first time; `u64::MAX` where it does not.
type Begins = Vec<Vec<u64>>;

/// `on_window` is called before each window with how many are left, and its error ends it.
pub fn write(
    recorded: &Recorded,
    ledger: &Ledger,
    out: &mut dyn Writer,
    on_window: &mut dyn FnMut(u64) -> io::Result<()>,
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
    let families = Family::all(ledger, totals.families(), out.wants_lone_bucket());
    let rows = begun(&families, &begins);
    let merge = recorded.increments.merge()?;
    let (far, families) = (&far, &families);
    let mut samples = Samples { recorded, step, far, families, merge, totals, figures: Vec::new(), many: 0 };
    (0..).zip(&rows).for_each(|(number, begun)| out.announce(&samples.row(number, begun)));
    let all: Vec<(u64, (u64, u64))> = spans.iter().flat_map(|span| windows_of(*span, step)).collect();
    let windows = all.len() as u64;
    for (left, (window, span)) in (1..=windows).rev().zip(all) {
        on_window(left)?;
        samples.window(window, span, &rows, out)?;
    }
    let series = rows.iter().map(|begun| families[begun.family].parts.len() as u64).sum();
    let Samples { totals, many: samples, .. } = samples;
    let far = far.clone();
    Ok(Written { step, spans, windows, series, samples, bytes: out.bytes(), far, totals })
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

/// What the rows of a family have in common.
struct Family<'l> {
    metric: Option<&'static Metric>,
    shape: Option<&'l Shape>,
    parts: Vec<Part>,
}

impl Family<'_> {
    fn all(ledger: &Ledger, many: u64, wants_lone_bucket: bool) -> Vec<Family<'_>> {
        let of = |family: u64| {
            let place = family.checked_sub(HISTOGRAMS).and_then(|place| usize::try_from(place).ok());
            let shape = place.and_then(|place| ledger.histograms.shapes().get(place));
            let parts = parts(family, shape, wants_lone_bucket);
            Family { metric: series::metric_of(family, ledger), shape, parts }
        };
        (0..many).map(of).collect()
    }
}

fn parts(family: u64, shape: Option<&Shape>, wants_lone_bucket: bool) -> Vec<Part> {
    if family < QUANTILES {
        return vec![Part::Whole];
    }
    // A summary has no buckets. As on the live page, a histogram without chosen bounds has that for all, if any.
    let shape = shape.filter(|shape| !shape.bounds.is_empty() || wants_lone_bucket);
    let buckets = shape.into_iter().flat_map(|shape| {
        let bounds = shape.bounds.iter();
        bounds.map(|bound| Some(in_units(u128::from(*bound), shape.per_unit))).chain([None])
    });
    buckets.map(Part::Bucket).chain([Part::Sum, Part::Count]).collect()
}

/// A row that counts from this second on.
struct Begun {
    family: usize,
    row: usize,
    begin: u64,
}

/// All rows that count, in the order of the increments.
fn begun(families: &[Family<'_>], begins: &Begins) -> Vec<Begun> {
    let known = begins.iter().enumerate().filter(|(family, _)| families[*family].metric.is_some());
    known
        .flat_map(|(family, rows)| {
            let rows = rows.iter().enumerate().filter(|(_, begin)| **begin != u64::MAX);
            rows.map(move |(row, begin)| Begun { family, row, begin: *begin })
        })
        .collect()
}

struct Samples<'r> {
    recorded: &'r Recorded,
    step: u64,
    far: &'r [Stretch],
    families: &'r [Family<'r>],
    merge: Merge<'r>,
    totals: Totals,
    /// Those of the latest sample.
    figures: Vec<Figure>,
    many: u64,
}

impl<'r> Samples<'r> {
    fn row(&self, number: usize, begun: &Begun) -> Row<'r> {
        let family = &self.families[begun.family];
        let metric = family.metric.unwrap_or(&catalogue::REQUESTS);
        let labels = self.recorded.labels.of(begun.family as u64, begun.row);
        Row { number, metric, labels, parts: &family.parts }
    }
}

impl Samples<'_> {
    fn window(
        &mut self,
        window: u64,
        (first, last): (u64, u64),
        rows: &[Begun],
        out: &mut dyn Writer,
    ) -> io::Result<()> {
        let step = self.step;
        let start = (window * WINDOW_SECONDS).div_ceil(step) * step;
        let (start, end) = (start.max(first), last.min((window + 1) * WINDOW_SECONDS - 1));
        out.begin_window(window)?;
        for (number, begun) in rows.iter().enumerate() {
            let from = start.max(begun.begin.saturating_sub(step));
            if from <= end {
                out.begin_row(&self.row(number, begun))?;
                self.samples_of(begun, (from, end), out)?;
                out.end_row()?;
            }
        }
        out.end_window()
    }

    fn samples_of(
        &mut self,
        begun: &Begun,
        (first, last): (u64, u64),
        out: &mut dyn Writer,
    ) -> io::Result<()> {
        let step = usize::try_from(self.step).unwrap_or(1);
        for second in (first..=last).step_by(step) {
            let has_changed = self.take(begun, second)? || second == first;
            if has_changed {
                self.figure(begun);
            }
            out.sample(second, &self.figures, has_changed)?;
            self.many += self.figures.len() as u64;
        }
        // What comes after the last sample of the window is in the first one of the next.
        self.take(begun, (first / WINDOW_SECONDS + 1) * WINDOW_SECONDS - 1)?;
        Ok(())
    }

    /// Adds what comes up to this second; false where nothing does.
    fn take(&mut self, begun: &Begun, second: u64) -> io::Result<bool> {
        let mut has_changed = false;
        while let Some(place) = self.merge.peek() {
            let is_far = lies_in(self.far, place).is_some();
            let is_of_row = (place.family(), place.row(), place.window())
                == (begun.family as u64, begun.row, second / WINDOW_SECONDS);
            let is_due = is_of_row && place.second() <= second;
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

    /// The figures of a row now, in the order of its parts.
    fn figure(&mut self, begun: &Begun) {
        let cells = self.totals.of(begun.family as u64, begun.row);
        let family = &self.families[begun.family];
        let cell = |at: u64| usize::try_from(at).ok().and_then(|at| cells.get(at)).copied().unwrap_or(0);
        // A summary has no buckets, but for one with all.
        let (bounds, per_unit) =
            family.shape.map_or((0, NANOS_PER_SECOND), |shape| (shape.bounds.len() as u64, shape.per_unit));
        let mut below = 0u64;
        let mut buckets = (BUCKETS..=BUCKETS + bounds).map(|at| {
            below = below.saturating_add(cell(at));
            below
        });
        self.figures.clear();
        let mut all = 0;
        for part in &family.parts {
            let figure = match part {
                Part::Whole => Figure::Count(cell(0)),
                Part::Bucket(_) => {
                    all = buckets.next().unwrap_or(all);
                    Figure::Count(all)
                }
                Part::Sum => {
                    let sum = u128::from(cell(SUM_HIGH)) << 64 | u128::from(cell(SUM_LOW));
                    Figure::Amount(in_units(sum, per_unit))
                }
                Part::Count => Figure::Count(buckets.by_ref().last().unwrap_or(all)),
            };
            self.figures.push(figure);
        }
    }
}

/// A number of the smallest unit, of which there are `per_unit` in a unit.
fn in_units(value: u128, per_unit: u64) -> FixedPoint {
    FixedPoint::nanos(value.saturating_mul(u128::from(1_000_000_000 / per_unit)))
}
