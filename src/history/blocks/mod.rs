//! Blocks: samples as Prometheus keeps them itself, a directory for each window, which is only to be moved to its data.
//!
//! Source: Prometheus' tsdb/docs/format. A block is made under a name that Prometheus takes for none, and gets its own
//! when it is complete.
//!
//! ```text
//! chunk     the samples of a series, as bits     index  the labels of series, and where their chunks are
//! checksum  behind all of them
//! ```

mod checksum;
mod chunk;
mod index;
#[cfg(test)]
mod tests;

use crate::history::blocks::checksum::checksum;
use crate::history::blocks::chunk::{Chunk, SAMPLES_MAX};
use crate::history::blocks::index::{Announced, Catalog, Entry};
use crate::history::samples::{Figure, Row, Scrape, Writer};
use crate::snapshot::exposition::text::TextForm;
use crate::snapshot::exposition::{varint, zigzag};
use crate::snapshot::page::labels_of;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A block that is not complete.
const UNFINISHED: &str = "unfinished";

pub struct BlockWriter {
    directory: PathBuf,
    scrape: String,
    announced: Announced,
    /// The number of the first series of each row.
    firsts: Vec<usize>,
    series: usize,
    catalog: Option<Catalog>,
    block: Option<Block>,
    /// What is written of the series of the row.
    open: Vec<Open>,
    figures: Vec<f64>,
    bytes: u64,
}

/// A series whose samples come.
#[derive(Debug)]
struct Open {
    chunk: Chunk,
    entry: Entry,
    /// The time of the latest sample and the reference of the latest chunk that is in the entry.
    last: i64,
    reference: u64,
}

impl BlockWriter {
    /// Blocks go to a directory, which is made.
    pub fn new(directory: PathBuf, scrape: &Scrape) -> BlockWriter {
        BlockWriter {
            directory,
            scrape: scrape.labels(),
            announced: Announced::default(),
            firsts: Vec::new(),
            series: 0,
            catalog: None,
            block: None,
            open: Vec::new(),
            figures: Vec::new(),
            bytes: 0,
        }
    }

    /// Writes the chunks of the row, which are full or the last ones of the window.
    fn write_chunks(&mut self) -> io::Result<()> {
        let Some(block) = &mut self.block else { return Ok(()) };
        self.open.iter_mut().try_for_each(|series| block.chunk(series))
    }
}

impl Writer for BlockWriter {
    /// promtool makes blocks of OpenMetrics.
    fn wants_lone_bucket(&self) -> bool {
        true
    }

    fn announce(&mut self, row: &Row<'_>) {
        self.firsts.push(self.series);
        self.series += row.parts.len();
        for part in row.parts {
            let name = format!("{}{}", row.metric.name, part.suffix());
            let mut labels = vec![("__name__".to_owned(), name)];
            let le = part.le(TextForm::OpenMetrics);
            let texts = [Some(row.labels), Some(&self.scrape), le.as_deref()];
            labels.extend(texts.into_iter().flatten().flat_map(labels_of));
            self.announced.add(labels);
        }
    }

    fn begin_window(&mut self, _window: u64) -> io::Result<()> {
        if self.catalog.is_none() {
            self.catalog = Some(std::mem::take(&mut self.announced).sorted());
            fs::create_dir(&self.directory)?;
        }
        self.block = Some(Block::new(&self.directory.join(UNFINISHED))?);
        Ok(())
    }

    fn begin_row(&mut self, row: &Row<'_>) -> io::Result<()> {
        let first = self.firsts.get(row.number).copied().unwrap_or(0);
        self.open.clear();
        self.open.extend((first..).take(row.parts.len()).map(|series| Open {
            chunk: Chunk::new(),
            entry: Entry { series, chunks: 0, references: Vec::new() },
            last: 0,
            reference: 0,
        }));
        Ok(())
    }

    fn sample(&mut self, second: u64, figures: &[Figure], has_changed: bool) -> io::Result<()> {
        if has_changed {
            self.figures.clear();
            self.figures.extend(figures.iter().map(|figure| figure.to_f64()));
        }
        if self.open.first().is_some_and(|series| series.chunk.samples() == SAMPLES_MAX) {
            self.write_chunks()?;
        }
        let time = i64::try_from(second * 1000).unwrap_or(i64::MAX);
        for (series, figure) in self.open.iter_mut().zip(&self.figures) {
            series.chunk.push(time, *figure);
        }
        Ok(())
    }

    fn end_row(&mut self) -> io::Result<()> {
        self.write_chunks()?;
        if let Some(block) = &mut self.block {
            block.entries.extend(self.open.drain(..).map(|series| series.entry));
        }
        Ok(())
    }

    fn end_window(&mut self) -> io::Result<()> {
        if let (Some(block), Some(catalog)) = (self.block.take(), &self.catalog) {
            self.bytes += block.finish(catalog)?;
        }
        Ok(())
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }
}

struct Block {
    directory: PathBuf,
    segments: Segments,
    entries: Vec<Entry>,
    samples: u64,
    chunks: u64,
    /// The times of the first and the last sample.
    times: Option<(i64, i64)>,
    /// The latest chunk as it is written.
    chunk: Vec<u8>,
    /// Of the checksums of all chunks.
    checksum: u32,
}

impl Block {
    fn new(directory: &Path) -> io::Result<Block> {
        let segments = directory.join("chunks");
        fs::create_dir_all(&segments)?;
        Ok(Block {
            directory: directory.to_owned(),
            segments: Segments::new(segments, SEGMENT_BYTES_MAX),
            entries: Vec::new(),
            samples: 0,
            chunks: 0,
            times: None,
            chunk: Vec::new(),
            checksum: 0,
        })
    }

    /// Writes the chunk of a series, if it has samples, and notes in its entry where it is.
    fn chunk(&mut self, series: &mut Open) -> io::Result<()> {
        let Open { chunk, entry, last, reference } = series;
        if chunk.samples() == 0 {
            return Ok(());
        }
        self.chunk.clear();
        self.samples += u64::from(chunk.samples());
        self.chunks += 1;
        let sum = chunk.finish(&mut self.chunk);
        self.checksum = checksum(&[self.checksum.to_be_bytes(), sum.to_be_bytes()].concat());
        let place = self.segments.write(&self.chunk)?;
        // The first time and the differences of references have signs.
        let is_first = entry.chunks == 0;
        let from = if is_first { zigzag(chunk.first) } else { (chunk.first - *last).unsigned_abs() };
        let place_from = place.wrapping_sub(*reference).cast_signed();
        let place_from = if is_first { place } else { zigzag(place_from) };
        for number in [from, (chunk.last - chunk.first).unsigned_abs(), place_from] {
            varint(&mut entry.references, number);
        }
        entry.chunks += 1;
        (*last, *reference) = (chunk.last, place);
        let (min, max) = self.times.unwrap_or((chunk.first, chunk.last));
        self.times = Some((min.min(chunk.first), max.max(chunk.last)));
        Ok(())
    }

    /// Gives its length.
    fn finish(mut self, catalog: &Catalog) -> io::Result<u64> {
        let chunks = self.segments.finish()?;
        let Some((min, max)) = self.times else { return fs::remove_dir_all(&self.directory).map(|()| 0) };
        let index = index::write(catalog, &mut self.entries);
        // The same samples of the same series have the same name, wherever and whenever it is made.
        let time = max + 1;
        let sums = u128::from(checksum(&index)) << 32 | u128::from(self.checksum);
        let name = ulid(time.unsigned_abs(), sums << 16 | u128::from(self.samples) & 0xFFFF);
        let (samples, series, many) = (self.samples, self.entries.len(), self.chunks);
        let meta = format!(
            "{{\n\t\"ulid\": \"{name}\",\n\t\"minTime\": {min},\n\t\"maxTime\": {time},\n\t\"stats\": \
             {{\n\t\t\"numSamples\": {samples},\n\t\t\"numSeries\": {series},\n\t\t\"numChunks\": {many}\n\t}},\n\t\
             \"compaction\": {{\n\t\t\"level\": 1,\n\t\t\"sources\": [\n\t\t\t\"{name}\"\n\t\t]\n\t}},\n\t\
             \"version\": 1\n}}\n"
        );
        let files = [("index", &index[..]), ("tombstones", &TOMBSTONES), ("meta.json", meta.as_bytes())];
        let mut bytes = chunks;
        for (file, content) in files {
            fs::write(self.directory.join(file), content)?;
            bytes += content.len() as u64;
        }
        fs::rename(&self.directory, self.directory.with_file_name(name))?;
        Ok(bytes)
    }
}

/// Nothing of a block is deleted: the magic number, the version, and the checksum of no tombstone at all. Source:
/// tsdb/docs/format/tombstones.md.
const TOMBSTONES: [u8; 9] = [0x01, 0x30, 0xBA, 0x30, 1, 0, 0, 0, 0];

/// 48 bits of time in milliseconds and 80 others, in the 32 digits of Crockford. Source: github.com/ulid/spec.
fn ulid(millis: u64, others: u128) -> String {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let number = u128::from(millis) << 80 | others;
    let digit = |place: u32| char::from(DIGITS[usize::try_from(number >> (5 * place) & 31).unwrap_or(0)]);
    (0..26).rev().map(digit).collect()
}

/// As long as Prometheus makes them.
const SEGMENT_BYTES_MAX: u64 = 512 << 20;

/// The magic number and the version of a file of chunks, filled up to eight bytes.
const SEGMENT_HEAD: [u8; 8] = [0x85, 0xBD, 0x40, 0xDD, 1, 0, 0, 0];

/// Chunks one after the other, in files of a bounded length.
struct Segments {
    directory: PathBuf,
    bytes_max: u64,
    number: u64,
    file: Option<BufWriter<File>>,
    /// Of the file, and of those before it.
    bytes: u64,
    bytes_before: u64,
}

impl Segments {
    fn new(directory: PathBuf, bytes_max: u64) -> Segments {
        Segments { directory, bytes_max, number: 0, file: None, bytes: 0, bytes_before: 0 }
    }

    /// Gives a reference: the number of the file, from 0, in the upper half, and where in it the chunk stands.
    fn write(&mut self, chunk: &[u8]) -> io::Result<u64> {
        if self.file.is_some() && self.bytes + chunk.len() as u64 > self.bytes_max {
            self.close()?;
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                self.number += 1;
                let file = File::create_new(self.directory.join(format!("{:06}", self.number)))?;
                let mut file = BufWriter::with_capacity(64 << 10, file);
                file.write_all(&SEGMENT_HEAD)?;
                self.bytes = SEGMENT_HEAD.len() as u64;
                self.file.insert(file)
            }
        };
        file.write_all(chunk)?;
        let reference = (self.number - 1) << 32 | self.bytes;
        self.bytes += chunk.len() as u64;
        Ok(reference)
    }

    fn close(&mut self) -> io::Result<()> {
        if let Some(mut file) = self.file.take() {
            file.flush()?;
            self.bytes_before += self.bytes;
        }
        Ok(())
    }

    /// Gives the length of all files.
    fn finish(&mut self) -> io::Result<u64> {
        self.close()?;
        Ok(self.bytes_before)
    }
}
