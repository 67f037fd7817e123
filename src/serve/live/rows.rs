//! Rows of the live page's tables, and what has come to each of them in the last half a minute to a minute.
//!
//! What was there then is kept by the hashes of names, and the buckets of the busiest alone: so all of it is less than
//! 1 MiB, whatever names strangers choose.

use crate::order;
use crate::serve::live::tallies::{ERRORS, LABELS, Sample, Tally};
use std::array::from_fn;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};

/// Rows of each label's table, the busiest: as many as there may be virtual hosts, and fewer where there are fewer by
/// default. The rest is a number.
const ROWS_MAX: [usize; LABELS.len()] = [4_096, 1_024, 128];

/// Bytes of their names together.
const NAME_BYTES_MAX: [usize; LABELS.len()] = [128 << 10, 48 << 10, 8 << 10];

/// Buckets of one label's rows: of the thousand busiest with the buckets there are by default.
const BUCKETS_MAX: usize = 16 << 10;

/// Rows are compared with those of a look that was so long ago, or up to twice as long.
const MARK_MILLIS: u64 = 30_000;

#[derive(Debug, Default)]
pub struct Rows {
    tables: [Option<Table>; LABELS.len()],
    /// The look that rows are compared with, and the one that follows it.
    marks: Option<[Marks; 2]>,
    hashing: RandomState,
}

#[derive(Debug)]
pub struct Table {
    /// Time since the look that rows are compared with.
    pub millis: u64,
    /// How many rows there are besides these.
    pub rest: usize,
    names: Box<str>,
    rows: Box<[Row]>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    name_end: u32,
    pub all: Figures,
    pub lately: Figures,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    pub requests: u64,
    pub errors: u64,
    /// Not a number where nothing was timed, or it is not known.
    pub slow: f32,
}

impl Table {
    pub fn rows(&self) -> impl Iterator<Item = (&str, &Row)> {
        let starts = std::iter::once(0).chain(self.rows.iter().map(|row| row.name_end));
        starts.zip(&self.rows).map(|(start, row)| (&self.names[start as usize..row.name_end as usize], row))
    }
}

/// What rows were at a look.
#[derive(Clone, Debug, Default)]
struct Marks {
    time: u64,
    of_labels: [Mark; LABELS.len()],
}

#[derive(Clone, Debug, Default)]
struct Mark {
    /// Hashes of names with requests and errors, the busiest first. Counts are modulo 2^32, for their differences.
    counts: Box<[(u64, [u32; 2])]>,
    /// Of the first ones, so many of each.
    buckets: Box<[u32]>,
    per_row: usize,
    /// Some rows are not in it.
    is_cut: bool,
}

impl Rows {
    pub fn enter(&mut self, now: u64, sample: &Sample) {
        let busiest: [Option<Busiest>; LABELS.len()] =
            from_fn(|label| Some(Busiest::of(sample.by[label].as_ref()?, label)));
        let is_due = self.marks.as_ref().is_none_or(|[_, newer]| now >= newer.time + MARK_MILLIS);
        if is_due {
            let of_labels = busiest
                .each_ref()
                .map(|rows| rows.as_ref().map_or_else(Mark::default, |rows| Mark::of(rows, &self.hashing)));
            let newer = Marks { time: now, of_labels };
            let older = self.marks.take().map_or_else(|| newer.clone(), |[_, before]| before);
            self.marks = Some([older, newer]);
        }
        let Some([before, _]) = &self.marks else { return };
        let table = |label: usize, rows: &Busiest| {
            rows.table(
                now.saturating_sub(before.time),
                &sample.bounds,
                |name| self.hashing.hash_one(name),
                &before.of_labels[label],
            )
        };
        self.tables = from_fn(|label| Some(table(label, busiest[label].as_ref()?)));
    }

    pub fn table(&self, label: usize) -> Option<&Table> {
        self.tables[label].as_ref()
    }
}

/// The rows that are kept.
struct Busiest<'s> {
    rows: Vec<(&'s str, &'s Tally)>,
    rest: usize,
}

impl Busiest<'_> {
    fn of(rows: &BTreeMap<String, Tally>, label: usize) -> Busiest<'_> {
        // Histograms have fewer rows: what takes the rest of theirs has no requests of its own.
        let asked = rows.iter().filter(|(_, tally)| tally.requests() > 0);
        let mut rows: Vec<(&str, &Tally)> = asked.map(|(name, tally)| (&**name, tally)).collect();
        order::sort_by_key(&mut rows, |(_, tally)| Reverse(tally.requests()));
        let ends = rows.iter().scan(0, |bytes, (name, _)| {
            *bytes += name.len();
            Some(*bytes)
        });
        let fitting = ends.take(ROWS_MAX[label]).take_while(|bytes| *bytes <= NAME_BYTES_MAX[label]).count();
        let rest = rows.len() - fitting;
        rows.truncate(fitting);
        Busiest { rows, rest }
    }

    fn table(&self, millis: u64, bounds: &[f64], hash: impl Fn(&str) -> u64, mark: &Mark) -> Table {
        let places: HashMap<u64, usize> =
            mark.counts.iter().enumerate().map(|(place, (hash, _))| (*hash, place)).collect();
        let mut names = String::new();
        let row = |(name, tally): &(&str, &Tally)| {
            names.push_str(name);
            Row {
                name_end: u32::try_from(names.len()).unwrap_or(u32::MAX),
                all: Figures {
                    requests: tally.requests(),
                    errors: tally.classes[ERRORS],
                    slow: slow(tally, bounds),
                },
                lately: mark.since(places.get(&hash(name)).copied(), tally, bounds),
            }
        };
        let rows = self.rows.iter().map(row).collect();
        Table { millis, rest: self.rest, names: names.into(), rows }
    }
}

impl Mark {
    fn of(busiest: &Busiest, hashing: &RandomState) -> Mark {
        let counts = busiest.rows.iter().map(|(name, tally)| (hashing.hash_one(*name), counts_of(tally)));
        let per_row = busiest.rows.iter().map(|(_, tally)| tally.buckets.len()).max().unwrap_or(0);
        let timed = busiest.rows.iter().take(BUCKETS_MAX.checked_div(per_row).unwrap_or(0));
        let buckets = timed.flat_map(|(_, tally)| {
            (0..per_row).map(|place| low_half(tally.buckets.get(place).copied().unwrap_or(0)))
        });
        Mark { counts: counts.collect(), buckets: buckets.collect(), per_row, is_cut: busiest.rest > 0 }
    }

    /// What has come to a row since; nothing where a counter has fallen, or it is not known what it was.
    fn since(&self, place: Option<usize>, tally: &Tally, bounds: &[f64]) -> Figures {
        let unknown = Figures { slow: f32::NAN, ..Figures::default() };
        let before = match place {
            Some(place) => self.counts[place].1,
            None if self.is_cut => return unknown,
            None => [0; 2],
        };
        let [ours, theirs] = [counts_of(tally), before];
        let [requests, errors] = from_fn(|which| ours[which].wrapping_sub(theirs[which]));
        if requests > u32::MAX / 2 || errors > requests {
            return unknown;
        }
        let start = place.map(|place| place * self.per_row);
        let buckets = start.map(|start| self.buckets.get(start..start + self.per_row));
        let slow = match buckets {
            None => slow(tally, bounds),
            Some(None) => f32::NAN,
            Some(Some(before)) => {
                let before = before.iter().copied().chain(std::iter::repeat(0));
                let since = |(ours, before): (&u64, u32)| u64::from(low_half(*ours).wrapping_sub(before));
                let buckets = tally.buckets.iter().zip(before).map(since).collect();
                slow(&Tally { buckets, ..Tally::default() }, bounds)
            }
        };
        Figures { requests: requests.into(), errors: errors.into(), slow }
    }
}

fn counts_of(tally: &Tally) -> [u32; 2] {
    [tally.requests(), tally.classes[ERRORS]].map(low_half)
}

#[allow(clippy::cast_possible_truncation, reason = "modulo 2^32 is what is wanted")]
fn low_half(count: u64) -> u32 {
    count as u32
}

#[allow(clippy::cast_possible_truncation, reason = "seven digits of a figure for the eye")]
fn slow(tally: &Tally, bounds: &[f64]) -> f32 {
    tally.quantile(0.95, bounds).map_or(f32::NAN, |value| value as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::size_of_val;

    const START: u64 = 1_800_000_000_000;
    const BOUNDS: [f64; 2] = [0.1, 0.2];

    fn tally(requests: u64, slow: u64) -> Tally {
        Tally { classes: [0, 0, requests, 0, 0, slow], buckets: vec![requests, slow, 0], ..Tally::default() }
    }

    fn sample(rows: impl IntoIterator<Item = (String, Tally)>) -> Sample {
        Sample {
            by: [Some(rows.into_iter().collect()), None, None],
            bounds: BOUNDS.into(),
            ..Sample::default()
        }
    }

    fn lately(rows: &Rows, name: &str) -> (u64, u64, u64) {
        let table = rows.table(0).unwrap();
        let (_, row) = table.rows().find(|(row, _)| *row == name).unwrap();
        (table.millis, row.lately.requests, row.lately.errors)
    }

    #[test]
    fn a_row_shows_what_has_come_since_and_for_how_long_that_is() {
        let mut rows = Rows::default();
        for second in 0..200 {
            let mut all = vec![("a".to_owned(), tally(u64::from(u32::MAX) - 500 + 10 * second, second))];
            if second > 20 {
                all.push(("b".to_owned(), tally(7, 0)));
            }
            rows.enter(START + 1000 * second, &sample(all));
            let (millis, requests, errors) = lately(&rows, "a");
            assert_eq!((requests, errors), (11 * millis / 1000, millis / 1000));
            assert!(second < 60 && millis == 1000 * second.min(millis / 1000) || millis >= MARK_MILLIS);
            assert!(millis < 2 * MARK_MILLIS);
            if second == 25 {
                assert_eq!(lately(&rows, "b").1, 7, "one that is new has come since");
            }
        }
        assert_eq!((lately(&rows, "b").1, rows.table(0).unwrap().rest), (0, 0));
        let slow = rows.table(0).unwrap().rows().next().unwrap().1.lately.slow;
        assert!((slow - 0.145).abs() < 0.001, "{slow}");
    }

    #[test]
    fn what_is_not_known_is_no_rate() {
        let mut rows = Rows::default();
        let of = |host: usize, requests| (format!("{host:05}"), tally(requests, 0));
        rows.enter(START, &sample((0..5_000).map(|host| of(host, 5_000 - host as u64))));
        assert_eq!(rows.table(0).unwrap().rest, 5_000 - 4_096);
        // The least busy one was not kept, and another one has fewer than before.
        rows.enter(START + 1_000, &sample([of(4_999, 9), of(0, 1)]));
        assert_eq!((lately(&rows, "04999").1, lately(&rows, "00000").1), (0, 0));
    }

    fn bytes(rows: &Rows) -> usize {
        let tables = rows.tables.iter().flatten();
        let shown: usize = tables.map(|table| table.names.len() + size_of_val(&*table.rows)).sum();
        let marks = rows.marks.iter().flatten().flat_map(|marks| &marks.of_labels);
        shown + marks.map(|mark| size_of_val(&*mark.counts) + size_of_val(&*mark.buckets)).sum::<usize>()
    }

    /// As many of each label as there are, with short names and as many buckets as there may be, and with long names.
    #[test]
    fn all_rows_are_less_than_a_mebibyte() {
        for (length, buckets, rows_of_hosts) in [(24, 65, 4_096), (24, 15, 4_096), (256, 15, 512)] {
            let name = |host: usize| format!("{host:0length$}");
            let counts = Tally { buckets: vec![9; buckets], ..tally(9, 0) };
            let all: BTreeMap<String, Tally> = (0..6_000).map(|host| (name(host), counts.clone())).collect();
            let by = from_fn(|_| Some(all.clone()));
            let mut rows = Rows::default();
            let sample = Sample { by, bounds: vec![1.0; buckets - 1].into(), ..Sample::default() };
            rows.enter(START, &sample);
            rows.enter(START + MARK_MILLIS, &sample);
            assert_eq!(rows.table(0).unwrap().rows().count(), rows_of_hosts);
            assert!(bytes(&rows) < 960 << 10, "{} with {buckets} buckets", bytes(&rows));
        }
    }
}
