//! A request's path into the pattern it follows: `--route /users/:id/orders`, or `--route auto`.
//!
//! Paths are read in one way, for patterns and for requests alike:
//!
//! - what follows the first `?` or `#` is cut off, which has been done already (parse/request.rs);
//! - the rest is cut at `/` into segments. Empty segments do not count, so doubled slashes, a slash at the
//!   end and one at the beginning make no difference: `//a/b/` is `/a/b`;
//! - `.` is left out, and `..` takes the segment before it away (RFC 3986, section 5.2.4);
//! - nothing is decoded: `%2f` is three characters of a segment and never a slash, as Apache treats it unless
//!   told otherwise, and `%41` is not `A`. Case counts.
//!
//! In a pattern a segment is literal, or `:name` (exactly one segment), or, as the last one, `*` (any number
//! of segments, also none: `/static/*` follows `/static` as well). The first pattern in the order given wins.
//!
//! The patterns are a tree of segments whose literal children are found by hash, so thousands of them cost no
//! more than ten. Where a literal and a `:name` both fit, both branches may have to be searched; but a node
//! has one place in the tree and is entered at most once for a path, and not at all if no pattern below it
//! comes earlier than the best one found. So a search enters at most `2^(d+1)` nodes for a path of `d`
//! segments, and never more than the patterns have segments, which is the cost of trying one after the other.
//! Nothing is allocated by a search.

use crate::bytes::scan::{find_byte, places};
use crate::bytes::words::same;
use crate::count::hash::Seed;
use crate::parse::read::request::Request;

/// A pattern may have so many segments. Paths may have more; those that are further down only `*` follows.
const SEGMENTS_MAX: usize = 16;

/// Pattern numbers are a `u16`, and the highest one means none.
const PATTERNS_MAX: usize = u16::MAX as usize;

/// Segments that `template` keeps. Deeper ones tell single things apart rather than kinds of things.
const TEMPLATE_SEGMENTS_MAX: usize = 6;

/// The length of a template, so that it fits in a label value whole.
const TEMPLATE_BYTES_MAX: usize = 200;

/// A segment longer than this is nobody's word and counts as an identifier.
const WORD_BYTES_MAX: usize = 64;

/// Hexadecimal digits that make an identifier; short commit hashes and CRCs have seven or eight.
const HEX_DIGITS_MIN: usize = 8;

/// Characters of the shortest random-looking identifier: 12 bytes in base64 are 16 characters.
const RANDOM_BYTES_MIN: usize = 16;

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
    /// Open-addressed: (parent, segment) to the child, a power of two and at least twice the literal nodes.
    edges: Vec<Edge>,
    literals: usize,
    seed: Seed,
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

#[derive(Clone, Copy, Debug)]
struct Edge {
    tag: u32,
    child: u32,
}

const NO_EDGE: Edge = Edge { tag: 0, child: ROOT };

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
            edges: vec![NO_EDGE; 16],
            literals: 0,
            seed: Seed::new(),
        };
        for (index, pattern) in patterns.iter().enumerate() {
            routes.insert(index, pattern).map_err(|why| (index, why))?;
        }
        Ok(routes)
    }

    /// The number of the first pattern that a request's path follows. `text` goes on behind its target.
    #[inline]
    pub fn of(&self, request: &Request<'_>, text: &[u8]) -> Option<u16> {
        match Usual::of(request.target?, text) {
            Some(segments) => Some(self.search(ROOT, segments, NONE)).filter(|&found| found != NONE),
            None => self.find(request.path()?),
        }
    }

    /// The number of the first pattern that this path follows, which comes without its query.
    #[inline(never)]
    pub fn find(&self, path: &[u8]) -> Option<u16> {
        let found = if has_dots(path) {
            // One more than any pattern has: a path that fills it ends nowhere, and only `*` can be left to
            // follow it.
            let mut segments = [&b""[..]; SEGMENTS_MAX + 1];
            let count = split(path, &mut segments).min(segments.len());
            self.search(ROOT, segments[..count].iter().copied(), NONE)
        } else {
            // Most paths leave the tree at a segment or two: what follows is not even cut.
            self.search(ROOT, Segments::of(path), NONE)
        };
        (found != NONE).then_some(found)
    }

    #[cfg(test)]
    /// The text of a pattern; empty for a number that none has.
    pub fn pattern(&self, index: u16) -> &str {
        self.patterns.get(usize::from(index)).map_or("", String::as_str)
    }

    fn search<'p>(&self, at: u32, segments: impl Iterator<Item = &'p [u8]> + Clone, best: u16) -> u16 {
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
    fn literal(&self, parent: u32, segment: &[u8]) -> Option<u32> {
        let (mut place, tag) = halves(self.seed.hash_after(parent.into(), segment));
        loop {
            let edge = self.edges[place as usize & (self.edges.len() - 1)];
            if edge.child == ROOT {
                return None;
            }
            if edge.tag == tag {
                let node = &self.nodes[edge.child as usize];
                if node.parent == parent && same(&node.segment, segment) {
                    return Some(edge.child);
                }
            }
            place = place.wrapping_add(1);
        }
    }

    fn insert(&mut self, index: usize, pattern: &str) -> Result<(), String> {
        let number = u16::try_from(index).ok().filter(|_| index < PATTERNS_MAX);
        let number = number.ok_or_else(|| format!("there may be {PATTERNS_MAX} patterns at most"))?;
        let mut segments = [&b""[..]; SEGMENTS_MAX + 1];
        let count = cut(pattern, &mut segments)?;
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
        if let Some(child) = self.literal(parent, segment) {
            return child;
        }
        let child = self.push(Node::new(parent, segment));
        self.nodes[parent as usize].has_literals = true;
        self.literals += 1;
        if self.literals * 2 > self.edges.len() {
            self.widen();
        }
        self.link(child);
        child
    }

    fn push(&mut self, node: Node) -> u32 {
        // PATTERNS_MAX times SEGMENTS_MAX nodes are a million.
        let number = u32::try_from(self.nodes.len()).unwrap_or(ROOT);
        self.nodes.push(node);
        number
    }

    fn link(&mut self, child: u32) {
        let node = &self.nodes[child as usize];
        let (mut place, tag) = halves(self.seed.hash_after(node.parent.into(), &node.segment));
        let mask = self.edges.len() - 1;
        while self.edges[place as usize & mask].child != ROOT {
            place = place.wrapping_add(1);
        }
        self.edges[place as usize & mask] = Edge { tag, child };
    }

    fn widen(&mut self) {
        let old = std::mem::take(&mut self.edges);
        self.edges = vec![NO_EDGE; 2 * old.len()];
        for edge in old.iter().filter(|edge| edge.child != ROOT) {
            self.link(edge.child);
        }
    }
}

/// The place in the table and the tag of a hash.
#[expect(clippy::cast_possible_truncation, reason = "the halves of a word")]
fn halves(hash: u64) -> (u32, u32) {
    (hash as u32, (hash >> 32) as u32)
}

/// What is wrong with a pattern, if anything is.
pub fn check(pattern: &str) -> Result<(), String> {
    let wrong = |why| format!("`{pattern}`: {why}");
    cut(pattern, &mut [&b""[..]; SEGMENTS_MAX + 1]).map(|_| ()).map_err(wrong)
}

/// Cuts a pattern into its segments and says how many there are, or what is wrong with it.
fn cut<'p>(pattern: &'p str, segments: &mut [&'p [u8]; SEGMENTS_MAX + 1]) -> Result<usize, String> {
    if !pattern.starts_with('/') {
        return Err("a route must begin with `/`".to_owned());
    }
    if pattern.contains(['?', '#']) {
        return Err(
            "the query is cut off before routes are matched, so `?` and `#` cannot be in one".to_owned()
        );
    }
    let count = split(pattern.as_bytes(), segments);
    if count > SEGMENTS_MAX {
        return Err(format!("a route may have {SEGMENTS_MAX} segments at most"));
    }
    for segment in &segments[..count] {
        if *segment == b":" {
            return Err("`:` needs a name after it".to_owned());
        }
        if segment.len() > 1 && segment.contains(&b'*') {
            return Err("`*` stands for whole segments and cannot be a part of one".to_owned());
        }
    }
    Ok(count)
}

/// Cuts a path into segments in the way the head of this file says. The count that is returned goes on where
/// there is no more room for segments.
fn split<'p>(path: &'p [u8], segments: &mut [&'p [u8]]) -> usize {
    let mut count = 0usize;
    for segment in Segments::of(path) {
        match segment {
            b"." => {}
            b".." => count = count.saturating_sub(1),
            segment => {
                if let Some(room) = segments.get_mut(count) {
                    *room = segment;
                }
                count += 1;
            }
        }
    }
    count
}

/// Whether a segment begins with a dot: only then can one be `.` or `..`.
#[inline]
fn has_dots(path: &[u8]) -> bool {
    let mut at = find_byte(path, 0, b'.');
    while at < path.len() {
        if at == 0 || path[at - 1] == b'/' {
            return true;
        }
        at = find_byte(path, at + 1, b'.');
    }
    false
}

/// The segments of a target as most are: shorter than sixty-four bytes, with a slash before all others, and no segment
/// that begins with a dot. Where they end is seen at once, without a search for each.
#[derive(Clone)]
struct Usual<'t> {
    target: &'t [u8],
    at: usize,
    /// One bit for each place from `at` on where a segment ends.
    ends: u64,
}

impl<'t> Usual<'t> {
    /// None for a target that is otherwise, or where the text that begins with it is shorter.
    #[inline]
    fn of(target: &'t [u8], text: &[u8]) -> Option<Usual<'t>> {
        let block = text.first_chunk().filter(|block| block[0] == b'/' && target.len() < 64)?;
        let slashes = places(block, b'/', b'/');
        // The path ends at its query or fragment.
        let path_end = places(block, b'?', b'#') | 1 << target.len();
        let path_end = path_end & path_end.wrapping_neg();
        let path = path_end - 1;
        let dotted = slashes << 1 & places(block, b'.', b'.') & path;
        (dotted == 0).then_some(Usual { target, at: 1, ends: slashes & path & !1 | path_end })
    }
}

impl<'t> Iterator for Usual<'t> {
    type Item = &'t [u8];

    #[inline]
    fn next(&mut self) -> Option<&'t [u8]> {
        while self.ends != 0 {
            let (start, end) = (self.at, self.ends.trailing_zeros() as usize);
            self.at = end + 1;
            self.ends &= self.ends - 1;
            if start < end {
                return self.target.get(start..end);
            }
        }
        None
    }
}

/// The segments of a path from a place on, those that are empty left out.
#[derive(Clone)]
struct Segments<'p> {
    path: &'p [u8],
    at: usize,
}

impl<'p> Segments<'p> {
    fn of(path: &'p [u8]) -> Segments<'p> {
        Segments { path, at: 0 }
    }
}

impl<'p> Iterator for Segments<'p> {
    type Item = &'p [u8];

    #[inline]
    fn next(&mut self) -> Option<&'p [u8]> {
        while self.path.get(self.at) == Some(&b'/') {
            self.at += 1;
        }
        let start = self.at;
        self.at = find_byte(self.path, start, b'/');
        self.path.get(start..self.at).filter(|segment| !segment.is_empty())
    }
}

/// Writes the template of a path to `out`, in place of what was there: segments that name a single thing
/// become `:id`, with their file extension if they have one, and after [`TEMPLATE_SEGMENTS_MAX`] segments or
/// [`TEMPLATE_BYTES_MAX`] bytes a `*` stands for the rest.
pub fn template(path: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let mut segments = [&b""[..]; TEMPLATE_SEGMENTS_MAX];
    let count = split(path, &mut segments);
    for segment in &segments[..count.min(TEMPLATE_SEGMENTS_MAX)] {
        let (stem, extension) = cut_extension(segment);
        let parts: [&[u8]; 2] = if is_identifier(segment) {
            [b":id", b""]
        } else if !extension.is_empty() && is_identifier(stem) {
            [b":id", extension]
        } else {
            [segment, b""]
        };
        // Room is kept for the `/*` that may have to follow.
        if out.len() + 1 + parts[0].len() + parts[1].len() > TEMPLATE_BYTES_MAX - 2 {
            out.extend_from_slice(b"/*");
            return;
        }
        out.push(b'/');
        out.extend_from_slice(parts[0]);
        out.extend_from_slice(parts[1]);
    }
    match count {
        0 => out.push(b'/'),
        1..=TEMPLATE_SEGMENTS_MAX => {}
        _ => out.extend_from_slice(b"/*"),
    }
}

/// `17.json` is `17` and `.json`: an extension begins with a letter and has at most five characters. Without
/// one, the whole is the stem.
fn cut_extension(segment: &[u8]) -> (&[u8], &[u8]) {
    let dot = segment.iter().rposition(|&byte| byte == b'.').unwrap_or(segment.len());
    match &segment[dot..] {
        extension @ [b'.', first, rest @ ..]
            if first.is_ascii_alphabetic()
                && rest.len() < 5
                && rest.iter().all(u8::is_ascii_alphanumeric) =>
        {
            (&segment[..dot], extension)
        }
        _ => (segment, b""),
    }
}

/// Whether a segment names one thing rather than a kind of things:
///
/// - a number, a date, a time, a version: digits, with `-._:,+` and the `T` and `Z` of ISO 8601 between and
///   after;
/// - a UUID or a hash: at least [`HEX_DIGITS_MIN`] hexadecimal digits with dashes, one of them a decimal
///   digit (which `facade` and other words of those letters lack);
/// - a token: at least [`RANDOM_BYTES_MIN`] of the characters of base64 and base64url, with digits and
///   letters, where upper case, lower case and digits change places a quarter of the time or more, as they do
///   not in words;
/// - anything longer than [`WORD_BYTES_MAX`].
fn is_identifier(segment: &[u8]) -> bool {
    if segment.len() > WORD_BYTES_MAX {
        return true;
    }
    if !segment.iter().any(u8::is_ascii_digit) {
        return false;
    }
    let all = |allowed: fn(u8) -> bool| segment.iter().all(|&byte| allowed(byte));
    let is_number = segment[0].is_ascii_digit() && all(|b| b.is_ascii_digit() || b"-._:,+TZ".contains(&b));
    is_number
        || all(|b| b.is_ascii_hexdigit() || b == b'-')
            && segment.iter().filter(|&&byte| byte != b'-').count() >= HEX_DIGITS_MIN
        || segment.len() >= RANDOM_BYTES_MIN
            && all(|b| b.is_ascii_alphanumeric() || b"-_+=~".contains(&b))
            && changes(segment) * 4 >= segment.len()
}

/// How often two neighbours are both letters or digits, but of different kinds.
fn changes(segment: &[u8]) -> usize {
    let kind = |byte: u8| match byte {
        b'0'..=b'9' => 1,
        b'a'..=b'z' => 2,
        b'A'..=b'Z' => 3,
        _ => 0,
    };
    let pairs = segment.windows(2).map(|pair| (kind(pair[0]), kind(pair[1])));
    pairs.filter(|&(left, right)| left != right && left != 0 && right != 0).count()
}

#[cfg(test)]
mod tests;
