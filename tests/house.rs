//! The laws of the house, executed: what a reader may rely on in every source file.
//!
//! They read the sources as text. rustfmt gives these a form in which a function ends at the first closing brace with
//! the indentation of its `fn`.

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
    (
        "crossbeam_channel",
        &["src/input/", "src/count/mod.rs", "src/generations/", "src/serve/port.rs", "src/modes/"],
    ),
    ("flate2", &["src/serve/http/"]),
    ("lexopt", &["src/options/"]),
    ("prometheus", &["src/self_metrics.rs"]),
    ("signal_hook", &["src/os/"]),
    ("sketches_ddsketch", &["src/count/quantiles.rs"]),
    ("tiny_http", &["src/serve/http/"]),
];

#[test]
fn packages_of_others_come_in_by_their_doors() {
    let mut breaches = Vec::new();
    for source in sources().iter().filter(|source| source.path.starts_with("src/")) {
        for (package, doors) in DOORS {
            let used = source.text.lines().any(|line| code_of(line).contains(&format!("{package}::")));
            if used && !doors.iter().any(|door| source.path.starts_with(door)) {
                breaches.push(format!("{} uses {package}", source.path));
            }
        }
    }
    obeyed(&breaches);
}

/// What a room may know of the rest of the house. Nobody knows the room after it on the data's way.
const KNOWS: &[(&str, &[&str])] = &[
    ("src/catalogue.rs", &[]),
    ("src/limits.rs", &[]),
    ("src/fixed_point.rs", &[]),
    ("src/calendar.rs", &[]),
    ("src/log.rs", &[]),
    ("src/bytes/", &[]),
    ("src/os/", &["limits", "log"]),
    ("src/self_metrics.rs", &["calendar", "catalogue"]),
    ("src/options/", &["count", "fixed_point", "limits", "log"]),
    ("src/input/", &["calendar", "limits", "log", "os", "self_metrics"]),
    ("src/parse/", &["bytes", "limits"]),
    ("src/advise/", &["catalogue", "limits", "log", "options", "parse"]),
    (
        "src/count/",
        &[
            "advise",
            "bytes",
            "calendar",
            "catalogue",
            "fixed_point",
            "input",
            "limits",
            "log",
            "options",
            "parse",
            "self_metrics",
        ],
    ),
    ("src/snapshot/", &["catalogue", "count", "fixed_point", "parse", "self_metrics"]),
    (
        "src/generations/",
        &["calendar", "count", "fixed_point", "limits", "log", "os", "self_metrics", "serve", "snapshot"],
    ),
    ("src/serve/", &["generations", "log", "os", "snapshot"]),
];

#[test]
fn rooms_know_only_what_comes_before_them() {
    let mut breaches = Vec::new();
    for source in sources() {
        let Some((_, known)) = KNOWS.iter().find(|(room, _)| source.path.starts_with(room)) else { continue };
        let room = source
            .path
            .trim_start_matches("src/")
            .split('/')
            .next()
            .unwrap_or("")
            .trim_end_matches(".rs")
            .to_owned();
        for (number, line) in source.program() {
            let code = code_of(line);
            for (at, _) in code.match_indices("crate::") {
                let rest = &code[at + "crate::".len()..];
                let allowed = known.iter().any(|name| rest.starts_with(name)) || rest.starts_with(&room);
                if !allowed {
                    breaches.push(format!("{}:{}: {}", source.path, number, line.trim()));
                }
            }
        }
    }
    obeyed(&breaches);
}
