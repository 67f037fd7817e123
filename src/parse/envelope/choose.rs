//! Choice of the envelope: all chains of heads that the lines could have are tried; the one in which most fit is taken.

use crate::parse::envelope::chain::{Chain, Wanted};
use crate::parse::envelope::facts::Facts;
use crate::parse::envelope::heads::{HEADS, Head, Reader};
use crate::parse::envelope::json::JsonReader;
use crate::parse::envelope::peel::{Envelope, Peeled};

/// Chains that are tried on all lines; those that more lines have come first.
const CANDIDATES_MAX: usize = 12;

/// Chains that are told apart while they are gathered.
const GATHERED_MAX: usize = 48;

/// Finds the chains that could be a line's.
#[derive(Debug)]
pub struct Finder {
    wanted: Wanted,
    json: JsonReader,
    facts: Facts,
}

impl Finder {
    pub fn new(wanted: Wanted) -> Finder {
        Finder { wanted, json: JsonReader::new(), facts: Facts::default() }
    }

    /// Every chain that can be taken off a line.
    pub fn chains(&mut self, line: &[u8]) -> Vec<Chain> {
        let mut found = Vec::new();
        self.gather(line, Chain::default(), &mut found);
        found
    }

    fn gather(&mut self, text: &[u8], outer: Chain, found: &mut Vec<Chain>) {
        for (place, head) in HEADS.iter().enumerate() {
            let allowed = !outer.is_empty() || self.wanted.allows(place);
            let again = outer.heads().any(|known| std::ptr::eq(known, head));
            let Some(chain) = outer.with(place).filter(|_| allowed && !again && found.len() < GATHERED_MAX)
            else {
                continue;
            };
            self.facts.clear();
            match head.reader {
                Reader::Text(read) => {
                    let Some(inner) = read(text, &mut self.facts) else { continue };
                    found.push(chain);
                    self.gather(&text[inner.from..], chain, found);
                }
                Reader::Json { docker } => {
                    let mut unescaped = Vec::new();
                    let is_inner = outer.heads().any(|known| matches!(known.reader, Reader::Json { .. }));
                    let read =
                        !is_inner && self.json.read(text, docker, &mut self.facts, &mut unescaped).is_some();
                    if read {
                        found.push(chain);
                        self.gather(&unescaped, chain, found);
                    }
                }
            }
        }
    }
}

/// What is in an envelope of some lines, as far as it is meant to be requests.
pub fn inner_lines(chain: Chain, stderr: bool, lines: &[&[u8]]) -> Vec<Vec<u8>> {
    let (mut envelope, mut facts) = (Envelope::of(chain, stderr), Facts::default());
    let inner = lines.iter().filter_map(|line| match envelope.peel(line, &mut facts) {
        Peeled::Inner(place) => Some(envelope.text(place, line).to_vec()),
        _ => None,
    });
    inner.collect()
}

/// What lines have around them.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    pub chain: Chain,
    /// Whether the requests are on stderr.
    pub stderr: bool,
}

/// The chain in which lines fit best by a score; `None` is no fit at all. Among equals a distinctive head is preferred,
/// and another one only where `prefers_heads`: a reader of JSON skips what stands in front.
pub fn choose<S: Ord + Copy>(
    wanted: Wanted,
    lines: &[&[u8]],
    prefers_heads: bool,
    mut score: impl FnMut(&[&[u8]]) -> Option<S>,
) -> Option<Choice> {
    let candidates = candidates(wanted, lines);
    let not_stderr = without_stderr(&candidates, lines);
    let mut best: Option<(S, u8, Choice)> = None;
    let mut try_chain = |chain: Chain, stderr: bool, lines: &[&[u8]]| {
        let inner = inner_lines(chain, stderr, lines);
        let inner: Vec<&[u8]> = inner.iter().map(Vec::as_slice).collect();
        let Some(score) = score(&inner) else { return best.is_some() };
        let rank = match (chain.is_empty(), chain.heads().all(|head| head.is_certain)) {
            (true, _) => 1,
            (false, false) if prefers_heads => 2,
            (false, false) => 0,
            (false, true) => 3,
        };
        if best.as_ref().is_none_or(|(most, known, _)| (score, rank) > (*most, *known)) {
            best = Some((score, rank, Choice { chain, stderr }));
        }
        best.is_some()
    };
    let mut found = false;
    if !matches!(wanted, Wanted::Named(_)) {
        found = try_chain(Chain::default(), false, &not_stderr);
    }
    for chain in &candidates {
        found = try_chain(*chain, false, &not_stderr);
    }
    if !found {
        for chain in &candidates {
            try_chain(*chain, true, lines);
        }
    }
    best.map(|(_, _, choice)| choice)
}

/// The lines that no certain head attributes to stderr. (A chain that cannot tell stderr would seem to read more
/// lines.)
fn without_stderr<'l>(candidates: &[Chain], lines: &[&'l [u8]]) -> Vec<&'l [u8]> {
    let (mut not_stderr, mut facts) = (lines.to_vec(), Facts::default());
    for chain in candidates.iter().filter(|chain| chain.heads().all(|head| head.is_certain)) {
        let mut envelope = Envelope::of(*chain, false);
        not_stderr.retain(|line| envelope.peel(line, &mut facts) != Peeled::Foreign);
    }
    not_stderr
}

/// What lines seem to have around them while none fits: certain heads, or those that the user has named, on most lines.
pub fn likely(wanted: Wanted, lines: &[&[u8]]) -> Chain {
    let is_meant =
        |chain: &Chain| matches!(wanted, Wanted::Named(_)) || chain.heads().all(|head| head.is_certain);
    let tallied = tally(wanted, lines).into_iter();
    let holds_lines = |chain: &Chain| {
        let of_json = |head: &Head| matches!(head.reader, Reader::Json { docker: false });
        matches!(wanted, Wanted::Named(_)) || !chain.heads().any(of_json) || {
            let inner = inner_lines(*chain, false, lines);
            inner.iter().filter(|line| may_be_a_request(line)).count() * 2 > inner.len()
        }
    };
    let common =
        tallied.filter(|(chain, count)| *count * 2 > lines.len() && is_meant(chain) && holds_lines(chain));
    common
        .max_by_key(|(chain, count)| (chain.heads().count(), *count))
        .map_or_else(Chain::default, |(chain, _)| chain)
}

/// Whether a message holds more than what happened: a request in a line has a status at least.
fn may_be_a_request(message: &[u8]) -> bool {
    message.contains(&b' ') && message.windows(3).any(|three| three.iter().all(u8::is_ascii_digit))
}

/// The chains that lines could have, those of most lines first.
fn candidates(wanted: Wanted, lines: &[&[u8]]) -> Vec<Chain> {
    let mut tally = tally(wanted, lines);
    tally.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    tally.into_iter().take(CANDIDATES_MAX).map(|(chain, _)| chain).collect()
}

/// How many of the lines could have each chain.
fn tally(wanted: Wanted, lines: &[&[u8]]) -> Vec<(Chain, usize)> {
    let mut finder = Finder::new(wanted);
    let mut tally: Vec<(Chain, usize)> = Vec::new();
    for line in lines {
        for chain in finder.chains(line) {
            match tally.iter().position(|(known, _)| *known == chain) {
                Some(place) => tally[place].1 += 1,
                None if tally.len() < GATHERED_MAX => tally.push((chain, 1)),
                None => {}
            }
        }
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The envelope in which most of the lines are `LINE`.
    fn chosen(wanted: Wanted, lines: &[&str]) -> Option<String> {
        let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
        let score =
            |inner: &[&[u8]]| Some(inner.iter().filter(|line| **line == b"LINE").count()).filter(|n| *n > 0);
        let choice = choose(wanted, &lines, false, score)?;
        Some(format!("{}{}", choice.chain.name(), if choice.stderr { " on stderr" } else { "" }))
    }

    #[test]
    fn heads_are_found_one_in_another() {
        for (lines, name) in [
            (&["LINE"][..], "none"),
            (&["web-1  | LINE", "LINE", "db-1   | LINE"], "prefix"),
            (&["web-1  | 2031-03-05T04:05:06.7Z LINE"], "prefix+stamp"),
            (
                &["[pod/web-1/nginx] 2031-03-05T04:05:06.7Z <134>Mar  5 04:05:06 haproxy[1]: LINE"],
                "prefix+stamp+syslog",
            ),
            (
                &[r#"{"log":"<134>Mar  5 04:05:06 haproxy[1]: LINE\n","stream":"stdout","time":"x"}"#],
                "docker+syslog",
            ),
            (&[r#"{"log":"LINE","stream":"stdout","time":"x"}"#], "json"),
            (&["2031-03-05T04:05:06+00:00\tnginx.access\t{\"message\":\"LINE\"}"], "stamp+json"),
            (&["2031-03-05T04:05:06Z stdout P LI", "2031-03-05T04:05:06Z stdout F NE"], "cri"),
            (&["2031-03-05T04:05:06Z stderr F LINE", "2031-03-05T04:05:06Z stdout F hello"], "cri on stderr"),
            (&["2031-03-05T04:05:06Z stderr F LINE", "2031-03-05T04:05:06Z stdout F LINE"], "cri"),
        ] {
            assert_eq!(chosen(Wanted::Auto, lines).as_deref(), Some(name), "{lines:?}");
        }
        assert_eq!(chosen(Wanted::Auto, &["web-1  | hello"]), None);
        assert_eq!(chosen(Wanted::Named("cri"), &["web-1  | LINE"]), None);
        assert_eq!(chosen(Wanted::Named("prefix"), &["web-1  | LINE"]).as_deref(), Some("prefix"));
        assert_eq!(chosen(Wanted::Nothing, &["web-1  | LINE", "LINE"]).as_deref(), Some("none"));
    }

    #[test]
    fn the_message_of_an_object_is_a_line_only_where_it_may_hold_a_request() {
        for (line, name) in [
            (r#"{"msg":"request","status":200,"path":"/a"}"#, "none"),
            (r#"{"msg":"handled 200 requests","status":200,"path":"/a"}"#, "json"),
            (r#"{"log":"hello\n","stream":"stdout","time":"x"}"#, "docker"),
        ] {
            assert_eq!(likely(Wanted::Auto, &[line.as_bytes()]).name(), name, "{line}");
        }
        assert_eq!(likely(Wanted::Named("json"), &[br#"{"msg":"request"}"#]).name(), "json");
    }

    #[test]
    fn a_line_of_heads_alone_is_tried_a_bounded_number_of_times() {
        let line = "web-1  | ".repeat(1000) + &"2031-03-05T04:05:06Z a-b c ".repeat(1000);
        assert!(Finder::new(Wanted::Auto).chains(line.as_bytes()).len() <= GATHERED_MAX);
    }
}
