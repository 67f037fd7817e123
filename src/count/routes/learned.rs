//! `--route auto`: routes learned from the paths themselves, and the route of a path by what is settled.
//!
//! Two trees. The *sample* holds what was seen lately; whenever it has grown enough, a [`Plan`] is made of it, and
//! what the plan shows and the *settled* tree lacks is added there. What is settled stays, and where names fall
//! together no word is taken out again: so a value on the page never changes its meaning. A path that ends nowhere in
//! the settled tree is counted under the rest (`/blog/*`) of the last place on its way that has one; the root has one
//! from the start.
//!
//! A place is found by one hash of the whole way to it, 64 bits that no client can predict, and its text is not kept.
//! So the hash of the next word need not wait until the place of this one is found, where most of the time goes.
//!
//! Answers of 400, 404 and 405 teach nothing, for scanners get these. In the first sample, paths that are not settled
//! are all looked at; later, and of the settled ones always, one in a few, which counts for so many. Nothing here is
//! chance: the same lines give the same routes.

use crate::bytes::path::{self, Segment, Walk};
use crate::count::routes::plan::{Needs, Plan, need};
use crate::count::routes::sample::{DEPTH_MAX, Sample};
use crate::count::routes::segments::{ANY, ID, Name, is_placeholder, name_of};
use crate::count::routes::ways::{ROOT, Ways};
use crate::order;
use crate::parse::read::request::{Request, path_of};
use foldhash::fast::RandomState;

/// Lines after which it is decided, and those of the longest sample; between them it doubles.
const FIRST_LINES: u64 = 128;
const LATER_LINES: u64 = 8_000;
const SAMPLE_LINES: u64 = 64_000;

/// While lines come and the page is read, a route must have been seen so often, and a place before its words are told
/// apart.
const LIVE_ROUTE_LINES: u64 = 16;
const LIVE_PLACE_LINES: u64 = 160;

/// One in so many settled lines is looked at, and of the others once a whole sample was taken. Powers of two.
const SETTLED_WEIGHT: u64 = 128;
const UNSETTLED_WEIGHT: u64 = 32;

/// A route must have been seen so often in a sample of a part of the lines.
const SIGHTINGS_MIN: u64 = 4;

/// Where a way ends whose next segment the settled tree does not have.
const IS_LOST: u32 = 1 << 31;

/// The route of what has none of its own at the root, where all learning begins.
const EVERYTHING: &str = "/*";

/// No value, in a node.
const NONE: u32 = u32::MAX;

#[derive(Debug)]
struct Node {
    /// The hash of the way to it.
    way: u64,
    parent: u32,
    has_words: bool,
    /// There are children for names with marks or extensions.
    has_names: bool,
    /// The child for a plain `:id`; the root means none.
    id: u32,
    /// Names fall together here, and have done so for lines that were counted: no word is taken out any more.
    is_closed: bool,
    /// The child for any segment; the root means none.
    any: u32,
    /// The numbers of the values, once they are settled.
    own: u32,
    rest: u32,
    /// The rest that takes what ends nowhere: its own, or that of the nearest node above.
    taken_by: u32,
}

impl Node {
    fn new(parent: u32, way: u64) -> Node {
        let (has_words, has_names, is_closed) = (false, false, false);
        let (own, rest, taken_by) = (NONE, NONE, NONE);
        Node { way, parent, has_words, has_names, is_closed, id: ROOT, any: ROOT, own, rest, taken_by }
    }
}

/// What is settled.
#[derive(Debug)]
struct Settled {
    nodes: Vec<Node>,
    seed: RandomState,
    /// All nodes but the root.
    ways: Ways,
}

/// The way to the root.
const START: u64 = 0;

/// The learner of one label.
#[derive(Debug)]
pub struct Learner {
    settled: Settled,
    sample: Sample,
    /// Lines of the sample, the unsettled and the others, and when it is looked at again.
    lines: u64,
    due: u64,
    /// Of the lines that the sample stands for, those that were not settled.
    unsettled: u64,
    /// For how many lines one that is not settled counts when it is looked at.
    unsettled_weight: u64,
    /// Off while lines are counted that were looked at already.
    is_learning: bool,
    /// The routes of the latest sample.
    latest: Vec<(String, u64)>,
}

impl Settled {
    fn new() -> Settled {
        Settled { nodes: vec![Node::new(ROOT, START)], seed: RandomState::default(), ways: Ways::new() }
    }

    #[inline(always)]
    fn way_to_word(&self, way: u64, word: Segment<'_>) -> u64 {
        word.hash_below(&self.seed, way)
    }

    #[inline(always)]
    fn way_to_name(&self, way: u64, name: Name<'_>) -> u64 {
        // With a bit changed: the word of the same text is another place.
        match name {
            Name::Marked(mark) => Segment::of(&[mark]).hash_below(&self.seed, way ^ 1),
            Name::Id(extension) => extension.hash_below(&self.seed, way ^ 2),
        }
    }

    /// To a segment of a route.
    fn way_to(&self, way: u64, segment: &[u8]) -> u64 {
        match Name::of_placeholder(segment) {
            Some(name) => self.way_to_name(way, name),
            None => self.way_to_word(way, Segment::of(segment)),
        }
    }

    /// The node of a pattern's segments, made if need be. None where names fall together already and this is a word.
    fn grow<'p>(&mut self, segments: impl Iterator<Item = &'p [u8]>) -> Option<u32> {
        let (mut at, mut way) = (ROOT, START);
        for segment in segments {
            way = self.way_to(way, segment);
            at = match self.ways.find(way) {
                Some(child) => child,
                None if self.nodes[at as usize].is_closed => return None,
                None => self.add(at, segment, way),
            };
        }
        Some(at)
    }

    fn add(&mut self, parent: u32, segment: &[u8], way: u64) -> u32 {
        let child = u32::try_from(self.nodes.len()).unwrap_or(ROOT);
        self.nodes.push(Node::new(parent, way));
        let above = &mut self.nodes[parent as usize];
        match segment {
            ID => above.id = child,
            ANY => above.any = child,
            _ if is_placeholder(segment) => above.has_names = true,
            _ => above.has_words = true,
        }
        self.ways.insert(way, child);
        child
    }

    /// Gives a route its value, unless it has one.
    fn settle(&mut self, route: &str, value: impl FnOnce() -> u16) {
        let place = route.strip_suffix('*');
        let text = place.unwrap_or(route);
        let Some(node) = self.grow(text.split('/').map(str::as_bytes).filter(|segment| !segment.is_empty()))
        else {
            return;
        };
        let node = &mut self.nodes[node as usize];
        let known = if place.is_some() { &mut node.rest } else { &mut node.own };
        if *known == NONE {
            *known = value().into();
        }
    }

    /// What falls together from now on stays together, and what has no route has a rest.
    fn close(&mut self) {
        for at in 0..self.nodes.len() {
            let above = self.nodes[self.nodes[at].parent as usize].taken_by;
            let node = &mut self.nodes[at];
            node.is_closed = node.any != ROOT;
            node.taken_by = if node.rest == NONE { above } else { node.rest };
        }
    }

    /// The child for the name that a segment is, if it is one and has a place there.
    #[inline(never)]
    fn named(&self, at: u32, segment: Segment<'_>) -> Option<u32> {
        let (node, name) = (&self.nodes[at as usize], name_of(segment)?);
        if name.is_plain() {
            return (node.id != ROOT).then_some(node.id);
        }
        self.ways.find(self.way_to_name(node.way, name))
    }

    /// The number of the value where a way ends, and whether that is a route of its own.
    #[inline]
    fn value(&self, end: u32) -> (u32, bool) {
        let node = &self.nodes[(end & !IS_LOST) as usize];
        let is_route = end & IS_LOST == 0 && node.own != NONE;
        (if is_route { node.own } else { node.taken_by }, is_route)
    }
}

/// Where the way of a path ends.
impl Walk for &Settled {
    type End = u32;

    #[inline(always)]
    fn walk<'p>(self, segments: impl Iterator<Item = Segment<'p>> + Clone) -> u32 {
        let (mut at, mut way) = (ROOT, START);
        for segment in segments {
            let node = &self.nodes[at as usize];
            if node.has_words {
                let word = self.way_to_word(way, segment);
                if let Some(child) = self.ways.find(word) {
                    (at, way) = (child, word);
                    continue;
                }
            }
            let child = if node.id != ROOT && segment.is_short_number() {
                node.id
            } else if (node.has_names || node.id != ROOT)
                && let Some(child) = self.named(at, segment)
            {
                child
            } else {
                node.any
            };
            if child == ROOT {
                return at | IS_LOST;
            }
            (at, way) = (child, self.nodes[child as usize].way);
        }
        at
    }
}

/// A path goes into the sample, for so many lines.
struct Enter<'s>(&'s mut Sample, u64);

impl Walk for Enter<'_> {
    type End = ();

    fn walk<'p>(self, segments: impl Iterator<Item = Segment<'p>> + Clone) {
        self.0.enter(segments, self.1);
    }
}

/// Statuses that say nothing of the site: what was asked for is not there, or was no request.
fn teaches(status: Option<u16>) -> bool {
    !matches!(status, Some(400 | 404 | 405))
}

impl Learner {
    /// With the value of what is not told apart.
    pub fn new(value: impl FnOnce(&str) -> u16) -> Learner {
        let mut settled = Settled::new();
        settled.settle(EVERYTHING, || value(EVERYTHING));
        settled.close();
        let (sample, latest) = (Sample::default(), Vec::new());
        let (lines, due, unsettled, unsettled_weight) = (0, FIRST_LINES, 0, 1);
        Learner { settled, sample, lines, due, unsettled, unsettled_weight, is_learning: true, latest }
    }

    /// The value of a request's route, by what is settled so far. `text` goes on behind its target.
    #[inline]
    pub fn of(&mut self, request: &Request<'_>, text: &[u8], status: Option<u16>) -> Option<u16> {
        let target = request.target?;
        let end = path::walk(target, text, path_of, &self.settled);
        let (value, is_settled) = self.settled.value(end);
        if self.is_learning && teaches(status) {
            self.lines += 1;
            let weight = if is_settled { SETTLED_WEIGHT } else { self.unsettled_weight };
            if self.lines & (weight - 1) == 0 {
                self.unsettled += if is_settled { 0 } else { weight };
                path::walk_path(path_of(target), Enter(&mut self.sample, weight));
            }
        }
        Some(u16::try_from(value).unwrap_or(0))
    }

    /// Looks at a path that will be counted later.
    pub fn look_at(&mut self, path: &[u8], status: Option<u16>) {
        if teaches(status) {
            self.lines += 1;
            path::walk_path(path, Enter(&mut self.sample, 1));
        }
    }

    #[inline]
    pub fn is_due(&self) -> bool {
        self.lines >= self.due
    }

    /// Settles what the sample shows. `value` gives a route its number, those with the most lines first.
    #[cold]
    pub fn settle(&mut self, value: impl FnMut(&str) -> u16) {
        let sightings = if self.unsettled_weight > 1 { SIGHTINGS_MIN * self.unsettled_weight } else { 0 };
        let needs = Needs { word: need(self.lines).max(sightings), place: LIVE_PLACE_LINES };
        // What is settled stays as it is, so a later sample of hardly anything else has nothing to say.
        if self.unsettled >= sightings {
            self.settle_with(needs, LIVE_ROUTE_LINES.max(sightings), value);
        }
        if self.lines < SAMPLE_LINES {
            self.due = (self.due * 2).min(SAMPLE_LINES);
        } else {
            self.begin_again();
        }
    }

    /// Settles what a sample shows that is all there is, or long enough, before any of it is counted.
    pub fn settle_sample(&mut self, value: impl FnMut(&str) -> u16) {
        self.settle_with(Needs { word: need(self.lines), place: 0 }, 0, value);
        self.begin_again();
    }

    /// The next sample.
    fn begin_again(&mut self) {
        (self.sample, self.lines, self.due) = (Sample::default(), 0, LATER_LINES);
        self.unsettled = 0;
        self.unsettled_weight = UNSETTLED_WEIGHT;
    }

    fn settle_with(&mut self, needs: Needs, lines_min: u64, mut value: impl FnMut(&str) -> u16) {
        let mut routes = Plan::of(&self.sample.tree(), needs).routes();
        routes.retain(|(_, lines)| *lines >= lines_min);
        order::sort_by(&mut routes, |one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        for (route, _) in &routes {
            self.settled.settle(route, || value(route));
        }
        self.settled.close();
        self.latest = routes;
    }

    /// What was settled in an earlier life, as values on its page.
    pub fn settle_known<'r>(
        &mut self,
        routes: impl Iterator<Item = &'r str>,
        mut value: impl FnMut(&str) -> u16,
    ) {
        let routes = routes.filter(|route| route.starts_with('/'));
        for route in routes.filter(|route| route.split('/').count() <= DEPTH_MAX + 2) {
            self.settled.settle(route, || value(route));
        }
        self.settled.close();
    }

    /// Counts lines without looking at them, for they were looked at.
    pub fn learn(&mut self, is_learning: bool) {
        self.is_learning = is_learning;
    }

    /// The routes of the latest sample with their lines, the most first.
    pub fn latest(&self) -> &[(String, u64)] {
        &self.latest
    }
}

#[cfg(test)]
mod tests;
