//! Routes: a request's path into the pattern it follows, `--route /users/:id/orders`, or one that is learned.
//!
//! How paths and patterns are cut into segments stands in `bytes/path.rs`. The first pattern in the order given wins.
//!
//! The patterns are a tree of segments whose literal children are found by hash, so thousands of them cost no
//! more than ten. Where a literal and a `:name` both fit, both branches may have to be searched; but a node
//! has one place in the tree and is entered at most once for a path, and not at all if no pattern below it
//! comes earlier than the best one found. So a search enters at most `2^(d+1)` nodes for a path of `d`
//! segments, and never more than the patterns have segments, which is the cost of trying one after the other.
//! Nothing is allocated by a search.

pub mod learned;
mod plan;
mod sample;
mod segments;
mod ways;

use crate::bytes::path::{self, SEGMENTS_MAX, Segment, Walk, cut_pattern};
use crate::bytes::words::same;
use crate::parse::read::request::{Request, path_of};
use foldhash::fast::RandomState;
use hashbrown::HashTable;

/// Pattern numbers are a `u16`, and the highest one means none.
const PATTERNS_MAX: usize = u16::MAX as usize;

/// No pattern, in a node.
const NONE: u16 = u16::MAX;

/// The node above all others; as a child it means none.
const ROOT: u32 = 0;

/// A list of patterns, compiled.
#[derive(Clone, Debug)]
pub struct Routes {
    #[cfg(test)]
    patterns: Vec<String>,
    nodes: Vec<Node>,
    seed: RandomState,
    /// The literal children, by the hashes of their parents' numbers and their segments.
    literals: HashTable<u32>,
}

#[derive(Clone, Debug)]
struct Node {
    parent: u32,
    /// The segment on the way from the parent to here; empty for `:name`.
    segment: Box<[u8]>,
    /// The child by `:name`, whatever the name.
    parameter: u32,
    has_literals: bool,
    /// The smallest number of a pattern that ends here or below.
    first: u16,
    /// The pattern that ends here.
    end: u16,
    /// The pattern that ends here with `*`.
    rest: u16,
}

impl Node {
    fn new(parent: u32, segment: &[u8]) -> Node {
        let segment = segment.into();
        Node { parent, segment, parameter: ROOT, has_literals: false, first: NONE, end: NONE, rest: NONE }
    }
}

impl Routes {
    /// On failure: the index of the pattern that is wrong, and what is wrong with it.
    pub fn compile(patterns: &[String]) -> Result<Routes, (usize, String)> {
        let mut routes = Routes {
            #[cfg(test)]
            patterns: patterns.to_vec(),
            nodes: vec![Node::new(ROOT, b"")],
            seed: RandomState::default(),
            literals: HashTable::new(),
        };
        for (index, pattern) in patterns.iter().enumerate() {
            routes.insert(index, pattern).map_err(|why| (index, why))?;
        }
        Ok(routes)
    }

    /// The number of the first pattern that a request's path follows. `text` goes on behind its target.
    #[inline]
    pub fn of(&self, request: &Request<'_>, text: &[u8]) -> Option<u16> {
        path::walk(request.target?, text, path_of, self)
    }

    /// The number of the first pattern that this path follows, which comes without its query.
    #[cfg(test)]
    pub fn find(&self, path: &[u8]) -> Option<u16> {
        path::walk_path(path, self)
    }

    #[cfg(test)]
    /// The text of a pattern; empty for a number that none has.
    pub fn pattern(&self, index: u16) -> &str {
        self.patterns.get(usize::from(index)).map_or("", String::as_str)
    }

    fn search<'p>(&self, at: u32, segments: impl Iterator<Item = Segment<'p>> + Clone, best: u16) -> u16 {
        let node = &self.nodes[at as usize];
        if node.first >= best {
            return best;
        }
        let mut best = best.min(node.rest);
        let mut below = segments;
        let Some(segment) = below.next() else { return best.min(node.end) };
        if node.has_literals
            && let Some(child) = self.literal(at, segment)
        {
            best = self.search(child, below.clone(), best);
        }
        if node.parameter != ROOT {
            best = self.search(node.parameter, below, best);
        }
        best
    }

    #[inline]
    fn literal(&self, parent: u32, segment: Segment<'_>) -> Option<u32> {
        let is_it = |child: &u32| {
            let node = &self.nodes[*child as usize];
            node.parent == parent && same(&node.segment, segment.bytes())
        };
        self.literals.find(segment.hash_below(&self.seed, parent.into()), is_it).copied()
    }

    fn insert(&mut self, index: usize, pattern: &str) -> Result<(), String> {
        let number = u16::try_from(index).ok().filter(|_| index < PATTERNS_MAX);
        let number = number.ok_or_else(|| format!("there may be {PATTERNS_MAX} patterns at most"))?;
        let mut segments = [&b""[..]; SEGMENTS_MAX + 1];
        let count = cut_pattern(pattern, &mut segments)?;
        let mut at = ROOT;
        self.lower_first(at, number);
        for (place, segment) in segments[..count].iter().enumerate() {
            if *segment == b"*" {
                if place + 1 < count {
                    return Err("`*` may stand only at the end".to_owned());
                }
                let rest = &mut self.nodes[at as usize].rest;
                *rest = number.min(*rest);
                return Ok(());
            }
            at = if segment.starts_with(b":") { self.parameter(at) } else { self.grow_literal(at, segment) };
            self.lower_first(at, number);
        }
        let end = &mut self.nodes[at as usize].end;
        *end = number.min(*end);
        Ok(())
    }

    fn lower_first(&mut self, at: u32, number: u16) {
        let first = &mut self.nodes[at as usize].first;
        *first = number.min(*first);
    }

    fn parameter(&mut self, parent: u32) -> u32 {
        if self.nodes[parent as usize].parameter == ROOT {
            self.nodes[parent as usize].parameter = self.push(Node::new(parent, b""));
        }
        self.nodes[parent as usize].parameter
    }

    fn grow_literal(&mut self, parent: u32, segment: &[u8]) -> u32 {
        if let Some(child) = self.literal(parent, Segment::of(segment)) {
            return child;
        }
        let child = self.push(Node::new(parent, segment));
        self.nodes[parent as usize].has_literals = true;
        let (seed, nodes) = (&self.seed, &self.nodes);
        let of_child = |child: &u32| {
            let node = &nodes[*child as usize];
            Segment::of(&node.segment).hash_below(seed, node.parent.into())
        };
        self.literals.insert_unique(of_child(&child), child, of_child);
        child
    }

    fn push(&mut self, node: Node) -> u32 {
        // PATTERNS_MAX times SEGMENTS_MAX nodes are a million.
        let number = u32::try_from(self.nodes.len()).unwrap_or(ROOT);
        self.nodes.push(node);
        number
    }
}

impl Walk for &Routes {
    type End = Option<u16>;

    #[inline]
    fn walk<'p>(self, segments: impl Iterator<Item = Segment<'p>> + Clone) -> Option<u16> {
        Some(self.search(ROOT, segments, NONE)).filter(|&found| found != NONE)
    }
}

#[cfg(test)]
mod tests;
