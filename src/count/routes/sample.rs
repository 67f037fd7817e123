//! A sample of paths: a bounded tree of their segments, from which `plan` learns routes.
//!
//! Every path is a way from the root down; numbers, UUIDs, hashes and dates fall together under a placeholder as they
//! are read (see `segments`); the version of an API stays, `/api/2/`. The tree holds [`PLACES_MAX`] places; when it
//! is full, lines still count for those that are there, and what would be a new one counts as `unseen`. Places are
//! found by hash while lines come; a plan is made of a tree that is ordered by text, so the same paths give the same
//! routes.

use crate::bytes::path::Segment;
use crate::bytes::words::same;
use crate::count::routes::segments::{PLACEHOLDER_BYTES_MAX, hash_below, is_api, is_version, name_of};
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use std::collections::BTreeMap;

/// Some 150 bytes each: 5 MB at the worst, while a sample is taken.
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

/// A node while lines come.
#[derive(Debug)]
struct Place {
    parent: u32,
    segment: Box<[u8]>,
    /// By a hash, the things on the way here when a line came last.
    names: u64,
    /// All but the children.
    node: Node,
}

/// The lines looked at so far.
#[derive(Debug)]
pub struct Sample {
    /// Parents stand before their children.
    places: Vec<Place>,
    seed: RandomState,
    /// All places but the root, by the hashes of their parents' numbers and their segments.
    children: HashTable<u32>,
}

impl Default for Sample {
    fn default() -> Sample {
        let root = Place { parent: ROOT, segment: Box::default(), names: 0, node: Node::default() };
        Sample { places: vec![root], seed: RandomState::default(), children: HashTable::new() }
    }
}

impl Sample {
    /// Enters so many lines of a path, cut into its segments.
    pub fn enter<'p>(&mut self, segments: impl Iterator<Item = Segment<'p>>, lines: u64) {
        let (mut at, mut names, mut room) = (ROOT, 0, [0; PLACEHOLDER_BYTES_MAX]);
        self.places[0].node.lines += lines;
        let (mut segments, mut above) = (segments.enumerate().peekable(), &b""[..]);
        while let Some((depth, segment)) = segments.next() {
            let is_version = is_api(above) && is_version(segment.bytes()) && segments.peek().is_some();
            let name = name_of(segment).filter(|_| !is_version);
            above = segment.bytes();
            if name.is_some() {
                names = segment.hash_below(&self.seed, names);
            }
            let kind = name.map_or(segment.bytes(), |name| name.placeholder(&mut room));
            let child = if depth < DEPTH_MAX { self.child(at, kind) } else { None };
            let Some(child) = child else {
                self.places[at as usize].node.unseen += lines;
                return;
            };
            let place = &mut self.places[child as usize];
            place.node.lines += lines;
            if place.node.members == 0 || place.names != names {
                place.node.members += 1;
                place.names = names;
            }
            at = child;
        }
        self.places[at as usize].node.ends += lines;
    }

    /// The place of a segment below another one, made if there is room.
    fn child(&mut self, parent: u32, segment: &[u8]) -> Option<u32> {
        let Sample { places, seed, children } = self;
        let is_it = |child: &u32| {
            let place = &places[*child as usize];
            place.parent == parent && same(&place.segment, segment)
        };
        let of_segment = hash_below(seed, parent.into(), segment);
        if let Some(child) = children.find(of_segment, is_it) {
            return Some(*child);
        }
        let child = u32::try_from(places.len()).ok().filter(|_| places.len() < PLACES_MAX)?;
        places.push(Place { parent, segment: segment.into(), names: 0, node: Node::default() });
        let of_child = |child: &u32| {
            let place = &places[*child as usize];
            hash_below(seed, place.parent.into(), &place.segment)
        };
        children.insert_unique(of_segment, child, of_child);
        Some(child)
    }

    /// The tree as it is now.
    pub fn tree(&self) -> Node {
        let mut nodes: Vec<Node> = self.places.iter().map(|place| place.node.clone()).collect();
        while nodes.len() > 1 {
            let (Some(node), Some(place)) = (nodes.pop(), self.places.get(nodes.len())) else { break };
            nodes[place.parent as usize].children.insert(place.segment.clone(), node);
        }
        nodes.pop().unwrap_or_default()
    }
}
