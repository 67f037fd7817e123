//! The three stories a dictionary must tell (an ordinary log, a scanner, a late but frequent value), its
//! forms and its laws.

use super::*;
use proptest::prelude::*;
use std::collections::HashMap;

/// A generator for traffic: the same in every run, so that a failure can be looked at.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }
}

fn bytes_held(dictionary: &Dictionary) -> usize {
    let values = dictionary.values.text.capacity() + dictionary.values.bounds.capacity() * 4;
    values + dictionary.table.allocation_size() + dictionary.admission.bytes_held()
}

#[test]
fn an_ordinary_log_is_counted_exactly_from_its_first_line() {
    for distinct in 5..=50u64 {
        let mut dictionary = Dictionary::open(100, true);
        let mut dice = Dice(distinct);
        let mut expected = HashMap::new();
        let mut counted = HashMap::new();
        for _ in 0..2000 {
            // A skewed choice: the last of them come once in a while only.
            let value = format!("value-{}", (dice.roll() % distinct).min(dice.roll() % distinct));
            let id = dictionary.id_of(value.as_bytes());
            assert_ne!(id, Id::OTHER);
            *counted.entry(dictionary.value(id).to_owned()).or_insert(0) += 1;
            *expected.entry(value).or_insert(0) += 1;
        }
        assert_eq!(counted, expected);
        assert_eq!(dictionary.overflow(), 0);
    }
}

#[test]
fn a_scanner_with_a_million_values_takes_no_earned_place_and_no_memory() {
    let mut dictionary = Dictionary::open(100, true);
    let mut held = 0;
    for number in 0..1_000_000u32 {
        dictionary.id_of(format!("/scan/{number}.php").as_bytes());
        if number == 1000 {
            held = bytes_held(&dictionary);
        }
    }
    assert_eq!(dictionary.len(), 50);
    assert_eq!(dictionary.overflow(), 1_000_000 - 50);
    assert_eq!(bytes_held(&dictionary), held);
    assert!(held < 80 * 1024, "{held}");
}

#[test]
fn one_percent_of_the_traffic_gets_its_place_after_and_amid_a_scan() {
    let mut dictionary = Dictionary::open(100, true);
    let mut dice = Dice(7);
    for number in 0..300_000u32 {
        dictionary.id_of(format!("scan-{number}").as_bytes());
    }
    // Fifty values of 1 % each, half of the traffic; the other half goes on scanning. They need all the
    // places that are left, the last of which costs the most.
    let mut lines = 0;
    while dictionary.len() < 100 {
        let roll = dice.roll() % 100;
        let value = if roll < 50 { format!("late-{roll}") } else { format!("more-{lines}") };
        dictionary.id_of(value.as_bytes());
        lines += 1;
        // Ten times what it takes on average: with an unlucky seed many of them share a bucket.
        assert!(lines < 300_000, "{} places after {lines} lines", dictionary.len());
    }
    let id = dictionary.id_of(b"late-7");
    assert_eq!(dictionary.value(id), "late-7");
}

#[test]
fn the_last_place_costs_the_most_and_bursts_of_a_few_do_not_reach_it() {
    let mut dictionary = Dictionary::open(100, true);
    for number in 0..100_000u32 {
        for _method in 0..8 {
            dictionary.id_of(format!("/admin/{number}").as_bytes());
        }
    }
    // Eight sightings buy places at 4 and at 8, which are two of the seven steps of the second half.
    assert_eq!(dictionary.len(), 65);
    assert_eq!(dictionary.admission.demand(dictionary.len()), 16);
    let mut last = Dictionary::open(2, true);
    last.id_of(b"free");
    assert_eq!(last.admission.demand(last.len()), 4);
}

#[test]
fn without_admission_the_first_come_are_served_until_it_is_full() {
    let mut dictionary = Dictionary::open(3, false);
    let ids = ["a", "b", "c", "d", "a"].map(|value| dictionary.id_of(value.as_bytes()).0);
    assert_eq!(ids, [1, 2, 3, 0, 1]);
    assert_eq!(dictionary.overflow(), 1);
}

#[test]
fn a_closed_set_keeps_its_order_and_takes_nobody_in() {
    let names = ["DE", "FR", "DE", "other", ""].map(str::to_owned);
    let mut dictionary = Dictionary::closed(&names);
    assert_eq!(dictionary.len(), 3);
    let all: Vec<_> = (0..=3).map(|id| dictionary.value(Id(id))).collect();
    assert_eq!(all, ["other", "DE", "FR", ""]);
    for _ in 0..1000 {
        assert_eq!(dictionary.id_of(b"US"), Id::OTHER);
    }
    assert_eq!(dictionary.id_of(b"FR"), Id(2));
    assert_eq!(dictionary.overflow(), 1000);
}

#[test]
fn the_word_other_is_other_and_no_overflow() {
    let mut dictionary = Dictionary::open(10, true);
    assert_eq!(dictionary.id_of(b"other"), Id::OTHER);
    assert_eq!((dictionary.overflow(), dictionary.len()), (0, 0));
    assert_eq!(dictionary.value(Id(999)), "other");
}

#[test]
fn no_places_at_all_and_as_many_as_there_are_numbers() {
    let mut none = Dictionary::open(0, true);
    assert_eq!(none.id_of(b"a"), Id::OTHER);
    let mut all = Dictionary::open(usize::MAX, false);
    for number in 0..70_000u32 {
        all.id_of(&number.to_le_bytes());
    }
    assert_eq!(all.len(), PLACES_MAX);
    let last = Id(u16::MAX - 1);
    assert_eq!(all.id_of(all.value(last).to_owned().as_bytes()), last);
}

#[test]
fn bytes_that_are_no_text_and_values_too_long_have_one_form() {
    let mut dictionary = Dictionary::open(100, true);
    let mut form = |raw: &[u8]| {
        let id = dictionary.id_of(raw);
        assert_ne!(dictionary.id_of(b"something else"), id);
        assert_eq!(dictionary.id_of(raw), id);
        dictionary.value(id).to_owned()
    };
    assert_eq!(form(b"caf\xc3\xa9"), "caf\u{e9}");
    assert_eq!(form(b"caf\xe9!"), "caf\\xe9!");
    assert_eq!(form(b"caf\\xe9!"), "caf\\xe9!", "as Apache writes it");
    assert_eq!(form(&[b'x'; 256]), "x".repeat(256));
    assert_eq!(form(&[b'x'; 1000]), "x".repeat(256));
    assert_eq!(form("\u{20ac}".repeat(300).as_bytes()), "\u{20ac}".repeat(85));
    assert_eq!(form(&[0xff; 300]), "\\xff".repeat(64));
    assert_eq!(form(&[&[b'x'; 254], &b"\xff"[..], b"y"].concat()), "x".repeat(254));
}

proptest! {
    #[test]
    fn numbers_are_stable_and_nothing_is_lost(
        max in 0usize..12,
        admission: bool,
        calls in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3), 0..600),
    ) {
        let mut dictionary = Dictionary::open(max, admission);
        let mut by_value: HashMap<Vec<u8>, Id> = HashMap::new();
        let mut counts = vec![0u64; max + 1];
        for raw in &calls {
            let raw: Vec<u8> = raw.iter().map(|byte| byte % 5 + 0x7e).collect();
            let id = dictionary.id_of(&raw);
            counts[usize::from(id.0)] += 1;
            if id != Id::OTHER {
                prop_assert_eq!(*by_value.entry(raw.clone()).or_insert(id), id);
                let mut buffer = [0; VALUE_BYTES_MAX];
                prop_assert_eq!(dictionary.value(id), as_text(&raw, &mut buffer));
            } else {
                prop_assert!(!by_value.contains_key(&raw));
            }
        }
        prop_assert_eq!(counts.iter().sum::<u64>(), calls.len() as u64);
        prop_assert_eq!(counts[0], dictionary.overflow());
        prop_assert!(dictionary.len() <= max);
    }
}
