//! History of the live page: points of five seconds for ten minutes and of thirty for an hour, in rings of fixed size.
//!
//! A point is what came between two looks. Lines of the past that are read in one go (a log from its beginning, what
//! was written while nobody read) are no rate of now: their point is kept as a gap.

use crate::serve::live::rows::Rows;
use crate::serve::live::tallies::{CLASSES, Sample, Tally};
use std::collections::VecDeque;
use std::fmt::Write;

/// Ten minutes of five seconds, and the first ones that are shorter; and an hour.
const FINE_MAX: usize = 130;
const COARSE_MAX: usize = 120;
const COARSE_MILLIS: u64 = 30_000;
const HOUR_MILLIS: u64 = 3_600_000;
const MINUTE_MILLIS: u64 = 60_000;

/// Lines this much older than now are not of now, unless a log is always so late.
const OLD_SECONDS: f64 = 60.0;

pub const QUANTILES: [f64; 3] = [0.5, 0.95, 0.99];

/// What came in some time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// When it ended, in milliseconds since the epoch.
    pub time: u64,
    pub millis: u64,
    /// None where it is not known, or not of that time.
    pub counts: Option<Counts>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    pub classes: [u64; CLASSES],
    pub sent: u64,
    pub received: u64,
    /// In seconds; not a number where nothing was timed.
    pub quantiles: [f32; QUANTILES.len()],
}

impl Counts {
    pub fn of(tally: &Tally, bounds: &[f64]) -> Counts {
        #[allow(clippy::cast_possible_truncation, reason = "seven digits of a figure for the eye")]
        let quantiles = QUANTILES.map(|q| tally.quantile(q, bounds).map_or(f32::NAN, |value| value as f32));
        Counts { classes: tally.classes, sent: tally.sent, received: tally.received, quantiles }
    }
}

#[derive(Debug, Default)]
pub struct History {
    fine: VecDeque<Point>,
    coarse: VecDeque<Point>,
    /// What came in the last minute: ends, lengths, tallies.
    recent: VecDeque<(u64, u64, Tally)>,
    /// The coarse point that is being filled: its length and what came.
    open: (u64, Option<Tally>),
    /// The look before.
    last: Option<(u64, Tally, Option<f64>)>,
    pub rows: Rows,
    /// Requests have come, and the last ones were of the past.
    has_begun: bool,
    is_behind: bool,
}

impl History {
    /// Enters a look.
    pub fn enter(&mut self, now: u64, sample: &Sample) {
        let last = self.last.replace((now, sample.total.clone(), sample.newest));
        self.rows.enter(now, sample);
        let Some((before, total, newest)) = last else { return };
        let millis = now.saturating_sub(before);
        if millis == 0 {
            return;
        }
        let news = sample.total.since(&total);
        let has_news = news.as_ref().is_some_and(|news| news.requests() > 0);
        let news = news.filter(|_| !has_news || !self.is_of_the_past(now, millis, (newest, sample.newest)));
        let counts = news.as_ref().map(|news| Counts::of(news, &sample.bounds));
        push(&mut self.fine, FINE_MAX, Point { time: now, millis, counts });
        if let Some(news) = &news {
            self.recent.push_back((now, millis, news.clone()));
        }
        while self.recent.front().is_some_and(|(time, millis, _)| time - millis + MINUTE_MILLIS < now) {
            self.recent.pop_front();
        }
        self.enter_coarse(now, millis, news, &sample.bounds);
    }

    /// Whether requests between two looks were logged long before them. The first ones are if they are old; later ones
    /// where the log's time has gone on faster than ours, for a clock may be wrong all the time; and the last ones that
    /// were read in one go with such.
    #[allow(clippy::cast_precision_loss, reason = "seconds")]
    fn is_of_the_past(&mut self, now: u64, millis: u64, newest: (Option<f64>, Option<f64>)) -> bool {
        let (before, Some(newest)) = newest else { return false };
        let is_old = now as f64 / 1000.0 - newest > OLD_SECONDS;
        let went_on = before.map_or(f64::MAX, |before| newest - before);
        let is_ahead = !self.has_begun || went_on > millis as f64 / 1000.0 + OLD_SECONDS;
        self.has_begun = true;
        std::mem::replace(&mut self.is_behind, is_old && is_ahead) || self.is_behind
    }

    fn enter_coarse(&mut self, now: u64, millis: u64, news: Option<Tally>, bounds: &[f64]) {
        let (length, tally) = &mut self.open;
        *length += millis;
        if let Some(news) = news {
            tally.get_or_insert_default().add(&news);
        }
        if *length >= COARSE_MILLIS {
            let (millis, tally) = std::mem::take(&mut self.open);
            let counts = tally.map(|tally| Counts::of(&tally, bounds));
            push(&mut self.coarse, COARSE_MAX, Point { time: now, millis, counts });
        }
    }

    /// What came in the last minute, and how many milliseconds that is.
    pub fn minute(&self) -> (u64, Tally) {
        let mut sum = (0, Tally::default());
        for (_, millis, news) in &self.recent {
            sum.0 += millis;
            sum.1.add(news);
        }
        sum
    }

    pub fn fine(&self) -> impl Iterator<Item = &Point> {
        self.fine.iter()
    }

    pub fn coarse(&self) -> impl Iterator<Item = &Point> {
        self.coarse.iter()
    }

    // --- over generations ---

    /// Whether any request is in it.
    pub fn has_news(&self) -> bool {
        let mut counts = self.fine.iter().chain(&self.coarse).filter_map(|point| point.counts);
        counts.any(|counts| counts.classes != [0; CLASSES])
    }

    /// Takes over what another one has seen before.
    pub fn adopt(&mut self, before: History) {
        let take_over = |ours: &mut VecDeque<Point>, theirs: VecDeque<Point>, most: usize| {
            let until = ours.front().map_or(u64::MAX, |point| point.time - point.millis);
            let since = theirs.into_iter().filter(|point| point.time <= until);
            let mut all: VecDeque<Point> = since.collect();
            all.append(ours);
            while all.len() > most {
                all.pop_front();
            }
            *ours = all;
        };
        let began = self.fine.front().map_or(u64::MAX, |point| point.time - point.millis);
        let coarse = before.coarse.into_iter().filter(|point| point.time <= began).collect();
        take_over(&mut self.fine, before.fine, FINE_MAX);
        take_over(&mut self.coarse, coarse, COARSE_MAX);
    }

    pub fn write(&self) -> String {
        let mut text = String::from(TITLE);
        for (kind, points) in [('F', &self.fine), ('C', &self.coarse)] {
            for Point { time, millis, counts } in points {
                let _ = write!(text, "{kind} {time} {millis}");
                if let Some(Counts { classes, sent, received, quantiles }) = counts {
                    classes.iter().chain([sent, received]).for_each(|count| {
                        let _ = write!(text, " {count}");
                    });
                    quantiles.iter().for_each(|quantile| {
                        let _ = write!(text, " {quantile}");
                    });
                }
                text.push('\n');
            }
        }
        text
    }

    /// What `write` has written, as far as it is of the last hour; None where it is something else.
    pub fn read(text: &str, now: u64) -> Option<History> {
        let mut history = History::default();
        for line in text.strip_prefix(TITLE)?.lines() {
            let mut words = line.split(' ');
            let kind = words.next()?;
            let point = read_point(&mut words)?;
            let is_of_now =
                point.time <= now && point.time + HOUR_MILLIS >= now && point.millis <= HOUR_MILLIS;
            match kind {
                _ if !is_of_now => {}
                "F" => push(&mut history.fine, FINE_MAX, point),
                "C" => push(&mut history.coarse, COARSE_MAX, point),
                _ => return None,
            }
        }
        Some(history)
    }
}

const TITLE: &str = "httpd_exporter history 1\n";

fn read_point<'t>(words: &mut impl Iterator<Item = &'t str>) -> Option<Point> {
    let (time, millis) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let mut numbers = words.peekable();
    if numbers.peek().is_none() {
        return Some(Point { time, millis, counts: None });
    }
    let mut counts = Counts::default();
    let figures = counts.classes.iter_mut().chain([&mut counts.sent, &mut counts.received]);
    for figure in figures {
        *figure = numbers.next()?.parse().ok()?;
    }
    for quantile in &mut counts.quantiles {
        *quantile = numbers.next()?.parse().ok()?;
    }
    numbers.next().is_none().then_some(Point { time, millis, counts: Some(counts) })
}

fn push(points: &mut VecDeque<Point>, most: usize, point: Point) {
    // A clock that was set back: what is later than now is not of the past.
    while points.back().is_some_and(|last| last.time >= point.time) {
        points.pop_back();
    }
    if points.len() >= most {
        points.pop_front();
    }
    points.push_back(point);
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_800_000_000_000;

    fn sample(requests: u64, newest: u64) -> Sample {
        #[allow(clippy::cast_precision_loss)]
        let newest = Some(newest as f64 / 1000.0);
        let total = Tally { classes: [0, 0, requests, 0, 0, 0], ..Tally::default() };
        Sample { total, newest, ..Sample::default() }
    }

    /// A look every five seconds while ten requests come in each of them.
    fn steady(looks: u64) -> History {
        let mut history = History::default();
        for look in 0..looks {
            let now = START + 5_000 * look;
            history.enter(now, &sample(1_000_000 + 10 * look, now));
        }
        history
    }

    fn requests(point: &Point) -> Option<u64> {
        point.counts.map(|counts| counts.classes.iter().sum())
    }

    #[test]
    fn what_was_there_at_the_start_is_no_rate() {
        let history = steady(3);
        assert_eq!(history.fine().map(requests).collect::<Vec<_>>(), [Some(10), Some(10)]);
        assert_eq!((history.minute().0, history.minute().1.requests()), (10_000, 20));
    }

    #[test]
    fn two_hours_keep_ten_minutes_and_an_hour() {
        let history = steady(1_441);
        assert_eq!((history.fine.len(), history.coarse.len()), (FINE_MAX, COARSE_MAX));
        assert!(history.coarse().all(|point| requests(point) == Some(60)));
        assert_eq!((history.minute().0, history.minute().1.requests()), (60_000, 120));
        assert!(history.write().len() < 64 << 10);
    }

    #[test]
    fn lines_of_the_past_are_a_gap_and_those_of_a_wrong_clock_are_not() {
        let mut history = History::default();
        let day = 86_400_000;
        history.enter(START, &sample(0, START - day));
        history.enter(START + 5_000, &sample(500_000, START - day + 3_600_000));
        history.enter(START + 10_000, &sample(900_000, START - 1_000));
        history.enter(START + 15_000, &sample(900_010, START + 14_000));
        history.enter(START + 900_000, &sample(900_010, START + 14_000));
        history.enter(START + 905_000, &sample(900_011, START + 904_000));
        let points = [None, None, Some(10), Some(0), Some(1)];
        assert_eq!(history.fine().map(requests).collect::<Vec<_>>(), points);
        let mut late = History::default();
        late.enter(START, &sample(0, START - day));
        for look in 1..4 {
            let now = START + 5_000 * look;
            late.enter(now, &sample(10 * look, now - day));
        }
        assert_eq!(late.fine().map(requests).collect::<Vec<_>>(), [None, None, Some(10)]);
    }

    #[test]
    fn a_successor_goes_on_where_its_predecessor_ended() {
        let before = steady(241);
        let text = before.write();
        let end = START + 5_000 * 240;
        let mut after = History::read(&text, end + 4_000).unwrap();
        assert_eq!(after.write(), text);
        after.enter(end + 5_000, &sample(1_002_410, end + 5_000));
        after.enter(end + 6_000, &sample(1_002_412, end + 6_000));
        assert_eq!(after.fine().last().and_then(requests), Some(2));
        // One that has begun by itself takes over what was before.
        let mut own = History::default();
        own.enter(end + 1_000, &sample(7, end));
        own.enter(end + 2_000, &sample(9, end));
        own.adopt(History::read(&text, end + 4_000).unwrap());
        assert_eq!(own.fine.len(), FINE_MAX);
        assert_eq!(own.fine().rev_requests(), [Some(2), Some(10)]);
        assert_eq!(History::read(&text, end + HOUR_MILLIS + 1).unwrap().fine.len(), 0);
        assert!(History::read("something else", end).is_none());
        let cut = History::read(&text[..text.len() - 9], end);
        assert!(cut.is_none_or(|cut| cut.fine.len() == before.fine.len()));
    }

    trait LastTwo {
        fn rev_requests(self) -> Vec<Option<u64>>;
    }

    impl<'p, I: Iterator<Item = &'p Point>> LastTwo for I {
        fn rev_requests(self) -> Vec<Option<u64>> {
            let mut all: Vec<Option<u64>> = self.map(requests).collect();
            all.reverse();
            all.truncate(2);
            all
        }
    }
}
