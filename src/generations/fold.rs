//! Folding: where dead generations have left more series than the page has places for, the oldest are added up under
//! `other`.
//!
//! No count is lost by it, and none looks like traffic. A counter that grows by folding would be traffic to `rate()`;
//! a series that is new to the page is not. So each folding makes new series, which have the label `folded` with its
//! time, and takes in those of the folding before.
//!
//! Folded are series that this process does not count itself, with labels beside method and status: first those whose
//! labels are not the ones that are counted by today, then the oldest. Families without such labels stay as they are,
//! and so do the series that take what finds no place by the labels of today.

use crate::catalogue::{self, Kind};
use crate::fixed_point::FixedPoint;
use crate::order;
use crate::snapshot::page::{Family, Page, Series, labels_of, push_label};
use std::collections::BTreeMap;

/// The bounds of the page.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Series of a family of numbers.
    pub series: usize,
    /// Series of a family of histograms.
    pub histograms: usize,
}

/// The label that tells a folding from the one before.
pub const FOLDED: &str = "folded";

/// Labels of few values, which are kept.
const KEPT: [&str; 3] = ["method", "status_code", "status_class"];
const KEPT_OF_SLO: [&str; 2] = ["slo", "result"];

fn kept_of(family: &str) -> &'static [&'static str] {
    if family == catalogue::SLO_REQUESTS.name { &KEPT_OF_SLO } else { &KEPT }
}

const OTHER: &str = "other";

/// So that not each new series is a folding of its own, more is folded than must be: one part in so many of the bound.
const EXTRA_DIVISOR: usize = 8;

/// The counts of dead generations with no more series than fit beside our own; None where they fit already. `stamp` is
/// new with each folding.
pub fn fold(dead: &Page, own: &Page, bounds: Bounds, stamp: &str) -> Option<Page> {
    let mut folded: Option<Page> = None;
    for (name, family) in &dead.families {
        let bound = if family.kind == Kind::Histogram { bounds.histograms } else { bounds.series };
        let own = own.families.get(name).map_or(&[][..], |family| &family.series);
        if let Some(family) = fold_family((family, kept_of(name)), own, bound, stamp) {
            folded.get_or_insert_with(|| dead.clone()).families.insert(name.clone(), family);
        }
    }
    folded
}

fn fold_family((dead, few): (&Family, &[&str]), own: &[Series], bound: usize, stamp: &str) -> Option<Family> {
    if own.len() + dead.series.len() <= bound {
        return None;
    }
    let counted_by_us =
        |series: &Series| own.binary_search_by(|ours| ours.labels.cmp(&series.labels)).is_ok();
    let alone = dead.series.iter().filter(|series| !counted_by_us(series)).count();
    let excess = (own.len() + alone).checked_sub(bound).filter(|excess| *excess > 0)?;
    let our_names = own.first().map(|series| names(&labels_of(&series.labels)));
    let rank = |series: &Series, labels: &[(String, String)]| {
        (our_names.as_ref() == Some(&names(labels)), series.created.unwrap_or(FixedPoint::ZERO))
    };
    let (mut kept, mut before, mut candidates) = (Vec::new(), Vec::new(), Vec::new());
    for series in &dead.series {
        let labels = labels_of(&series.labels);
        match () {
            () if labels.iter().any(|(name, _)| name == FOLDED) => before.push((series, labels)),
            () if counted_by_us(series) || is_small(&labels, few) => kept.push(series.clone()),
            () if is_overflow(&labels, our_names.as_deref(), few) => kept.push(series.clone()),
            () => candidates.push((rank(series, &labels), series, labels)),
        }
    }
    if candidates.is_empty() {
        return None;
    }
    order::sort_by(&mut candidates, |(one, series, _), (other, next, _)| {
        (one, &series.labels).cmp(&(other, &next.labels))
    });
    let rest = candidates.split_off(candidates.len().min(excess + bound / EXTRA_DIVISOR));
    kept.extend(rest.into_iter().map(|(_, series, _)| series.clone()));
    let mut sums: BTreeMap<String, Series> = BTreeMap::new();
    for (series, labels) in before.into_iter().chain(candidates.into_iter().map(|(_, s, labels)| (s, labels)))
    {
        let folded = folded_labels(&labels, our_names.as_deref(), (few, stamp));
        // These series have no time of creation: a reader that knows it would take the whole sum for what came since.
        let first = || Series { labels: folded.as_str().into(), created: None, ..series.clone() };
        match sums.get_mut(&folded) {
            None => drop(sums.insert(folded.clone(), first())),
            Some(sum) => {
                // A histogram with other buckets stays as it is.
                if !sum.add(series, dead.merge) {
                    kept.push(series.clone());
                }
                sum.created = None;
            }
        }
    }
    kept.extend(sums.into_values());
    kept.sort_unstable_by(|one, next| one.labels.cmp(&next.labels));
    Some(Family { series: kept, help: dead.help.clone(), ..*dead })
}

fn names(labels: &[(String, String)]) -> Vec<String> {
    labels.iter().map(|(name, _)| name.clone()).collect()
}

/// Whether folding would not make fewer of such series.
fn is_small(labels: &[(String, String)], few: &[&str]) -> bool {
    labels.iter().all(|(name, _)| few.contains(&name.as_str()))
}

/// Whether the series takes what finds no place today: it will be counted again, from zero if it were folded.
fn is_overflow(labels: &[(String, String)], ours: Option<&[String]>, few: &[&str]) -> bool {
    ours.is_some_and(|ours| names(labels) == ours)
        && labels.iter().all(|(name, value)| few.contains(&name.as_str()) || value == OTHER)
}

/// Today's labels: with their values where these are kept, `other` otherwise.
fn folded_labels(
    labels: &[(String, String)],
    ours: Option<&[String]>,
    (few, stamp): (&[&str], &str),
) -> String {
    let mut folded: BTreeMap<&str, &str> = BTreeMap::from([(FOLDED, stamp)]);
    folded.extend(ours.unwrap_or_default().iter().map(|name| (name.as_str(), OTHER)));
    let kept = labels.iter().filter(|(name, _)| few.contains(&name.as_str()));
    folded.extend(kept.map(|(name, value)| (name.as_str(), value.as_str())));
    let mut text = String::new();
    folded.into_iter().for_each(|(name, value)| push_label(&mut text, name, value));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::page::Value;
    use proptest::prelude::*;

    const BOUNDS: Bounds = Bounds { series: 20, histograms: 20 };

    /// Series of a label with values, each of so many requests.
    fn page(label: &str, values: std::ops::Range<u64>, created: u64) -> Page {
        let series = values.map(|value| {
            let mut labels = String::new();
            push_label(&mut labels, label, &format!("{value:03}"));
            push_label(&mut labels, "status_code", if value % 2 == 0 { "200" } else { "404" });
            Series {
                created: Some(FixedPoint::whole(created)),
                ..Series::number(labels, FixedPoint::whole(value))
            }
        });
        let mut page = Page::default();
        page.insert(&catalogue::REQUESTS, series.collect());
        page.insert_number(&catalogue::LINES, FixedPoint::whole(7));
        page
    }

    /// The requests of each series that is on a page.
    fn counts(page: &Page) -> BTreeMap<&str, FixedPoint> {
        let number = |series: &Series| match &series.value {
            Value::Number { value, .. } => *value,
            _ => FixedPoint::ZERO,
        };
        let family = page.families.get(catalogue::REQUESTS.name);
        family.into_iter().flat_map(|family| &family.series).map(|s| (&*s.labels, number(s))).collect()
    }

    fn sum(page: &Page) -> FixedPoint {
        counts(page).into_values().fold(FixedPoint::ZERO, |mut sum, count| {
            sum += count;
            sum
        })
    }

    fn labels(page: &Page) -> Vec<&str> {
        page.families[catalogue::REQUESTS.name].series.iter().map(|series| &*series.labels).collect()
    }

    #[test]
    fn what_finds_a_place_is_not_folded() {
        assert_eq!(fold(&page("a", 0..12, 1), &page("b", 0..8, 2), BOUNDS, "1"), None);
        // Those that we count ourselves take no place of their own.
        assert_eq!(fold(&page("a", 0..20, 1), &page("a", 0..20, 2), BOUNDS, "1"), None);
    }

    /// A later process has not met a value yet that finds no place, and will: the series must not fall then.
    #[test]
    fn what_takes_the_rest_by_the_labels_of_today_stays() {
        let mut dead = page("a", 0..30, 2);
        let mut overflow = page("a", 0..1, 1);
        let series = &mut overflow.families.get_mut(catalogue::REQUESTS.name).unwrap().series[0];
        series.labels = "a=\"other\",status_code=\"200\"".into();
        dead.add(&overflow);
        let rest = |folded: &Page| labels(folded).contains(&"a=\"other\",status_code=\"200\"");
        let folded = fold(&dead, &page("a", 40..44, 3), BOUNDS, "1").unwrap();
        assert!(rest(&folded), "{:?}", labels(&folded));
        assert!(!rest(&fold(&dead, &page("b", 0..4, 3), BOUNDS, "1").unwrap()));
    }

    /// Good and bad of each objective stay apart.
    #[test]
    fn objectives_are_folded_by_their_own_labels() {
        let objectives = |vhosts: std::ops::Range<u64>| {
            let series = vhosts.flat_map(|vhost| {
                ["bad", "good"].map(|result| {
                    let labels = format!("result=\"{result}\",slo=\"up\",vhost=\"{vhost}\"");
                    Series::number(labels, FixedPoint::whole(if result == "bad" { 1 } else { 9 }))
                })
            });
            let mut page = Page::default();
            page.insert(&catalogue::SLO_REQUESTS, series.collect());
            page
        };
        let folded = fold(&objectives(0..20), &objectives(30..31), BOUNDS, "1").unwrap();
        let series = &folded.families[catalogue::SLO_REQUESTS.name].series;
        let of = |result: &str| {
            let labels = format!("folded=\"1\",result=\"{result}\",slo=\"up\",vhost=\"other\"");
            let found = series.iter().find(|series| *series.labels == *labels);
            found.map(|series| series.value.clone())
        };
        let number = |count| Some(Value::Number { value: FixedPoint::whole(count), exemplar: None });
        // 22 too many and two more, in the order of their labels: all the bad ones, and four of the good ones.
        assert_eq!((of("bad"), of("good")), (number(20), number(4 * 9)), "{series:?}");
    }

    #[test]
    fn the_oldest_are_folded_into_series_that_are_new_each_time() {
        let mut dead = page("a", 0..10, 1);
        dead.add(&page("b", 0..10, 2));
        let own = page("c", 0..4, 3);
        let once = fold(&dead, &own, BOUNDS, "1").unwrap();
        assert_eq!(sum(&once), sum(&dead));
        assert_eq!(once.families[catalogue::LINES.name], dead.families[catalogue::LINES.name]);
        // Four too many, and an eighth of the bound more; of the oldest.
        let left = |label: &str| labels(&once).iter().filter(|labels| labels.starts_with(label)).count();
        assert_eq!((left("a="), left("b="), labels(&once).len()), (4, 10, 16));
        assert!(labels(&once).contains(&"c=\"other\",folded=\"1\",status_code=\"404\""));
        assert_eq!(fold(&once, &own, BOUNDS, "2"), None);
        let twice = fold(&once, &page("c", 0..8, 3), BOUNDS, "2").unwrap();
        assert_eq!(sum(&twice), sum(&dead));
        assert!(!labels(&twice).iter().any(|labels| labels.contains("folded=\"1\"")));
        // When all is folded there is nothing to do, however many we count ourselves.
        let all = fold(&twice, &page("c", 0..40, 3), BOUNDS, "3").unwrap();
        assert_eq!((sum(&all), labels(&all).len()), (sum(&dead), 2));
        assert_eq!(fold(&all, &page("c", 0..40, 3), BOUNDS, "4"), None);
    }

    proptest! {
        /// Restarts with one label and another, and the page is full: a series that was folded is not on the page
        /// until it is counted again. From one page to the next no series falls, and the sum is exact.
        #[test]
        fn no_series_falls_from_one_page_to_the_next_however_labels_change(
            lives in prop::collection::vec(("[abc]", 0u64..20, 1u64..30, 1usize..4), 1..12),
        ) {
            let (mut dead, mut last, mut stamp) = (Page::default(), Page::default(), 0);
            for (life, (label, first, values, saves)) in lives.into_iter().enumerate() {
                let mut own = Page::default();
                for save in 1..=saves as u64 {
                    // More values with each save, and more requests of each.
                    own.add(&page(&label, first..first + values * save, life as u64));
                    stamp += 1;
                    let before = sum(&dead);
                    dead = fold(&dead, &own, BOUNDS, &stamp.to_string()).unwrap_or(dead);
                    let mut shown = own.clone();
                    shown.add(&dead);
                    prop_assert_eq!(sum(&dead), before);
                    let (now, then) = (counts(&shown), counts(&last));
                    for (labels, count) in &now {
                        prop_assert!(then.get(labels).is_none_or(|then| then <= count), "{}", labels);
                    }
                    last = shown;
                }
                dead = last.clone();
            }
        }
    }
}
