//! Protobuf form of a page: `io.prometheus.client.MetricFamily` messages, each with its length before it.
//!
//! Sources: metrics.proto of prometheus/client_model for the numbers of the fields, and "Encoding" of the protocol
//! buffers' documentation for the bytes. Only what a page has is written: no message is ever read here.
//!
//! Written here and not by the `prometheus` crate, whose messages have neither native histograms nor start timestamps
//! and would be built in full before they are written; the writer is no longer than filling them in would be.

use crate::catalogue::{Kind, unit_of};
use crate::count::native::NativeCounts;
use crate::fixed_point::FixedPoint;
use crate::snapshot::exposition::spans::{self, Span};
use crate::snapshot::page::{Exemplar, Family, Histogram, Page, Series, Summary, Value};
use std::ops::Range;
use std::sync::Arc;

/// Numbers of fields, by the message that has them.
mod field {
    pub mod metric_family {
        pub const NAME: u32 = 1;
        pub const HELP: u32 = 2;
        pub const TYPE: u32 = 3;
        pub const METRIC: u32 = 4;
        pub const UNIT: u32 = 5;
    }
    pub mod metric {
        pub const LABEL: u32 = 1;
        pub const GAUGE: u32 = 2;
        pub const COUNTER: u32 = 3;
        pub const SUMMARY: u32 = 4;
        pub const HISTOGRAM: u32 = 7;
    }
    pub mod label_pair {
        pub const NAME: u32 = 1;
        pub const VALUE: u32 = 2;
    }
    pub mod gauge {
        pub const VALUE: u32 = 1;
    }
    pub mod counter {
        pub const VALUE: u32 = 1;
        pub const EXEMPLAR: u32 = 2;
        pub const START_TIMESTAMP: u32 = 3;
    }
    pub mod summary {
        pub const SAMPLE_COUNT: u32 = 1;
        pub const SAMPLE_SUM: u32 = 2;
        pub const QUANTILE: u32 = 3;
        pub const START_TIMESTAMP: u32 = 4;
    }
    pub mod quantile {
        pub const QUANTILE: u32 = 1;
        pub const VALUE: u32 = 2;
    }
    pub mod histogram {
        pub const SAMPLE_COUNT: u32 = 1;
        pub const SAMPLE_SUM: u32 = 2;
        pub const BUCKET: u32 = 3;
        pub const SCHEMA: u32 = 5;
        pub const ZERO_THRESHOLD: u32 = 6;
        pub const ZERO_COUNT: u32 = 7;
        pub const POSITIVE_SPAN: u32 = 12;
        pub const POSITIVE_DELTA: u32 = 13;
        pub const START_TIMESTAMP: u32 = 15;
        pub const EXEMPLARS: u32 = 16;
    }
    pub mod bucket_span {
        pub const OFFSET: u32 = 1;
        pub const LENGTH: u32 = 2;
    }
    pub mod bucket {
        pub const CUMULATIVE_COUNT: u32 = 1;
        pub const UPPER_BOUND: u32 = 2;
        pub const EXEMPLAR: u32 = 3;
    }
    pub mod exemplar {
        pub const LABEL: u32 = 1;
        pub const VALUE: u32 = 2;
        pub const TIMESTAMP: u32 = 3;
    }
    pub mod timestamp {
        pub const SECONDS: u32 = 1;
        pub const NANOS: u32 = 2;
    }
}

/// How a field's bytes are to be read, the last three bits of its key.
const VARINT: u32 = 0;
const EIGHT_BYTES: u32 = 1;
const LENGTH_AND_BYTES: u32 = 2;

/// As many bytes as a page takes.
pub fn room(page: &Page) -> usize {
    page.families.iter().map(|(name, family)| room_of(name, family)).sum::<usize>() + Short::BYTES
}

/// A label is six bytes more than its texts, where `name="value",` is five. Keys, lengths and figures of the messages
/// around them are rounded up.
fn room_of(name: &str, family: &Family) -> usize {
    let of_exemplar = |exemplar: &Exemplar| 2 * exemplar.labels.len() + 64;
    let of_series = |series: &Series| {
        let value = match &series.value {
            Value::Number { exemplar, .. } => exemplar.as_deref().map_or(0, of_exemplar),
            Value::Histogram(histogram) => {
                let exemplars = histogram.exemplars.iter().flatten();
                // No more are filled than were counted.
                let native_max = histogram.total().min(NativeCounts::FILLED_MAX as u64);
                let native =
                    histogram.native.as_ref().map_or(0, |_| usize::try_from(native_max).unwrap_or(0));
                // An exemplar is there twice where there are native counts.
                let exemplars = exemplars.map(|exemplar| 2 * of_exemplar(exemplar)).sum::<usize>();
                32 * (histogram.counts.len() + native + 2) + exemplars
            }
            Value::Summary(summary) => 32 * summary.quantiles.len(),
        };
        2 * series.labels.len() + 64 + value
    };
    64 + name.len() + family.help.len() + family.series.iter().map(of_series).sum::<usize>()
}

/// Writes the page behind what is there.
pub fn write_to(out: &mut Vec<u8>, page: &Page) {
    let mut repeated = Repeated::default();
    let mut written = Vec::new();
    for (name, family) in &page.families {
        let same = written.iter().find(|written: &&Written<'_>| written.has_labels_of(family));
        let mut places = Vec::new();
        let start = with_length(out, |out| {
            let start = out.len();
            bytes(out, field::metric_family::NAME, name.as_bytes());
            bytes(out, field::metric_family::HELP, family.help.as_bytes());
            number(out, field::metric_family::TYPE, type_number(family.kind));
            for (index, series) in family.series.iter().enumerate() {
                let mut labels_length = 0;
                key(out, field::metric_family::METRIC, LENGTH_AND_BYTES);
                let labels_start = with_length(out, |out| {
                    let start = out.len();
                    match same {
                        Some(written) => out.extend_from_within(written.labels[index].clone()),
                        None => repeated.labels(out, &series.labels),
                    }
                    labels_length = out.len() - start;
                    value(out, family.kind, series, &mut repeated);
                });
                if same.is_none() {
                    places.push(labels_start - start..labels_start - start + labels_length);
                }
            }
            if let Some(unit) = unit_of(name) {
                bytes(out, field::metric_family::UNIT, unit.as_bytes());
            }
        });
        if same.is_none() {
            places.iter_mut().for_each(|place| *place = place.start + start..place.end + start);
            written.push(Written { series: &family.series, labels: places });
        }
    }
}

/// A family that is written, and where the labels of its series are: others with the same labels copy them from there.
struct Written<'p> {
    series: &'p [Series],
    labels: Vec<Range<usize>>,
}

impl Written<'_> {
    /// Whether they are the same texts, not only equal ones: families of one table share them.
    fn has_labels_of(&self, family: &Family) -> bool {
        let mut both = self.series.iter().zip(&family.series);
        self.series.len() == family.series.len() && both.all(|(a, b)| Arc::ptr_eq(&a.labels, &b.labels))
    }
}

/// The enum MetricType.
fn type_number(kind: Kind) -> u64 {
    match kind {
        Kind::Counter => 0,
        Kind::Gauge | Kind::Info => 1,
        Kind::Summary => 2,
        Kind::Histogram => 4,
    }
}

/// What most series have as the one before them had it, kept as it was written: they stand in the order of their
/// labels, so most begin with the same ones, and many began at the same time.
#[derive(Default)]
struct Repeated<'p> {
    labels: &'p str,
    /// Where each label ends, in the text and in the bytes.
    ends: Vec<(usize, usize)>,
    label_bytes: Vec<u8>,
    time: Option<FixedPoint>,
    time_bytes: Vec<u8>,
    bounds: &'p [FixedPoint],
    /// The same, and +Inf.
    bound_doubles: Vec<f64>,
    /// Those of the native histogram that is written, here for their memory alone.
    deltas: Vec<u8>,
}

impl<'p> Repeated<'p> {
    fn labels(&mut self, out: &mut Vec<u8>, labels: &'p str) {
        let before = self.labels;
        let is_same = |(end, _): &(usize, usize)| labels.as_bytes().starts_with(&before.as_bytes()[..*end]);
        let same = self.ends.iter().rposition(is_same).map_or(0, |last| last + 1);
        self.ends.truncate(same);
        let (in_text, in_bytes) = self.ends.last().copied().unwrap_or_default();
        self.labels = labels;
        self.label_bytes.truncate(in_bytes);
        let mut rest = &labels.as_bytes()[in_text..];
        while !rest.is_empty() {
            rest = rest.strip_prefix(b",").unwrap_or(rest);
            rest = label(&mut self.label_bytes, field::metric::LABEL, rest);
            self.ends.push((labels.len() - rest.len(), self.label_bytes.len()));
        }
        out.extend_from_slice(&self.label_bytes);
    }

    /// The bytes of the message that tells the time.
    fn start(&mut self, created: Option<FixedPoint>) -> &[u8] {
        if self.time != created {
            self.time = created;
            self.time_bytes.clear();
            created.into_iter().for_each(|time| timestamp(&mut self.time_bytes, time));
        }
        &self.time_bytes
    }

    /// The upper bounds of the buckets, with +Inf.
    fn bounds(&mut self, bounds: &'p [FixedPoint]) -> &[f64] {
        if self.bound_doubles.is_empty() || !std::ptr::eq(self.bounds, bounds) {
            self.bounds = bounds;
            self.bound_doubles.clear();
            self.bound_doubles.extend(bounds.iter().map(|bound| bound.to_f64()).chain([f64::INFINITY]));
        }
        &self.bound_doubles
    }
}

fn value<'p>(out: &mut Vec<u8>, kind: Kind, series: &'p Series, repeated: &mut Repeated<'p>) {
    match &series.value {
        Value::Number { value, exemplar: of_value } if kind == Kind::Counter => {
            message(out, field::metric::COUNTER, |out| {
                double(out, field::counter::VALUE, value.to_f64());
                exemplar(out, field::counter::EXEMPLAR, of_value.as_deref());
                optional(out, field::counter::START_TIMESTAMP, repeated.start(series.created));
            });
        }
        Value::Number { value, .. } => {
            message(out, field::metric::GAUGE, |out| double(out, field::gauge::VALUE, value.to_f64()));
        }
        Value::Histogram(value) => message(out, field::metric::HISTOGRAM, |out| {
            histogram(out, value, repeated);
            optional(out, field::histogram::START_TIMESTAMP, repeated.start(series.created));
        }),
        Value::Summary(value) => message(out, field::metric::SUMMARY, |out| {
            summary(out, value);
            optional(out, field::summary::START_TIMESTAMP, repeated.start(series.created));
        }),
    }
}

fn histogram<'p>(out: &mut Vec<u8>, histogram: &'p Histogram, repeated: &mut Repeated<'p>) {
    number(out, field::histogram::SAMPLE_COUNT, histogram.total());
    double(out, field::histogram::SAMPLE_SUM, histogram.sum.to_f64());
    if let Some(native) = &histogram.native {
        native_buckets(out, native, &mut repeated.deltas);
        // A native histogram's exemplars must have a time.
        let timed = histogram.exemplars.iter().flatten().filter(|exemplar| exemplar.time.is_some());
        timed.for_each(|of_any| exemplar(out, field::histogram::EXEMPLARS, Some(of_any)));
        if histogram.bounds.is_empty() {
            return;
        }
    }
    let mut cumulative = 0u64;
    let bounds = repeated.bounds(&histogram.bounds);
    for (index, (count, bound)) in histogram.counts.iter().zip(bounds).enumerate() {
        cumulative = cumulative.saturating_add(*count);
        let of_bucket = histogram.exemplars.get(index).and_then(Option::as_deref);
        if of_bucket.is_none() {
            let mut bucket = Short::new();
            bucket.number(field::bucket::CUMULATIVE_COUNT, cumulative);
            bucket.double(field::bucket::UPPER_BOUND, *bound);
            bucket.write_to(out, field::histogram::BUCKET);
            continue;
        }
        message(out, field::histogram::BUCKET, |out| {
            number(out, field::bucket::CUMULATIVE_COUNT, cumulative);
            double(out, field::bucket::UPPER_BOUND, *bound);
            exemplar(out, field::bucket::EXEMPLAR, of_bucket);
        });
    }
}

/// Spans of buckets, and what each bucket has more than the one before.
fn native_buckets(out: &mut Vec<u8>, native: &NativeCounts, deltas: &mut Vec<u8>) {
    number(out, field::histogram::SCHEMA, zigzag(i64::from(native.schema())));
    double(out, field::histogram::ZERO_THRESHOLD, 2f64.powi(i32::from(native.zero_exponent())));
    number(out, field::histogram::ZERO_COUNT, native.zero());
    let mut before = 0;
    deltas.clear();
    let on_count = |count: u64| {
        let delta = count.wrapping_sub(std::mem::replace(&mut before, count)).cast_signed();
        number(deltas, field::histogram::POSITIVE_DELTA, zigzag(delta));
    };
    spans::for_each(native, |span| positive_span(out, &span), on_count);
    if deltas.is_empty() {
        // Without any span it would be no native histogram.
        positive_span(out, &Span { offset: 0, length: 0 });
    }
    out.extend_from_slice(deltas);
}

fn positive_span(out: &mut Vec<u8>, span: &Span) {
    let mut message = Short::new();
    message.number(field::bucket_span::OFFSET, zigzag(i64::from(span.offset)));
    message.number(field::bucket_span::LENGTH, u64::try_from(span.length).unwrap_or(0));
    message.write_to(out, field::histogram::POSITIVE_SPAN);
}

/// A number with a sign as one without: small ones take few bytes, below 0 or not.
pub fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63).cast_unsigned()
}

fn summary(out: &mut Vec<u8>, summary: &Summary) {
    number(out, field::summary::SAMPLE_COUNT, summary.count);
    double(out, field::summary::SAMPLE_SUM, summary.sum.to_f64());
    for quantile in &summary.quantiles {
        message(out, field::summary::QUANTILE, |out| {
            double(out, field::quantile::QUANTILE, quantile.quantile);
            double(out, field::quantile::VALUE, quantile.value);
        });
    }
}

#[inline]
fn exemplar(out: &mut Vec<u8>, number: u32, exemplar: Option<&Exemplar>) {
    let Some(exemplar) = exemplar else { return };
    message(out, number, |out| {
        let mut rest = exemplar.labels.as_bytes();
        while !rest.is_empty() {
            rest = label(out, field::exemplar::LABEL, rest);
            rest = rest.strip_prefix(b",").unwrap_or(rest);
        }
        double(out, field::exemplar::VALUE, exemplar.value.to_f64());
        if let Some(time) = exemplar.time {
            message(out, field::exemplar::TIMESTAMP, |out| timestamp(out, time));
        }
    });
}

/// google.protobuf.Timestamp, of a time since the epoch.
fn timestamp(out: &mut Vec<u8>, time: FixedPoint) {
    let nanos = u64::try_from(time.as_nanos()).unwrap_or(0);
    number(out, field::timestamp::SECONDS, nanos / 1_000_000_000);
    number(out, field::timestamp::NANOS, nanos % 1_000_000_000);
}

/// A message that is there already, if it is.
fn optional(out: &mut Vec<u8>, field: u32, message: &[u8]) {
    if !message.is_empty() {
        bytes(out, field, message);
    }
}

/// Writes the first of labels that are `a="x",b="y"` on a page as a LabelPair, and gives back what follows it.
fn label<'t>(out: &mut Vec<u8>, field: u32, text: &'t [u8]) -> &'t [u8] {
    let end = text.iter().position(|byte| *byte == b'=').unwrap_or(text.len());
    let mut rest = text.get(end + 2..).unwrap_or_default();
    message(out, field, |out| {
        bytes(out, field::label_pair::NAME, &text[..end]);
        rest = after_value(out, rest);
    });
    rest
}

/// Writes a value up to the quote that ends it, without its escapes, and gives back what follows the quote.
fn after_value<'t>(out: &mut Vec<u8>, text: &'t [u8]) -> &'t [u8] {
    let end = text.iter().position(|byte| matches!(byte, b'"' | b'\\')).unwrap_or(text.len());
    if text.get(end) != Some(&b'\\') {
        bytes(out, field::label_pair::VALUE, &text[..end]);
        return text.get(end + 1..).unwrap_or_default();
    }
    let mut rest = text;
    message(out, field::label_pair::VALUE, |out| {
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            match byte {
                b'"' => break,
                b'\\' => {
                    let (&escaped, after) = rest.split_first().unwrap_or((&byte, rest));
                    out.push(if escaped == b'n' { b'\n' } else { escaped });
                    rest = after;
                }
                byte => out.push(byte),
            }
        }
    });
    rest
}

// --- the encoding ---

/// Seven bits a byte, the lowest first, and the eighth where more follow.
fn varint_bytes(mut value: u64) -> ([u8; 10], usize) {
    let (mut bytes, mut length) = ([0; 10], 1);
    while value > 0x7f {
        bytes[length - 1] = value.to_le_bytes()[0] | 0x80;
        value >>= 7;
        length += 1;
    }
    bytes[length - 1] = value.to_le_bytes()[0];
    (bytes, length)
}

pub fn varint(out: &mut Vec<u8>, value: u64) {
    if value <= 0x7f {
        out.push(value.to_le_bytes()[0]);
    } else {
        let (bytes, length) = varint_bytes(value);
        out.extend_from_slice(&bytes[..length]);
    }
}

fn key(out: &mut Vec<u8>, field: u32, kind: u32) {
    varint(out, u64::from(field << 3 | kind));
}

/// A key and what follows it, which most often are two bytes.
fn key_and_varint(out: &mut Vec<u8>, field: u32, kind: u32, value: u64) {
    let key = u64::from(field << 3 | kind);
    if key <= 0x7f && value <= 0x7f {
        out.extend_from_slice(&[key.to_le_bytes()[0], value.to_le_bytes()[0]]);
    } else {
        varint(out, key);
        varint(out, value);
    }
}

fn number(out: &mut Vec<u8>, field: u32, value: u64) {
    key_and_varint(out, field, VARINT, value);
}

fn double(out: &mut Vec<u8>, field: u32, value: f64) {
    key(out, field, EIGHT_BYTES);
    out.extend_from_slice(&value.to_le_bytes());
}

fn bytes(out: &mut Vec<u8>, field: u32, bytes: &[u8]) {
    key_and_varint(out, field, LENGTH_AND_BYTES, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn message(out: &mut Vec<u8>, field: u32, write: impl FnOnce(&mut Vec<u8>)) {
    key(out, field, LENGTH_AND_BYTES);
    with_length(out, write);
}

/// What is written, with its length before it. A byte is left free for that; where the length takes more, which most
/// messages' does not, what was written moves up. Returned is where it then begins.
fn with_length(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> usize {
    let start = out.len();
    out.push(0);
    write(out);
    let end = out.len();
    let (length, taken) = varint_bytes((end - start - 1) as u64);
    if taken > 1 {
        out.resize(end + taken - 1, 0);
        out.copy_within(start + 1..end, start + taken);
    }
    out[start..start + taken].copy_from_slice(&length[..taken]);
    start + taken
}

/// A message of two fields, which are numbers: 22 bytes at most, put together here and written at once. Buckets and
/// spans are most of a page's messages.
struct Short {
    /// The key and the length of the message, then its fields.
    bytes: [u8; Short::BYTES],
    end: usize,
}

impl Short {
    const BYTES: usize = 32;

    fn new() -> Short {
        Short { bytes: [0; Short::BYTES], end: 2 }
    }

    fn varint(&mut self, mut value: u64) {
        while value > 0x7f {
            self.bytes[self.end] = value.to_le_bytes()[0] | 0x80;
            value >>= 7;
            self.end += 1;
        }
        self.bytes[self.end] = value.to_le_bytes()[0];
        self.end += 1;
    }

    fn number(&mut self, field: u32, value: u64) {
        self.varint(u64::from(field << 3 | VARINT));
        self.varint(value);
    }

    fn double(&mut self, field: u32, value: f64) {
        self.varint(u64::from(field << 3 | EIGHT_BYTES));
        self.bytes[self.end..self.end + 8].copy_from_slice(&value.to_le_bytes());
        self.end += 8;
    }

    /// All bytes are written and those behind the end taken back: a copy of a known length is no call.
    fn write_to(mut self, out: &mut Vec<u8>, field: u32) {
        debug_assert!(field < 16, "its key is one byte");
        self.bytes[0] = (field << 3 | LENGTH_AND_BYTES).to_le_bytes()[0];
        self.bytes[1] = (self.end - 2).to_le_bytes()[0];
        let end = out.len() + self.end;
        out.extend_from_slice(&self.bytes);
        out.truncate(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;
    use crate::catalogue::Merge;
    use crate::snapshot::page::{Quantile, push_label};
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::sync::Arc;

    /// A message as its fields: numbers, doubles as their bits, and bytes, in order by the field's number.
    #[derive(Debug, Default)]
    struct Message<'a> {
        numbers: BTreeMap<u32, Vec<u64>>,
        bytes: BTreeMap<u32, Vec<&'a [u8]>>,
    }

    fn read_varint(rest: &mut &[u8]) -> u64 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let (&byte, after) = rest.split_first().expect("a varint ends");
            *rest = after;
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return value;
            }
        }
    }

    fn take<'a>(rest: &mut &'a [u8], length: usize) -> &'a [u8] {
        let (taken, after) = rest.split_at_checked(length).expect("as long as it says");
        *rest = after;
        taken
    }

    impl<'a> Message<'a> {
        fn read(mut rest: &'a [u8]) -> Message<'a> {
            let mut message = Message::default();
            while !rest.is_empty() {
                let key = u32::try_from(read_varint(&mut rest)).unwrap();
                let field = key >> 3;
                match key & 7 {
                    VARINT => message.numbers.entry(field).or_default().push(read_varint(&mut rest)),
                    EIGHT_BYTES => {
                        let bits = u64::from_le_bytes(take(&mut rest, 8).try_into().unwrap());
                        message.numbers.entry(field).or_default().push(bits);
                    }
                    LENGTH_AND_BYTES => {
                        let length = read_varint(&mut rest);
                        let bytes = take(&mut rest, usize::try_from(length).unwrap());
                        message.bytes.entry(field).or_default().push(bytes);
                    }
                    other => panic!("no such kind of field: {other}"),
                }
            }
            message
        }

        fn number(&self, field: u32) -> u64 {
            self.numbers[&field][0]
        }

        fn double(&self, field: u32) -> f64 {
            f64::from_bits(self.number(field))
        }

        fn text(&self, field: u32) -> String {
            String::from_utf8(self.bytes[&field][0].to_vec()).unwrap()
        }

        fn all(&self, field: u32) -> Vec<Message<'a>> {
            self.bytes.get(&field).into_iter().flatten().map(|bytes| Message::read(bytes)).collect()
        }

        fn one(&self, field: u32) -> Option<Message<'a>> {
            self.all(field).into_iter().next()
        }

        fn time(&self, field: u32) -> Option<FixedPoint> {
            let time = self.one(field)?;
            let nanos = time.number(field::timestamp::NANOS);
            Some(FixedPoint::nanos(
                u128::from(time.number(field::timestamp::SECONDS)) * 1_000_000_000 + u128::from(nanos),
            ))
        }

        fn labels(&self, field: u32) -> String {
            let mut labels = String::new();
            for pair in self.all(field) {
                push_label(
                    &mut labels,
                    &pair.text(field::label_pair::NAME),
                    &pair.text(field::label_pair::VALUE),
                );
            }
            labels
        }

        fn exemplar(&self, field: u32) -> Option<Box<Exemplar>> {
            let exemplar = self.one(field)?;
            Some(Box::new(Exemplar {
                labels: exemplar.labels(field::exemplar::LABEL),
                value: FixedPoint::from_f64(exemplar.double(field::exemplar::VALUE)),
                time: exemplar.time(field::exemplar::TIMESTAMP),
            }))
        }

        fn value(&self, kind: Kind) -> (Value, Option<FixedPoint>) {
            match kind {
                Kind::Counter => {
                    let counter = self.one(field::metric::COUNTER).unwrap();
                    let value = FixedPoint::from_f64(counter.double(field::counter::VALUE));
                    let exemplar = counter.exemplar(field::counter::EXEMPLAR);
                    (Value::Number { value, exemplar }, counter.time(field::counter::START_TIMESTAMP))
                }
                Kind::Gauge | Kind::Info => {
                    let gauge = self.one(field::metric::GAUGE).unwrap();
                    let value = FixedPoint::from_f64(gauge.double(field::gauge::VALUE));
                    (Value::Number { value, exemplar: None }, None)
                }
                Kind::Histogram => {
                    let histogram = self.one(field::metric::HISTOGRAM).unwrap();
                    (
                        Value::Histogram(Box::new(histogram.histogram())),
                        histogram.time(field::histogram::START_TIMESTAMP),
                    )
                }
                Kind::Summary => {
                    let summary = self.one(field::metric::SUMMARY).unwrap();
                    let quantile = |of: Message<'_>| Quantile {
                        quantile: of.double(field::quantile::QUANTILE),
                        value: of.double(field::quantile::VALUE),
                    };
                    let value = Summary {
                        quantiles: summary.all(field::summary::QUANTILE).into_iter().map(quantile).collect(),
                        sum: FixedPoint::from_f64(summary.double(field::summary::SAMPLE_SUM)),
                        count: summary.number(field::summary::SAMPLE_COUNT),
                    };
                    (Value::Summary(Box::new(value)), summary.time(field::summary::START_TIMESTAMP))
                }
            }
        }

        fn native(&self) -> Option<NativeCounts> {
            let signed = |value: u64| (value >> 1).cast_signed() ^ -(value & 1).cast_signed();
            let schema = self.numbers.get(&field::histogram::SCHEMA)?[0];
            let threshold = self.double(field::histogram::ZERO_THRESHOLD);
            assert_eq!(threshold, 2f64.powi(-11));
            let mut deltas = self.numbers.get(&field::histogram::POSITIVE_DELTA).into_iter().flatten();
            let (mut bucket, mut count, mut filled) = (0, 0i64, Vec::new());
            for span in self.all(field::histogram::POSITIVE_SPAN) {
                bucket += signed(span.number(field::bucket_span::OFFSET));
                for _ in 0..span.number(field::bucket_span::LENGTH) {
                    count = count.wrapping_add(signed(*deltas.next().expect("as many as the spans say")));
                    filled.push((i32::try_from(bucket).unwrap(), count.cast_unsigned()));
                    bucket += 1;
                }
            }
            assert_eq!(deltas.next(), None);
            filled.retain(|(_, count)| *count > 0);
            let schema = u8::try_from(signed(schema)).unwrap();
            let zero = self.number(field::histogram::ZERO_COUNT);
            NativeCounts::of_buckets(schema, -11, zero, filled.into_iter())
        }

        fn histogram(&self) -> Histogram {
            let buckets = self.all(field::histogram::BUCKET);
            let bounds: Vec<f64> =
                buckets.iter().map(|bucket| bucket.double(field::bucket::UPPER_BOUND)).collect();
            let (last, bounds) = bounds.split_last().unwrap();
            assert!(last.is_infinite());
            let native = self.native();
            let mut below = 0;
            let counts = buckets.iter().map(|bucket| {
                let count = bucket.number(field::bucket::CUMULATIVE_COUNT);
                count - std::mem::replace(&mut below, count)
            });
            let counts = counts.collect();
            assert_eq!(below, self.number(field::histogram::SAMPLE_COUNT));
            let exemplars: Vec<_> =
                buckets.iter().map(|bucket| bucket.exemplar(field::bucket::EXEMPLAR)).collect();
            Histogram {
                bounds: bounds.iter().map(|bound| FixedPoint::from_f64(*bound)).collect(),
                counts,
                sum: FixedPoint::from_f64(self.double(field::histogram::SAMPLE_SUM)),
                exemplars: if exemplars.iter().any(Option::is_some) { exemplars } else { Vec::new() },
                native: native.map(Arc::new),
            }
        }
    }

    /// The page that the bytes are of.
    fn read(mut rest: &[u8]) -> Page {
        let mut page = Page::default();
        while !rest.is_empty() {
            let length = read_varint(&mut rest);
            let family = Message::read(take(&mut rest, usize::try_from(length).unwrap()));
            let name = family.text(field::metric_family::NAME);
            let metric = catalogue::find(&name).unwrap();
            assert_eq!(family.number(field::metric_family::TYPE), type_number(metric.kind));
            let unit = family.bytes.get(&field::metric_family::UNIT).map(|unit| unit[0]);
            assert_eq!(unit, unit_of(&name).map(str::as_bytes));
            let series = family.all(field::metric_family::METRIC).into_iter().map(|series| {
                let (value, created) = series.value(metric.kind);
                Series { labels: series.labels(field::metric::LABEL).into(), value, created }
            });
            let (kind, merge, help) = (metric.kind, metric.merge, family.text(field::metric_family::HELP));
            page.families.insert(name, Family { kind, merge, help, series: series.collect() });
        }
        page
    }

    fn labelled(value: &str) -> String {
        let mut labels = String::new();
        push_label(&mut labels, "method", "GET");
        push_label(&mut labels, "vhost", value);
        labels
    }

    fn page(rows: &BTreeMap<String, ([u32; 3], u32, Option<u32>)>) -> Page {
        let mut page = Page::default();
        let bounds: Arc<[FixedPoint]> =
            Arc::from([FixedPoint::parse("0.005").unwrap(), FixedPoint::whole(16384)]);
        let (mut counters, mut histograms) = (Vec::new(), Vec::new());
        for (value, (counts, sum, id)) in rows {
            let created = id.map(|id| FixedPoint::nanos(1_764_077_500_000_000_000 + u128::from(id)));
            let exemplar = id.map(|id| {
                let (labels, value) = (labelled("a # } \"b"), FixedPoint::whole(u64::from(id)));
                Box::new(Exemplar { labels, value, time: created })
            });
            let labels: Arc<str> = labelled(value).into();
            let number =
                Value::Number { value: FixedPoint::nanos(u128::from(*sum)), exemplar: exemplar.clone() };
            counters.push(Series { labels: labels.clone(), value: number, created });
            let exemplars = if id.is_some() { vec![None, exemplar.clone(), exemplar] } else { Vec::new() };
            let (counts, sum) = (counts.map(u64::from).to_vec(), FixedPoint::nanos(u128::from(*sum)));
            let in_seconds = bounds.iter().map(|bound| bound.to_f64());
            let native = id.map(|_| Arc::new(NativeCounts::of_classic(in_seconds, &counts, -11)));
            let histogram = Value::Histogram(Box::new(Histogram {
                bounds: bounds.clone(),
                counts,
                sum,
                exemplars,
                native,
            }));
            histograms.push(Series { labels, value: histogram, created });
        }
        page.insert(&catalogue::REQUESTS, counters);
        page.insert(&catalogue::DURATION, histograms);
        let quantiles =
            vec![Quantile { quantile: 0.5, value: f64::NAN }, Quantile { quantile: 0.99, value: 1e-7 }];
        let value = Value::Summary(Box::new(Summary { quantiles, sum: FixedPoint::nanos(7), count: 2 }));
        page.insert(
            &catalogue::QUANTILES,
            vec![Series { labels: "".into(), value, created: Some(FixedPoint::whole(5)) }],
        );
        page.insert_number(&catalogue::READY, FixedPoint::whole(1));
        page.insert_number(&catalogue::BUILD_INFO, FixedPoint::whole(1));
        assert!(page.families.values().all(|family| family.merge != Merge::Max));
        page
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            rows in prop::collection::btree_map("[ -~\\n\\r\u{e9}]{0,12}|x{120,300}", any::<([u32; 3], u32, Option<u32>)>(), 0..8),
        ) {
            let page = page(&rows);
            let mut bytes = Vec::new();
            write_to(&mut bytes, &page);
            prop_assert!(bytes.len() <= room(&page));
            prop_assert_eq!(read(&bytes), page);
        }
    }

    proptest! {
        #[test]
        fn a_short_message_is_written_as_any_other(value: u64, shift in 0u32..64, bits: u64, before in 0usize..40) {
            let (value, bound) = (value >> shift, f64::from_bits(bits));
            let mut expected = vec![b'x'; before];
            let mut out = expected.clone();
            message(&mut expected, 3, |out| {
                number(out, 1, value);
                number(out, 2, bits >> shift);
            });
            message(&mut expected, 12, |out| {
                number(out, 1, value);
                double(out, 2, bound);
            });
            let (mut numbers, mut bucket) = (Short::new(), Short::new());
            numbers.number(1, value);
            numbers.number(2, bits >> shift);
            numbers.write_to(&mut out, 3);
            bucket.number(1, value);
            bucket.double(2, bound);
            bucket.write_to(&mut out, 12);
            prop_assert_eq!(out, expected);
        }
    }

    #[test]
    fn a_length_takes_as_many_bytes_as_it_must() {
        for length in [0, 1, 127, 128, 16383, 16384, 2_097_152] {
            let mut out = b"before".to_vec();
            with_length(&mut out, |out| out.extend(std::iter::repeat_n(b'x', length)));
            let mut rest = &out[6..];
            assert_eq!(read_varint(&mut rest), length as u64);
            assert!(rest.len() == length && rest.iter().all(|byte| *byte == b'x'));
        }
    }
}
