//! Native counts as lines: a section beside the series, whichever form those have, that older readers skip.
//!
//! ```text
//! family httpd_request_duration_seconds
//! 3 17 -16:1,2,4 -11:1
//! -
//! ```
//!
//! A line for each series of the family, in their order: the schema, the count of the bucket for zero, and the buckets
//! that are filled, those that follow one another behind the number of their first; or `-` where there are none.

use crate::catalogue::{Kind, zero_exponent};
use crate::count::native::NativeCounts;
use crate::fixed_point::push_count;
use crate::snapshot::page::{Family, Page, Value};
use std::fmt::Write;
use std::sync::Arc;

pub fn write(page: &Page) -> String {
    let mut out = String::new();
    for (name, family) in histograms(page) {
        let _ = writeln!(out, "family {name}");
        for series in &family.series {
            match &series.value {
                Value::Histogram(histogram) if histogram.native.is_some() => {
                    histogram.native.iter().for_each(|native| write_counts(&mut out, native));
                }
                _ => out.push('-'),
            }
            out.push('\n');
        }
    }
    out
}

/// Families with native counts.
fn histograms(page: &Page) -> impl Iterator<Item = (&String, &Family)> {
    let has_native =
        |value: &Value| matches!(value, Value::Histogram(histogram) if histogram.native.is_some());
    page.families
        .iter()
        .filter(move |(_, family)| family.series.iter().any(|series| has_native(&series.value)))
}

fn write_counts(out: &mut String, native: &NativeCounts) {
    let _ = write!(out, "{} {}", native.schema(), native.zero());
    let mut next = None;
    for (number, count) in native.filled() {
        match next {
            Some(next) if next == number => out.push(','),
            _ => {
                let _ = write!(out, " {number}:");
            }
        }
        push_count(out, count);
        next = Some(number + 1);
    }
}

/// Gives the series of a page the native counts that were written beside them.
pub fn read(text: &str, page: &mut Page) -> Result<(), String> {
    let mut lines = text.split_terminator('\n');
    while let Some(line) = lines.next() {
        let name = line.strip_prefix("family ").ok_or("a line of [native] is no family")?;
        let family = page.families.get_mut(name).filter(|family| family.kind == Kind::Histogram);
        let family =
            family.ok_or_else(|| format!("there are native counts of {name}, which is not there"))?;
        for series in &mut family.series {
            let line = lines.next().ok_or_else(|| format!("native counts of {name} are missing"))?;
            let Value::Histogram(histogram) = &mut series.value else { continue };
            if line != "-" {
                let native = read_counts(line, zero_exponent(name));
                let native = native.filter(|native| native.total() == histogram.total());
                let wrong = || format!("native counts of {name} are not those of the series");
                histogram.native = Some(Arc::new(native.ok_or_else(wrong)?));
            }
        }
    }
    Ok(())
}

fn read_counts(line: &str, zero_exponent: i8) -> Option<NativeCounts> {
    let mut words = line.split(' ');
    let (schema, zero) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let mut buckets: Vec<(i32, u64)> = Vec::new();
    for word in words {
        let (first, counts) = word.split_once(':')?;
        let first: i32 = first.parse().ok()?;
        for (place, count) in (0..).zip(counts.split(',')) {
            buckets.push((first.checked_add(place)?, count.parse().ok()?));
        }
    }
    NativeCounts::of_buckets(schema, zero_exponent, zero, buckets.into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;
    use crate::fixed_point::FixedPoint;
    use crate::snapshot::page::{Histogram, Series, push_label};
    use proptest::prelude::*;
    use std::sync::Arc;

    /// Schema, bucket for zero, filled buckets.
    type Figures = (u8, u64, Vec<(i32, u64)>);

    fn page(rows: &[Option<Figures>]) -> Page {
        let series = rows.iter().enumerate().map(|(place, native)| {
            let mut labels = String::new();
            push_label(&mut labels, "vhost", &format!("{place:03}"));
            let native = native.as_ref().map(|(schema, zero, buckets)| {
                NativeCounts::of_buckets(*schema, -11, *zero, buckets.iter().copied()).unwrap()
            });
            let total = native.as_ref().map_or(3, NativeCounts::total);
            let value = Value::Histogram(Box::new(Histogram {
                bounds: Arc::from([]),
                counts: vec![total],
                sum: FixedPoint::ZERO,
                exemplars: Vec::new(),
                native: native.map(Arc::new),
            }));
            Series { labels: labels.into(), value, created: None }
        });
        let mut page = Page::default();
        page.insert(&catalogue::DURATION, series.collect());
        page
    }

    fn without_native(page: &Page) -> Page {
        let mut page = page.clone();
        page.show_only(catalogue::HistogramKinds::parse("classic").unwrap());
        page
    }

    fn buckets() -> impl Strategy<Value = Vec<(i32, u64)>> {
        prop::collection::btree_map(-29..100, 1..u64::MAX, 0..100)
            .prop_map(|buckets| buckets.into_iter().collect())
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            rows in prop::collection::vec(prop::option::of((0u8..4, any::<u64>(), buckets())), 0..5),
        ) {
            let page = page(&rows);
            let mut again = without_native(&page);
            prop_assert_eq!(read(&write(&page), &mut again), Ok(()));
            prop_assert_eq!(again, page);
        }

        #[test]
        fn no_bytes_can_make_the_reader_panic(text in "([-0-9:, \\n]{0,60}|\\PC{0,60})") {
            let _ = read(&text, &mut page(&[None, None]));
            let of_a_family = format!("family {}\n{text}", catalogue::DURATION.name);
            let _ = read(&of_a_family, &mut page(&[None, None]));
        }
    }

    #[test]
    fn counts_of_other_series_are_refused() {
        let family = format!("family {}\n", catalogue::DURATION.name);
        let ones = page(&[None]);
        assert_eq!(read(&format!("{family}3 1 5:2\n"), &mut ones.clone()), Ok(()));
        for lines in ["3 1 5:3\n", "3 1 5:1,1,0\n", "", "3 1\n-\n", "9 3\n", "3 x\n", "3 1 2147483647:1,1\n"]
        {
            assert!(read(&format!("{family}{lines}"), &mut ones.clone()).is_err(), "{lines}");
        }
        assert!(read("family other\n-\n", &mut ones.clone()).is_err());
    }
}
