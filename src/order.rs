//! Stable sort that is compiled once, for what is put in order now and then.
//!
//! The sorts of the standard library are compiled anew for every type and every order, seven kilobytes each, and so are
//! maps and sets that are collected, for they are sorted first. Here places are sorted, whatever stands there.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// Puts items in the order that `compare` tells; equal ones stay as they were.
pub fn sort_by<T>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    let mut places = places_by(items.len(), &|a, b| compare(&items[a], &items[b]));
    for start in 0..items.len() {
        let mut at = start;
        // Around the circle: each place takes what belongs there, until what was first at the start is the last.
        loop {
            let from = std::mem::replace(&mut places[at], at);
            if from == start {
                break;
            }
            items.swap(at, from);
            at = from;
        }
    }
}

/// The same by a key, which is worked out for each comparison.
pub fn sort_by_key<T, K: Ord>(items: &mut [T], key: impl Fn(&T) -> K) {
    sort_by(items, |a, b| key(a).cmp(&key(b)));
}

pub fn sort<T: Ord>(items: &mut [T]) {
    sort_by(items, T::cmp);
}

/// The first `count` places in the order that `compare` tells.
pub fn places_by(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    places.sort_by(|a, b| compare(*a, *b));
    places
}

/// A map of few pairs; of those with the same key, the last.
pub fn map<K: Ord, V>(pairs: impl IntoIterator<Item = (K, V)>) -> BTreeMap<K, V> {
    let mut map = BTreeMap::new();
    map.extend(pairs);
    map
}

/// A set of few values.
pub fn set<T: Ord>(values: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    let mut set = BTreeSet::new();
    set.extend(values);
    set
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_order_is_that_of_the_standard_library(numbers in prop::collection::vec(0..40u8, 0..90)) {
            let mut numbered: Vec<(u8, usize)> = numbers.iter().copied().zip(0..).collect();
            let mut expected = numbered.clone();
            sort_by_key(&mut numbered, |(number, _)| *number);
            expected.sort_by_key(|(number, _)| *number);
            prop_assert_eq!(&numbered, &expected);
            prop_assert_eq!(map(numbered.clone()), expected.iter().copied().collect());
            prop_assert_eq!(set(numbered), expected.into_iter().collect());
        }
    }
}
