//! A sample of paths: a bounded tree of their segments, from which `plan` learns routes.
//!
//! Every path is a way from the root down; numbers, UUIDs, hashes and dates fall together under a placeholder as they
//! are read (see `segments`). The tree holds [`NODES_MAX`] nodes; when it is full, lines still count for the nodes
//! that are there, and what would be a new one counts as `unseen`. It is ordered by text, so the same paths give the
//! same tree.

use crate::count::routes::segments::placeholder;
use std::collections::BTreeMap;

/// Some 150 bytes each: 5 MB at the worst, while a sample is taken.
const NODES_MAX: usize = 1 << 15;

/// Segments that a route may have; what lies deeper tells single things apart rather than kinds of things.
pub const DEPTH_MAX: usize = 8;

/// What has come below many things of one kind.
const MANY: u64 = 1000;

#[derive(Clone, Debug, Default)]
pub struct Node {
    /// Lines that came through here, and those of them whose path ends here.
    pub lines: u64,
    pub ends: u64,
    /// Lines whose next segment is too deep, or new to a sample that was full.
    pub unseen: u64,
    /// Of how many nodes this one was merged; what lies below a placeholder from the start counts as [`MANY`].
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

/// The lines looked at so far.
#[derive(Debug, Default)]
pub struct Sample {
    pub root: Node,
    nodes: usize,
}

impl Sample {
    /// Enters so many lines of a path, cut into its segments.
    pub fn enter<'p>(&mut self, segments: impl Iterator<Item = &'p [u8]>, lines: u64) {
        let (mut node, mut text) = (&mut self.root, Vec::new());
        let mut is_below_name = false;
        node.lines += lines;
        for (depth, segment) in segments.enumerate() {
            let segment = match placeholder(segment) {
                Some(extension) => {
                    text.clear();
                    text.extend_from_slice(ID);
                    text.extend_from_slice(extension);
                    &text[..]
                }
                None => segment,
            };
            if depth == DEPTH_MAX || self.nodes >= NODES_MAX && !node.children.contains_key(segment) {
                node.unseen += lines;
                return;
            }
            if !node.children.contains_key(segment) {
                self.nodes += 1;
                let members = if is_below_name { MANY } else { 1 };
                node.children.insert(segment.into(), Node { members, ..Node::default() });
            }
            let Some(child) = node.children.get_mut(segment) else { return };
            child.lines += lines;
            node = child;
            is_below_name = segment.starts_with(ID);
        }
        node.ends += lines;
    }
}

/// What stands for a segment that names one thing, with its extension behind it.
pub const ID: &[u8] = b":id";

/// What stands for a segment of which there are many.
pub const ANY: &[u8] = b":any";
