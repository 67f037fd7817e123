//! Runs every story of tests/golden: a file that says one behaviour, readable by whoever runs a web server.
//!
//! A story is a comment with the behaviour, then sections:
//!
//! - `args: ...` as a shell would split them ('single' and "double" quotes); `$DIR` is a directory of the story's own;
//! - `file: NAME` the content of a file in that directory;
//! - `log:` lines for stdin, or `bytes:` the same with `\n \r \t \0 \\ \xhh` and `\{x*1000}` and no newlines but those;
//! - `metrics:` lines of the page on stdout; after `!` what no line begins with;
//! - `stdout:` and `stderr:` what some line contains; after `!` what none contains;
//! - `exit: N`.
//!
//! With BLESS=1 the values of `metrics:`, and sections that are empty, are written anew from what the program says.

use crate::harness::{Ended, Page, Process, TempDir, run};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file in its sections: the heading's word, what stands behind its colon, and the lines below.
struct Story {
    title: String,
    sections: Vec<Section>,
}

struct Section {
    name: String,
    inline: String,
    lines: Vec<String>,
}

const BLOCKS: [&str; 6] = ["file", "log", "bytes", "metrics", "stdout", "stderr"];

impl Story {
    fn parse(text: &str) -> Result<Story, String> {
        let mut story = Story { title: String::new(), sections: Vec::new() };
        for line in text.lines() {
            // `args:3: ...` is a message about a file named args.
            let heading = line
                .split_once(':')
                .filter(|(name, _)| ["args", "exit"].contains(name) || BLOCKS.contains(name))
                .filter(|(_, inline)| inline.is_empty() || inline.starts_with(' '));
            match (heading, story.sections.last_mut()) {
                (Some((name, inline)), _) => story.sections.push(Section {
                    name: name.to_owned(),
                    inline: inline.trim().to_owned(),
                    lines: Vec::new(),
                }),
                (None, None) if line.starts_with('#') => story.title.push_str(&format!("{line}\n")),
                (None, Some(section)) if BLOCKS.contains(&section.name.as_str()) => {
                    section.lines.push(line.to_owned());
                }
                (None, _) if line.is_empty() => {}
                (None, _) => return Err(format!("no section holds the line {line:?}")),
            }
        }
        if story.title.is_empty() {
            return Err("no comment says the behaviour".to_owned());
        }
        Ok(story)
    }

    fn text(&self) -> String {
        let mut text = self.title.clone();
        for section in &self.sections {
            let blank = if section.inline.is_empty() { "" } else { " " };
            let _ = writeln!(text, "{}:{blank}{}", section.name, section.inline);
            section.lines.iter().for_each(|line| text.push_str(&format!("{line}\n")));
        }
        text
    }

    fn args(&self, dir: &TempDir) -> Vec<String> {
        let dir = dir.path().display().to_string();
        let args = self.sections.iter().filter(|section| section.name == "args");
        args.flat_map(|section| split_words(&section.inline)).map(|word| word.replace("$DIR", &dir)).collect()
    }

    fn input(&self) -> Vec<u8> {
        let mut input = Vec::new();
        for section in &self.sections {
            for line in &section.lines {
                match section.name.as_str() {
                    "log" => input.extend_from_slice(format!("{line}\n").as_bytes()),
                    "bytes" => unescape(line, &mut input),
                    _ => {}
                }
            }
        }
        input
    }

    fn run(&self) -> Ended {
        let dir = TempDir::new();
        for section in self.sections.iter().filter(|section| section.name == "file") {
            dir.write(&section.inline, section.lines.join("\n") + "\n");
        }
        let args = self.args(&dir);
        run(&args.iter().map(String::as_str).collect::<Vec<_>>(), &self.input())
    }

    /// What is not as the story tells it.
    fn differences(&self, ended: &Ended) -> Vec<String> {
        let mut wrong = Vec::new();
        for section in &self.sections {
            let said = match section.name.as_str() {
                "metrics" | "stdout" => &ended.stdout,
                "stderr" => &ended.stderr,
                "exit" => {
                    let code = ended.status.code();
                    if code != section.inline.parse().ok() {
                        wrong.push(format!(
                            "exit {code:?} instead of {}; stderr: {}",
                            section.inline, ended.stderr
                        ));
                    }
                    continue;
                }
                _ => continue,
            };
            let whole = section.name == "metrics";
            for line in section.lines.iter().filter(|line| !line.is_empty()) {
                let holds = match line.strip_prefix('!') {
                    Some(never) if whole => !said.lines().any(|said| said.starts_with(never)),
                    Some(never) => !said.lines().any(|said| said.contains(never)),
                    None if whole => said.lines().any(|said| said == line),
                    None => said.lines().any(|said| said.contains(line.as_str())),
                };
                if !holds {
                    wrong.push(format!("{}: {line}{}", section.name, nearest(line, said)));
                }
            }
        }
        wrong
    }

    fn bless(&mut self, ended: &Ended) {
        for section in &mut self.sections {
            match section.name.as_str() {
                "metrics" if section.lines.iter().all(String::is_empty) => {
                    let page = Page::parse(&ended.stdout).of_the_log();
                    let telling = page.series.iter().filter(|(name, value)| {
                        name.starts_with("httpd_") && !name.contains("_info") && *value != "0"
                    });
                    section.lines = telling.map(|(name, value)| format!("{name} {value}")).collect();
                }
                "metrics" => {
                    let page = Page::parse(&ended.stdout);
                    for line in section.lines.iter_mut().filter(|line| !line.starts_with('!')) {
                        let series = line.rsplit_once(' ').map_or("", |(series, _)| series).to_owned();
                        if let Some(value) = page.series.get(&series) {
                            *line = format!("{series} {value}");
                        }
                    }
                }
                "stdout" if section.lines.is_empty() => section.lines = own_lines(&ended.stdout),
                "stderr" if section.lines.is_empty() => section.lines = own_lines(&ended.stderr),
                "exit" => {
                    section.inline = ended.status.code().map_or("killed".to_owned(), |code| code.to_string());
                }
                _ => {}
            }
        }
    }
}

fn own_lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// What the program says of the same series, for the message.
fn nearest(line: &str, said: &str) -> String {
    let series = line.rsplit_once(' ').map_or(line, |(series, _)| series);
    let name = series.split('{').next().unwrap_or(series);
    let same = said.lines().find(|said| said.rsplit_once(' ').is_some_and(|(s, _)| s == series));
    match same.or_else(|| said.lines().find(|said| said.starts_with(name) && said.contains(' '))) {
        Some(said) => format!("\n      said: {said}"),
        None => format!("\n      said: {:?}", said.chars().take(400).collect::<String>()),
    }
}

/// Words as a shell splits them: blanks separate, quotes group, a backslash in double quotes escapes `"` and `\`.
pub fn split_words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut chars) = (Vec::new(), None::<String>, text.chars());
    while let Some(c) = chars.next() {
        match c {
            ' ' => words.extend(word.take()),
            '\'' => word.get_or_insert_default().extend(chars.by_ref().take_while(|c| *c != '\'')),
            '"' => {
                let word = word.get_or_insert_default();
                while let Some(c) = chars.next().filter(|c| *c != '"') {
                    let escaped =
                        (c == '\\').then(|| chars.clone().next()).flatten().filter(|c| "\"\\".contains(*c));
                    word.push(escaped.unwrap_or(c));
                    if escaped.is_some() {
                        chars.next();
                    }
                }
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// Bytes of a line of `bytes:`.
fn unescape(line: &str, out: &mut Vec<u8>) {
    let mut rest = line.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let (&kind, after) = rest.split_first().expect("something follows a backslash");
        rest = after;
        match kind {
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'0' => out.push(0),
            b'x' => {
                let digits = std::str::from_utf8(&rest[..2]).expect("two hexadecimal digits");
                out.push(u8::from_str_radix(digits, 16).expect("two hexadecimal digits"));
                rest = &rest[2..];
            }
            b'{' => {
                let end = rest.iter().position(|byte| *byte == b'}').expect("a closing brace");
                let (what, times) = std::str::from_utf8(&rest[..end])
                    .ok()
                    .and_then(|inner| inner.rsplit_once('*'))
                    .expect("x*1000");
                out.extend_from_slice(what.repeat(times.parse().expect("a number")).as_bytes());
                rest = &rest[end + 1..];
            }
            other => out.push(other),
        }
    }
}

/// The files of the stories, in the order of their names.
pub fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let entries = fs::read_dir(folder).expect("tests/golden is there");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "story"));
    files.sort();
    files
}

#[test]
fn stories() {
    let bless = std::env::var_os("BLESS").is_some();
    let mut failed = Vec::new();
    for path in files() {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("readable");
        let mut story = match Story::parse(&text) {
            Ok(story) => story,
            Err(wrong) => {
                failed.push(format!("{name}: {wrong}"));
                continue;
            }
        };
        let ended = story.run();
        if bless {
            story.bless(&ended);
            fs::write(&path, story.text()).expect("the story can be written");
        }
        failed.extend(story.differences(&ended).iter().map(|wrong| format!("{name}: {wrong}")));
    }
    assert!(failed.is_empty(), "{} differences\n  {}", failed.len(), failed.join("\n  "));
}

/// Every page that a story prints, as Prometheus' own tool judges it.
#[test]
#[ignore = "needs promtool"]
fn promtool_has_nothing_to_say() {
    let mut seen = BTreeSet::new();
    for path in files() {
        let story = Story::parse(&fs::read_to_string(&path).expect("readable")).expect("a story");
        if story.sections.iter().any(|section| section.name == "metrics") {
            let page = story.run().stdout;
            // No series is there twice.
            Page::parse(&page);
            let mut lines: Vec<String> = page.lines().map(shape).collect();
            lines.dedup();
            let shapes: Vec<String> = lines.windows(2).map(|two| two.join("\n")).collect();
            // It takes its time to start, and most pages have no line beside another of which it was not asked.
            if shapes.iter().all(|shape| seen.contains(shape)) {
                continue;
            }
            seen.extend(shapes);
            let mut promtool = Process::start(Command::new("promtool").args(["check", "metrics"]));
            promtool.feed(page.as_bytes());
            promtool.close();
            let said = promtool.wait();
            assert_eq!(format!("{}{}", said.stdout, said.stderr), "", "{}", path.display());
        }
    }
}

/// A line of a page without the letters and digits of its values.
fn shape(line: &str) -> String {
    if line.starts_with('#') {
        return line.to_owned();
    }
    let (mut is_quoted, mut is_escaped) = (false, false);
    let is_kept = |c: &char| {
        is_quoted ^= *c == '"' && !is_escaped;
        is_escaped = *c == '\\' && !is_escaped;
        !(c.is_ascii_digit() || is_quoted && c.is_ascii_alphabetic())
    };
    line.chars().filter(is_kept).collect()
}

#[test]
fn words_are_those_of_a_shell() {
    assert_eq!(split_words(r#"--a 'b c'd "e \"f\" \n" """#), ["--a", "b cd", r#"e "f" \n"#, ""]);
}

/// So that blessing changes nothing but what it means to.
#[test]
fn stories_are_written_as_they_were_read() {
    for path in files() {
        let text = fs::read_to_string(&path).expect("readable");
        let story = Story::parse(&text).unwrap_or_else(|wrong| panic!("{}: {wrong}", path.display()));
        assert_eq!(story.text(), text, "{}", path.display());
    }
}
