//! Many globs at once: the first of a list of patterns that a text follows, by one pass over the text.
//!
//! The longest piece of each pattern that is free of stars goes into one automaton (Aho and Corasick, *Efficient string
//! matching*, 1975); only patterns whose piece stands in the text are tried, and none behind the best one found. So two
//! hundred patterns cost little more than one. Patterns of stars alone are tried by themselves.

use crate::bytes::glob::Glob;
use crate::bytes::work::scanned;
use aho_corasick::AhoCorasick;

/// A pattern, and whether case counts in it.
#[derive(Clone, Debug)]
struct Pattern {
    glob: Glob,
    any_case: bool,
}

#[derive(Clone, Debug)]
pub struct GlobSet {
    patterns: Vec<Pattern>,
    /// Finds the longest pieces of the patterns, in any case if one of the patterns asks for that.
    pieces: Option<AhoCorasick>,
    /// The pattern of each piece.
    owners: Vec<usize>,
    /// The patterns that have no piece.
    free: Vec<usize>,
    /// Room for a text in lower case.
    lower: Vec<u8>,
    /// Which patterns the text does not follow, for their pieces may stand in it often.
    failed: Vec<bool>,
}

impl GlobSet {
    /// Patterns with whether they are for any case. An error says what is too much.
    pub fn compile(patterns: &[(String, bool)]) -> Result<GlobSet, String> {
        let lowered = |(text, any_case): &(String, bool)| match any_case {
            true => text.to_ascii_lowercase(),
            false => text.clone(),
        };
        let any_case = patterns.iter().any(|(_, any_case)| *any_case);
        let (mut pieces, mut owners, mut free) = (Vec::new(), Vec::new(), Vec::new());
        for (number, (text, _)) in patterns.iter().enumerate() {
            match text.split('*').max_by_key(|piece| piece.len()).filter(|piece| !piece.is_empty()) {
                Some(piece) => {
                    pieces.push(piece);
                    owners.push(number);
                }
                None => free.push(number),
            }
        }
        let automaton = AhoCorasick::builder().ascii_case_insensitive(any_case).build(&pieces);
        let automaton = automaton.map_err(|_| "the patterns are too long in all".to_owned())?;
        let glob = |pattern| Glob::compile(lowered(pattern).as_bytes());
        let compiled = patterns.iter().map(|pattern| Pattern { glob: glob(pattern), any_case: pattern.1 });
        let pieces = (!pieces.is_empty()).then_some(automaton);
        let failed = vec![false; patterns.len()];
        Ok(GlobSet { patterns: compiled.collect(), pieces, owners, free, lower: Vec::new(), failed })
    }

    /// The number of the first pattern that the text follows.
    pub fn first_match(&mut self, text: &[u8]) -> Option<usize> {
        self.lower.clear();
        self.lower.extend(text.iter().map(u8::to_ascii_lowercase));
        self.failed.fill(false);
        let mut best = self.free.iter().copied().find(|free| self.follows(*free, text));
        for found in self.pieces.iter().flat_map(|pieces| pieces.find_overlapping_iter(text)) {
            let number = self.owners[found.pattern().as_usize()];
            if self.failed[number] || best.is_some_and(|best| best <= number) {
                continue;
            }
            if self.follows(number, text) {
                best = Some(number);
            } else {
                self.failed[number] = true;
            }
        }
        best
    }

    fn follows(&self, number: usize, text: &[u8]) -> bool {
        scanned(text.len());
        let pattern = &self.patterns[number];
        pattern.glob.matches(if pattern.any_case { &self.lower } else { text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::work::scanned_by;
    use proptest::prelude::*;

    #[test]
    fn the_first_of_the_patterns_wins() {
        let patterns = ["text/html*", "text/*", "*json*", "IMAGE/*", "*"]
            .map(|text| (text.to_owned(), text == "IMAGE/*"));
        let mut set = GlobSet::compile(&patterns).unwrap();
        for (text, number) in [
            ("text/html;charset=utf-8", 0),
            ("text/css", 1),
            ("text/json", 1),
            ("application/json", 2),
            ("image/Png", 3),
            ("TEXT/HTML", 4),
            ("", 4),
        ] {
            assert_eq!(set.first_match(text.as_bytes()), Some(number), "{text}");
        }
        assert_eq!(GlobSet::compile(&[]).unwrap().first_match(b"x"), None);
        assert_eq!(GlobSet::compile(&patterns[..1]).unwrap().first_match(b"x"), None);
    }

    #[test]
    fn a_piece_that_stands_in_a_text_often_is_no_reason_to_try_its_pattern_often() {
        let mut set =
            GlobSet::compile(&[("*bot*/2*".to_owned(), false), ("*bot*/1".to_owned(), true)]).unwrap();
        let text = "bot".repeat(20_000);
        let bytes = scanned_by(|| assert_eq!(set.first_match(text.as_bytes()), None));
        assert!(bytes <= 2 * text.len() as u64, "{bytes} of {}", text.len());
    }

    proptest! {
        #[test]
        fn agrees_with_one_pattern_after_the_other(
            patterns in prop::collection::vec(("[abA*]{0,5}", any::<bool>()), 0..12),
            text in "[abAB]{0,8}",
        ) {
            let follows = |(pattern, any_case): &(String, bool)| match any_case {
                true => Glob::compile(pattern.to_lowercase().as_bytes()).matches(text.to_lowercase().as_bytes()),
                false => Glob::compile(pattern.as_bytes()).matches(text.as_bytes()),
            };
            let expected = patterns.iter().position(follows);
            prop_assert_eq!(GlobSet::compile(&patterns).unwrap().first_match(text.as_bytes()), expected);
        }
    }
}
