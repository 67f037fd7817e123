//! Which file lines are of, and up to where it is counted, while lines may be held back.

use crate::count::ledger::Places;
use crate::input::Origin;
use std::ops::Range;
use std::sync::Arc;

#[derive(Debug, Default)]
pub struct Sources {
    /// The file of the lines that come now; none for stdin.
    file: Option<Arc<str>>,
    /// Where in the text that is held back the lines of another file begin.
    marks: Vec<(usize, Arc<str>)>,
    /// Places behind lines that are held back.
    places: Vec<(Arc<str>, Option<String>)>,
}

/// As many files as are forgotten at most before their keys are.
const FORGOTTEN_MAX: usize = 4096;

impl Sources {
    /// Takes the file of the lines that come next. True where it is another one than before.
    pub fn enter(&mut self, file: &Arc<str>) -> bool {
        let is_other = self.file.as_ref() != Some(file);
        if is_other {
            self.file = Some(Arc::clone(file));
        }
        is_other
    }

    /// Notes that the lines that come next begin at this place of what is held back.
    pub fn mark(&mut self, at: usize) {
        if let Some(file) = &self.file
            && self.marks.last().is_none_or(|(_, last)| last != file)
        {
            self.marks.push((at, Arc::clone(file)));
        }
    }

    /// The parts of a text that was held back, each of one file. Nothing is held back any more.
    pub fn parts(&mut self, length: usize) -> Vec<(Option<Arc<str>>, Range<usize>)> {
        let marks = std::mem::take(&mut self.marks);
        let first = marks.first().map_or(length, |(at, _)| *at);
        let ends = marks.iter().skip(1).map(|(at, _)| *at).chain([length]);
        let parts = marks.iter().zip(ends).map(|((at, file), end)| (Some(Arc::clone(file)), *at..end));
        let parts = [(None, 0..first)].into_iter().chain(parts);
        parts.filter(|(_, range)| !range.is_empty()).collect()
    }

    /// Takes the place behind lines that have been read.
    pub fn read_to(&mut self, origin: Origin) {
        self.places.push((origin.key, origin.place));
    }

    /// All lines so far are counted.
    pub fn counted(&mut self, places: &mut Arc<Places>) {
        if self.places.is_empty() {
            return;
        }
        let places = Arc::make_mut(places);
        places.extend(self.places.drain(..));
        if places.len() > FORGOTTEN_MAX {
            // Those of files that are gone matter only until the state of the dead has been absorbed.
            places.retain(|_, place| place.is_some());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_text_falls_into_the_parts_of_its_files() {
        let (mut sources, [a, b]) = (Sources::default(), ["a", "b"].map(Arc::<str>::from));
        sources.mark(0);
        assert_eq!(sources.parts(4), [(None, 0..4)]);
        for (file, at) in [(&a, 0), (&a, 3), (&b, 7)] {
            sources.enter(file);
            sources.mark(at);
        }
        assert_eq!(sources.parts(9), [(Some(a), 0..7), (Some(b), 7..9)]);
        assert_eq!(sources.parts(0), []);
    }
}
