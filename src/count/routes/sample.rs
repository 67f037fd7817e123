//! A sample of paths: a bounded tree of their segments, from which `plan` learns routes.
//!
//! Every path is a way from the root down; numbers, UUIDs, hashes and dates fall together under a placeholder as they
//! are read (see `segments`); the version of an API stays, `/api/2/`. The tree holds [`PLACES_MAX`] places; when it
//! is full, lines still count for those that are there, and what would be a new one counts as `unseen`. While lines
//! come, a place is found by one hash of the whole way to it, 64 bits that no client can predict; a plan is made of a
//! tree that is ordered by text, so the same paths give the same routes.

use crate::bytes::path::Segment;
use crate::count::routes::segments::{PLACEHOLDER_BYTES_MAX, is_api, is_version, name_of};
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::collections::BTreeMap;

/// Some 120 bytes each: 4 MB at the worst, while a sample is taken.
const PLACES_MAX: usize = 1 << 15;

/// Segments that a route may have; what lies deeper tells single things apart rather than kinds of things.
pub const DEPTH_MAX: usize = 8;

const ROOT: u32 = 0;

/// A segment in its place, with what is below it.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// Lines that came through here, and those of them whose path ends here.
    pub lines: u64,
    pub ends: u64,
    /// Lines whose next segment is too deep, or new to a sample that was full.
    pub unseen: u64,
    /// Of how many nodes this one was merged. At and below a placeholder, how often another thing followed than came
    /// before: what is always below the same one tells of that one alone.
    pub members: u64,
    pub children: BTreeMap<Box<[u8]>, Node>,
}

impl Node {
    pub fn merge(&mut self, other: &Node) {
        self.lines += other.lines;
        self.ends += other.ends;
        self.unseen += other.unseen;
        self.members += other.members;
        for (segment, child) in &other.children {
            match self.children.get_mut(segment) {
                Some(known) => known.merge(child),
                None => drop(self.children.insert(segment.clone(), child.clone())),
            }
        }
    }

    pub fn merged<'n>(nodes: impl IntoIterator<Item = &'n Node>) -> Node {
        let mut all = Node::default();
        nodes.into_iter().for_each(|node| all.merge(node));
        all
    }
}

/// A node while lines come: what came through it is added up when the tree is made.
#[derive(Debug)]
struct Place {
    parent: u32,
    /// Where its segment ends in `Sample::text`; it begins where that of the place before ends.
    text_end: u32,
    /// By a hash, the things on the way here when a line came last; 0 where there are none.
    names: u64,
    ends: u64,
    unseen: u64,
    members: u64,
}

impl Place {
    fn new(parent: u32, text_end: usize, members: u64) -> Place {
        let text_end = u32::try_from(text_end).unwrap_or(u32::MAX);
        Place { parent, text_end, names: 0, ends: 0, unseen: 0, members }
    }

    /// Without the children.
    fn node(&self) -> Node {
        let Place { ends, unseen, members, .. } = *self;
        Node { lines: ends + unseen, ends, unseen, members, ..Node::default() }
    }
}

/// The lines looked at so far.
#[derive(Debug)]
pub struct Sample {
    /// Parents stand before their children.
    places: Vec<Place>,
    /// Their segments, one after the other.
    text: Vec<u8>,
    seed: RandomState,
    /// All places but the root, each with the hash of the way to it.
    children: HashTable<(u64, u32)>,
}

impl Default for Sample {
    fn default() -> Sample {
        let (places, text) = (vec![Place::new(ROOT, 0, 0)], Vec::new());
        Sample { places, text, seed: RandomState::default(), children: HashTable::new() }
    }
}

impl Sample {
    /// Enters so many lines of a path, cut into its segments.
    pub fn enter<'p>(&mut self, segments: impl Iterator<Item = Segment<'p>>, lines: u64) {
        let (mut at, mut way, mut names, mut room) = (ROOT, 0, 0, [0; PLACEHOLDER_BYTES_MAX]);
        let (mut segments, mut above) = (segments.enumerate().peekable(), &b""[..]);
        while let Some((depth, segment)) = segments.next() {
            let is_version = is_api(above) && is_version(segment.bytes()) && segments.peek().is_some();
            let name = name_of(segment).filter(|_| !is_version);
            above = segment.bytes();
            if name.is_some() {
                names = segment.hash_below(&self.seed, names);
            }
            let kind = name.map_or(segment, |name| Segment::of(name.placeholder(&mut room)));
            way = kind.hash_below(&self.seed, way);
            let child = if depth < DEPTH_MAX { self.child(at, way, kind.bytes(), names) } else { None };
            let Some(child) = child else {
                self.places[at as usize].unseen += lines;
                return;
            };
            if names != 0 {
                let place = &mut self.places[child as usize];
                if place.names != names {
                    place.members += 1;
                    place.names = names;
                }
            }
            at = child;
        }
        self.places[at as usize].ends += lines;
    }

    /// The place at the end of a way, made if there is room.
    #[inline]
    fn child(&mut self, parent: u32, way: u64, segment: &[u8], names: u64) -> Option<u32> {
        let known = self.children.find(way, |(known, _)| *known == way).map(|(_, child)| *child);
        known.or_else(|| self.add(parent, way, segment, u64::from(names == 0)))
    }

    fn add(&mut self, parent: u32, way: u64, segment: &[u8], members: u64) -> Option<u32> {
        let child = u32::try_from(self.places.len()).ok().filter(|_| self.places.len() < PLACES_MAX)?;
        self.text.extend_from_slice(segment);
        self.places.push(Place::new(parent, self.text.len(), members));
        self.children.insert_unique(way, (way, child), |(way, _)| *way);
        Some(child)
    }

    /// The tree as it is now.
    pub fn tree(&self) -> Node {
        let mut nodes: Vec<Node> = self.places.iter().map(Place::node).collect();
        // Whoever is below a place stands behind it, so what comes from the end is complete.
        while let [above @ .., place] = &self.places[..nodes.len()]
            && let Some(before) = above.last()
            && let Some(node) = nodes.pop()
        {
            let parent = &mut nodes[place.parent as usize];
            parent.lines += node.lines;
            let segment = &self.text[before.text_end as usize..place.text_end as usize];
            parent.children.insert(segment.into(), node);
        }
        nodes.pop().unwrap_or_default()
    }
}
