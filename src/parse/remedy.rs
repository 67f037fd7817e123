//! What would make a format fit: the format itself with one thing changed, and the presets.
//!
//! Turns a format and some lines that it cannot read, or reads as nobody could have meant, into one sentence for
//! the operator. It tries what people get wrong, in the order in which they do: signs of a configuration file left
//! in, other separators, a virtual host in front, a field forgotten, other blanks or quotes, two fields swapped, one
//! too many. A change is offered only when it was tried and reads the lines without a doubt. Slow; for people.

use super::explain::END;
use super::{Format, PRESETS, Spans, doubt, guess};

/// Lines a change is tried on; a change that helps these helps.
const LINES_MAX: usize = 20;

/// Fields of the format within which changes are tried; each is tried in some ten ways at each place.
const FIELDS_MAX: usize = 40;

/// A sentence without its full stop: what to do so that the lines are read. None when they are, or when nothing that
/// was tried helps.
pub(super) fn remedy(format: &Format, lines: &[&[u8]]) -> Option<String> {
    let lines = &lines[..lines.len().min(LINES_MAX)];
    if lines.is_empty() || reads(format, lines) {
        return None;
    }
    let preset = || {
        let name = guess(lines).filter(|preset| compiled(preset.name, lines))?.name;
        Some(format!("the preset `{name}` reads it: --format {name}"))
    };
    let change = || {
        let words = Words::of(format).filter(|words| words.list.len() <= FIELDS_MAX)?;
        let fits = |change: &(String, String)| compiled(&change.1, lines);
        words
            .changes()
            .into_iter()
            .find(fits)
            .map(|(what, text)| format!("{what}: --format '{}'", quotable(&text)))
    };
    // Who gave a preset chose among presets; who wrote a format wants that one right.
    let known = PRESETS.iter().any(|preset| preset.name == format.name());
    let found = if known { preset().or_else(change) } else { change().or_else(preset) };
    found.or_else(|| named(format, lines)).or_else(|| json(format, lines)).or_else(|| further(format, lines))
}

/// Fit to stand between single quotes in a shell.
fn quotable(text: &str) -> String {
    text.replace('\t', "\\t").replace('\'', r"'\''")
}

/// Whether the format reads more than half of the lines without a doubt: the rest may be true garbage.
fn reads(format: &Format, lines: &[&[u8]]) -> bool {
    let mut spans = Spans::new();
    let mut sound = |line: &&&[u8]| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let record = format.parse(line, &mut spans).ok();
        let record = record.filter(|record| !format.is_json() || record.has_request());
        record.is_some() && doubt::of_line(&format.slots, line, &spans).is_empty()
    };
    lines.iter().filter(&mut sound).count() > lines.len() / 2
}

fn compiled(text: &str, lines: &[&[u8]]) -> bool {
    Format::compile(text).is_ok_and(|format| reads(&format, lines))
}

/// Fields of nobody's behind all that the format reads get names of their own.
fn named(format: &Format, lines: &[&[u8]]) -> Option<String> {
    let line = lines.first()?;
    let mismatch = format.explain(line).err().filter(|mismatch| mismatch.expected == END)?;
    let rest = str::from_utf8(line.get(mismatch.column - 1..)?).ok()?.strip_prefix(' ')?;
    let nginx = format.text().contains('$');
    let mut text = format.text().to_owned();
    for (number, word) in (1..).zip(split(rest, " ")) {
        let name = if nginx { format!("$field{number}") } else { format!("%{{field{number}}}n") };
        let (open, close) = match word.as_bytes() {
            [b'"', .., b'"'] => ("\"", "\""),
            [b'[', .., b']'] => ("[", "]"),
            _ => ("", ""),
        };
        text = format!("{text} {open}{name}{close}");
    }
    let what = "name what stands behind as you like";
    compiled(&text, lines).then(|| format!("{what}: --format '{}'", quotable(&text)))
}

/// JSON of nobody's keys.
fn json(format: &Format, lines: &[&[u8]]) -> Option<String> {
    let objects = lines.iter().filter(|line| line.starts_with(b"{") && line.trim_ascii_end().ends_with(b"}"));
    let text = "these are JSON objects with keys of their own: --format 'json:KEY=$status,KEY=$request_method,\
                KEY=$request_uri,KEY=$request_time' with the lines' keys for KEY";
    (objects.count() > lines.len() / 2 && !format.is_json()).then(|| text.to_owned())
}

/// The preset that comes furthest into a line, how many of its fields it reads there, and how many it has.
pub fn nearest(line: &[u8]) -> (&'static str, usize, usize) {
    let json = line.starts_with(b"{");
    let far = PRESETS.iter().filter(|preset| (preset.dialect == "JSON") == json).map(|preset| {
        let format = Format::compile(preset.name).ok();
        let reached = format.as_ref().map_or(0, |format| reached(format, line));
        (preset.name, reached, format.map_or(0, |format| format.slots.len()))
    });
    // The first of the equal ones, which is the simplest.
    far.reduce(|best, next| if next.1 > best.1 { next } else { best }).unwrap_or_default()
}

fn reached(format: &Format, line: &[u8]) -> usize {
    format.explain(line).map_or_else(|mismatch| mismatch.reached, |readings| readings.len())
}

/// The nearest preset, if it comes further than the format itself.
fn further(format: &Format, lines: &[&[u8]]) -> Option<String> {
    let line = lines.first()?;
    let (name, most, of) = nearest(line);
    let here = reached(format, line);
    let further = most > here;
    further.then(|| {
        format!("the nearest preset, `{name}`, reads {most} of its {of} fields, and this format {here}")
    })
}

/// A text format cut at what separates its fields.
struct Words {
    list: Vec<String>,
    separator: &'static str,
    has_vhost: bool,
    habits: &'static Habits,
}

/// What people log in one dialect.
struct Habits {
    /// Fields in the order in which nearly everybody logs them.
    usual: &'static [&'static str],
    /// Fields that are added anywhere.
    added: &'static [&'static str],
    vhosts: &'static [&'static str],
    /// Words that are taken for one another.
    alike: &'static [&'static [&'static str]],
}

const APACHE: Habits = Habits {
    usual: &[
        "%h",
        "%l",
        "%u",
        "%t",
        "\"%r\"",
        "%>s",
        "%b",
        "\"%{Referer}i\"",
        "\"%{User-Agent}i\"",
        "\"%{X-Forwarded-For}i\"",
        "%D",
    ],
    added: &["\"%{X-Forwarded-For}i\"", "%D", "%l"],
    vhosts: &["%v:%p", "%v"],
    alike: &[
        &["%t", "%{%d/%b/%Y:%H:%M:%S %z}t", "[%{%Y-%m-%dT%H:%M:%S%z}t]", "%{%Y-%m-%dT%H:%M:%S%z}t"],
        &["%b", "%O"],
        &["%O", "%b"],
        &["%B", "%O"],
    ],
};

const NGINX: Habits = Habits {
    usual: &[
        "$remote_addr",
        "-",
        "$remote_user",
        "[$time_local]",
        "\"$request\"",
        "$status",
        "$body_bytes_sent",
        "\"$http_referer\"",
        "\"$http_user_agent\"",
        "\"$http_x_forwarded_for\"",
        "$request_time",
    ],
    added: &["\"$http_x_forwarded_for\"", "$request_time", "$upstream_response_time", "-"],
    vhosts: &["$server_name", "$host:$server_port"],
    alike: &[
        &["[$time_local]", "$time_local", "[$time_iso8601]", "$time_iso8601"],
        &["$time_local", "[$time_local]", "$time_iso8601", "[$time_iso8601]"],
        &["[$time_iso8601]", "$time_iso8601", "[$time_local]", "$time_local"],
        &["$time_iso8601", "[$time_iso8601]", "$time_local", "[$time_local]"],
        &["$body_bytes_sent", "$bytes_sent"],
        &["$bytes_sent", "$body_bytes_sent"],
    ],
};

/// The same field in both dialects, and the word of the other one for what has no twin but another unit.
const TWINS: &[(&str, &str)] = &[
    ("%h", "$remote_addr"),
    ("%a", "$remote_addr"),
    ("%l", "-"),
    ("%u", "$remote_user"),
    ("%t", "[$time_local]"),
    ("\"%r\"", "\"$request\""),
    ("%>s", "$status"),
    ("%s", "$status"),
    ("%b", "$body_bytes_sent"),
    ("%B", "$body_bytes_sent"),
    ("%O", "$bytes_sent"),
    ("%I", "$request_length"),
    ("%D", "$request_time"),
    ("%T", "$request_time"),
    ("%v", "$server_name"),
    ("%V", "$host"),
    ("\"%{Referer}i\"", "\"$http_referer\""),
    ("\"%{User-Agent}i\"", "\"$http_user_agent\""),
    ("\"%{X-Forwarded-For}i\"", "\"$http_x_forwarded_for\""),
];

/// A change, in words, and the format that comes of it.
type Change = (String, String);

impl Words {
    fn of(format: &Format) -> Option<Words> {
        if format.is_json() {
            return None;
        }
        let separator =
            [" ", "\t", ",", ";"].into_iter().find(|separator| split(format.text(), separator).len() > 1);
        let separator = separator.unwrap_or(" ");
        let habits = if format.text().contains('$') { &NGINX } else { &APACHE };
        let has_vhost = format.trust_of_vhost().is_some();
        Some(Words { list: split(format.text(), separator), separator, has_vhost, habits })
    }

    /// Every change worth trying.
    fn changes(&self) -> Vec<Change> {
        let all: Vec<&str> = self.list.iter().map(String::as_str).collect();
        let mut changes = self.signs(&all);
        changes.extend(self.translated(&all));
        for vhost in self.habits.vhosts.iter().filter(|_| !self.has_vhost) {
            changes.push(self.change(format!("put {vhost} in front"), &[], &[vhost], &all));
        }
        changes.extend(self.forgotten(&all));
        for at in 0..all.len() {
            self.at_word(&all[..at], all[at], &all[at + 1..], &mut changes);
        }
        // From the end, where fields are added and forgotten more often.
        for at in (0..all.len()).rev().filter(|at| all.len() > 1 && !all[*at].is_empty()) {
            changes.push(self.change(format!("leave out {}", all[at]), &all[..at], &[], &all[at + 1..]));
        }
        for field in self.habits.added {
            for at in (0..=all.len()).rev() {
                let (before, after) = all.split_at(at);
                changes.push(self.change(format!("add {field} {}", place(before)), before, &[field], after));
            }
        }
        let same = all.join(self.separator);
        changes.retain(|(_, text)| *text != same);
        changes
    }

    fn change(&self, what: String, before: &[&str], words: &[&str], after: &[&str]) -> Change {
        (what, [before, words, after].concat().join(self.separator))
    }

    /// Signs of another file's syntax, and other separators.
    fn signs(&self, all: &[&str]) -> Vec<Change> {
        let text = all.join(self.separator);
        let mut changes = vec![
            ("one % is enough, only systemd's unit files double it".to_owned(), text.replace("%%", "%")),
            ("the quotes need no backslashes".to_owned(), text.replace('\\', "")),
        ];
        for (separator, name) in [(" ", "blanks"), ("\t", "tabs"), (",", "commas"), (";", "semicolons")] {
            changes.push((format!("the fields are separated by {name}"), all.join(separator)));
        }
        changes
    }

    /// The whole in the words of the other dialect.
    fn translated(&self, all: &[&str]) -> Option<Change> {
        let apache = self.habits.usual == APACHE.usual;
        let twin = |word: &&str| -> Option<&str> {
            let ours = |(a, n): &&(&str, &str)| if apache { a == word } else { n == word };
            TWINS.iter().find(ours).map(|(a, n)| if apache { *n } else { *a })
        };
        let words: Option<Vec<&str>> = all.iter().map(twin).collect();
        let whose = if apache { "nginx" } else { "Apache" };
        Some((format!("{whose} writes it so"), words?.join(self.separator)))
    }

    /// One word written otherwise.
    fn at_word(&self, before: &[&str], word: &str, after: &[&str], changes: &mut Vec<Change>) {
        if word.is_empty() {
            let what = format!("one blank is enough {}", place(before));
            changes.push(self.change(what, before, &[], after));
            return;
        }
        changes.push(self.change(format!("put two blanks {}", place(before)), before, &["", word], after));
        let bare = word.strip_prefix('"').and_then(|word| word.strip_suffix('"'));
        let other = bare.map_or_else(|| format!("\"{word}\""), str::to_owned);
        let what = if bare.is_some() { "stands without quotes" } else { "stands in quotes" };
        changes.push(self.change(format!("{word} {what}"), before, &[&other], after));
        let alike = self.habits.alike.iter().filter_map(|words| words.split_first());
        for other in alike.filter(|(first, _)| **first == word).flat_map(|(_, others)| others) {
            changes.push(self.change(format!("the log has {other} for {word}"), before, &[other], after));
        }
        if let Some((next, after)) = after.split_first() {
            changes.push(self.change(format!("swap {word} and {next}"), before, &[next, word], after));
            for (mark, name) in [(",", "a comma"), ("\t", "a tab"), (";", "a semicolon")] {
                let joined = [word, mark, next].concat();
                changes.push(self.change(format!("{name} stands behind {word}"), before, &[&joined], after));
            }
        }
        if let Some(mark) = word.find([',', ';', '\t']).filter(|_| !word.contains('{')) {
            let cut = [&word[..mark], " ", &word[mark + 1..]].concat();
            changes.push(self.change(
                format!("a blank stands behind {}", &word[..mark]),
                before,
                &[&cut],
                after,
            ));
        }
    }

    /// Fields that nearly everybody logs and this format does not, each where nearly everybody has it.
    fn forgotten(&self, all: &[&str]) -> Vec<Change> {
        let usual = self.habits.usual;
        let missing = usual.iter().enumerate().filter(|(_, field)| !all.contains(field));
        let changes = missing.map(|(rank, field)| {
            let last =
                usual[..rank].iter().rev().find_map(|field| all.iter().rposition(|word| word == field));
            let (before, after) = all.split_at(last.map_or(0, |last| last + 1));
            self.change(format!("add {field} {}", place(before)), before, &[field], after)
        });
        changes.collect()
    }
}

fn place(before: &[&str]) -> String {
    before.last().map_or_else(|| "in front".to_owned(), |word| format!("behind {word}"))
}

/// Cuts at the separator, but not within quotes or braces.
fn split(text: &str, separator: &str) -> Vec<String> {
    let (mut words, mut quoted, mut depth) = (vec![String::new()], false, 0usize);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            _ if separator.starts_with(c) && !quoted && depth == 0 => {
                words.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &[u8] =
        b"192.0.2.7 - - [22/Nov/2026:10:38:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl/8\"";

    fn advice(format: &str, line: &[u8]) -> Option<String> {
        remedy(&Format::compile(format).unwrap(), &[line])
    }

    #[test]
    fn a_preset_that_reads_the_line_is_named() {
        assert_eq!(advice("common", LINE).unwrap(), "the preset `combined` reads it: --format combined");
    }

    #[test]
    fn a_change_is_offered_only_when_it_was_tried() {
        for (format, line, remedy) in [
            (r#"%h  %>s"#, "h 200", "one blank is enough behind %h: --format '%h %>s'"),
            (r#"%h %>s"#, "h  200", "put two blanks behind %h: --format '%h  %>s'"),
            (r#"%h %>s"#, "h\t200", "the fields are separated by tabs: --format '%h\\t%>s'"),
            (r#"%m %>s"#, "GET \"200\"", "%>s stands in quotes: --format '%m \"%>s\"'"),
            (r#""%h" %>s"#, "h 200", "\"%h\" stands without quotes: --format '%h %>s'"),
            ("$status $request_time", "200", "leave out $request_time: --format '$status'"),
            (
                "$status $bytes_sent",
                "200 5 0.25",
                "add $request_time behind $bytes_sent: --format '$status $bytes_sent $request_time'",
            ),
            ("%m %>s", "www.example.com:80 GET 200", "put %v:%p in front: --format '%v:%p %m %>s'"),
        ] {
            assert_eq!(advice(format, line.as_bytes()).as_deref(), Some(remedy), "{format}");
        }
        assert_eq!(advice("%h %>s", b"h 200"), None);
    }

    #[test]
    fn when_nothing_helps_the_nearest_preset_says_how_far_it_gets() {
        assert_eq!(
            advice("%D", b"192.0.2.7 - - [22/Nov/2026:10:38:00 +0000] rubbish").unwrap(),
            "the nearest preset, `common`, reads 4 of its 7 fields, and this format 0"
        );
    }
}
