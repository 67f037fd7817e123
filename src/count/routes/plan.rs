//! Plan: which routes a sample of paths has, where a segment is a word of the site, and where it is one name of many.
//!
//! A place is a node of the sample with the segments below it. Its lines are told apart by as few values as show the
//! site, in this order:
//!
//! 1. **Kept files of a folder** and languages are many by nature: two pictures, or three languages that have pages
//!    below them, are names. (A file that draws a good part of all lines is a place of its own.)
//! 2. **A word is frequent** when it has `need` lines: 1/400 of all, and more where the sample is small, or far down.
//!    If words that are rarer than that make up more than a twelfth of the place, names come here, and all of them
//!    are one `:any`. So they are if there are more frequent words than a person would list, or too few lines to tell
//!    what lies below each.
//! 3. **Beside names, a word stays** that stands out: below it the paths go on in another way than below the names,
//!    or it is written otherwise, or it is known (`login`, `search`, `robots.txt`).
//! 4. **What is left** goes with the placeholder that is there already, or is `*`, the rest of the place, if it is
//!    worth a value; else it is counted under the rest of a place above. The root always has a rest, so there
//!    scanners end.
//!
//! Below a placeholder, a word must come below several of the names; else it tells of one of them.

use crate::count::routes::sample::Node;
use crate::count::routes::segments::{
    ANY, ID, LOOKS, cut_extension, has_extension, is_branch, is_kept_file, is_known_place, is_language,
    is_marked, is_placeholder,
};
use crate::order;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A place whose rare words make up more than one in so many of its lines is one of names.
const RARE_SHARE: u64 = 12;

/// So many segments down, a word needs twice the lines.
const DEEP: u64 = 4;

/// More words than this at one place, or at the root, none with anything below, are not read by a person.
const LEAVES_MAX: usize = 30;
const ROOT_LEAVES_MAX: usize = 40;

/// Needs of lines that make a kept file a place of its own: a fortieth of all lines.
const FILE_NEEDS: u64 = 10;

/// A rest is worth a value at a third of what a word needs.
const REST_NEED: u64 = 3;

/// Lines in a hundred of a place that may get lost in rests before its words are taken for names.
const LOST_PERCENT: u64 = 3;

/// Lines in a hundred that must end alike for a word to be one of the names: at the root, and below.
const ALIKE_PERCENT: u64 = 60;
const ALIKE_BELOW_PERCENT: u64 = 25;

/// So many rare words, or more, make a place one of names; fewer are a small site, or one that is hardly known yet.
const RARE_WORDS_MIN: usize = 8;

/// A place with no more words than these, one of which may be a name, takes so many times the lines to be known: what
/// everybody asks for now may be the first of many.
const ALONE_MAX: usize = 2;
const ALONE_TIMES: u64 = 4;

/// Of four lines, those below words that go on alike before the words are taken for names.
const ALIKE_QUARTERS: u64 = 3;

/// A word of letters alone has so many at most.
const PLAIN_BYTES_MAX: usize = 12;

/// Titles have so many parts; so many words of a place that are written like titles are names.
const TITLE_PARTS_MIN: usize = 4;
const TITLES_MIN: usize = 3;

/// Nodes that were merged from so many are names; a word below them must come from so many of them.
const NAMES_MIN: u64 = 8;
const SHARED_MIN: u64 = 3;

/// The lines that make a word frequent in a sample of so many: a share, and in small samples a few standard
/// deviations.
pub fn need(lines: u64) -> u64 {
    (lines / 400).max(lines.isqrt() / 3).max(2)
}

/// How many lines say something of a word, and of a place.
#[derive(Clone, Copy, Debug)]
pub struct Needs {
    /// Those that make a word frequent.
    pub word: u64,
    /// Those that a place must have before its words are told apart. What is shown stays, so while lines come there is
    /// time; nothing is to be waited for where all lines are there.
    pub place: u64,
}

/// A node of the routes: what is shown of a place, with the lines of the sample that say so.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub lines: u64,
    /// Lines of paths that end here, if that is a route.
    pub own: Option<u64>,
    /// Lines that no child has, if they are a route.
    pub rest: Option<u64>,
    pub children: BTreeMap<Box<[u8]>, Plan>,
    /// Lines that have a route of their own here and below, rests left out.
    resolved: u64,
}

impl Plan {
    /// What the lines of a sample are worth; the root has a rest always.
    pub fn of(root: &Node, needs: Needs) -> Plan {
        plan(root, needs, 0)
    }

    /// The routes as text, with their lines.
    pub fn routes(&self) -> Vec<(String, u64)> {
        let mut routes = Vec::new();
        self.write(&mut Vec::new(), &mut routes);
        routes
    }

    fn write(&self, path: &mut Vec<u8>, routes: &mut Vec<(String, u64)>) {
        let text = |path: &[u8], rest: &[u8]| String::from_utf8([path, rest].concat()).ok();
        let own = text(path, if path.is_empty() { b"/" } else { b"" });
        routes.extend(self.own.and_then(|lines| Some((own?, lines))));
        routes.extend(self.rest.and_then(|lines| Some((text(path, b"/*")?, lines))));
        for (segment, child) in &self.children {
            let length = path.len();
            path.push(b'/');
            path.extend_from_slice(segment);
            child.write(path, routes);
            path.truncate(length);
        }
    }

    fn is_empty(&self) -> bool {
        self.own.is_none() && self.rest.is_none() && self.children.is_empty()
    }
}

/// In the order of their text.
type Words<'n> = Vec<(&'n [u8], &'n Node)>;
type Names<'n> = BTreeMap<Cow<'n, [u8]>, Cow<'n, Node>>;

fn nodes<'n, 'w>(words: &'w Words<'n>) -> impl Iterator<Item = &'n Node> + use<'n, 'w> {
    words.iter().map(|(_, node)| *node)
}

fn lines<'n>(nodes: impl IntoIterator<Item = &'n Node>) -> u64 {
    nodes.into_iter().map(|node| node.lines).sum()
}

fn plan(node: &Node, needs: Needs, depth: usize) -> Plan {
    let need = needs.word;
    let mut plan = Plan { lines: node.lines, ..Plan::default() };
    let (mut words, mut names) = sorted(node, need, depth);
    let mut rest = 0;
    if is_hardly_known(node, &words, needs.place, depth) {
        rest += lines(nodes(&words));
        words.clear();
    }
    let (frequent, rare): (Words<'_>, Words<'_>) = words.iter().partition(|(_, word)| {
        word.lines >= need * (1 + depth as u64 / DEEP)
            && (node.members < NAMES_MIN || word.members >= SHARED_MIN)
    });
    let below = |node: &Node| self::plan(node, needs, depth + 1);
    let mut children: BTreeMap<Box<[u8]>, Plan> = BTreeMap::new();
    let listed = frequent.iter().map(|(word, node)| ((*word).into(), below(node)));
    let listed: BTreeMap<Box<[u8]>, Plan> = order::map(listed);
    if !words.is_empty() && are_names(node, (&frequent, &rare), &listed, needs, depth) {
        let kept = if rare.is_empty() { Vec::new() } else { standing_out(&frequent, &rare, needs, depth) };
        let all = words.iter().filter(|(word, _)| !kept.contains(word)).map(|(_, node)| *node);
        let (marked, others): (Names<'_>, Names<'_>) =
            names.into_iter().partition(|(name, _)| is_marked(name));
        let any = Node::merged(all.chain(others.values().map(AsRef::as_ref)));
        rest += node.unseen;
        children.insert(ANY.into(), below(&any));
        children.extend(marked.iter().map(|(name, node)| ((&**name).into(), below(node))));
        children.extend(listed.into_iter().filter(|(word, _)| kept.contains(&&**word)));
    } else {
        rest += leftover(&mut names, &rare, node.unseen, need, depth);
        children.extend(listed);
        children.extend(names.iter().map(|(name, node)| ((&**name).into(), below(node))));
    }
    if node.ends >= need {
        (plan.own, plan.resolved) = (Some(node.ends), node.ends);
    } else {
        rest += node.ends;
    }
    for (segment, mut child) in children {
        if child.lines < need {
            rest += child.lines;
            continue;
        }
        if child.is_empty() {
            child.rest = Some(child.lines);
        }
        plan.resolved += child.resolved;
        plan.children.insert(segment, child);
    }
    plan.rest = (depth == 0 || rest >= need.div_ceil(REST_NEED)).then_some(rest);
    plan
}

/// Whether too few lines have come to a place to tell its words from names.
fn is_hardly_known(node: &Node, words: &Words<'_>, need: u64, depth: usize) -> bool {
    let may_be_name = |(word, node): &(&[u8], &Node)| node.ends * 2 > node.lines && !is_plain_word(word);
    let are_alone = words.len() <= ALONE_MAX && words.iter().any(may_be_name);
    // What is below several things is no thing itself.
    let are_shared = nodes(words).all(|word| word.members >= SHARED_MIN);
    let times = if depth > 0 && are_alone { ALONE_TIMES } else { 1 };
    node.lines < need * times && !are_shared
}

/// The words of a place, and what is many by nature under its placeholder.
fn sorted<'n>(node: &'n Node, need: u64, depth: usize) -> (Words<'n>, Names<'n>) {
    let (mut words, mut names) = (Words::new(), Names::new());
    for (segment, child) in &node.children {
        if is_placeholder(segment) {
            names.insert(Cow::Borrowed(&**segment), Cow::Borrowed(child));
        } else {
            words.push((&**segment, child));
        }
    }
    let is_file = |(word, node): &&(&[u8], &Node)| {
        depth > 0 && is_kept_file(word) && node.ends * 2 > node.lines && node.lines < need * FILE_NEEDS
    };
    let speaks = |(word, node): &&(&[u8], &Node)| is_language(word) && node.ends * 2 < node.lines;
    let mut many: Vec<&[u8]> = words.iter().filter(is_file).map(|(word, _)| *word).collect();
    if many.len() < 2 {
        many.clear();
    }
    let languages: Vec<&[u8]> = words.iter().filter(speaks).map(|(word, _)| *word).collect();
    if languages.len() >= 3 {
        many.extend(languages);
    }
    let shards = shards(node, &words, depth);
    let digits = if shards.is_empty() { None } else { names.remove(ID) };
    many.extend(shards);
    if !many.is_empty() {
        many.sort_unstable();
        let of_many = words.extract_if(.., |(word, _)| many.binary_search(word).is_ok());
        let mut any = Node::merged(of_many.map(|(_, node)| node));
        digits.iter().for_each(|digits| any.merge(digits));
        names.insert(Cow::Borrowed(ANY), Cow::Owned(any));
    }
    (words, names)
}

/// The folders `a` to `f`, or `aa` to `ff`, beside those with a digit: the first of the hexadecimal digits of a hash.
fn shards<'n>(node: &Node, words: &Words<'n>, depth: usize) -> Vec<&'n [u8]> {
    let is_shard = |(word, _): &&(&'n [u8], &Node)| word.len() <= 2 && word.iter().all(u8::is_ascii_hexdigit);
    let of_shards: u64 = words.iter().filter(is_shard).map(|(_, node)| node.lines).sum();
    let of_digits = node.children.get(ID).map_or(0, |digits| digits.lines);
    let are_all = depth > 0 && of_digits > 0 && (of_shards + of_digits) * 4 > node.lines * 3;
    words.iter().filter(|word| are_all && is_shard(word)).map(|(word, _)| *word).collect()
}

/// Whether the words of a place are names of things rather than words of the site.
fn are_names(
    node: &Node,
    (frequent, rare): (&Words<'_>, &Words<'_>),
    listed: &BTreeMap<Box<[u8]>, Plan>,
    needs: Needs,
    depth: usize,
) -> bool {
    let need = needs.word;
    // Below names that a full sample does not have, nothing is new for being unseen.
    let unseen = if node.members < NAMES_MIN { node.unseen } else { 0 };
    let are_many = rare.len() >= RARE_WORDS_MIN || unseen > 0 || depth > 0;
    let (of_frequent, of_rare) = (lines(nodes(frequent)), lines(nodes(rare)) + unseen);
    let most = if depth == 0 { ROOT_LEAVES_MAX } else { LEAVES_MAX };
    let leaves = nodes(frequent).filter(|node| node.ends * 2 > node.lines).count();
    if are_many && of_rare >= need && of_rare * RARE_SHARE > of_frequent + of_rare
        || frequent.len() > most && leaves * 2 > frequent.len()
    {
        return true;
    }
    if node.members >= NAMES_MIN && frequent.iter().any(|(word, _)| is_branch(word)) {
        return true;
    }
    if frequent.len() < 3 || depth == 0 {
        return false;
    }
    let titles: Vec<&Node> =
        frequent.iter().filter(|(word, _)| is_title(word)).map(|(_, node)| *node).collect();
    if titles.len() >= TITLES_MIN && lines(titles) * 2 > of_frequent {
        return true;
    }
    // As a list, what lies below may be too little for a value each; taken together it may be enough.
    let all = of_frequent + of_rare;
    let (lost, resolved) = (LOST_PERCENT * all, listed.values().map(|plan| plan.resolved).sum::<u64>());
    resolved * 100 + lost < all * 100 && {
        let all = Node::merged(nodes(frequent));
        let together = plan(&all, needs, depth + 1);
        together.resolved * 100 > resolved * 100 + lost && go_on_alike(frequent, &together, &all)
    }
}

/// Small letters and not too many of them: names of things are rarely so short that they have nothing else.
fn is_plain_word(word: &[u8]) -> bool {
    word.len() <= PLAIN_BYTES_MAX && word.iter().all(u8::is_ascii_lowercase)
}

fn is_title(word: &[u8]) -> bool {
    cut_extension(word).0.split(|byte| b"-_".contains(byte)).filter(|part| !part.is_empty()).count()
        >= TITLE_PARTS_MIN
}

/// Whether most of what is below these words ends as below all of them.
fn go_on_alike(words: &Words<'_>, together: &Plan, all: &Node) -> bool {
    let usual = ends(together, all);
    let is_alike = |node: &&Node| {
        let chance = chance_percent(usual.len(), node.lines);
        alike_percent(&ends(together, node), &usual) + chance >= ALIKE_PERCENT
    };
    let alike = nodes(words).filter(is_alike);
    alike.map(|node| node.lines).sum::<u64>() * 4 >= all.lines * ALIKE_QUARTERS
}

/// Lets rare words go with the placeholder that is there, or makes one for them. Gives back the lines that are left.
fn leftover(names: &mut Names<'_>, rare: &Words<'_>, unseen: u64, need: u64, depth: usize) -> u64 {
    let of_names = names.values().map(|node| node.lines).sum::<u64>();
    let (kinds, mut small): (Names<'_>, Names<'_>) =
        std::mem::take(names).into_iter().partition(|(_, node)| node.lines >= need);
    *names = kinds;
    if names.len() > 3 || names.is_empty() && of_names >= need {
        let all = Node::merged(names.values().chain(small.values()).map(AsRef::as_ref));
        names.clear();
        small.clear();
        names.insert(Cow::Borrowed(ANY), Cow::Owned(all));
    }
    let others = Node::merged(nodes(rare).chain(small.values().map(AsRef::as_ref)));
    if others.lines == 0 || depth == 0 {
        return others.lines + unseen;
    }
    let unmarked = || names.keys().filter(|name| !is_marked(name));
    let like = unmarked().find(|name| **name == ANY).or_else(|| unmarked().next()).cloned();
    let joins = like.as_ref().is_some_and(|_| others.lines * 2 <= of_names);
    if joins || others.lines >= need && others.members >= SHARED_MIN {
        let mut any = others;
        let with = if joins { like } else { Some(Cow::Borrowed(ANY)) };
        with.and_then(|name| names.remove(&name)).iter().for_each(|node| any.merge(node));
        names.insert(Cow::Borrowed(ANY), Cow::Owned(any));
        return unseen;
    }
    others.lines + unseen
}

/// The frequent words of a place of names that are no names.
fn standing_out<'n>(frequent: &Words<'n>, rare: &Words<'n>, needs: Needs, depth: usize) -> Vec<&'n [u8]> {
    let names = Node::merged(nodes(rare));
    let mut usual = plan(&names, needs, depth + 1);
    if usual.is_empty() {
        usual.own = Some(names.lines);
    }
    let ends_of_names = ends(&usual, &names);
    let looks =
        |look: &fn(&[u8]) -> bool| rare.iter().filter(|(name, _)| look(name)).count() * 100 / rare.len();
    let shares = LOOKS.each_ref().map(looks);
    let all = lines(nodes(frequent)) + names.lines;
    let stands_out = |(word, node): &&(&'n [u8], &'n Node)| {
        let alike = alike_percent(&ends(&usual, node), &ends_of_names);
        let written_otherwise = LOOKS.iter().zip(shares).any(|(look, share)| share >= 90 && !look(word))
            || has_extension(word) && shares[LOOKS.len() - 1] < 10;
        let by_shape = match depth {
            0 => alike + chance_percent(ends_of_names.len(), node.lines) < ALIKE_PERCENT || written_otherwise,
            _ => alike < ALIKE_BELOW_PERCENT && node.lines * 5 >= all * 2,
        };
        by_shape || is_known_place(word, depth == 0, node.ends * 2 < node.lines)
    };
    frequent.iter().filter(stands_out).map(|(word, _)| *word).collect()
}

/// Where the lines below a node end by a plan: by route, and what has none under its rest. What a full sample does not
/// have is left out.
fn ends(plan: &Plan, node: &Node) -> BTreeMap<(Vec<u8>, bool), u64> {
    fn walk(plan: &Plan, node: &Node, path: &mut Vec<u8>, ends: &mut BTreeMap<(Vec<u8>, bool), u64>) {
        *ends.entry((path.clone(), plan.own.is_some())).or_default() += node.ends;
        for (segment, child) in &node.children {
            let known = plan.children.get_key_value(segment).or_else(|| plan.children.get_key_value(ANY));
            let Some((segment, below)) = known else {
                *ends.entry((path.clone(), false)).or_default() += child.lines;
                continue;
            };
            let length = path.len();
            path.push(b'/');
            path.extend_from_slice(segment);
            walk(below, child, path, ends);
            path.truncate(length);
        }
    }
    let mut all = BTreeMap::new();
    walk(plan, node, &mut Vec::new(), &mut all);
    all
}

/// By how much a few lines differ from many by chance alone, if both end in so many ways.
fn chance_percent(ways: usize, lines: u64) -> u64 {
    (1600 * ways as u64 / lines.max(1)).isqrt()
}

/// How much two sets of ends have in common, in percent: the sum over all routes of the smaller share.
fn alike_percent(one: &BTreeMap<(Vec<u8>, bool), u64>, other: &BTreeMap<(Vec<u8>, bool), u64>) -> u64 {
    let sums = [one, other].map(|ends| ends.values().sum::<u64>().max(1));
    let routes = one.iter().filter(|((_, is_route), _)| *is_route);
    let common = routes.map(|(end, lines)| {
        (lines * 10_000 / sums[0]).min(other.get(end).copied().unwrap_or(0) * 10_000 / sums[1])
    });
    common.sum::<u64>() / 100
}
