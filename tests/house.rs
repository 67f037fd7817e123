//! The laws of the house, executed: what a reader may rely on in every source file.
//!
//! They read the sources as text. rustfmt gives these a form in which a function ends at the first closing brace with
//! the indentation of its `fn`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// rustfmt breaks code at 110; it leaves comments and strings, which may be a word longer.
const COLUMNS_MAX: usize = 120;
const FUNCTION_LINES_MAX: usize = 70;

/// A source file, by its path from the package's directory.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// The lines that are in the program, without the items that are only in its tests.
    fn program(&self) -> Vec<(usize, &str)> {
        if self.path.starts_with("tests/")
            || self.path.contains("/tests")
            || self.path.starts_with("src/docs/")
        {
            return Vec::new();
        }
        let mut program = Vec::new();
        let mut skipping: Option<usize> = None;
        for (number, line) in self.lines() {
            let indent = line.len() - line.trim_start().len();
            match skipping {
                None if line.trim() == "#[cfg(test)]" => skipping = Some(indent),
                None => program.push((number, line)),
                Some(of) if indent == of && line.ends_with([';', '}']) => skipping = None,
                Some(_) => {}
            }
        }
        program
    }
}

impl Source {
    /// `src/serve/http/mod.rs` as `serve::http`; the roots, `lib.rs` and `main.rs`, are no module that others name.
    fn module(&self) -> Option<String> {
        let inner = self.path.strip_prefix("src/")?.strip_suffix(".rs")?;
        let inner = inner.strip_suffix("/mod").unwrap_or(inner);
        (inner != "lib" && inner != "main").then(|| inner.replace('/', "::"))
    }

    /// The code of the program in one piece, without comments.
    fn code(&self) -> String {
        self.program().iter().map(|(_, line)| code_of(line)).collect::<Vec<_>>().join("\n")
    }
}

/// A line without its comment.
fn code_of(line: &str) -> &str {
    line.split("//").next().unwrap_or("")
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<PathBuf> = vec![root.join("src"), root.join("tests")];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the package is complete") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("sources are text");
                let path = path.strip_prefix(root).expect("under the root").display().to_string();
                sources.push(Source { path, text });
            }
        }
    }
    sources
}

/// Fails with all that breaks a law, not only with the first.
fn obeyed(breaches: &[String]) {
    assert!(breaches.is_empty(), "{} breaches\n{}", breaches.len(), breaches.join("\n"));
}

#[test]
fn every_file_begins_by_saying_what_it_is() {
    let mute = |source: &Source| !source.text.starts_with("//! ");
    obeyed(&sources().iter().filter(|s| mute(s)).map(|s| s.path.clone()).collect::<Vec<_>>());
}

#[test]
fn no_line_is_too_long() {
    let mut breaches = Vec::new();
    for source in sources() {
        // A string that is one format of a log, or a line of a help text, cannot be broken.
        let text = |line: &str| line.contains('"') || line.ends_with('\\');
        let long = source.lines().filter(|(_, line)| line.chars().count() > COLUMNS_MAX && !text(line));
        breaches.extend(
            long.map(|(number, line)| format!("{}:{number}: {} columns", source.path, line.chars().count())),
        );
    }
    obeyed(&breaches);
}

#[test]
fn no_function_is_longer_than_a_screen() {
    let mut breaches = Vec::new();
    for source in sources() {
        let mut open: Option<(usize, usize, &str)> = None;
        for (number, line) in source.lines() {
            let code = line.trim_start();
            let indent = line.len() - code.len();
            let words = code
                .trim_start_matches("pub(super) ")
                .trim_start_matches("pub(crate) ")
                .trim_start_matches("pub ");
            let begins = ["fn ", "const fn ", "unsafe fn "].iter().any(|word| words.starts_with(word));
            if begins && open.is_none() && !code.ends_with(';') && !code.ends_with('}') {
                open = Some((number, indent, code));
            } else if let Some((start, _, name)) = open.filter(|(_, of, _)| code == "}" && indent == *of) {
                open = None;
                let length = number - start + 1;
                if length > FUNCTION_LINES_MAX {
                    breaches.push(format!("{}:{start}: {length} lines: {name}", source.path));
                }
            }
        }
    }
    obeyed(&breaches);
}

/// What cannot happen may be said with `expect` and the reason; what may happen is an error.
#[test]
fn nothing_in_the_program_gives_up_by_panicking() {
    let mut breaches = Vec::new();
    for source in sources() {
        for (number, line) in source.program() {
            let code = code_of(line);
            let gives_up = [".unwrap()", "panic!(", "unreachable!(", "todo!(", "unimplemented!(", "dbg!("];
            if gives_up.iter().any(|word| code.contains(word)) {
                breaches.push(format!("{}:{}: {}", source.path, number, line.trim()));
            }
        }
    }
    obeyed(&breaches);
}

/// Each package of others has one door, or the few named here.
const DOORS: &[(&str, &[&str])] = &[
    ("aho_corasick", &["src/bytes/glob_set.rs", "src/count/clients/"]),
    ("crc", &["src/history/blocks/"]),
    (
        "crossbeam_channel",
        &[
            "src/advise/worker.rs",
            "src/input/",
            "src/count/mod.rs",
            "src/generations/",
            "src/serve/live/mod.rs",
            "src/serve/port.rs",
            "src/modes/",
        ],
    ),
    ("base64", &["src/serve/guard/"]),
    ("bcrypt", &["src/serve/guard/users.rs"]),
    ("flate2", &["src/input/compressed.rs", "src/input/files.rs", "src/modes/history.rs", "src/serve/http/"]),
    ("foldhash", &["src/count/", "src/history/"]),
    ("hashbrown", &["src/count/"]),
    ("httparse", &["src/serve/http/request.rs"]),
    ("lexopt", &["src/options/"]),
    ("listenfd", &["src/serve/http/inherited.rs"]),
    ("memchr", &["src/bytes/"]),
    ("prometheus", &["src/self_metrics.rs"]),
    ("ring", &["src/serve/guard/", "src/serve/http/tests/"]),
    ("rustls", &["src/serve/guard/", "src/serve/http/tests/"]),
    ("saphyr_parser", &["src/serve/guard/yaml.rs"]),
    ("signal_hook", &["src/os/"]),
    ("sketches_ddsketch", &["src/count/quantiles.rs"]),
    ("subtle", &["src/serve/guard/users.rs"]),
    ("tiny_http", &["src/serve/http/"]),
    ("unicode_width", &["src/report/text.rs"]),
    ("webpki", &["src/serve/guard/clients.rs"]),
];

#[test]
fn packages_of_others_come_in_by_their_doors() {
    let mut breaches = Vec::new();
    for source in sources().iter().filter(|source| source.path.starts_with("src/")) {
        for (package, doors) in DOORS {
            let path = format!("{package}::");
            let names = |line: &str| {
                let code = code_of(line);
                let mut found = code.match_indices(&path);
                found.any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
            };
            let used = source.text.lines().any(names);
            if used && !doors.iter().any(|door| source.path.starts_with(door)) {
                breaches.push(format!("{} uses {package}", source.path));
            }
        }
    }
    obeyed(&breaches);
}

// --------------------------------------------------------------------------------------------- rooms and arrows ---

/// What a room may know of the rest of the house. Nobody knows the room after it on the data's way, and no two rooms
/// know each other.
const KNOWS: &[(&str, &[&str])] = &[
    ("catalogue", &[]),
    ("limits", &[]),
    ("fixed_point", &[]),
    ("calendar", &[]),
    ("clock", &[]),
    ("log", &["calendar", "clock", "os"]),
    ("timeline", &[]),
    ("order", &[]),
    ("bytes", &[]),
    ("docs", &[]), // tests of the documents, no part of the program
    ("fuzzing", &["generations", "parse", "serve", "snapshot"]), // for fuzz/ alone
    ("os", &["limits"]),
    ("self_metrics", &["catalogue", "clock"]),
    ("options", &["bytes", "catalogue", "fixed_point", "limits", "log", "order", "parse"]),
    ("input", &["calendar", "limits", "log", "order", "os", "self_metrics"]),
    ("parse", &["bytes", "calendar", "limits"]),
    ("advise", &["catalogue", "count", "limits", "log", "options", "order", "os", "parse"]),
    (
        "count",
        &[
            "bytes",
            "catalogue",
            "clock",
            "fixed_point",
            "input",
            "limits",
            "log",
            "options",
            "order",
            "parse",
            "self_metrics",
        ],
    ),
    ("snapshot", &["catalogue", "count", "fixed_point", "order", "parse", "self_metrics"]),
    (
        "generations",
        &[
            "catalogue",
            "clock",
            "count",
            "fixed_point",
            "limits",
            "log",
            "order",
            "os",
            "self_metrics",
            "snapshot",
        ],
    ),
    (
        "history",
        &[
            "bytes",
            "calendar",
            "catalogue",
            "count",
            "fixed_point",
            "limits",
            "parse",
            "snapshot",
            "timeline",
        ],
    ),
    ("report", &["calendar", "catalogue", "count", "limits", "log", "options", "order", "parse", "timeline"]),
    (
        "serve",
        &[
            "calendar",
            "catalogue",
            "clock",
            "count",
            "fixed_point",
            "generations",
            "log",
            "order",
            "os",
            "snapshot",
        ],
    ),
    (
        "modes",
        &[
            "advise",
            "calendar",
            "catalogue",
            "clock",
            "count",
            "fixed_point",
            "generations",
            "history",
            "input",
            "limits",
            "log",
            "options",
            "os",
            "parse",
            "report",
            "self_metrics",
            "serve",
            "snapshot",
            "timeline",
        ],
    ),
];

/// The paths that code names by `crate::`, `super::` or `self::`, or by a child's name, from the root of the program.
fn named_paths(module: &str, children: &[&str], code: &str) -> Vec<String> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut paths = Vec::new();
    for (at, _) in code.match_indices("::") {
        let before = &code[..at];
        let first = &before[before.rfind(|c: char| !is_word(c)).map_or(0, |at| at + 1)..];
        if before[..at - first.len()].ends_with("::") {
            continue; // within a path
        }
        let parent = module.rsplit_once("::").map_or("", |(parent, _)| parent);
        let base = match first {
            "crate" => String::new(),
            "self" => module.to_owned(),
            "super" => parent.to_owned(),
            child if children.contains(&child) => format!("{module}::{child}"),
            _ => continue,
        };
        spell_out(&base, &code[at + 2..], &mut paths);
    }
    paths.iter().map(|path| path.trim_start_matches("::").to_owned()).collect()
}

/// Follows a path from behind one of its `::`, into every branch of its braces; gives what stands behind it.
fn spell_out<'a>(base: &str, code: &'a str, paths: &mut Vec<String>) -> &'a str {
    let code = code.trim_start();
    if let Some(inner) = code.strip_prefix('{') {
        let mut rest = inner.trim_start();
        while !rest.is_empty() && !rest.starts_with('}') {
            rest = spell_out(base, rest, paths);
            rest = rest.trim_start_matches(|c: char| c != ',' && c != '}');
            rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
        }
        return rest.strip_prefix('}').unwrap_or(rest);
    }
    let end = code.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(code.len());
    let (name, rest) = code.split_at(end);
    let path = match name {
        "super" => base.rsplit_once("::").map_or(String::new(), |(parent, _)| parent.to_owned()),
        "self" => base.to_owned(),
        name => format!("{base}::{name}"),
    };
    match rest.strip_prefix("::") {
        Some(rest) => spell_out(&path, rest, paths),
        None => {
            paths.push(path);
            rest
        }
    }
}

/// Which module of the program names which.
fn arrows() -> BTreeSet<(String, String)> {
    let sources = sources();
    let modules: BTreeMap<String, &Source> = sources.iter().filter_map(|s| Some((s.module()?, s))).collect();
    let mut arrows = BTreeSet::new();
    for (module, source) in &modules {
        let child = |other: &'_ str| other.strip_prefix(module.as_str())?.strip_prefix("::").map(str::len);
        let children: Vec<&str> = modules
            .keys()
            .filter_map(|other| child(other).map(|length| &other[other.len() - length..]))
            .filter(|name| !name.contains("::"))
            .collect();
        for path in named_paths(module, &children, &source.code()) {
            // The longest beginning that is a module; the rest names an item of it.
            let ends = path.match_indices("::").map(|(at, _)| at).chain([path.len()]);
            let target = ends.map(|end| &path[..end]).filter(|start| modules.contains_key(*start)).last();
            if let Some(target) = target.filter(|target| target != module) {
                arrows.insert((module.clone(), target.to_owned()));
            }
        }
    }
    arrows
}

fn room_of(module: &str) -> &str {
    module.split("::").next().unwrap_or(module)
}

/// Takes away whatever has no arrow in or no arrow out until nothing of that kind is left: the rest are circles, and
/// what lies between two of them.
fn circles(mut arrows: BTreeSet<(String, String)>) -> Vec<String> {
    loop {
        let tails: BTreeSet<&String> = arrows.iter().map(|(tail, _)| tail).collect();
        let heads: BTreeSet<&String> = arrows.iter().map(|(_, head)| head).collect();
        let within = arrows.iter().filter(|(tail, head)| heads.contains(tail) && tails.contains(head));
        let left: BTreeSet<_> = within.cloned().collect();
        if left.len() == arrows.len() {
            return arrows.iter().map(|(tail, head)| format!("{tail} -> {head}")).collect();
        }
        arrows = left;
    }
}

#[test]
fn rooms_know_only_what_comes_before_them() {
    let mut breaches = Vec::new();
    for source in sources() {
        let Some(module) = source.module() else { continue };
        if !KNOWS.iter().any(|(room, _)| *room == room_of(&module)) {
            breaches.push(format!("{}: no room of KNOWS", source.path));
        }
    }
    for (tail, head) in arrows() {
        let (room, other) = (room_of(&tail), room_of(&head));
        let known =
            KNOWS.iter().find(|(name, _)| *name == room).is_some_and(|(_, known)| known.contains(&other));
        if room != other && !known {
            breaches.push(format!("{tail} knows {head}"));
        }
    }
    obeyed(&breaches);
}

#[test]
fn the_arrows_between_rooms_form_no_circle() {
    let allowed = KNOWS.iter().flat_map(|(room, known)| known.iter().map(|other| (*room, *other)));
    let allowed = allowed.map(|(room, other)| (room.to_owned(), other.to_owned())).collect();
    obeyed(&circles(allowed));
}

#[test]
fn files_form_no_circle() {
    obeyed(&circles(arrows()));
}

#[test]
fn the_search_sees_every_way_to_name_a_module() {
    let code =
        "use crate::a::{b::C, d::{self, E as F}, g};\nuse super::h;\nfn i() { j::k(crate::l::M::new()) }";
    let named = ["a::b::C", "a::d", "a::d::E", "a::g", "n::h", "n::o::j::k", "l::M::new"];
    assert_eq!(named_paths("n::o", &["j"], code), named);
    let arrow = |tail: &str, head: &str| (tail.to_owned(), head.to_owned());
    let chain = BTreeSet::from([arrow("a", "b"), arrow("b", "c"), arrow("a", "c")]);
    assert_eq!(circles(chain.clone()), [] as [&str; 0]);
    let ring = chain.into_iter().chain([arrow("c", "b"), arrow("c", "d")]).collect();
    assert_eq!(circles(ring), ["b -> c", "c -> b"]);
}

// -------------------------------------------------------------------------------------------------------- words ---

/// A mechanism has the name that the field gives it. (word, what to say)
const METAPHORS: &[(&str, &str)] = &[
    ("asker", "the snapshot's handle"),
    ("bell", "signal pipe, waker"),
    ("clerk", "worker"),
    ("complaints", "diagnostics"),
    ("desk", "pool, queue"),
    ("gift", "source"),
    ("hush", "drain"),
    ("keeper", "manager"),
    ("knock", "stop flag"),
    ("rung", "woken"),
    ("vitals", "self metrics"),
    ("wish", "request"),
    ("wishes", "requests"),
    ("he", "it, or name the thing"),
    ("him", "it, or name the thing"),
    ("his", "its, or name the thing"),
    ("she", "it, or name the thing"),
    ("her", "its, or name the thing"),
];

/// The words of an identifier or a sentence, in lower case: `BellPush` and `bell_push` are `bell` and `push`.
fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = ' ';
    for c in line.chars() {
        let begins = !before.is_alphabetic() || before.is_lowercase() && c.is_uppercase();
        match words.last_mut() {
            Some(word) if c.is_alphabetic() && !begins => word.extend(c.to_lowercase()),
            _ if c.is_alphabetic() => words.push(c.to_lowercase().collect()),
            _ => {}
        }
        before = c;
    }
    words
}

#[test]
fn things_have_the_names_of_the_field() {
    let mut breaches = Vec::new();
    for source in sources().iter().filter(|source| source.path != "tests/house.rs") {
        for (number, line) in source.lines() {
            for word in words(line) {
                if let Some((_, rather)) = METAPHORS.iter().find(|(metaphor, _)| *metaphor == word) {
                    breaches.push(format!("{}:{number}: `{word}`; rather: {rather}", source.path));
                }
            }
        }
    }
    obeyed(&breaches);
}

/// Comments that lead to a file lead to one that is there.
#[test]
fn files_named_in_comments_exist() {
    let sources = sources();
    let names: BTreeSet<&str> = sources.iter().filter_map(|source| source.path.rsplit('/').next()).collect();
    let mut breaches = Vec::new();
    for source in sources.iter().filter(|source| source.path.starts_with("src/")) {
        for (number, line) in source.lines() {
            let Some((_, comment)) = line.split_once("//") else { continue };
            let words = comment.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'));
            let files = words.filter(|word| word.ends_with(".rs") && !names.contains(word));
            breaches.extend(files.map(|file| format!("{}:{number}: there is no {file}", source.path)));
        }
    }
    obeyed(&breaches);
}
