//! The ledger: all figures of one process, as plain integers that one thread owns.
//!
//! It holds two tables. `traffic` has a row for every set of label values and the requests and bytes of each;
//! `latency` has the histograms, which have fewer labels because each is dozens of samples. A row of traffic remembers
//! its row of latency, so a line costs one look-up. Of HTTP it knows the status codes and their classes, which are
//! numbers without a dictionary; of log lines nothing: it is told the numbers of label values and what to add. Readers
//! get a clone.

pub use crate::count::dictionary::OTHER;
use crate::count::dictionary::{Dictionary, Id};
use crate::count::distinct::DistinctCounts;
use crate::count::exemplars::Exemplars;
use crate::count::histograms::Histograms;
use crate::count::quantiles::Window;
use crate::count::slo_counts::SloCounts;
use crate::count::table::{KEY_LABELS, Key, Table};
use crate::count::totals::{Outcome, Totals};
use crate::limits;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

/// The labels of a series on a page: names and values.
pub type LabelSet = Vec<(String, String)>;

/// One dimension of the requests.
#[derive(Clone, Debug)]
pub struct Label {
    pub name: String,
    pub values: Values,
    /// Whether values come as they come, under a cap.
    pub open: bool,
    /// Whether every line has the same, with the first number.
    pub is_constant: bool,
}

impl Label {
    /// How wide a value of it is on the page: `name="value",` with its escapes.
    fn width(&self, id: u16) -> usize {
        let value = self.values.text(id);
        self.name.len()
            + value.len()
            + value.bytes().filter(|c| b"\\\"\n".contains(c)).count()
            + "=\"\",".len()
    }
}

/// How wide a sample is on the page without its labels but for `le`: the longest name, and a number.
const SAMPLE_WIDTH: usize = 64;

/// Where the texts of a label's numbers come from.
#[derive(Clone, Debug)]
pub enum Values {
    /// A status code: 100 is 1, 599 is 500, and 0 any other.
    Status,
    Named(Dictionary),
}

/// Lowest and highest status code with a number of its own (RFC 9110, section 15).
const STATUS: std::ops::RangeInclusive<u16> = 100..=599;

/// The number of a status code.
#[inline]
pub fn status_id(status: Option<u16>) -> u16 {
    status.filter(|status| STATUS.contains(status)).map_or(0, |status| status - STATUS.start() + 1)
}

impl Values {
    pub fn text(&self, id: u16) -> Cow<'_, str> {
        match self {
            Values::Status if id == 0 => OTHER.into(),
            Values::Status => (STATUS.start() + id - 1).to_string().into(),
            Values::Named(dictionary) => dictionary.value(Id(id)).into(),
        }
    }

    /// How many values there are by now, `other` among them.
    pub fn count(&self) -> usize {
        match self {
            Values::Status => STATUS.len() + 1,
            Values::Named(dictionary) => dictionary.len() + 1,
        }
    }

    /// How many lines were counted under `other` for want of a place.
    pub fn overflow(&self) -> u64 {
        match self {
            Values::Status => 0,
            Values::Named(dictionary) => dictionary.overflow(),
        }
    }
}

/// How a label of the histograms comes from one of the requests'.
#[derive(Clone, Copy, Debug)]
pub enum Derived {
    Same(usize),
    /// The class of the status code at that place: 1 is 1xx, 0 any other.
    Class(usize),
}

/// The text of a class's number.
pub fn class_text(id: u16) -> &'static str {
    ["other", "1xx", "2xx", "3xx", "4xx", "5xx"].get(usize::from(id)).copied().unwrap_or(OTHER)
}

/// The figures of one set of label values.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traffic {
    pub requests: u64,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    pub upstream_attempts: u64,
    /// The row of the histograms; [`NO_LATENCY`] until there is a request.
    latency: u32,
    /// Whether that is not its own, for want of a place.
    folded: bool,
}

/// Of a row that is there for its zero.
const NO_LATENCY: u32 = u32::MAX;

/// The statuses that come with a method sooner or later, by their numbers, and where both stand in a key.
#[derive(Clone, Debug, Default)]
pub struct Usual {
    pub method: usize,
    pub status: usize,
    pub statuses: Vec<(u16, Vec<u16>)>,
}

/// What can be said of a ledger without copying it.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Its name and its text, once it is known.
    pub format: Option<(String, String)>,
    pub lines: u64,
    pub malformed: u64,
    pub foreign: u64,
    pub why_not_ready: Option<Cow<'static, str>>,
    /// The newest lines that do not fit, the last one last, and what was said of such lines.
    pub rejected: Vec<Rejected>,
    pub advice: Vec<String>,
}

/// A line that does not fit, as it may be shown.
#[derive(Clone, Debug)]
pub struct Rejected {
    pub number: u64,
    pub reason: &'static str,
    pub text: String,
}

/// What the advisor has said of the lines; bounded as the reports are.
pub type Advice = Arc<Mutex<Vec<String>>>;

/// Places in files by key; none where a file has been read for good.
pub type Places = BTreeMap<Arc<str>, Option<String>>;

/// Why lines that fit probably have another format, once the advisor has found out; all copies of a ledger share it.
pub type Doubt = Arc<OnceLock<String>>;

#[derive(Clone, Debug)]
pub struct Ledger {
    pub labels: Vec<Label>,
    /// Labels whose value is kept when the tables are full, for they are few by themselves.
    kept: Vec<usize>,
    pub traffic: Table,
    /// How much text the rows of both tables are on the page.
    traffic_text: usize,
    latency_text: usize,
    pub rows: Vec<Traffic>,
    pub derived: Vec<(String, Derived)>,
    pub latency: Table,
    pub histograms: Histograms,
    /// Exemplars of the requests by row, and of the buckets of one histogram.
    pub exemplars: Option<(Exemplars, Option<(usize, Exemplars)>)>,
    pub quantiles: Option<Window>,
    /// Lines counted under `other` because a table was full: that of the requests, that of the histograms.
    pub series_overflow: u64,
    pub histogram_overflow: u64,
    pub totals: Totals,
    /// The format's name and text.
    pub format: (String, String),
    /// What stands around the lines.
    pub envelope: String,
    /// Whether that is the user's choice or the lines', and not a stand-in until lines have chosen.
    pub format_known: bool,
    /// Whether most of the lines read lately do not fit the format.
    pub misfit: bool,
    /// Why lines that fit probably have another format: set once, by the advisor.
    pub doubt: Doubt,
    /// Where the lines that are counted here end in the files that they come from, by key.
    pub places: Arc<Places>,
    pub has_bytes_sent: bool,
    pub has_bytes_received: bool,
    pub has_attempts: bool,
    pub usual: Usual,
    /// Rows that were opened for their zero.
    zeroes: usize,
    /// Which label is the vhost.
    pub vhost: Option<usize>,
    /// With `--slo`.
    pub slo: Option<Box<SloCounts>>,
    /// With `--distinct`.
    pub distinct: Option<Box<DistinctCounts>>,
}

/// Whether a copy has the native buckets, which are most of what the counting thread copies. What shows none does
/// without them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Native {
    Wanted,
    LeftOut,
}

impl Ledger {
    /// A copy for a page.
    pub fn copy(&mut self, native: Native) -> Ledger {
        match native {
            Native::Wanted => self.clone(),
            Native::LeftOut => {
                let kept = self.histograms.take_native();
                let copy = self.clone();
                self.histograms.put_native(kept);
                copy
            }
        }
    }

    pub fn new(
        labels: Vec<Label>,
        kept: Vec<usize>,
        derived: Vec<(String, Derived)>,
        histograms: Histograms,
        series_max: usize,
    ) -> Ledger {
        debug_assert!(labels.len() <= KEY_LABELS);
        Ledger {
            labels,
            kept,
            traffic: Table::with_earned(series_max),
            traffic_text: 0,
            latency_text: 0,
            rows: Vec::new(),
            derived,
            latency: Table::new(limits::histogram_series_max(histograms.kinds().classic).min(series_max)),
            histograms,
            exemplars: None,
            quantiles: None,
            series_overflow: 0,
            histogram_overflow: 0,
            totals: Totals::default(),
            format: Default::default(),
            envelope: "none".to_owned(),
            format_known: true,
            misfit: false,
            doubt: Doubt::default(),
            places: Arc::default(),
            has_bytes_sent: false,
            has_bytes_received: false,
            has_attempts: false,
            usual: Usual::default(),
            zeroes: 0,
            vhost: None,
            slo: None,
            distinct: None,
        }
    }

    /// The row of a set of label values; when the table is full, that in which only the few are told apart.
    #[inline(always)]
    pub fn row(&mut self, key: &Key, now: u64) -> usize {
        let row = match self.traffic.row(key, now) {
            Some(row) => row,
            None => {
                self.series_overflow += 1;
                let key = self.reduced(key);
                self.traffic.row_beyond(&key, now)
            }
        };
        if row == self.rows.len() {
            self.open(row, now);
        } else if self.rows[row].latency == NO_LATENCY {
            self.begin_counting(row, now);
        }
        row
    }

    /// Opens rows for series that are on the page already, in their order, as far as there are places: so what the dead
    /// have left fills the places first, and the page has no more series than one process may have.
    pub fn seed(&mut self, known: &[LabelSet], now: u64) {
        for labels in known {
            let Some(key) = self.known_key(labels) else { continue };
            if let Some(slo) = &mut self.slo {
                slo.row(&key, now);
            }
            match self.traffic.readmit(&key, now) {
                Some(row) if row == self.rows.len() => self.open(row, now),
                Some(_) => {}
                None => return,
            }
        }
    }

    /// None where the labels are not ours, or a value has no place.
    fn known_key(&mut self, labels: &LabelSet) -> Option<Key> {
        let mut key = Key::default();
        for (place, label) in self.labels.iter_mut().enumerate() {
            let (_, value) = labels.iter().find(|(name, _)| *name == label.name)?;
            let id = match &mut label.values {
                Values::Status => status_id(value.parse().ok()),
                Values::Named(dictionary) => dictionary.readmit(value)?.0,
            };
            key.set(place, id);
        }
        (labels.len() == self.labels.len()).then_some(key)
    }

    /// The number of a label's value.
    #[inline]
    pub fn id(&mut self, label: usize, value: &[u8]) -> u16 {
        match &mut self.labels[label].values {
            Values::Named(dictionary) => dictionary.id_of(value).0,
            Values::Status => 0,
        }
    }

    /// The number of a value that no line had yet; 0 if there is no place for it.
    pub fn place(&mut self, label: usize, value: &str) -> u16 {
        match &mut self.labels[label].values {
            Values::Named(dictionary) => dictionary.place(value.as_bytes()).0,
            Values::Status => 0,
        }
    }

    /// Counts a line whose value has no place.
    pub fn overflow(&mut self, label: usize) {
        if let Values::Named(dictionary) = &mut self.labels[label].values {
            dictionary.miss_one();
        }
    }

    /// Counts a request whose client went away, and says at which place of the totals.
    pub fn abort(&mut self, key: &Key) -> usize {
        let place = self.vhost.map_or(0, |label| usize::from(key.get(label)));
        if self.totals.aborted.len() <= place {
            self.totals.aborted.resize(place + 1, 0);
        }
        self.totals.aborted[place] += 1;
        place
    }

    /// Enters a request into its row, and gives back the row of its histograms.
    #[inline(always)]
    pub fn enter(&mut self, row: usize, sent: Option<u64>, received: Option<u64>) -> usize {
        let figures = &mut self.rows[row];
        figures.requests += 1;
        // A counter that has come to its end stays there; one that wraps would fall.
        figures.bytes_sent = figures.bytes_sent.saturating_add(sent.unwrap_or(0));
        figures.bytes_received = figures.bytes_received.saturating_add(received.unwrap_or(0));
        self.histogram_overflow += u64::from(figures.folded);
        figures.latency as usize
    }

    /// Why the figures are not what the user wants, if they are not.
    pub fn why_not_ready(&self) -> Option<Cow<'static, str>> {
        match self.totals.all() {
            0 => Some("no line has been read yet".into()),
            _ if self.misfit && !self.format_known => Some("the lines fit none of the presets".into()),
            _ if self.misfit => Some("most lines do not fit the format".into()),
            _ => self.doubt.get().map(|doubt| doubt.clone().into()),
        }
    }

    /// The figures that the pages for people and probes show.
    pub fn summary(&self) -> Summary {
        Summary {
            format: self.format_known.then(|| self.format.clone()),
            lines: self.totals.all(),
            malformed: self.totals.of(Outcome::Malformed),
            foreign: self.totals.of(Outcome::Foreign),
            why_not_ready: self.why_not_ready(),
            rejected: Vec::new(),
            advice: Vec::new(),
        }
    }

    fn reduced(&self, key: &Key) -> Key {
        let mut reduced = Key::default();
        for &label in &self.kept {
            reduced.set(label, key.get(label));
        }
        reduced
    }

    #[cold]
    fn open(&mut self, row: usize, now: u64) {
        let key = self.traffic.key(row);
        self.fill(&key);
        self.rows.push(Traffic { latency: NO_LATENCY, ..Traffic::default() });
        self.find_latency(row, &key, now);
        self.open_usual(&key, now);
    }

    /// A row that was there for its zero has its first request.
    #[cold]
    fn begin_counting(&mut self, row: usize, now: u64) {
        self.zeroes -= 1;
        self.find_latency(row, &self.traffic.key(row), now);
    }

    fn find_latency(&mut self, row: usize, key: &Key, now: u64) {
        let wanted = self.derive(key);
        let latencies = self.latency.len();
        let own = self.latency.row(&wanted, now);
        let latency = own.unwrap_or_else(|| self.latency.row_beyond(&self.derive(&self.reduced(key)), now));
        self.histograms.open(latency);
        if latency == latencies {
            self.fill_latency(&wanted);
        }
        let figures = &mut self.rows[row];
        (figures.latency, figures.folded) = (u32::try_from(latency).unwrap_or(0), own.is_none());
    }

    /// Where something has been served, the usual statuses of its method come with it at zero: at most in a quarter of
    /// the places, and only while half of all are free. Answers of 400 and above bring none, for scanners get these.
    fn open_usual(&mut self, key: &Key, now: u64) {
        let Usual { method, status, statuses } = &self.usual;
        let served = status_id(Some(100))..status_id(Some(400));
        let usual = statuses.iter().find(|(id, _)| *id == key.get(*method));
        let Some((_, usual)) = usual.filter(|_| served.contains(&key.get(*status))) else { return };
        let (status, usual) = (*status, usual.clone());
        for id in usual {
            let places = self.traffic.places();
            if self.zeroes * 4 >= places || self.traffic.used() * 2 >= places {
                return;
            }
            let key = key.with(status, id);
            if self.traffic.readmit(&key, now) == Some(self.rows.len()) {
                self.zeroes += 1;
                self.fill(&key);
                self.rows.push(Traffic { latency: NO_LATENCY, ..Traffic::default() });
            }
        }
    }

    /// Takes as many places as the text of a new row needs: one of long values takes those of several.
    fn fill(&mut self, key: &Key) {
        let families = [true, self.has_bytes_sent, self.has_bytes_received, self.has_attempts];
        let families = families.iter().filter(|has| **has).count();
        let labels = self.labels.iter().enumerate().map(|(place, label)| label.width(key.get(place)));
        let text = families * (labels.sum::<usize>() + SAMPLE_WIDTH);
        self.traffic_text += text;
        self.traffic.hold(self.traffic_text / limits::SERIES_TEXT_BYTES);
    }

    /// The same for a row of histograms.
    fn fill_latency(&mut self, latency: &Key) {
        let labels = self.derived.iter().enumerate().map(|(place, (name, from))| match *from {
            Derived::Same(label) => self.labels[label].width(latency.get(place)),
            Derived::Class(_) => name.len() + "=\"2xx\",".len(),
        });
        // A sample for each bound and for +Inf, the sum and the count.
        let samples = self.histograms.shapes().iter().map(|shape| shape.bounds.len() + 3).sum::<usize>();
        let text = samples * (labels.sum::<usize>() + SAMPLE_WIDTH);
        self.latency_text += text;
        let text_bytes = match self.histograms.kinds().classic {
            true => limits::HISTOGRAM_TEXT_BYTES,
            false => limits::NATIVE_TEXT_BYTES,
        };
        self.latency.hold(self.latency_text / text_bytes);
    }

    fn derive(&self, key: &Key) -> Key {
        let mut derived = Key::default();
        for (place, (_, from)) in self.derived.iter().enumerate() {
            let id = match *from {
                Derived::Same(label) => key.get(label),
                Derived::Class(label) if key.get(label) == 0 => 0,
                Derived::Class(label) => (key.get(label) - 1) / 100 + 1,
            };
            derived.set(place, id);
        }
        derived
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::HistogramKinds;

    fn two_labels() -> Ledger {
        let named = Values::Named(Dictionary::open(100, false));
        let labels = vec![
            Label { name: "status_code".into(), values: Values::Status, open: false, is_constant: false },
            Label { name: "vhost".into(), values: named, open: true, is_constant: false },
        ];
        let derived = vec![("status_class".into(), Derived::Class(0)), ("vhost".into(), Derived::Same(1))];
        Ledger::new(labels, vec![0], derived, Histograms::new(HistogramKinds::BOTH), 2)
    }

    fn key(status: u16, vhost: u16) -> Key {
        let mut key = Key::default();
        key.set(0, status_id(Some(status)));
        key.set(1, vhost);
        key
    }

    #[test]
    fn a_full_ledger_tells_only_the_few_apart() {
        let mut ledger = two_labels();
        let rows: Vec<usize> = [key(200, 1), key(404, 2), key(404, 3), key(404, 4), key(200, 1)]
            .map(|k| ledger.row(&k, 0))
            .to_vec();
        assert_eq!(rows, [0, 1, 2, 2, 0]);
        assert_eq!((ledger.series_overflow, ledger.traffic.key(2)), (2, key(404, 0)));
        // Two rows of histograms were allowed: the rest fall into those of their class alone.
        assert_eq!([0, 1, 2].map(|row| ledger.enter(row, None, None)), [0, 1, 2]);
        assert_eq!([0, 1].map(|label| ledger.latency.key(2).get(label)), [4, 0]);
    }

    #[test]
    fn what_becomes_frequent_wins_a_row_of_a_page_that_noise_has_filled() {
        let mut ledger =
            Ledger::new(two_labels().labels, vec![0], Vec::new(), Histograms::new(HistogramKinds::BOTH), 16);
        for vhost in 1..100 {
            ledger.row(&key(404, vhost), 0);
        }
        let rows = [(); 5].map(|()| ledger.row(&key(200, 100), 0));
        assert_eq!(rows[..3], [ledger.row(&key(200, 0), 0); 3], "in the row of its status");
        assert_eq!(rows[3..], [rows[3]; 2]);
        assert_eq!(ledger.traffic.key(rows[3]), key(200, 100));
    }

    #[test]
    fn a_row_of_long_values_takes_the_room_of_several() {
        let mut ledger =
            Ledger::new(two_labels().labels, vec![0], Vec::new(), Histograms::new(HistogramKinds::BOTH), 10);
        (ledger.has_bytes_sent, ledger.has_bytes_received) = (true, true);
        let mut open = |value: u8| {
            let vhost = ledger.id(1, &[value; 256]);
            ledger.row(&key(200, vhost), 0);
            (ledger.rows.len(), ledger.series_overflow)
        };
        // Each is as wide as three names with their numbers and labels, and ten may have 600 bytes each.
        let width = 3 * (SAMPLE_WIDTH + "status_code=\"200\",vhost=\"\",".len() + 256);
        let rows = (10 * limits::SERIES_TEXT_BYTES).div_ceil(width);
        assert!(rows < 10);
        let opened: Vec<(usize, u64)> = (b'a'..b'a' + 12).map(&mut open).collect();
        assert_eq!(opened[rows - 1], (rows, 0));
        assert_eq!(opened[11], (rows + 1, 12 - rows as u64));
        // Escapes are seen as well: quotes are twice as wide as letters.
        ledger =
            Ledger::new(two_labels().labels, vec![0], Vec::new(), Histograms::new(HistogramKinds::BOTH), 1);
        ledger.has_bytes_sent = true;
        let vhost = ledger.id(1, &[b'"'; 256]);
        ledger.row(&key(200, vhost), 0);
        assert!(ledger.traffic_text >= limits::SERIES_TEXT_BYTES);
    }

    #[test]
    fn every_number_of_a_status_has_its_text() {
        let values = Values::Status;
        for (status, text) in [(200, "200"), (100, "100"), (599, "599"), (99, "other"), (600, "other")] {
            assert_eq!(values.text(status_id(Some(status))), text);
        }
        assert_eq!((status_id(None), class_text(3)), (0, "3xx"));
    }
}
