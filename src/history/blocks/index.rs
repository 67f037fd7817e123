//! Index: which series a block has, where their chunks are, and which series have a label.
//!
//! Source: Prometheus' tsdb/docs/format/index.md. Series refer to the texts of their labels by their places in a sorted
//! table. Which series have a label is found by the table of postings, whose lists name series by a sixteenth of where
//! they stand. Label indices, which no reader needs any more, are empty.

use crate::history::blocks::checksum::checksum;
use crate::snapshot::exposition::varint;
use std::collections::HashMap;

const MAGIC: u32 = 0xBAAA_D700;
const VERSION: u8 = 2;

/// Series stand at multiples of this, and lists at multiples of that.
const SERIES_ALIGNMENT: usize = 16;
const LIST_ALIGNMENT: usize = 4;

/// Names and values of series that are told one after the other.
#[derive(Debug, Default)]
pub struct Announced {
    texts: HashMap<String, usize>,
    /// The numbers of name and value, for each label of each series.
    series: Vec<Vec<(usize, usize)>>,
}

impl Announced {
    /// Prometheus takes a label without a value for none.
    pub fn add(&mut self, labels: Vec<(String, String)>) {
        let labels = labels.into_iter().filter(|(_, value)| !value.is_empty());
        let labels = labels.map(|(name, value)| (self.number(name), self.number(value))).collect();
        self.series.push(labels);
    }

    fn number(&mut self, text: String) -> usize {
        let next = self.texts.len();
        *self.texts.entry(text).or_insert(next)
    }

    pub fn sorted(self) -> Catalog {
        let mut texts: Vec<(String, usize)> = self.texts.into_iter().collect();
        texts.sort_unstable();
        let mut places = vec![0; texts.len()];
        texts.iter().enumerate().for_each(|(place, (_, number))| places[*number] = place);
        let sorted = |labels: Vec<(usize, usize)>| {
            let mut labels: Vec<_> =
                labels.into_iter().map(|(name, value)| (places[name], places[value])).collect();
            labels.sort_unstable();
            labels
        };
        let series: Vec<Vec<(usize, usize)>> = self.series.into_iter().map(sorted).collect();
        let mut labels: Vec<(usize, usize)> = series.iter().flatten().copied().collect();
        labels.sort_unstable();
        labels.dedup();
        let place = |label| labels.binary_search(&label).unwrap_or(0);
        let series: Vec<Box<[usize]>> =
            series.into_iter().map(|of_series| of_series.into_iter().map(place).collect()).collect();
        let mut order: Vec<usize> = (0..series.len()).collect();
        order.sort_unstable_by_key(|number| &series[*number]);
        let mut ranks = vec![0; series.len()];
        order.iter().enumerate().for_each(|(rank, number)| ranks[*number] = rank);
        Catalog { texts: texts.into_iter().map(|(text, _)| text).collect(), labels, series, ranks }
    }
}

/// All series of all blocks.
#[derive(Debug, Default)]
pub struct Catalog {
    /// In their order, and so are the labels, which are pairs of places in the texts.
    texts: Vec<String>,
    labels: Vec<(usize, usize)>,
    /// By their numbers: places in the labels, in order.
    series: Vec<Box<[usize]>>,
    /// The place of each in the order of their labels.
    ranks: Vec<usize>,
}

/// The chunks of one series in one block.
#[derive(Debug)]
pub struct Entry {
    /// Its number in the catalog.
    pub series: usize,
    pub chunks: u64,
    /// What the index says of them.
    pub references: Vec<u8>,
}

/// Writes the index of a block with these series.
pub fn write(catalog: &Catalog, entries: &mut [Entry]) -> Vec<u8> {
    entries.sort_unstable_by_key(|entry| catalog.ranks[entry.series]);
    let mut index = Index { out: Vec::new(), postings: vec![Vec::new(); catalog.labels.len()] };
    index.out.extend(MAGIC.to_be_bytes());
    index.out.push(VERSION);
    let symbols = index.out.len();
    let places = index.symbols(catalog, entries);
    let series = index.aligned(SERIES_ALIGNMENT);
    let all = index.series(catalog, entries, &places);
    let lists = index.aligned(LIST_ALIGNMENT);
    let offsets = index.lists(catalog, &all);
    let label_offsets = index.aligned(LIST_ALIGNMENT);
    index.section(|out| out.extend(0u32.to_be_bytes()));
    let list_offsets = index.aligned(LIST_ALIGNMENT);
    index.section(|out| {
        out.extend(length(offsets.len()));
        for ((name, value), offset) in &offsets {
            // So many texts follow.
            out.push(2);
            text(out, name);
            text(out, value);
            varint(out, *offset as u64);
        }
    });
    let mut contents: Vec<u8> = Vec::new();
    for start in [symbols, series, lists, label_offsets, lists, list_offsets] {
        contents.extend((start as u64).to_be_bytes());
    }
    contents.extend(checksum(&contents).to_be_bytes());
    index.out.extend(contents);
    index.out
}

struct Index {
    out: Vec<u8>,
    /// The series of each label of the catalog.
    postings: Vec<Vec<u32>>,
}

impl Index {
    /// Where the next thing stands.
    fn aligned(&mut self, to: usize) -> usize {
        self.out.resize(self.out.len().next_multiple_of(to), 0);
        self.out.len()
    }

    /// Something between its length and its checksum.
    fn section(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.out.len();
        self.out.extend([0; 4]);
        write(&mut self.out);
        let body = start + 4;
        let bytes = length(self.out.len() - body);
        self.out[start..body].copy_from_slice(&bytes);
        self.out.extend(checksum(&self.out[body..]).to_be_bytes());
    }

    /// The texts of these series; gives the place of each text of the catalog.
    fn symbols(&mut self, catalog: &Catalog, entries: &[Entry]) -> Vec<usize> {
        let mut is_used = vec![false; catalog.texts.len()];
        for label in entries.iter().flat_map(|entry| &catalog.series[entry.series]) {
            let (name, value) = catalog.labels[*label];
            (is_used[name], is_used[value]) = (true, true);
        }
        let mut many = 0;
        let places = is_used.iter().map(|is_used| {
            many += usize::from(*is_used);
            many.saturating_sub(1)
        });
        let places: Vec<usize> = places.collect();
        self.section(|out| {
            out.extend(length(many));
            let used = catalog.texts.iter().zip(is_used).filter(|(_, is_used)| *is_used);
            used.for_each(|(symbol, _)| text(out, symbol));
        });
        places
    }

    /// Gives a list of all series.
    fn series(&mut self, catalog: &Catalog, entries: &[Entry], places: &[usize]) -> Vec<u32> {
        let (mut all, mut body) = (Vec::with_capacity(entries.len()), Vec::new());
        for entry in entries {
            let reference =
                u32::try_from(self.aligned(SERIES_ALIGNMENT) / SERIES_ALIGNMENT).unwrap_or(u32::MAX);
            all.push(reference);
            body.clear();
            let labels = &catalog.series[entry.series];
            varint(&mut body, labels.len() as u64);
            for label in labels {
                let (name, value) = catalog.labels[*label];
                varint(&mut body, places[name] as u64);
                varint(&mut body, places[value] as u64);
                self.postings[*label].push(reference);
            }
            varint(&mut body, entry.chunks);
            body.extend_from_slice(&entry.references);
            varint(&mut self.out, body.len() as u64);
            self.out.extend_from_slice(&body);
            self.out.extend(checksum(&body).to_be_bytes());
        }
        all
    }

    /// Lists of the series of each label, and before them of all, under no name and no value. Gives where they are.
    fn lists<'c>(&mut self, catalog: &'c Catalog, all: &[u32]) -> Vec<((&'c str, &'c str), usize)> {
        let mut offsets = vec![(("", ""), self.list(all))];
        for (label, series) in std::mem::take(&mut self.postings).into_iter().enumerate() {
            if !series.is_empty() {
                let (name, value) = catalog.labels[label];
                let label = (catalog.texts[name].as_str(), catalog.texts[value].as_str());
                offsets.push((label, self.list(&series)));
            }
        }
        offsets
    }

    fn list(&mut self, series: &[u32]) -> usize {
        let start = self.aligned(LIST_ALIGNMENT);
        self.section(|out| {
            out.extend(length(series.len()));
            series.iter().for_each(|reference| out.extend(reference.to_be_bytes()));
        });
        start
    }
}

/// A length or a number of things.
fn length(many: usize) -> [u8; 4] {
    u32::try_from(many).unwrap_or(u32::MAX).to_be_bytes()
}

fn text(out: &mut Vec<u8>, text: &str) {
    varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}
