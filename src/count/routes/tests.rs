//! Routes against their definition, one pattern after the other.

use super::*;
use crate::parse::read::request::RequestKind;
use proptest::prelude::*;

fn compile(patterns: &[&str]) -> Result<Routes, (usize, String)> {
    Routes::compile(&patterns.iter().map(|&pattern| pattern.to_owned()).collect::<Vec<_>>())
}

/// The pattern a path finds, by its text.
fn route<'r>(routes: &'r Routes, path: &str) -> &'r str {
    routes.find(path.as_bytes()).map_or("other", |index| routes.pattern(index))
}

/// The definition: one pattern after the other, on segments cut with std.
fn naive(patterns: &[String], path: &str) -> Option<u16> {
    let path = plain_segments(path);
    let follows = |pattern: &String| {
        let pattern = plain_segments(pattern);
        let literal = pattern.strip_suffix(&["*"]).unwrap_or(&pattern);
        (path.len() == literal.len() || path.len() > literal.len() && literal.len() < pattern.len())
            && literal.iter().zip(&path).all(|(want, have)| want.starts_with(':') || want == have)
    };
    patterns.iter().position(follows).map(|index| u16::try_from(index).unwrap())
}

fn plain_segments(path: &str) -> Vec<&str> {
    path.split('/').filter(|segment| !segment.is_empty() && *segment != ".").fold(
        vec![],
        |mut all, segment| {
            if segment == ".." {
                all.pop();
            } else {
                all.push(segment);
            }
            all
        },
    )
}

#[test]
fn literals_names_and_rests() {
    let routes = compile(&["/profile", "/users/:id", "/users/:id/about", "/static/*", "/"]).unwrap();
    for (path, pattern) in [
        ("/users/1234", "/users/:id"),
        ("/users/4321", "/users/:id"),
        ("/users/12345/about", "/users/:id/about"),
        ("/profile", "/profile"),
        ("/foo", "other"),
        ("/users", "other"),
        ("/users/1/2", "other"),
        ("/Profile", "other"),
        ("/static", "/static/*"),
        ("/static/", "/static/*"),
        ("/static/css/a/b/c.css", "/static/*"),
        ("/statics", "other"),
        ("/", "/"),
        ("", "/"),
    ] {
        assert_eq!(route(&routes, path), pattern, "{path}");
    }
    assert_eq!(routes.pattern(77), "");
}

#[test]
fn odd_paths_are_read_in_the_one_stated_way() {
    let routes = compile(&["/a/b", "/a/:x", "/static/*", "/a//c/./d/"]).unwrap();
    for (path, pattern) in [
        ("//a///b//", "/a/b"),
        ("a/b", "/a/b"),
        ("/./a/./b", "/a/b"),
        ("/x/../a/b", "/a/b"),
        ("/../../a/b", "/a/b"),
        ("/static/../a/b", "/a/b"),
        ("/a/b%2f", "/a/:x"),
        ("/a%2fb", "other"),
        ("/a/%62", "/a/:x"),
        ("/a/...", "/a/:x"),
        ("/a/.", "other"),
        ("/a/c/d", "/a//c/./d/"),
    ] {
        assert_eq!(route(&routes, path), pattern, "{path}");
    }
    assert_eq!(routes.find(b"/a/\xff\x00"), Some(1));
}

#[test]
fn the_first_pattern_wins_however_special_the_others_are() {
    let routes = compile(&["/:a/x", "/b/:c", "/b/x", "/*", "/b/x/y"]).unwrap();
    let paths = ["/b/x", "/b/y", "/c/x", "/c/y", "/b/x/y", "/"];
    assert_eq!(paths.map(|path| routes.find(path.as_bytes())), [0, 1, 0, 3, 3, 3].map(Some));
    let twice = compile(&["/a/:b", "/a/:c", "/a/*", "/a/*"]).unwrap();
    assert_eq!(["/a/1", "/a"].map(|path| twice.find(path.as_bytes())), [Some(0), Some(2)]);
}

#[test]
fn wrong_patterns_are_named_with_the_reason() {
    let deep = "/a".repeat(SEGMENTS_MAX + 1);
    for (pattern, why) in [
        ("users", "begin with `/`"),
        ("", "begin with `/`"),
        ("/a?b", "query"),
        ("/a/:", "name"),
        ("/*/a", "at the end"),
        ("/a/b*", "part of one"),
        (&deep, "16 segments"),
    ] {
        let (index, said) = compile(&["/fine", pattern]).unwrap_err();
        assert_eq!(index, 1);
        assert!(said.contains(why), "{pattern}: {said}");
    }
    let too_many = vec!["/a".to_owned(); PATTERNS_MAX + 1];
    assert_eq!(Routes::compile(&too_many).unwrap_err().0, PATTERNS_MAX);
}

#[test]
fn paths_deeper_than_any_pattern_end_only_in_a_rest() {
    let full = "/a".repeat(SEGMENTS_MAX);
    let rest = format!("{}/*", "/a".repeat(SEGMENTS_MAX - 1));
    let routes = compile(&[&full, &rest]).unwrap();
    for (segments, expected) in [(14, None), (15, Some(1)), (16, Some(0)), (17, Some(1)), (5000, Some(1))] {
        assert_eq!(routes.find("/a".repeat(segments).as_bytes()), expected, "{segments}");
    }
    // Out of the room for segments and back into it.
    let detour = format!("{full}/x/y/z/../../..");
    assert_eq!(routes.find(detour.as_bytes()), Some(0));
}

/// Every mixture of a literal and a name, 12 deep: the worst case for a search with two ways at each node.
#[test]
fn ten_thousand_mixed_patterns_are_found_by_their_numbers() {
    let mixed = |bits: usize| (0..12).map(move |place| if bits >> place & 1 == 1 { "/x" } else { "/:p" });
    let patterns: Vec<String> = (0..4096).rev().map(|bits| mixed(bits).collect()).collect();
    let routes = Routes::compile(&patterns).unwrap();
    assert_eq!(routes.find("/x".repeat(12).as_bytes()), Some(0));
    for (index, pattern) in patterns.iter().enumerate() {
        let path = pattern.replace(":p", "y");
        assert_eq!(routes.find(path.as_bytes()), Some(u16::try_from(index).unwrap()));
    }
    let literal: Vec<String> = (0..10_000).map(|n| format!("/shop/{n}/item/:id")).collect();
    let routes = Routes::compile(&literal).unwrap();
    for index in 0..10_000u16 {
        assert_eq!(routes.find(format!("/shop/{index}/item/7").as_bytes()), Some(index));
    }
}

proptest! {
    #[test]
    fn agrees_with_one_pattern_after_the_other(
        patterns in prop::collection::vec("(/(a|b|cc|:x|:y|\\.\\.)){0,4}(/\\*|/|/a)", 0..40),
        paths in prop::collection::vec("(/(a|b|cc|d|:x|\\.|\\.\\.)?){0,7}", 1..40),
    ) {
        let routes = Routes::compile(&patterns).unwrap();
        for path in &paths {
            prop_assert_eq!(routes.find(path.as_bytes()), naive(&patterns, path), "{} {:?}", path, &patterns);
        }
    }

    #[test]
    fn a_target_in_its_line_finds_what_its_path_finds(
        patterns in prop::collection::vec("(/(a|b|cc|:x|longer-word)){0,3}(/\\*|/|/a)", 1..20),
        target in "((/(a|b|cc|longer-word|\\.|\\.\\.|\\.git)?){0,9}|[*]|http://h)([?#][a/.?#]{0,60})?",
        behind in "( HTTP/1.1\"| |\")[ -~]{0,70}",
    ) {
        let routes = Routes::compile(&patterns).unwrap();
        let request = Request {
            method: b"GET",
            target: Some(target.as_bytes()),
            protocol: None,
            kind: RequestKind::Http,
            word: 0,
        };
        let text = format!("{target}{behind}");
        prop_assert_eq!(routes.of(&request, text.as_bytes()), routes.find(request.path().unwrap()), "{}", text);
    }

    #[test]
    fn segments_found_in_a_line_are_those_of_the_path(
        target in "((/(a|b|17|seventeen-bytes-1|\\.|\\.\\.|\\.git)?){0,12}|[*]|http://h)(/[a-z]{30,70})?/?\
                   ([?#][a/.?#]{0,60})?",
        behind in "( HTTP/1.1\"| |\")[ -~]{0,70}",
    ) {
        #[derive(Clone, Copy)]
        struct Hashes<'s>(&'s RandomState);
        impl Walk for Hashes<'_> {
            type End = Vec<(String, u64)>;
            fn walk<'p>(self, segments: impl Iterator<Item = Segment<'p>> + Clone) -> Self::End {
                let text = |segment: Segment<'_>| String::from_utf8(segment.bytes().to_vec()).unwrap();
                segments.map(|segment| (text(segment), segment.hash_below(self.0, 7))).collect()
            }
        }
        let (text, seed) = (format!("{target}{behind}"), RandomState::default());
        let found = path::walk(target.as_bytes(), text.as_bytes(), path_of, Hashes(&seed));
        let alone = |segment: &str| Segment::of(segment.as_bytes()).hash_below(&seed, 7);
        let plain = plain_segments(std::str::from_utf8(path_of(target.as_bytes())).unwrap());
        let plain: Vec<_> = plain.into_iter().map(|segment| (segment.to_owned(), alone(segment))).collect();
        prop_assert_eq!(found, plain, "{}", text);
    }
}
