//! Different values (`--distinct`): HyperLogLog sketches of keyed hashes, by virtual host, for hours and days of UTC.
//!
//! A sketch tells how many values it has seen and none of them. Each day has a key of its own, made by chance: once it
//! is forgotten, nobody can try addresses on what was kept. So a window never goes over midnight: hours and days are
//! those of the calendar, that which runs and that before it.
//!
//! Sketches are united by a maximum for each register, so it does no harm to unite the same ones twice.

use crate::count::dictionary::OTHER;
use crate::fixed_point::FixedPoint;
use crate::limits;
use crate::order;
use datasketches::hll::{HllSketch, HllType, HllUnion};
use siphasher::sip128::{Hasher128, SipHasher24};
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// 2^15 registers: a standard error of 0.57 %, so that one figure in 2,000 is more than 2 % off.
const REGISTERS_LOG2: u8 = 15;

const HOUR_SECONDS: u64 = 3600;
const DAY_SECONDS: u64 = 24 * HOUR_SECONDS;
const SECOND: u64 = 1_000_000_000;

/// Sketches of a window that are not of the rest of a name: there is always room for that.
const PLACES_MAX: usize = limits::DISTINCT_ROWS_MAX - limits::DISTINCTS_MAX;

// --- keys ---

/// What the values of a day are hashed with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key(u128);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("Key")
    }
}

impl Key {
    /// Where the same lines are to give the same figures, and nobody can learn them and choose lines by it.
    const FIXED: Key = Key(0);

    /// Its randomness is that of the system, from which std seeds its hash tables.
    fn new() -> Key {
        let random = RandomState::new();
        Key(u128::from(random.hash_one(1)) << 64 | u128::from(random.hash_one(2)))
    }

    fn hash(self, value: &[u8]) -> u128 {
        let mut hasher = SipHasher24::new_with_key(&self.0.to_le_bytes());
        hasher.write(value);
        hasher.finish128().as_u128()
    }

    pub fn write(self) -> String {
        format!("{:032x}\n", self.0)
    }

    pub fn read(text: &str) -> Option<Key> {
        let digits = text.strip_suffix('\n').filter(|digits| digits.len() == 32)?;
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        u128::from_str_radix(digits, 16).ok().filter(|_| is_hex).map(Key)
    }
}

/// The number of the day in nanoseconds since the epoch.
pub fn day_of(now: u64) -> u64 {
    now / SECOND / DAY_SECONDS
}

/// The keys of a day and the next one, shared by the counting and by who keeps them in a directory.
#[derive(Clone, Debug, Default)]
pub struct DayKeys(Arc<Mutex<BTreeMap<u64, Key>>>);

impl DayKeys {
    /// The same in each process, for one that ends soon.
    pub fn fixed(now: u64) -> DayKeys {
        let keys = DayKeys::default();
        [day_of(now), day_of(now) + 1].into_iter().for_each(|day| keys.set(day, Key::FIXED));
        keys
    }

    /// That of the day: a new one where there is none.
    pub fn of(&self, day: u64) -> Key {
        *self.lock().entry(day).or_insert_with(Key::new)
    }

    /// The key that others have for the day.
    pub fn set(&self, day: u64, key: Key) {
        self.lock().insert(day, key);
    }

    /// Of days that are neither today nor tomorrow.
    pub fn forget_far(&self, today: u64) {
        self.lock().retain(|day, _| is_near(*day, today));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Key>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether there may be a key of the day: not of one that is over, nor of one that a wrong clock has seen.
pub fn is_near(day: u64, today: u64) -> bool {
    day == today || day == today + 1
}

// --- windows ---

/// A stretch of time that values are counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Window {
    is_day: bool,
    /// In hours or days since the epoch.
    number: u64,
}

impl Window {
    fn running(now: u64) -> [Window; 2] {
        [(false, HOUR_SECONDS), (true, DAY_SECONDS)]
            .map(|(is_day, seconds)| Window { is_day, number: now / SECOND / seconds })
    }

    fn that_runs(self, now: u64) -> Window {
        Window::running(now)[usize::from(self.is_day)]
    }

    /// Whether it runs, or is next to that: any other is over, or of a clock that was wrong.
    pub fn is_near(self, now: u64) -> bool {
        self.number.abs_diff(self.that_runs(now).number) <= 1
    }

    /// Its name on the page; None where it is neither that which runs nor that before.
    fn name(self, now: u64) -> Option<&'static str> {
        let names = if self.is_day { ["day", "last_day"] } else { ["hour", "last_hour"] };
        names.get(usize::try_from(self.that_runs(now).number.checked_sub(self.number)?).ok()?).copied()
    }

    /// Reads what `Display` writes.
    pub fn parse(text: &str) -> Option<Window> {
        let (unit, number) = text.split_once('-')?;
        let window = Window { is_day: unit == "day", number: number.parse().ok()? };
        (window.to_string() == text).then_some(window)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}-{}", if self.is_day { "day" } else { "hour" }, self.number)
    }
}

/// The names of windows, in the order of the page.
const WINDOWS: [&str; 4] = ["day", "hour", "last_day", "last_hour"];

// --- counting ---

/// What this process has seen. A copy shares the sketches until they change.
#[derive(Clone, Debug)]
pub struct DistinctCounts {
    /// Names and fields.
    fields: Arc<[(String, String)]>,
    pub keys: DayKeys,
    /// The time of the last value, and what goes with it.
    at: u64,
    key: Key,
    running: [Window; 2],
    /// By the name's place and the number of the virtual host.
    windows: BTreeMap<Window, BTreeMap<(usize, u16), Arc<Sketch>>>,
    /// Values that were counted without their virtual host, for want of a place.
    pub overflow: u64,
}

/// The number of the label value that takes the rest.
const REST: u16 = 0;

impl DistinctCounts {
    /// None where nothing is asked for.
    pub fn new(distincts: &[(String, String)]) -> Option<DistinctCounts> {
        let none = || DistinctCounts {
            fields: distincts.into(),
            keys: DayKeys::default(),
            at: 0,
            key: Key::new(),
            running: Window::running(0),
            windows: BTreeMap::new(),
            overflow: 0,
        };
        (!distincts.is_empty()).then(none)
    }

    /// The time is the same for all lines of a chunk.
    pub fn enter(&mut self, name: usize, vhost: u16, value: &[u8], now: u64) {
        if self.at != now {
            self.turn_to(now);
        }
        let hash = self.key.hash(value);
        let mut is_without_place = false;
        for window in self.running {
            let places = self.windows.entry(window).or_default();
            let mut place = (name, vhost);
            if vhost != REST && places.len() >= PLACES_MAX && !places.contains_key(&place) {
                (place, is_without_place) = ((name, REST), true);
            }
            Arc::make_mut(places.entry(place).or_default()).0.update(hash);
        }
        self.overflow += u64::from(is_without_place);
    }

    #[cold]
    fn turn_to(&mut self, now: u64) {
        self.at = now;
        self.keys.forget_far(day_of(now));
        self.key = self.keys.of(day_of(now));
        self.running = Window::running(now);
        self.windows.retain(|window, _| window.is_near(now));
    }

    /// The sketches under their labels; `vhost` knows the text of a number.
    pub fn sketches(&self, vhost: impl Fn(u16) -> String) -> Sketches {
        let rows = |places: &BTreeMap<(usize, u16), Arc<Sketch>>| -> BTreeMap<Row, Arc<Sketch>> {
            let row = |(name, number): (usize, u16)| {
                let (name, field) = self.fields[name].clone();
                Row { name, field, vhost: vhost(number) }
            };
            order::map(places.iter().map(|(place, sketch)| (row(*place), Arc::clone(sketch))))
        };
        let windows = self.windows.iter().map(|(window, places)| (*window, rows(places)));
        Sketches { fields: Arc::clone(&self.fields), windows: order::map(windows) }
    }
}

// --- sketches ---

/// Four bits for a register, and far less for few values.
#[derive(Clone, Debug)]
pub struct Sketch(HllSketch);

impl Default for Sketch {
    /// The precision is one that the package allows.
    #[allow(clippy::expect_used, reason = "a constant is in the range of 4 to 21")]
    fn default() -> Sketch {
        Sketch(HllSketch::new(REGISTERS_LOG2, HllType::Hll4).expect("the precision is allowed"))
    }
}

impl Sketch {
    fn united_with(&self, other: &Sketch) -> Sketch {
        let Ok(mut union) = HllUnion::new(REGISTERS_LOG2) else { return self.clone() };
        union.update(&self.0);
        union.update(&other.0);
        Sketch(union.to_sketch(HllType::Hll4))
    }

    /// That which does not depend on the order of the values, nor on how many processes have seen them.
    fn estimate(&self) -> f64 {
        self.0.composite_estimate()
    }

    pub fn write(&self) -> Vec<u8> {
        self.0.serialize()
    }

    /// None where it is no sketch of ours.
    pub fn read(bytes: &[u8]) -> Option<Sketch> {
        if !is_sound(bytes) {
            return None;
        }
        let sketch = HllSketch::deserialize(bytes).ok()?;
        (sketch.lg_config_k() == REGISTERS_LOG2 && sketch.target_type() == HllType::Hll4)
            .then_some(Sketch(sketch))
    }
}

/// No register of so many bits of a hash is larger.
const REGISTER_MAX: u8 = 63;

/// Where the preamble of a sketch ends that has registers, and not yet values alone.
const REGISTERS_START: usize = 40;

/// Whether the sums of a sketch are those of its registers, which the package takes on trust. A register is a nibble
/// above the least one, or 15 and stands behind the nibbles.
fn is_sound(bytes: &[u8]) -> bool {
    const HAS_REGISTERS: u8 = 2;
    let (Some(&[.., least, mode]), Some(rest)) = (bytes.first_chunk::<8>(), bytes.get(REGISTERS_START..))
    else {
        return bytes.get(7).is_some_and(|mode| mode & 3 != HAS_REGISTERS);
    };
    if mode & 3 != HAS_REGISTERS {
        return true;
    }
    if least > REGISTER_MAX - 15 {
        return false;
    }
    let float = |at: usize| bytes[at..].first_chunk().map_or(f64::NAN, |word| f64::from_le_bytes(*word));
    let count = |at: usize| bytes[at..].first_chunk().map_or(0, |word| u32::from_le_bytes(*word) as usize);
    let Some((nibbles, beyond)) = rest.split_at_checked(1 << (REGISTERS_LOG2 - 1)) else { return false };
    let mut of_value = [0usize; 16];
    for nibble in nibbles.iter().flat_map(|byte| [byte & 15, byte >> 4]) {
        of_value[usize::from(nibble)] += 1;
    }
    let sum_of = |register: u8| (-f64::from(register)).exp2();
    let beyond = beyond.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word));
    let of_beyond: f64 = beyond.clone().map(|word| sum_of((word >> 26) as u8)).sum();
    #[allow(clippy::cast_precision_loss, reason = "at most 2^15")]
    let of_nibbles = of_value[..15].iter().zip(least..).map(|(times, value)| *times as f64 * sum_of(value));
    let sum = of_beyond + of_nibbles.sum::<f64>();
    [of_value[0], of_value[15]] == [count(32), count(36)]
        && beyond.len() == of_value[15]
        && ((float(16) + float(24)) / sum - 1.0).abs() < 1e-9
}

/// Whose values a sketch has seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    pub name: String,
    /// Values of another field are not to be mixed with these.
    pub field: String,
    /// Empty where the lines name none.
    pub vhost: String,
}

impl Row {
    fn rest(&self) -> Row {
        Row { vhost: OTHER.to_owned(), ..self.clone() }
    }
}

/// The sketches of the windows that are near, at most [`limits::DISTINCT_ROWS_MAX`] for each.
#[derive(Clone, Debug)]
pub struct Sketches {
    /// What is asked for here; the directory may have rows of what was asked for before.
    fields: Arc<[(String, String)]>,
    pub windows: BTreeMap<Window, BTreeMap<Row, Arc<Sketch>>>,
}

impl Sketches {
    pub fn new(distincts: &[(String, String)]) -> Sketches {
        Sketches { fields: distincts.into(), windows: BTreeMap::new() }
    }

    /// Adds what others have seen, or this process since. Who has a place keeps it, and what finds none is united with
    /// the rest of its name: so the bound holds, however many processes and restarts there were.
    pub fn unite(&mut self, news: &Sketches) {
        for (window, rows) in &news.windows {
            self.unite_window(*window, rows);
        }
    }

    pub fn unite_window(&mut self, window: Window, news: &BTreeMap<Row, Arc<Sketch>>) {
        let fields = &self.fields;
        let is_asked =
            |row: &Row| fields.iter().any(|(name, field)| (name, field) == (&row.name, &row.field));
        let rows = self.windows.entry(window).or_default();
        let has_room = rows.len() + news.len() <= limits::DISTINCT_ROWS_MAX;
        if !has_room {
            // What nobody asks for any more gives way.
            rows.retain(|row, _| is_asked(row));
        }
        for (row, sketch) in news.iter().filter(|(row, _)| has_room || is_asked(row)) {
            let has_place = rows.contains_key(row) || row.vhost == OTHER || rows.len() < PLACES_MAX;
            let place = if has_place { row.clone() } else { row.rest() };
            let ours = rows.entry(place).or_insert_with(|| Arc::clone(sketch));
            if !Arc::ptr_eq(ours, sketch) {
                *ours = Arc::new(ours.united_with(sketch));
            }
        }
    }

    /// Those that have changed since.
    pub fn without(&self, before: &Sketches) -> Sketches {
        let mut changed = self.clone();
        for (window, rows) in &mut changed.windows {
            let before = before.windows.get(window);
            rows.retain(|row, sketch| {
                before.and_then(|rows| rows.get(row)).is_none_or(|before| !Arc::ptr_eq(before, sketch))
            });
        }
        changed
    }

    pub fn forget_far(&mut self, now: u64) {
        self.windows.retain(|window, _| window.is_near(now));
    }

    /// Whether both would show the same for the window.
    pub fn are_alike(&self, other: &Sketches, window: Window) -> bool {
        let [ours, theirs] = [self, other].map(|sketches| sketches.windows.get(&window));
        let (Some(ours), Some(theirs)) = (ours, theirs) else { return ours.is_none() && theirs.is_none() };
        let is_same = |(one, other): (&Arc<Sketch>, &Arc<Sketch>)| {
            Arc::ptr_eq(one, other) || one.estimate().to_bits() == other.estimate().to_bits()
        };
        ours.keys().eq(theirs.keys()) && ours.values().zip(theirs.values()).all(is_same)
    }

    /// The figures for the page: a name, its virtual host, the window, how many. Who has values in one window has
    /// zeroes in the others.
    pub fn figures(&self, now: u64) -> BTreeMap<(&str, &str, &'static str), FixedPoint> {
        let mut figures = BTreeMap::new();
        let shown = self.windows.iter().filter_map(|(window, rows)| Some((window.name(now)?, rows)));
        for (name, rows) in shown {
            for (row, sketch) in rows {
                if !self.fields.iter().any(|(name, field)| (name, field) == (&row.name, &row.field)) {
                    continue;
                }
                for window in WINDOWS {
                    figures.entry((&*row.name, &*row.vhost, window)).or_insert(FixedPoint::ZERO);
                }
                let count = FixedPoint::whole(whole(sketch.estimate()));
                figures.insert((&row.name, &row.vhost, name), count);
            }
        }
        figures
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate is 0 or more, below 2^53"
)]
fn whole(estimate: f64) -> u64 {
    estimate.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOON: u64 = (20_000 * DAY_SECONDS + 12 * HOUR_SECONDS) * SECOND;
    const AN_HOUR: u64 = HOUR_SECONDS * SECOND;

    fn clients() -> [(String, String); 1] {
        [("clients".to_owned(), "%a".to_owned())]
    }

    fn counts() -> DistinctCounts {
        DistinctCounts::new(&clients()).unwrap()
    }

    fn sketches(counts: &DistinctCounts) -> Sketches {
        counts.sketches(|number| if number == REST { OTHER.to_owned() } else { format!("v{number}") })
    }

    fn seen(keys: &DayKeys, values: impl Iterator<Item = u32>, now: u64) -> Sketches {
        let mut counts = DistinctCounts { keys: keys.clone(), ..counts() };
        values.for_each(|value| counts.enter(0, 1, &value.to_be_bytes(), now));
        sketches(&counts)
    }

    fn shown(sketches: &Sketches, now: u64) -> Vec<(&'static str, u64)> {
        let figures = sketches.figures(now).into_iter();
        figures.map(|((_, _, window), count)| (window, count.to_count().unwrap())).collect()
    }

    fn figure(sketches: &Sketches, vhost: &str, now: u64) -> u64 {
        let figures = sketches.figures(now);
        figures.get(&("clients", vhost, "day")).map_or(0, |count| count.to_count().unwrap())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        /// Whoever has seen a value, and however often it was saved and read: the union is that of one process.
        #[test]
        fn the_union_of_parts_is_the_sketch_of_all(
            (ones, others) in (0u32..6_000, 0u32..6_000), shared in 0u32..3_000,
        ) {
            let keys = DayKeys::default();
            let one = seen(&keys, 0..ones, NOON);
            let other = seen(&keys, ones.saturating_sub(shared)..ones + others, NOON);
            let all = seen(&keys, 0..ones + others, NOON);
            let mut sum = Sketches::new(&clients());
            for part in [&one, &other, &one] {
                sum.unite(part);
                for rows in sum.windows.values_mut() {
                    for sketch in rows.values_mut() {
                        *sketch = Arc::new(Sketch::read(&sketch.write()).unwrap());
                    }
                }
            }
            prop_assert_eq!(shown(&sum, NOON), shown(&all, NOON));
        }

        #[test]
        fn no_bytes_can_make_the_reader_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), real: bool) {
            if real {
                let mut sketch = Sketch::default();
                (0..60).for_each(|value| sketch.0.update(value));
                let written = sketch.write();
                let length = bytes.len().min(written.len());
                bytes.truncate(length);
                bytes.extend(&written[length..]);
            }
            let _ = Sketch::read(&bytes);
        }
    }

    #[test]
    fn the_estimate_is_within_two_per_cent() {
        let keys = DayKeys::default();
        keys.set(20_000, Key(7));
        for count in [1, 100, 3_000, 50_000, 400_000] {
            let sketches = seen(&keys, 0..count, NOON);
            let [(_, day), (_, hour), ..] = shown(&sketches, NOON)[..] else { panic!() };
            assert_eq!(day, hour);
            assert!(day.abs_diff(u64::from(count)) * 50 <= u64::from(count), "{day} of {count}");
        }
    }

    /// With a checksum that is right, as somebody can write who may write in the directory: no figure comes of a
    /// sketch whose parts do not fit each other.
    #[test]
    fn a_sketch_that_contradicts_itself_is_none() {
        let mut sketch = Sketch::default();
        (0..40_000u32).for_each(|value| sketch.0.update(value));
        for sketch in [&sketch, &sketch.united_with(&sketch), &sketch.united_with(&Sketch::default())] {
            let sound = sketch.write();
            assert_eq!(Sketch::read(&sound).map(|read| read.write()), Some(sound.clone()));
            // The least register, the sums of them all, how many are the least and how many are beyond, one of them.
            for at in [6, 16, 22, 23, 30, 31, 32, 36, REGISTERS_START + 9] {
                for bit in [1, 16, 128] {
                    let mut crafted = sound.clone();
                    crafted[at] ^= bit;
                    let figure = Sketch::read(&crafted).map(|sketch| sketch.estimate());
                    assert!(
                        figure.is_none_or(|figure| (figure - sketch.estimate()).abs() < 0.001),
                        "{at}: {figure:?}"
                    );
                }
            }
            for cut in [8, REGISTERS_START, sound.len() - 1] {
                assert!(Sketch::read(&sound[..cut]).is_none(), "{cut}");
            }
        }
    }

    #[test]
    fn windows_go_by_and_are_forgotten() {
        let mut sketches = seen(&DayKeys::default(), 0..3, NOON);
        let at = |hours: u64| shown(&sketches, NOON + hours * AN_HOUR);
        assert_eq!(at(0), [("day", 3), ("hour", 3), ("last_day", 0), ("last_hour", 0)]);
        assert_eq!(at(1), [("day", 3), ("hour", 0), ("last_day", 0), ("last_hour", 3)]);
        assert_eq!(at(2), [("day", 3), ("hour", 0), ("last_day", 0), ("last_hour", 0)]);
        assert_eq!(at(12), [("day", 0), ("hour", 0), ("last_day", 3), ("last_hour", 0)]);
        assert_eq!(at(36), []);
        sketches.forget_far(NOON + 2 * AN_HOUR);
        assert_eq!(sketches.windows.keys().map(Window::to_string).collect::<Vec<_>>(), ["day-20000"]);
    }

    /// A clock that was a year ahead for a moment, or a year behind, leaves nothing that hides what comes after.
    #[test]
    fn a_clock_that_jumps_costs_what_was_counted_and_no_more() {
        let year = 365 * 24 * AN_HOUR;
        for wrong in [NOON + year, NOON - year] {
            let mut counts = counts();
            counts.enter(0, 1, b"a", wrong);
            counts.enter(0, 1, b"b", NOON);
            counts.enter(0, 1, b"c", NOON);
            assert_eq!(figure(&sketches(&counts), "v1", NOON), 2);
            assert_eq!(counts.windows.len(), 2);
            assert_eq!(counts.keys.lock().keys().copied().collect::<Vec<u64>>(), [20_000]);
        }
        // A moment back over the hour goes on where it was.
        let mut counts = counts();
        for (value, now) in [(b"a", NOON - 1), (b"b", NOON), (b"c", NOON - 1), (b"d", NOON)] {
            counts.enter(0, 1, value, now);
        }
        assert_eq!(shown(&sketches(&counts), NOON)[1..], [("hour", 2), ("last_day", 0), ("last_hour", 2)]);
    }

    #[test]
    fn each_day_has_a_key_of_its_own_and_those_of_other_days_are_forgotten() {
        let keys = DayKeys::default();
        let (today, tomorrow) = (keys.of(20_000), keys.of(20_001));
        assert_ne!(today, tomorrow);
        assert_eq!(keys.of(20_000), today);
        keys.forget_far(20_000);
        assert_eq!((keys.of(20_000), keys.of(20_001)), (today, tomorrow));
        keys.forget_far(20_001);
        assert_ne!(keys.of(20_000), today);
        assert_eq!(Key::read(&today.write()), Some(today));
        let zeroes = "0".repeat(31);
        for wrong in
            ["", "\n", "07\n", &format!("+{zeroes}\n"), &format!("0{zeroes}"), &format!("0{zeroes}\n\n")]
        {
            assert_eq!(Key::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_finds_no_place_is_counted_under_other() {
        let mut counts = counts();
        counts.keys.set(20_000, Key(7));
        for vhost in 1..200 {
            counts.enter(0, vhost, &vhost.to_be_bytes(), NOON);
        }
        assert_eq!(counts.windows.values().map(BTreeMap::len).collect::<Vec<_>>(), [PLACES_MAX + 1; 2]);
        assert_eq!(counts.overflow, 199 - PLACES_MAX as u64);
        assert_eq!(figure(&sketches(&counts), OTHER, NOON), 199 - PLACES_MAX as u64);
        // Another hour has places of its own.
        counts.enter(0, 199, b"x", NOON + AN_HOUR);
        assert_eq!(
            sketches(&counts).figures(NOON + AN_HOUR)[&("clients", "v199", "hour")],
            FixedPoint::whole(1)
        );
    }

    /// Ten processes with other virtual hosts each, and other fields before: no more rows than there may be, no value
    /// lost, and no two fields mixed.
    #[test]
    fn the_bound_holds_over_any_number_of_processes() {
        let keys = DayKeys::default();
        // With another one two values may be as one.
        keys.set(20_000, Key(7));
        let mut before = Sketches::new(&[("clients".to_owned(), "%u".to_owned())]);
        let mut sum = Sketches::new(&clients());
        for start in 0..10 {
            let mut counts = DistinctCounts { keys: keys.clone(), ..counts() };
            for vhost in 1..=60 {
                let vhost: u16 = start * 60 + vhost;
                counts.enter(0, vhost, &vhost.to_be_bytes(), NOON);
            }
            let news = sketches(&counts);
            let mut of_users = news.clone();
            for rows in of_users.windows.values_mut() {
                let renamed = std::mem::take(rows).into_iter();
                *rows =
                    renamed.map(|(row, sketch)| (Row { field: "%u".to_owned(), ..row }, sketch)).collect();
            }
            before.unite(&of_users);
            sum.unite(&before);
            sum.unite(&news);
            assert!(sum.windows.values().all(|rows| rows.len() <= limits::DISTINCT_ROWS_MAX));
        }
        let figures = sum.figures(NOON);
        let days = figures.iter().filter(|((_, _, window), _)| *window == "day");
        assert_eq!(days.map(|(_, count)| count.to_count().unwrap()).sum::<u64>(), 600);
        assert_eq!(figure(&sum, "v1", NOON), 1);
    }
}
