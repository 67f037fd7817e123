//! Sites as they are, and what is learned of them: names fall together, words stay, scanners and slugs are not shown.

use super::*;
use crate::count::dictionary::Dictionary;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A generator for traffic: the same in every run, so that a failure can be looked at.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    /// A name out of so many, the first of which come often.
    fn name(&mut self, of: usize) -> String {
        let number = self.roll(of).min(self.roll(of)).min(self.roll(of));
        let word = |n: usize| {
            ["ash", "birch", "cedar", "elm", "fir", "hazel", "larch", "maple", "oak", "pine"][n % 10]
        };
        format!("{}-{}-{}", word(number), word(number / 10), word(number / 100))
    }
}

/// One of the paths below, by weight; `{}` is a name, `#` a number.
fn path(dice: &mut Dice, site: &[(usize, &str)], names: usize) -> String {
    let mut left = dice.roll(site.iter().map(|(weight, _)| weight).sum());
    let chosen = site.iter().find(|(weight, _)| {
        let found = left < *weight;
        left = left.saturating_sub(*weight);
        found
    });
    let number = dice.roll(90_000).to_string();
    chosen.map_or("/", |(_, path)| path).replace("{}", &dice.name(names)).replace('#', &number)
}

/// The lines of each value after a sample was learned at once.
fn learned(paths: &[(String, u16)]) -> BTreeMap<String, u64> {
    let mut values = Dictionary::open(1000, false);
    let mut learner = Learner::new(|route| values.place(route.as_bytes()).0);
    for (path, status) in paths {
        learner.look_at(path.as_bytes(), Some(*status));
    }
    learner.settle_sample(|route| values.place(route.as_bytes()).0);
    let mut counts = BTreeMap::new();
    for (path, _) in paths {
        *counts.entry(value(&learner, &values, path)).or_default() += 1;
    }
    counts
}

fn value(learner: &Learner, values: &Dictionary, path: &str) -> String {
    let (id, _) = learner.settled.value(path::walk_path(path.as_bytes(), &learner.settled));
    values.value(crate::count::dictionary::Id(u16::try_from(id).unwrap())).to_owned()
}

const SHOP: &[(usize, &str)] = &[
    (30, "/product/{}"),
    (10, "/product/{}/reviews"),
    (10, "/category/{}/page/#"),
    (8, "/cart"),
    (5, "/checkout"),
    (10, "/img/{}.jpg"),
    (10, "/"),
    (5, "/account/orders/#"),
    (4, "/account/orders"),
];

fn sample(site: &[(usize, &str)], lines: usize) -> Vec<(String, u16)> {
    let mut dice = Dice(5);
    (0..lines).map(|_| (path(&mut dice, site, 700), 200)).collect()
}

fn routes(counts: &BTreeMap<String, u64>) -> Vec<&str> {
    counts.keys().map(String::as_str).collect()
}

#[test]
fn names_fall_together_and_words_stay() {
    let counts = learned(&sample(SHOP, 8000));
    assert_eq!(
        routes(&counts),
        [
            "/",
            "/account/orders",
            "/account/orders/:id",
            "/cart",
            "/category/:any/page/:id",
            "/checkout",
            "/img/:any",
            "/product/:any",
            "/product/:any/reviews",
        ]
    );
    assert_eq!(counts.values().sum::<u64>(), 8000);
}

#[test]
fn beside_names_at_the_root_the_places_of_the_site_stay() {
    let site = [
        (30, "/{}"),
        (30, "/{}/posts/#"),
        (10, "/login"),
        (6, "/inbox"),
        (10, "/api/v1/{}"),
        (4, "/robots.txt"),
    ];
    let counts = learned(&sample(&site, 8000));
    let expected = ["/:any", "/:any/posts/:id", "/api/v1/:any", "/inbox", "/login", "/robots.txt"];
    assert_eq!(routes(&counts), expected);
}

#[test]
fn a_scanner_is_not_learned_from_and_shares_the_rest() {
    let mut lines = sample(SHOP, 8000);
    for number in 0..4000 {
        lines.insert(number * 2, (format!("/x{}/admin-{number}.php", number % 900), 404));
    }
    let counts = learned(&lines);
    assert_eq!(counts["/*"], 4000);
    assert_eq!(counts.len(), 10, "{counts:?}");
}

#[test]
fn a_million_paths_once_each_cost_no_memory_and_show_no_name() {
    let mut values = Dictionary::open(100, false);
    let mut learner = Learner::new(|route| values.place(route.as_bytes()).0);
    for number in 0..70_000u32 {
        let path = format!("/p{number}x/q{number}/r{number}");
        path::walk_path(path.as_bytes(), Enter(&mut learner.sample, 1));
        learner.lines += 1;
        if learner.is_due() {
            learner.settle(|route| values.place(route.as_bytes()).0);
        }
    }
    assert!(learner.settled.nodes.len() < 20, "{}", learner.settled.nodes.len());
    assert_eq!(value(&learner, &values, "/p1/q2/r3"), "/:any/:any/:any");
}

#[test]
fn below_names_a_word_must_be_shared() {
    // One of many projects keeps its documents where the others have none.
    let mut lines = sample(&[(60, "/files/{}"), (40, "/")], 6000);
    let deep = "/files/ash-ash-ash/docs/html";
    lines.extend((0..300).map(|number| (format!("{deep}/page-{}", number % 60), 200)));
    assert!(!learned(&lines).keys().any(|route| route.contains("docs")));
}

#[test]
fn a_request_has_the_route_of_its_path_however_it_is_written() {
    let mut values = Dictionary::open(100, false);
    let mut learner = Learner::new(|route| values.place(route.as_bytes()).0);
    let known = [
        "/product/:any",
        "/product/:any/*",
        "/cart",
        "/item/:id",
        "/item/:id.js",
        "/item/new",
        "/item/@:any",
        "/item/*",
        "/file/:id.js",
        "/",
    ];
    learner.settle_known(known.into_iter(), |route| values.place(route.as_bytes()).0);
    learner.learn(false);
    let long = format!("/product/{}", "x".repeat(70));
    for (target, route) in [
        ("/product/elm", "/product/:any"),
        ("/product/elm/?page=2", "/product/:any"),
        ("//product//ash?a=/b/c#d", "/product/:any"),
        (&long, "/product/:any"),
        (&format!("{long}/x"), "/product/:any/*"),
        (&format!("/cart?{long}"), "/cart"),
        ("http://shop.example/product/elm", "/product/:any"),
        ("/product/elm/x/y", "/product/:any/*"),
        ("/product/elm/..", "/*"),
        ("/product/./elm/.", "/product/:any"),
        ("/product/.htaccess", "/product/:any"),
        ("/x/../item/17", "/item/:id"),
        ("/item/12345678", "/item/:id"),
        ("/item/123456789", "/item/:id"),
        ("/item/:any", "/item/:id"),
        ("/item/17.js", "/item/:id.js"),
        ("/item/17.css", "/item/*"),
        ("/item/@elm", "/item/@:any"),
        // What tells a name, as a word.
        ("/item/.js", "/item/*"),
        ("/item/@", "/item/*"),
        ("/item/cart", "/item/*"),
        ("/file/17.js", "/file/:id.js"),
        ("/file/17", "/*"),
        ("/product/17", "/product/:any"),
        ("/item/new", "/item/new"),
        ("/item/none", "/item/*"),
        ("/item", "/item/*"),
        ("/other/elm", "/*"),
        ("/", "/"),
        ("//", "/"),
        ("*", "/*"),
    ] {
        let text = format!("{target} HTTP/1.1\" 200 17 \"-\" \"curl/8.14.1 with some more of it behind\"");
        let line = format!("GET {target} HTTP/1.1");
        let request = Request::read(line.as_bytes(), || false);
        // The second time what stands before the last segment is known.
        for _ in 0..2 {
            let id = learner.of(&request, text.as_bytes(), Some(200)).unwrap();
            assert_eq!(values.value(crate::count::dictionary::Id(id)), route, "{target}");
        }
    }
}

#[test]
fn an_earlier_life_is_known_again() {
    let mut values = Dictionary::open(100, false);
    let mut learner = Learner::new(|route| values.place(route.as_bytes()).0);
    let known = ["/product/:any", "/product/:any/*", "/cart", "/", "other"];
    learner.settle_known(known.into_iter(), |route| values.place(route.as_bytes()).0);
    for (path, route) in [
        ("/product/elm", "/product/:any"),
        ("/product/elm/x/y", "/product/:any/*"),
        ("/cart", "/cart"),
        ("/", "/"),
        ("/other", "/*"),
    ] {
        assert_eq!(value(&learner, &values, path), route, "{path}");
    }
}

#[test]
fn what_owners_and_repositories_have_is_told_apart_below_their_names() {
    let site = [
        (20, "/{}/{}"),
        (16, "/{}/{}/blob/main/{}.rs"),
        (10, "/{}/{}/tree/main/{}"),
        (8, "/{}/{}/issues/#"),
        (6, "/{}/{}/issues"),
        (5, "/{}/{}/commit/#abcdef01"),
        (4, "/login"),
        (4, "/"),
    ];
    let expected = [
        "/",
        "/:any/:any",
        "/:any/:any/blob/:any/:any",
        "/:any/:any/commit/:id",
        "/:any/:any/issues",
        "/:any/:any/issues/:id",
        "/:any/:any/tree/:any/:any",
        "/login",
    ];
    for lines in [2000, 8000, 20_000] {
        assert_eq!(routes(&learned(&sample(&site, lines))), expected, "{lines} lines");
    }
}

#[test]
fn a_mark_tells_names_from_the_words_beside_them() {
    let site =
        [(20, "/@{}"), (6, "/@{}/videos"), (30, "/watch"), (9, "/embed/#"), (4, "/feed/trending"), (6, "/")];
    let expected = ["/", "/@:any", "/@:any/videos", "/embed/:id", "/feed/trending", "/watch"];
    assert_eq!(routes(&learned(&sample(&site, 4000))), expected);
    let packages = [(20, "/@{}/{}"), (20, "/{}"), (5, "/-/ping")];
    assert_eq!(routes(&learned(&sample(&packages, 4000))), ["/-/ping", "/:any", "/@:any/:any"]);
}

#[test]
fn the_first_digits_of_a_hash_are_no_words() {
    let mut dice = Dice(3);
    let paths: Vec<(String, u16)> = (0..6000)
        .map(|_| (dice.roll(16), dice.roll(256)))
        .map(|(one, two)| (format!("/thumb/{one:x}/{two:02x}/{two}-{one}.jpg"), 200))
        .collect();
    assert_eq!(routes(&learned(&paths)), ["/thumb/:any/:any/:id.jpg"]);
}

#[test]
fn titles_are_names_however_few_they_are() {
    let posts =
        ["what-we-did-last-summer", "ten-ways-to-cook-beans", "why-the-moon-is-far", "a-day-in-the-garden"];
    let paths: Vec<(String, u16)> = (0..4000).map(|n| (format!("/live/{}", posts[n % 4]), 200)).collect();
    assert_eq!(routes(&learned(&paths)), ["/live/:any"]);
}

#[test]
fn a_few_rare_words_at_the_root_are_no_names() {
    let lines: Vec<(String, u16)> = (0..60)
        .map(|number| match number {
            0..4 => format!("/{}", ["old", "gone", "secret", "hidden"][number]),
            4..30 => format!("/users/{number}/orders"),
            _ => "/".to_owned(),
        })
        .map(|path| (path, 200))
        .collect();
    assert_eq!(routes(&learned(&lines)), ["/", "/*", "/users/:id/orders"]);
}

/// The values of a page whose lines are counted as they come.
fn live(
    paths: impl Iterator<Item = String>,
    learner: &mut Learner,
    values: &mut Dictionary,
) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for path in paths {
        let request = Request::read(b"GET / HTTP/1.1", || false);
        let request = Request { target: Some(path.as_bytes()), ..request };
        let id = learner.of(&request, path.as_bytes(), Some(200)).unwrap();
        *counts.entry(values.value(crate::count::dictionary::Id(id)).to_owned()).or_default() += 1;
        if learner.is_due() {
            learner.settle(|route| values.place(route.as_bytes()).0);
        }
    }
    counts
}

#[test]
fn what_everybody_asks_for_at_first_is_not_shown_by_name() {
    let mut values = Dictionary::open(1000, false);
    let mut learner = Learner::new(|route| values.place(route.as_bytes()).0);
    let mut post = Dice(7);
    let first = (0..700).map(|_| "/blog/the-one".to_owned());
    let then = (0..4000).map(|_| format!("/blog/{}", post.name(700)));
    let counts = live(first.chain(then), &mut learner, &mut values);
    assert_eq!(routes(&counts), ["/*", "/blog/*", "/blog/:any"]);
    assert_eq!(counts.values().sum::<u64>(), 4700);
}

#[test]
fn a_site_that_changes_is_learned_anew() {
    let mut values = Dictionary::open(1000, false);
    let mut learner = Learner::new(|route| values.place(route.as_bytes()).0);
    let mut dice = Dice(9);
    let counts = live((0..70_000).map(|_| path(&mut dice, SHOP, 700)), &mut learner, &mut values);
    assert!(counts.contains_key("/product/:any/reviews"), "{counts:?}");
    let changed = [(40, "/p/{}"), (30, "/p/{}/photos/#"), (10, "/basket"), (20, "/")];
    let counts = live((0..70_000).map(|_| path(&mut dice, &changed, 700)), &mut learner, &mut values);
    for route in ["/p/:any", "/p/:any/photos/:id", "/basket", "/"] {
        assert!(counts.get(route).is_some_and(|lines| *lines > 5000), "{route}: {counts:?}");
    }
    assert_eq!(counts.values().sum::<u64>(), 70_000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Whatever comes: what has a route of its own has the same one for ever.
    #[test]
    fn a_value_never_changes_its_meaning(
        seed: u64,
        first in prop::collection::vec((1usize..9, "(/(a|b|\\{\\}|#|a\\{\\}|f\\{\\}.png)){1,4}"), 1..9),
        later in prop::collection::vec((1usize..9, "(/(a|b|c|\\{\\}|#|g\\{\\}.css)){1,4}"), 1..9),
    ) {
        let mut values = Dictionary::open(1000, false);
        let mut learner = Learner::new(|route| values.place(route.as_bytes()).0);
        let (mut dice, mut own) = (Dice(seed), BTreeMap::new());
        for site in [first, later] {
            let site: Vec<(usize, &str)> = site.iter().map(|(weight, path)| (*weight, path.as_str())).collect();
            for _ in 0..9000 {
                let path = path(&mut dice, &site, 300);
                path::walk_path(path.as_bytes(), Enter(&mut learner.sample, 1));
                learner.lines += 1;
                let end = path::walk_path(path.as_bytes(), &learner.settled);
                let (id, is_own) = learner.settled.value(end);
                if is_own {
                    prop_assert_eq!(*own.entry(path).or_insert(id), id);
                }
                if learner.is_due() {
                    learner.settle(|route| values.place(route.as_bytes()).0);
                }
            }
        }
    }
}
