//! Journal: increments of any order in bounded memory; what does not fit is spilled in sorted runs, and merged.
//!
//! A run is a file without a name, so nothing is left behind however the process ends. 16 bytes for each increment,
//! lowest byte first: its place and its amount.

use crate::history::increment::{Place, SUM_HIGH};
use foldhash::fast::RandomState;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Increments in memory: 36 MB of table, and as much again while they are sorted. All of a day of a usual site.
pub const INCREMENTS_MAX: usize = 1_800_000;

#[derive(Debug)]
pub struct Journal {
    increments: HashMap<Place, u64, RandomState>,
    most: usize,
    directory: PathBuf,
    runs: Vec<File>,
}

impl Journal {
    pub fn new(directory: &Path, most: usize) -> Journal {
        let (increments, runs) = (HashMap::default(), Vec::new());
        Journal { increments, most, directory: directory.to_owned(), runs }
    }

    pub fn add(&mut self, place: Place, amount: u64) {
        let sum = self.increments.entry(place).or_default();
        match sum.overflowing_add(amount) {
            (low, carry) if place.is_sum() => {
                *sum = low;
                if carry {
                    self.add(place.with_cell(SUM_HIGH), 1);
                }
            }
            (_, true) => *sum = u64::MAX,
            (whole, false) => *sum = whole,
        }
    }

    pub fn is_full(&self) -> bool {
        self.increments.len() >= self.most
    }

    /// Writes what is in memory to a run. `row_of` gives rows that have the same labels one number.
    pub fn spill(&mut self, row_of: impl Fn(Place) -> usize) -> io::Result<()> {
        let sorted = self.sorted(row_of);
        let mut file = nameless(&self.directory, self.runs.len())?;
        let mut out = BufWriter::new(&mut file);
        for (place, amount) in sorted {
            out.write_all(&place.0.to_le_bytes())?;
            out.write_all(&amount.to_le_bytes())?;
        }
        out.flush()?;
        drop(out);
        self.runs.push(file);
        Ok(())
    }

    fn sorted(&mut self, row_of: impl Fn(Place) -> usize) -> Vec<(Place, u64)> {
        let all = self.increments.drain();
        let mut all: Vec<(Place, u64)> =
            all.map(|(place, amount)| (place.with_row(row_of(place)), amount)).collect();
        all.sort_unstable();
        all
    }

    pub fn spilled_runs(&self) -> usize {
        self.runs.len()
    }

    /// No more comes.
    pub fn close(mut self, row_of: impl Fn(Place) -> usize) -> Closed {
        let memory = self.sorted(row_of);
        Closed { memory, runs: self.runs }
    }
}

/// A file that is gone when it is closed.
fn nameless(directory: &Path, number: usize) -> io::Result<File> {
    let path = directory.join(format!(".increments-{}-{number}", std::process::id()));
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

/// All increments, to be read in their order, several times if need be.
#[derive(Debug)]
pub struct Closed {
    memory: Vec<(Place, u64)>,
    runs: Vec<File>,
}

impl Closed {
    /// Hands them over in the order of their places. Those of one place may come one after the other.
    pub fn each(&self, mut take: impl FnMut(Place, u64) -> io::Result<()>) -> io::Result<()> {
        let mut merge = self.merge()?;
        while let Some((place, amount)) = merge.next()? {
            take(place, amount)?;
        }
        Ok(())
    }

    pub fn merge(&self) -> io::Result<Merge<'_>> {
        let mut runs: Vec<Run> = vec![Run::Memory(self.memory.iter())];
        for file in &self.runs {
            let mut file: &File = file;
            file.rewind()?;
            runs.push(Run::File(BufReader::with_capacity(RUN_BUFFER_BYTES, file)));
        }
        let mut heap = BinaryHeap::new();
        for (number, run) in runs.iter_mut().enumerate() {
            heap.extend(run.next()?.map(|(place, amount)| Reverse((place, number, amount))));
        }
        Ok(Merge { runs, heap })
    }
}

const RUN_BUFFER_BYTES: usize = 64 << 10;

#[derive(Debug)]
enum Run<'r> {
    Memory(std::slice::Iter<'r, (Place, u64)>),
    File(BufReader<&'r File>),
}

impl Run<'_> {
    fn next(&mut self) -> io::Result<Option<(Place, u64)>> {
        match self {
            Run::Memory(rest) => Ok(rest.next().copied()),
            Run::File(file) => {
                let (mut place, mut amount) = ([0; 8], [0; 8]);
                match file.read_exact(&mut place) {
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
                    read => read?,
                }
                file.read_exact(&mut amount)?;
                Ok(Some((Place(u64::from_le_bytes(place)), u64::from_le_bytes(amount))))
            }
        }
    }
}

/// Runs, merged.
#[derive(Debug)]
pub struct Merge<'r> {
    runs: Vec<Run<'r>>,
    heap: BinaryHeap<Reverse<(Place, usize, u64)>>,
}

impl Merge<'_> {
    pub fn next(&mut self) -> io::Result<Option<(Place, u64)>> {
        let Some(Reverse((place, number, amount))) = self.heap.pop() else { return Ok(None) };
        let more = self.runs[number].next()?;
        self.heap.extend(more.map(|(place, amount)| Reverse((place, number, amount))));
        Ok(Some((place, amount)))
    }

    /// The place of the next.
    pub fn peek(&self) -> Option<Place> {
        self.heap.peek().map(|Reverse((place, ..))| *place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::increment::{HISTOGRAMS, SUM_LOW};
    use crate::input::tee::tests::TempDir;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn whatever_is_spilled_the_sums_are_those_of_all_and_in_order(
            added in prop::collection::vec((0u64..20_000, 0u64..8, 0usize..6, 0u64..4, any::<u64>()), 0..300),
            most in 1usize..100,
        ) {
            let directory = TempDir::new();
            let mut journal = Journal::new(directory.path(), most);
            // Rows 4 and 5 have the same labels as row 1.
            let row_of = |place: Place| if place.row() > 3 { 1 } else { place.row() };
            let mut sums: BTreeMap<Place, u128> = BTreeMap::new();
            for (second, family, row, cell, amount) in added {
                let amount = if family >= HISTOGRAMS && cell == SUM_LOW { amount } else { amount >> 32 };
                let place = Place::new(second, family, row, cell);
                journal.add(place, amount);
                let place = place.with_row(row_of(place));
                match cell {
                    SUM_HIGH if family >= HISTOGRAMS => {
                        *sums.entry(place.with_cell(SUM_LOW)).or_default() += u128::from(amount) << 64;
                    }
                    _ => *sums.entry(place).or_default() += u128::from(amount),
                }
                if journal.is_full() {
                    journal.spill(row_of).unwrap();
                }
            }
            let mut read: BTreeMap<Place, u128> = BTreeMap::new();
            let mut last = Place(0);
            journal.close(row_of).each(|place, amount| {
                assert!(last <= place);
                last = place;
                match place.cell() {
                    SUM_HIGH if place.family() >= HISTOGRAMS => {
                        *read.entry(place.with_cell(SUM_LOW)).or_default() += u128::from(amount) << 64;
                    }
                    _ => *read.entry(place).or_default() += u128::from(amount),
                }
                Ok(())
            }).unwrap();
            prop_assert_eq!(read, sums);
            prop_assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
        }
    }
}
