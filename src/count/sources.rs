//! Which file lines are of, and up to where it is counted, while lines may be held back or wait for their last piece.
//!
//! A place is that behind the lines whose counts it is saved with. Where pieces of a line have come and the last has
//! not, it tells as well from where on the file has to be read again for them: from the beginning of the chunk with the
//! first of them. What is read again is joined and not counted.

use crate::count::ledger::Places;
use crate::input::{Origin, Place};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// What a chunk is of: part of a file.
#[derive(Debug, PartialEq, Eq)]
pub struct Stretch {
    pub file: Arc<str>,
    key: Arc<str>,
    /// Where in the file it begins.
    from: u64,
    /// It is read for the second time, for the pieces in it.
    pub is_again: bool,
    /// In the order of reading.
    pub number: u64,
}

#[derive(Debug, Default)]
pub struct Sources {
    /// Of the lines that come now; none for stdin.
    current: Option<Arc<Stretch>>,
    /// Where in the text that is held back the lines of others begin.
    marks: Vec<(usize, Arc<Stretch>)>,
    /// Places by their keys behind lines that have been read and are not counted; none where a file is at its end.
    read: Vec<(Arc<str>, Option<Versioned>)>,
    /// Those in which pieces may have come whose last one has not.
    open: BTreeMap<u64, Arc<Stretch>>,
    /// Places that were noted with pieces to be read again.
    joining: BTreeMap<Arc<str>, Versioned>,
    stretches: u64,
}

/// A place with the number of its version.
type Versioned = (Place, u64);

/// As many files as are forgotten at most before their keys are.
const FORGOTTEN_MAX: usize = 4096;

/// As much is read again for pieces at most; a stream whose line has not ended by then is taken to be dead.
const AGAIN_BYTES_MAX: u64 = 64 << 20;

impl Sources {
    /// Takes what the lines that come next are of.
    pub fn enter(&mut self, origin: &Origin) -> Arc<Stretch> {
        self.stretches += 1;
        let stretch = Arc::new(Stretch {
            file: Arc::clone(&origin.file),
            key: Arc::clone(&origin.key),
            from: origin.from,
            is_again: origin.is_again,
            number: self.stretches,
        });
        self.open.insert(stretch.number, Arc::clone(&stretch));
        stretch
    }

    /// The lines that come next are of this one. True where it is of another file than those before.
    pub fn turn_to(&mut self, stretch: &Arc<Stretch>) -> bool {
        let before = self.current.replace(Arc::clone(stretch));
        before.is_none_or(|before| before.file != stretch.file)
    }

    /// Whether the lines that come now have been counted before.
    pub fn is_again(&self) -> bool {
        self.current.as_ref().is_some_and(|stretch| stretch.is_again)
    }

    /// Notes that the lines that come next begin at this place of what is held back.
    pub fn mark(&mut self, at: usize) {
        if let Some(stretch) = &self.current
            && self.marks.last().is_none_or(|(_, last)| last != stretch)
        {
            self.marks.push((at, Arc::clone(stretch)));
        }
    }

    /// The parts of a text that was held back, each of one chunk. Nothing is held back any more.
    pub fn parts(&mut self, length: usize) -> Vec<(Option<Arc<Stretch>>, Range<usize>)> {
        let marks = std::mem::take(&mut self.marks);
        let first = marks.first().map_or(length, |(at, _)| *at);
        let ends = marks.iter().skip(1).map(|(at, _)| *at).chain([length]);
        let parts = marks.iter().zip(ends).map(|((at, of), end)| (Some(Arc::clone(of)), *at..end));
        let parts = [(None, 0..first)].into_iter().chain(parts);
        parts.filter(|(_, range)| !range.is_empty()).collect()
    }

    /// Takes the place behind lines that have been read.
    pub fn read_to(&mut self, origin: Origin) {
        let Origin { key, place, version, .. } = origin;
        self.read.push((key, place.map(|place| (place, version))));
    }

    /// All lines so far are counted, but for those in which the pieces of the lines begin that have not ended.
    pub fn counted(&mut self, places: &mut Arc<Places>, unfinished: impl Fn(u64) -> bool) {
        self.open.retain(|number, _| unfinished(*number));
        if self.read.is_empty() && self.joining.is_empty() {
            return;
        }
        let places = Arc::make_mut(places);
        let mut known = std::mem::take(&mut self.joining);
        for (key, place) in self.read.drain(..) {
            known.remove(&key);
            match place {
                Some(place) => drop(known.insert(key, place)),
                None => drop(places.insert(key, None)),
            }
        }
        for (key, (place, version)) in known {
            let open = self.open.values().filter(|stretch| stretch.key == key);
            let first = open.map(|stretch| stretch.from).chain([place.joined_from]).min().unwrap_or(0);
            let is_joining = first < place.offset && place.offset - first <= AGAIN_BYTES_MAX;
            let joined_from = if is_joining { first } else { place.offset };
            places.insert(Arc::clone(&key), Some(Place { joined_from, ..place.clone() }.text(version)));
            if is_joining {
                self.joining.insert(key, (place, version));
            }
        }
        if places.len() > FORGOTTEN_MAX {
            // Those of files that are gone matter only until the state of the dead has been absorbed.
            places.retain(|_, place| place.is_some());
        }
    }

    /// Whether the pieces that came in a chunk of this number will be read again.
    pub fn is_kept(&self, number: u64) -> bool {
        self.open.get(&number).is_some_and(|stretch| self.joining.contains_key(&stretch.key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::follow::place::{FileId, Head, Tail};

    fn origin(file: &str, from: u64, to: u64) -> Origin {
        let id = FileId { device: 1, inode: u64::from(file.as_bytes()[0]) };
        let place = Place {
            id,
            head: Head::default(),
            tail: Tail::default(),
            offset: to,
            joined_from: to,
            is_skipping: false,
            is_copy: false,
            unread: None,
            name: file.to_owned(),
            path: file.into(),
        };
        let key = Place::key(id).into();
        Origin { file: file.into(), key, from, is_again: false, place: Some(place), version: 1 }
    }

    #[test]
    fn held_text_falls_into_the_parts_of_its_files() {
        let mut sources = Sources::default();
        sources.mark(0);
        assert_eq!(sources.parts(4), [(None, 0..4)]);
        let mut entered = Vec::new();
        for (file, at) in [("a", 0), ("a", 3), ("b", 7)] {
            let stretch = sources.enter(&origin(file, 0, 9));
            assert_eq!(sources.turn_to(&stretch), at != 3);
            entered.push(Some(stretch));
            sources.mark(at);
            sources.mark(at + 1);
        }
        let ranges = [0..3, 3..7, 7..9];
        assert_eq!(sources.parts(9), entered.into_iter().zip(ranges).collect::<Vec<_>>());
        assert_eq!(sources.parts(0), []);
    }

    #[test]
    fn a_place_tells_from_where_pieces_have_to_be_read_again_until_their_line_has_ended() {
        let (mut sources, mut places) = (Sources::default(), Arc::<Places>::default());
        let mut read = |file: &str, from, to, unfinished: &[u64]| {
            let origin = origin(file, from, to);
            sources.enter(&origin);
            let key = origin.key.to_string();
            sources.read_to(origin);
            sources.counted(&mut places, |number| unfinished.contains(&number));
            let text = |key: &str| Place::parse(key, places[key].as_ref().unwrap()).unwrap().1;
            let first = text(&Place::key(FileId { device: 1, inode: u64::from(b'a') }));
            (first.joined_from, first.offset, text(&key).joined_from)
        };
        assert_eq!(read("a", 0, 100, &[]), (100, 100, 100));
        assert_eq!(read("a", 100, 200, &[2]), (100, 200, 100));
        assert_eq!(read("a", 200, 300, &[2, 3]), (100, 300, 100));
        assert_eq!(read("a", 300, 400, &[3]), (200, 400, 200));
        assert_eq!(read("b", 0, 50, &[3]), (200, 400, 50));
        // The end has come in another file: the first was rotated meanwhile.
        assert_eq!(read("b", 50, 90, &[]), (400, 400, 90));
    }
}
