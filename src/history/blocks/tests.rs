//! Blocks that are read as the documentation of Prometheus has them have the samples that were written.

use super::*;
use crate::catalogue;
use crate::fixed_point::FixedPoint;
use crate::history::samples::Part;
use crate::input::tee::tests::TempDir;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Milliseconds since 1970, and a figure.
pub type Sample = (i64, f64);

/// Reads bits and varints, the highest bit first.
struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

fn reader(bytes: &[u8]) -> Reader<'_> {
    Reader { bytes, at: 0 }
}

impl<'b> Reader<'b> {
    fn bits(&mut self, many: u32) -> u64 {
        (0..many).fold(0, |number, _| {
            let bit = self.bytes[self.at / 8] >> (7 - self.at % 8) & 1;
            self.at += 1;
            number << 1 | u64::from(bit)
        })
    }

    fn is_set(&mut self) -> bool {
        self.bits(1) == 1
    }

    fn length(&mut self) -> usize {
        usize::try_from(self.bits(32)).unwrap()
    }

    fn varint(&mut self) -> u64 {
        let mut number = 0;
        for place in 0.. {
            let byte = self.bits(8);
            number |= (byte & 127) << (7 * place);
            if byte < 128 {
                break;
            }
        }
        number
    }

    fn signed_varint(&mut self) -> i64 {
        let number = self.varint();
        (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
    }

    /// What follows from a whole byte on.
    fn take(&mut self, bytes: usize) -> &'b [u8] {
        let start = self.at / 8;
        self.at += bytes * 8;
        &self.bytes[start..start + bytes]
    }

    fn text(&mut self) -> String {
        let bytes = usize::try_from(self.varint()).unwrap();
        String::from_utf8(self.take(bytes).to_vec()).unwrap()
    }

    /// Bytes whose checksum follows.
    fn checked(&mut self, bytes: usize) -> &'b [u8] {
        let body = self.take(bytes);
        assert_eq!(self.take(4), checksum(body).to_be_bytes());
        body
    }

    /// What stands between its length and its checksum.
    fn section(&mut self) -> &'b [u8] {
        let bytes = self.length();
        self.checked(bytes)
    }

    fn pause_change(&mut self) -> i64 {
        let ones = (0..4).take_while(|_| self.is_set()).count();
        let bits = [0, 14, 17, 20, 64][ones];
        let number = i128::from(self.bits(bits));
        let is_negative = bits > 0 && number > 1 << (bits - 1);
        i64::try_from(if is_negative { number - (1 << bits) } else { number }).unwrap()
    }

    fn figure(&mut self, before: u64, zeros: &mut (u32, u32)) -> u64 {
        if !self.is_set() {
            return before;
        }
        if self.is_set() {
            let leading = u32::try_from(self.bits(5)).unwrap();
            let bits = match u32::try_from(self.bits(6)).unwrap() {
                0 => 64,
                bits => bits,
            };
            *zeros = (leading, 64 - leading - bits);
        }
        before ^ self.bits(64 - zeros.0 - zeros.1) << zeros.1
    }
}

/// The samples of a chunk as it stands in a file, whatever follows.
pub fn read_chunk(file: &[u8]) -> Vec<Sample> {
    let mut file = reader(file);
    let bytes = usize::try_from(file.varint()).unwrap();
    let body = file.checked(1 + bytes);
    assert_eq!(body[0], 1);
    let mut reader = reader(&body[1..]);
    let many = reader.bits(16);
    let mut samples = vec![(reader.signed_varint(), f64::from_bits(reader.bits(64)))];
    let (mut zeros, mut pause) = ((0, 0), 0);
    for number in 1..many {
        let (time, figure) = samples[samples.len() - 1];
        pause = if number == 1 { reader.varint().cast_signed() } else { pause + reader.pause_change() };
        samples.push((time + pause, f64::from_bits(reader.figure(figure.to_bits(), &mut zeros))));
    }
    assert!(bytes * 8 - reader.at < 8, "no byte too many");
    samples
}

type Labels = BTreeMap<String, String>;

/// Series in their order, each with its labels and its samples.
fn read_block(directory: &Path) -> Vec<(Labels, Vec<Sample>)> {
    let index = fs::read(directory.join("index")).unwrap();
    assert_eq!(index[..5], [0xBA, 0xAA, 0xD7, 0x00, 2]);
    let mut contents = reader(&index[index.len() - 52..]);
    let mut contents = reader(contents.checked(48));
    let mut start = || usize::try_from(contents.bits(64)).unwrap();
    let [symbols, series, label_indices, label_offsets, postings, offsets] = std::array::from_fn(|_| start());
    assert!(symbols < series && series < postings && label_indices == postings && postings < offsets);
    assert_eq!(reader(&index[label_offsets..]).section(), [0; 4]);
    let mut symbols = reader(reader(&index[symbols..]).section());
    let symbols: Vec<String> = (0..symbols.length()).map(|_| symbols.text()).collect();
    assert!(symbols.is_sorted_by(|a, b| a < b));
    // Which series a label has, and all under no name.
    let mut lists: Vec<((String, String), Vec<usize>)> = Vec::new();
    let mut table = reader(reader(&index[offsets..]).section());
    for _ in 0..table.length() {
        assert_eq!(table.bits(8), 2);
        let label = (table.text(), table.text());
        let start = usize::try_from(table.varint()).unwrap();
        assert_eq!(start % 4, 0);
        let mut list = reader(reader(&index[start..]).section());
        lists.push((label, (0..list.length()).map(|_| list.length()).collect()));
    }
    assert!(lists.is_sorted_by(|(a, _), (b, _)| a < b));
    let ((name, value), all) = lists.remove(0);
    assert_eq!((name.as_str(), value.as_str()), ("", ""));
    assert!(all.is_sorted_by(|a, b| a < b));
    let mut expected: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
    let mut used = BTreeSet::new();
    let mut read = Vec::new();
    for reference in all {
        let mut entry = reader(&index[16 * reference..]);
        let bytes = usize::try_from(entry.varint()).unwrap();
        let mut entry = reader(entry.checked(bytes));
        let symbol = |entry: &mut Reader<'_>| symbols[usize::try_from(entry.varint()).unwrap()].clone();
        let labels: Vec<(String, String)> =
            (0..entry.varint()).map(|_| (symbol(&mut entry), symbol(&mut entry))).collect();
        assert!(labels.is_sorted_by(|a, b| a < b));
        for label in &labels {
            expected.entry(label.clone()).or_default().push(reference);
            used.extend([label.0.clone(), label.1.clone()]);
        }
        read.push((labels.into_iter().collect(), read_samples(directory, &mut entry)));
    }
    assert_eq!(lists, expected.into_iter().collect::<Vec<_>>());
    assert!(symbols.iter().eq(&used));
    read
}

/// The chunks that an entry of the index names.
fn read_samples(directory: &Path, entry: &mut Reader<'_>) -> Vec<Sample> {
    let (mut samples, mut last, mut reference) = (Vec::new(), 0, 0);
    for number in 0..entry.varint() {
        let is_first = number == 0;
        let from = if is_first { entry.signed_varint() } else { last + entry.varint().cast_signed() };
        last = from + entry.varint().cast_signed();
        reference = if is_first { entry.varint().cast_signed() } else { reference + entry.signed_varint() };
        let file = fs::read(directory.join(format!("chunks/{:06}", (reference >> 32) + 1))).unwrap();
        assert_eq!(file[..8], SEGMENT_HEAD);
        let chunk = read_chunk(&file[usize::try_from(reference & 0xFFFF_FFFF).unwrap()..]);
        assert!(chunk.len() <= 120);
        assert_eq!((chunk[0].0, chunk[chunk.len() - 1].0), (from, last));
        samples.extend(chunk);
    }
    samples
}

/// A row of the ledger, and the second and the figures of each of its samples.
struct Told {
    labels: &'static str,
    parts: Vec<Part>,
    samples: Vec<(u64, Vec<Figure>)>,
}

const WINDOW: u64 = 7200;

/// Writes rows as they are told, and reads the blocks in the order of time.
fn written(directory: &Path, rows: &[Told]) -> Vec<Vec<(Labels, Vec<Sample>)>> {
    let scrape = Scrape { job: "a job".to_owned(), instance: "web \"1\"".to_owned() };
    let mut writer = BlockWriter::new(directory.join("blocks"), &scrape);
    let row = |number: usize| {
        let Told { labels, parts, .. } = &rows[number];
        Row { number, metric: &catalogue::REQUESTS, labels, parts }
    };
    (0..rows.len()).for_each(|number| writer.announce(&row(number)));
    let seconds = rows.iter().flat_map(|row| row.samples.iter().map(|(second, _)| second / WINDOW));
    for window in seconds.collect::<BTreeSet<u64>>() {
        writer.begin_window(window).unwrap();
        for (number, told) in rows.iter().enumerate() {
            let here: Vec<_> = told.samples.iter().filter(|(second, _)| second / WINDOW == window).collect();
            if here.is_empty() {
                continue;
            }
            writer.begin_row(&row(number)).unwrap();
            let mut before = None;
            for (second, figures) in here {
                writer.sample(*second, figures, before != Some(figures)).unwrap();
                before = Some(figures);
            }
            writer.end_row().unwrap();
        }
        writer.end_window().unwrap();
    }
    let blocks = fs::read_dir(directory.join("blocks")).unwrap().map(|entry| entry.unwrap().path());
    let blocks: BTreeSet<PathBuf> = blocks.collect();
    let bytes_of = |path: &Path| {
        let files = ["index", "meta.json", "tombstones", "chunks/000001"].map(|file| path.join(file));
        files.iter().map(|file| fs::metadata(file).unwrap().len()).sum::<u64>()
    };
    assert_eq!(writer.bytes(), blocks.iter().map(|path| bytes_of(path)).sum::<u64>());
    blocks.iter().map(|block| checked_block(block)).collect()
}

/// What `meta.json` says is true.
fn checked_block(directory: &Path) -> Vec<(Labels, Vec<Sample>)> {
    let series = read_block(directory);
    let meta = fs::read_to_string(directory.join("meta.json")).unwrap();
    let meta: serde_json::Value = serde_json::from_str(&meta).unwrap();
    let times = || series.iter().flat_map(|(_, samples)| samples.iter().map(|(time, _)| *time));
    let name = directory.file_name().unwrap().to_str().unwrap();
    let chunks: u64 = series.iter().map(|(_, samples)| samples.len().div_ceil(120) as u64).sum();
    let expected = serde_json::json!({
        "version": 1,
        "ulid": name,
        "minTime": times().min(),
        "maxTime": times().max().map(|time| time + 1),
        "stats": { "numSamples": times().count(), "numSeries": series.len(), "numChunks": chunks },
        "compaction": { "level": 1, "sources": [name] },
    });
    assert_eq!(meta, expected);
    series
}

/// By the labels in their order.
type Window = BTreeMap<Vec<(String, String)>, Vec<Sample>>;

/// The same from what was told, window by window.
fn expected(rows: &[Told]) -> Vec<Vec<(Labels, Vec<Sample>)>> {
    let mut windows: BTreeMap<u64, Window> = BTreeMap::new();
    for Told { labels, parts, samples } in rows {
        for (place, part) in parts.iter().enumerate() {
            let mut of_part = vec![("__name__".to_owned(), format!("httpd_requests_total{}", part.suffix()))];
            of_part.extend(
                [("job", "a job"), ("instance", "web \"1\"")].map(|(n, v)| (n.to_owned(), v.to_owned())),
            );
            let read = labels_of(labels).into_iter().filter(|(_, value)| !value.is_empty());
            of_part.extend(read.chain(part.le(TextForm::OpenMetrics).iter().flat_map(|le| labels_of(le))));
            of_part.sort();
            for (second, figures) in samples {
                let sample = (i64::try_from(second * 1000).unwrap(), figures[place].to_f64());
                windows.entry(second / WINDOW).or_default().entry(of_part.clone()).or_default().push(sample);
            }
        }
    }
    let in_order = |series: Window| {
        series.into_iter().map(|(labels, samples)| (labels.into_iter().collect(), samples)).collect()
    };
    windows.into_values().map(in_order).collect()
}

const ROWS: [&str; 5] = [
    "method=\"GET\",vhost=\"a.example\"",
    "method=\"GET\",vhost=\"\"",
    "method=\"GET\",vhost=\"\\\"quoted\\\", \\\\ and\\na line\"",
    "method=\"POST\",vhost=\"bücher.example\",Zone=\"z\"",
    "",
];

fn parts() -> Vec<Part> {
    let half = FixedPoint::nanos(500_000_000);
    vec![
        Part::Bucket(Some(half)),
        Part::Bucket(Some(FixedPoint::whole(1))),
        Part::Bucket(None),
        Part::Sum,
        Part::Count,
    ]
}

proptest! {
    #[test]
    fn blocks_have_what_was_written(
        histograms in prop::collection::vec(any::<bool>(), 5),
        begins in prop::collection::vec(0u64..3 * WINDOW, 4),
        step in prop::sample::select(vec![20u64, 60, 300]),
        growth in prop::collection::vec(0u64..4, 1..50),
        end in WINDOW..3 * WINDOW,
    ) {
        // There is a sample.
        let begins = [0].into_iter().chain(begins);
        let rows: Vec<Told> = ROWS.into_iter().zip(&histograms).zip(begins).map(|((labels, is_histogram), begin)| {
            let parts = if *is_histogram { parts() } else { vec![Part::Whole] };
            let mut sum = 0;
            let samples = (0..=end).step_by(usize::try_from(step).unwrap()).skip_while(move |second| *second < begin);
            let samples = samples.zip(growth.iter().cycle()).map(|(second, more)| {
                sum += more;
                let figure = |part: &Part| match part {
                    Part::Sum => Figure::Amount(FixedPoint::nanos(u128::from(sum) * 1_234_567)),
                    _ => Figure::Count(sum),
                };
                (1_770_076_800 + second, parts.iter().map(figure).collect())
            });
            let samples = samples.collect();
            Told { labels, parts, samples }
        }).collect();
        let directory = TempDir::new();
        prop_assert_eq!(written(directory.path(), &rows), expected(&rows));
    }
}

/// The check value of the catalogue of CRC algorithms, and an example of the specification of ULIDs.
#[test]
fn checksums_and_names_are_those_of_their_specifications() {
    assert_eq!(checksum(b"123456789"), 0xE306_9283);
    assert_eq!(ulid(1_469_918_176_385, 0), "01ARYZ6S410000000000000000");
    assert_eq!(ulid(0, 31), "0000000000000000000000000Z");
    assert_eq!(ulid(u64::MAX >> 16, u128::MAX >> 48), "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
}

#[test]
fn a_segment_that_would_become_too_long_is_followed_by_another() {
    let directory = TempDir::new();
    let mut segments = Segments::new(directory.path().to_owned(), 8 + 25);
    let references = [10, 15, 1, 40, 3].map(|bytes| segments.write(&vec![7; bytes]).unwrap());
    assert_eq!(references, [8, 18, 1 << 32 | 8, 2 << 32 | 8, 3 << 32 | 8]);
    assert_eq!(segments.finish().unwrap(), 4 * 8 + 69);
    for (file, bytes) in [("000001", 33), ("000002", 9), ("000003", 48), ("000004", 11)] {
        let content = fs::read(directory.path().join(file)).unwrap();
        assert_eq!((content.len(), &content[..8]), (bytes, &SEGMENT_HEAD[..]));
    }
}
