//! Globs: whether a field follows a pattern in which `*` stands for any run of bytes, also an empty one.
//!
//! The pattern is cut at its stars into pieces once. The first piece must begin the text, the last must end
//! it, and those between are looked for from left to right; taking the leftmost place each time is never
//! wrong, because it leaves the most room to the pieces that follow. There is no way back, so the time is the
//! length of the text, and nothing is allocated. Case counts, and there is no way to write a star that stands
//! for itself.

use crate::bytes::words::same;
use memchr::memmem::Finder;

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Glob {
    first: Vec<u8>,
    /// What follows the first star; `None` when the pattern has no star and must equal the text.
    after_star: Option<AfterStar>,
}

#[derive(Clone, Debug)]
struct AfterStar {
    /// The pieces that have a star on both sides; none is empty.
    middle: Vec<Finder<'static>>,
    last: Vec<u8>,
}

impl Glob {
    pub fn compile(pattern: &[u8]) -> Glob {
        let mut pieces: Vec<Vec<u8>> = pattern.split(|&byte| byte == b'*').map(<[u8]>::to_vec).collect();
        let first = pieces.remove(0);
        let after_star = pieces.pop().map(|last| {
            let middle = pieces.iter().filter(|piece| !piece.is_empty());
            AfterStar { middle: middle.map(|piece| Finder::new(piece).into_owned()).collect(), last }
        });
        Glob { first, after_star }
    }

    #[inline]
    pub fn matches(&self, text: &[u8]) -> bool {
        let Some(after) = &self.after_star else { return same(text, &self.first) };
        let Some((head, rest)) = text.split_at_checked(self.first.len()) else { return false };
        let Some(middle) = rest.len().checked_sub(after.last.len()) else { return false };
        let (mut rest, tail) = rest.split_at(middle);
        if !same(head, &self.first) || !same(tail, &after.last) {
            return false;
        }
        for piece in &after.middle {
            let Some(place) = piece.find(rest) else { return false };
            rest = &rest[place + piece.needle().len()..];
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, as short as it can be said.
    fn naive(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|skip| naive(rest, &text[skip..])),
            Some((byte, rest)) => text.first() == Some(byte) && naive(rest, &text[1..]),
        }
    }

    #[test]
    fn stars_stand_for_any_run() {
        for (pattern, yes, no) in [
            ("/health", vec!["/health"], vec!["/healthz", "/healt", "", "x/health"]),
            ("/health*", vec!["/health", "/healthz", "/health/live"], vec!["/healt", "x/health"]),
            ("*.png", vec![".png", "/a.png"], vec![".png?x", "png"]),
            ("*bot*", vec!["bot", "a Googlebot/2.1"], vec!["bo t", "Bot", ""]),
            ("a*a", vec!["aa", "aba"], vec!["a", "ab", ""]),
            ("ab*ba", vec!["abba", "ab ba"], vec!["aba", "ab"]),
            ("*", vec!["", "anything"], vec![]),
            ("**x**", vec!["x", "axb"], vec!["", "y"]),
            ("", vec![""], vec!["x"]),
            ("*ab*ab*", vec!["abab", "xabyabz"], vec!["ab", "aab"]),
        ] {
            let glob = Glob::compile(pattern.as_bytes());
            for text in yes {
                assert!(glob.matches(text.as_bytes()), "{pattern} must match {text}");
            }
            for text in no {
                assert!(!glob.matches(text.as_bytes()), "{pattern} must not match {text}");
            }
        }
    }

    #[test]
    fn bytes_need_not_be_text() {
        let glob = Glob::compile(b"\xff*\x00");
        assert!(glob.matches(b"\xff\xfe\x00"));
        assert!(!glob.matches(b"\xff\xfe"));
    }

    #[test]
    fn many_stars_against_a_repeating_text_take_no_more_than_a_moment() {
        let glob = Glob::compile("a*".repeat(500).as_bytes());
        assert!(glob.matches(&[b'a'; 100_000]));
        let glob = Glob::compile(["a*".repeat(500), "b*".to_owned()].concat().as_bytes());
        assert!(!glob.matches(&[b'a'; 100_000]));
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(pattern in "[ab*]{0,8}", text in "[ab]{0,12}") {
            let glob = Glob::compile(pattern.as_bytes());
            prop_assert_eq!(glob.matches(text.as_bytes()), naive(pattern.as_bytes(), text.as_bytes()));
        }
    }
}
