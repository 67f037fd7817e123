//! Changes: what is often wrong in a format, and what should stand there.
//!
//! Turns a text format and a line into changed formats, each with the change in words and its price: how much it
//! changes, and how far from what people log. Knows the habits of both dialects, and nothing of whether a change
//! helps: that is remedy.rs.

use crate::advise::budget::Budget;
use crate::advise::draft::neutral;
use crate::advise::price::{
    FIELD, PLACEHOLDER, PLACEHOLDERS, RARE, REWRITE, SYNTAX, TWO_FIELDS, TWO_LESS, USUAL,
};
use crate::advise::reading;
use crate::advise::reading::Expected;
use crate::parse::Format;
use crate::parse::compile::language::{Grammar, LANGUAGES, Language};
use crate::parse::read::values::syslog_header;

/// A change in words, the format that comes of it, and its price.
#[derive(Debug)]
pub struct Change {
    pub what: String,
    pub text: String,
    pub price: usize,
}

/// Changes of text formats with up to this many fields: each is tried in some thirty ways at each place.
const FIELDS_MAX: usize = 40;

/// Every change worth trying, for a format that cannot read these lines.
pub fn of(format: &Format, lines: &[&[u8]], budget: &mut Budget) -> Vec<Change> {
    let words = Words::of(format).filter(|words| words.list.len() <= FIELDS_MAX);
    let (Some(words), Some(first)) = (words, lines.first()) else { return Vec::new() };
    // First what the lines themselves show.
    let mut changes: Vec<Change> = words.labelled(format.text(), first, budget).into_iter().collect();
    changes.extend(words.behind(format, lines, budget));
    changes.extend(words.in_front(format, lines, budget));
    changes.extend(in_other_languages(format));
    changes.extend(words.changes());
    changes
}

/// The same directives with the meaning that they have for another server. Where a duration has another unit there,
/// the change is offered only if another value of the line tells the unit.
fn in_other_languages(format: &Format) -> Vec<Change> {
    let text = format.text();
    let letters = !text.contains('$') && !format.is_json() && Language::named(text).is_none();
    if !letters || text.contains("%D") != text.contains("%T") {
        return Vec::new();
    }
    let others = LANGUAGES.iter().filter(|other| other.grammar == Grammar::Letters && other.name != "apache");
    others
        .map(|other| Change {
            what: format!("these are letters of {}", other.about),
            text: format!("{}:{text}", other.name),
            price: USUAL,
        })
        .collect()
}

/// What may stand around lines that a format reads otherwise: few changes, so that many formats can be tried.
pub fn around(format: &Format, lines: &[&[u8]], budget: &mut Budget) -> Vec<Change> {
    let Some(words) = Words::of(format) else { return Vec::new() };
    let all: Vec<&str> = words.list.iter().map(String::as_str).collect();
    let mut changes = words.fronts(&all);
    changes.extend(words.behind(format, lines, budget));
    changes.extend(words.in_front(format, lines, budget));
    changes
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
    /// How many of these, the last, many do without.
    seldom: usize,
    /// Fields that are put in front of all others: virtual hosts, and what few have there.
    fronts: &'static [(&'static str, usize)],
    /// Fields that are added anywhere.
    added: &'static [&'static str],
    vhost: &'static str,
    /// Words that are taken for one another.
    alike: &'static [&'static [&'static str]],
    /// The client's address, and all that a proxy says of it.
    clients: &'static [(&'static str, &'static str)],
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
    seldom: 2,
    fronts: &[("%v:%p", USUAL), ("%v", USUAL), ("%{X-Forwarded-For}i", FIELD)],
    added: &["\"%{X-Forwarded-For}i\"", "%{X-Forwarded-For}i", "%D", "%l"],
    vhost: "%v",
    alike: &[
        &[
            "%t",
            "%{%d/%b/%Y:%H:%M:%S %z}t",
            "[%{%Y-%m-%dT%H:%M:%S%z}t]",
            "%{%Y-%m-%dT%H:%M:%S%z}t",
            "%{sec}t",
            "%{msec}t",
        ],
        &["%b", "%O"],
        &["%O", "%b"],
        &["%B", "%b", "%O"],
        &["%h", "%h:%{remote}p"],
        &["%a", "%a:%{remote}p"],
        &["%l", "%V"],
        &["%v:%p", "%v"],
        &["%v", "%v:%p"],
        &["%T", "%D"],
        &["%{ms}T", "%D"],
        &["%D", "%Dus", "%{ms}Tms", "%Ts"],
    ],
    clients: &[("%h", "%{X-Forwarded-For}i"), ("%a", "%{X-Forwarded-For}i")],
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
    seldom: 2,
    fronts: &[("$server_name", USUAL), ("$host:$server_port", USUAL), ("$http_x_forwarded_for", FIELD)],
    added: &[
        "\"$http_x_forwarded_for\"",
        "$http_x_forwarded_for",
        "$request_time",
        "$upstream_response_time",
        "-",
    ],
    vhost: "$host",
    alike: &[
        &["[$time_local]", "$time_local", "[$time_iso8601]", "$time_iso8601", "[$msec]", "$msec"],
        &["$time_local", "[$time_local]", "$time_iso8601", "[$time_iso8601]", "$msec", "[$msec]"],
        &["[$time_iso8601]", "$time_iso8601", "[$time_local]", "$time_local", "[$msec]", "$msec"],
        &["$time_iso8601", "[$time_iso8601]", "$time_local", "[$time_local]", "$msec", "[$msec]"],
        &["$body_bytes_sent", "$bytes_sent"],
        &["$bytes_sent", "$body_bytes_sent"],
        &["$host:$server_port", "$host"],
        &["$remote_addr", "$remote_addr:$remote_port"],
        &["-", "$host"],
        &["$request_time", "${request_time}s", "${duration_ms}ms"],
    ],
    clients: &[("$remote_addr", "$http_x_forwarded_for")],
};

/// The same field in both dialects; where the other one has it in another unit only, that field.
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

/// The same words in the other dialect, if it has all of them.
fn twins(words: &[&str], from_apache: bool) -> Option<Vec<&'static str>> {
    let twin = |word: &&str| -> Option<&'static str> {
        let same = |(apache, nginx): &&(&str, &str)| if from_apache { apache == word } else { nginx == word };
        TWINS.iter().find(same).map(|(apache, nginx)| if from_apache { *nginx } else { *apache })
    };
    words.iter().map(twin).collect()
}

/// A text of Apache's in nginx's words.
pub fn in_words_of_nginx(text: &str) -> Option<String> {
    let words = split(text, " ");
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    twins(&words, true).map(|words| words.join(" "))
}

/// What separates fields, and its name.
const SEPARATORS: [(&str, &str); 6] = [
    (" ", "blanks"),
    ("\t", "tabs"),
    (",", "commas"),
    (";", "semicolons"),
    ("|", "bars"),
    (" | ", "bars between blanks"),
];

impl Words {
    fn of(format: &Format) -> Option<Words> {
        if format.is_keyed() {
            return None;
        }
        let cuts = |separator: &&str| split(format.text(), separator).len() > 1;
        let separator = [" ", "\t", ",", ";", "|"].into_iter().find(cuts).unwrap_or(" ");
        let habits = if format.text().contains('$') { &NGINX } else { &APACHE };
        let has_vhost = format.fields.trust_of_vhost().is_some();
        Some(Words { list: split(format.text(), separator), separator, has_vhost, habits })
    }

    fn is_nginx(&self) -> bool {
        self.habits.vhost == NGINX.vhost
    }

    fn changes(&self) -> Vec<Change> {
        let all: Vec<&str> = self.list.iter().map(String::as_str).collect();
        let mut changes = self.signs(&all);
        changes.extend(self.translated(&all));
        changes.extend(self.fronts(&all));
        changes.push(self.change(REWRITE, "a blank stands at the end".to_owned(), &all, &[""], &[]));
        changes.extend(self.forgotten(&all));
        for at in 0..all.len() {
            self.at_word(&all[..at], all[at], &all[at + 1..], &mut changes);
        }
        // From the end, where fields are added and forgotten more often.
        for at in (0..all.len()).rev().filter(|at| all.len() > 1 && !all[*at].is_empty()) {
            let left_out = |count: usize, price| {
                let what = format!("leave out {}", all[at..at + count].join(self.separator));
                self.change(price, what, &all[..at], &[], &all[at + count..])
            };
            changes.push(left_out(1, self.price_of_absence(all[at])));
            if at + 2 <= all.len() && all.len() > 2 {
                changes.push(left_out(2, TWO_LESS));
            }
        }
        let (first, vhost) = (free_name(&all.join(" ")), self.habits.vhost);
        let name = if self.is_nginx() { format!("$field{first}") } else { format!("%{{field{first}}}n") };
        let (quoted, bracketed) = (format!("\"{name}\""), format!("[{name}]"));
        let added = self.habits.added.iter().map(|field| (*field, FIELD));
        let hosts = (!self.has_vhost).then_some((vhost, RARE));
        let neutral = [&name, &quoted, &bracketed].map(|field| (field.as_str(), PLACEHOLDER));
        for (field, price) in added.chain(hosts).chain(neutral) {
            for at in (0..=all.len()).rev() {
                let (before, after) = all.split_at(at);
                changes.push(self.change(
                    price,
                    format!("add {field} {}", place(before)),
                    before,
                    &[field],
                    after,
                ));
            }
        }
        let same = all.join(self.separator);
        changes.retain(|change| change.text != same);
        changes
    }

    /// A virtual host in front, or what few have there.
    fn fronts(&self, all: &[&str]) -> Vec<Change> {
        let fronts = self.habits.fronts.iter().filter(|(_, price)| !self.has_vhost || *price == FIELD);
        fronts
            .map(|(front, price)| self.change(*price, format!("put {front} in front"), &[], &[front], all))
            .collect()
    }

    /// What nearly everybody logs is left out last.
    fn price_of_absence(&self, word: &str) -> usize {
        match self.habits.usual.iter().rev().position(|usual| *usual == word) {
            None => FIELD,
            Some(rank) if rank < self.habits.seldom => TWO_FIELDS,
            Some(_) => RARE,
        }
    }

    fn change(&self, price: usize, what: String, before: &[&str], words: &[&str], after: &[&str]) -> Change {
        Change { what, text: [before, words, after].concat().join(self.separator), price }
    }

    /// Signs of another file's syntax, and other separators.
    fn signs(&self, all: &[&str]) -> Vec<Change> {
        let text = all.join(self.separator);
        let mut changes = vec![
            ("one % is enough, only systemd's unit files double it".to_owned(), text.replace("%%", "%")),
            ("the quotes need no backslashes".to_owned(), text.replace('\\', "")),
            ("a quote stands in front".to_owned(), format!("\"{text}")),
            ("the line stands in quotes".to_owned(), format!("\"{text}\"")),
        ];
        for (separator, name) in SEPARATORS {
            changes.push((format!("the fields are separated by {name}"), all.join(separator)));
        }
        if all.iter().filter(|word| without_label(word).is_some()).count() > 1 {
            let bare: Vec<&str> = all.iter().map(|word| without_label(word).unwrap_or(word)).collect();
            changes.push(("the log has no labels before the values".to_owned(), bare.join(self.separator)));
        }
        changes.into_iter().map(|(what, text)| Change { what, text, price: SYNTAX }).collect()
    }

    /// The whole in the words of the other dialect.
    fn translated(&self, all: &[&str]) -> Option<Change> {
        let what = format!("{} writes it so", if self.is_nginx() { "Apache" } else { "nginx" });
        let words = twins(all, !self.is_nginx())?;
        Some(Change { what, text: words.join(self.separator), price: USUAL })
    }

    /// One word written otherwise.
    fn at_word(&self, before: &[&str], word: &str, after: &[&str], changes: &mut Vec<Change>) {
        if word.is_empty() {
            let what = format!("one blank is enough {}", place(before));
            changes.push(self.change(REWRITE, what, before, &[], after));
            return;
        }
        let blanks = if before.is_empty() { "a blank" } else { "two blanks" };
        let mut rewrite = |what: String, words: &[&str], after: &[&str]| {
            changes.push(self.change(REWRITE, what, before, words, after));
        };
        rewrite(format!("put {blanks} {}", place(before)), &["", word], after);
        let bare = word.strip_prefix('"').and_then(|word| word.strip_suffix('"'));
        let other = bare.map_or_else(|| format!("\"{word}\""), str::to_owned);
        let what = if bare.is_some() { "stands without quotes" } else { "stands in quotes" };
        rewrite(format!("{word} {what}"), &[&other], after);
        if let Some(bare) = bare {
            rewrite(format!("{word} stands in single quotes"), &[&format!("'{bare}'")], after);
        }
        let alike = self.habits.alike.iter().filter_map(|words| words.split_first());
        for other in alike.filter(|(first, _)| **first == word).flat_map(|(_, others)| others) {
            rewrite(format!("the log has {other} for {word}"), &[other], after);
        }
        for (_, list) in self.habits.clients.iter().filter(|(client, _)| *client == word) {
            changes.push(self.change(
                FIELD,
                format!("the log has {list} for {word}"),
                before,
                &[list],
                after,
            ));
        }
        let mut rewrite = |what: String, words: &[&str], after: &[&str]| {
            changes.push(self.change(REWRITE, what, before, words, after));
        };
        if let Some(rest) = without_label(word) {
            let label = word.strip_suffix(rest).unwrap_or_default();
            rewrite(format!("the log has no {label} before {rest}"), &[rest], after);
        }
        if let Some((next, after)) = after.split_first() {
            for (mark, name) in [(",", "a comma"), ("\t", "a tab"), (";", "a semicolon")] {
                let joined = [word, mark, next].concat();
                rewrite(format!("{name} stands behind {word}"), &[&joined], after);
            }
        }
        if let Some(mark) = word.find([',', ';', '\t']).filter(|_| !word.contains('{')) {
            let cut = [&word[..mark], " ", &word[mark + 1..]].concat();
            rewrite(format!("a blank stands behind {}", &word[..mark]), &[&cut], after);
        }
        if let Some((next, after)) = after.split_first() {
            changes.push(self.change(USUAL, format!("swap {word} and {next}"), before, &[next, word], after));
        }
    }

    /// Fields that nearly everybody logs and this format does not, each where nearly everybody has it.
    fn forgotten(&self, all: &[&str]) -> Vec<Change> {
        let usual = self.habits.usual;
        let missing = |rank: &usize| usual.get(*rank).is_some_and(|field| !all.contains(field));
        let added = |rank: usize, count: usize, price| {
            let last =
                usual[..rank].iter().rev().find_map(|field| all.iter().rposition(|word| word == field));
            let (before, after) = all.split_at(last.map_or(0, |last| last + 1));
            let fields = &usual[rank..rank + count];
            let what = format!("add {} {}", fields.join(self.separator), place(before));
            self.change(price, what, before, fields, after)
        };
        let one = (0..usual.len()).filter(missing).map(|rank| added(rank, 1, USUAL));
        let pairs = (1..usual.len()).filter(|rank| missing(rank) && missing(&(rank - 1)));
        one.chain(pairs.map(|rank| added(rank - 1, 2, TWO_FIELDS))).collect()
    }

    /// Labels before values (`rt=0.012`), as often as the line has one where the format has none.
    fn labelled(&self, text: &str, line: &[u8], budget: &mut Budget) -> Option<Change> {
        let (mut list, mut labels) = (self.list.clone(), Vec::new());
        let mut text = text.to_owned();
        while labels.len() < list.len() && budget.spend(line.len()) {
            let format = Format::compile(&text).ok()?;
            let Some(mismatch) = reading::explain(&format, line).err() else { break };
            let found = str::from_utf8(line.get(mismatch.column - 1..)?).ok()?;
            let end = found.find([':', '=']).map(|mark| mark + 1).filter(|end| is_label(&found[..*end]));
            // A last field that may be empty is passed over.
            let last = format.fields.slots.last().filter(|_| mismatch.expected == Expected::End);
            let field = mismatch.before.or_else(|| last.map(|slot| slot.name.clone()));
            let (Some(label), Some(field)) = (end.map(|end| &found[..end]), field) else { break };
            let word = list.iter_mut().find(|word| word.contains(&field))?;
            word.insert_str(0, label);
            labels.push(label);
            text = list.join(self.separator);
        }
        let what = format!("the log has {}", labels.join(" and "));
        (!labels.is_empty()).then_some(Change { what, text, price: REWRITE })
    }

    /// Words behind all that the format reads get names of their own.
    fn behind(&self, format: &Format, lines: &[&[u8]], budget: &mut Budget) -> Option<Change> {
        let rest = |line: &&[u8]| {
            budget.spend(line.len()).then_some(())?;
            let mismatch = reading::explain(format, line).err()?;
            let rest = line.get(mismatch.column - 1..).filter(|_| mismatch.expected == Expected::End)?;
            Some(str::from_utf8(rest).ok()?.trim_end().to_owned())
        };
        let rests: Vec<String> = lines.iter().filter_map(rest).collect();
        let parted = rests.iter().all(|rest| rest.starts_with(self.separator));
        if !parted || rests.len() * 2 <= lines.len() {
            return None;
        }
        let rests: Vec<&str> = rests.iter().map(String::as_str).collect();
        let text = format.text();
        let (named, known) = neutral(&rests, text, self.is_nginx(), free_name(text))?;
        let what = "name what stands behind as you like".to_owned();
        Some(Change { what, text: format!("{text}{named}"), price: PLACEHOLDERS - usize::from(known) })
    }

    /// What another program put in front of the lines: the header of syslog, or words that get names of their own.
    fn in_front(&self, format: &Format, lines: &[&[u8]], budget: &mut Budget) -> Option<Change> {
        let mut start = |line: &[u8]| {
            let starts = (1..line.len().min(FRONT_BYTES_MAX)).filter(|at| b" \t".contains(&line[at - 1]));
            let mut starts = starts.take(FRONT_WORDS_MAX);
            starts.find(|start| budget.spend(line.len()) && reading::suits(format, &line[*start..]))
        };
        let mut found: Vec<(&[u8], usize)> = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            found.extend(start(line).map(|start| (*line, start)));
            // Where the first lines have nothing in front, the others need not be looked at.
            if at > 1 && found.is_empty() {
                return None;
            }
        }
        if found.len() * 2 <= lines.len() {
            return None;
        }
        if self.is_nginx() && found.iter().all(|(line, start)| syslog_header(line, 0) == *start) {
            let what = "the header of syslog stands in front".to_owned();
            return Some(Change { what, text: format!("${{syslog_header}}{}", format.text()), price: FIELD });
        }
        let fronts: Option<Vec<&str>> =
            found.iter().map(|(line, start)| str::from_utf8(&line[..*start]).ok()).collect();
        let (named, _) = neutral(&fronts?, format.text(), self.is_nginx(), free_name(format.text()))?;
        let what = "name what stands in front as you like".to_owned();
        Some(Change { what, text: format!("{named}{}", format.text()), price: PLACEHOLDERS })
    }
}

/// Other programs put less than this in front of a line.
const FRONT_BYTES_MAX: usize = 200;
const FRONT_WORDS_MAX: usize = 12;

/// A short name and a mark behind it.
fn is_label(text: &str) -> bool {
    let name = text.strip_suffix(['=', ':']).unwrap_or_default();
    let letters = name.bytes().all(|c| c.is_ascii_alphanumeric() || b"_-".contains(&c));
    letters && name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.len() <= 30
}

/// A word of a format without the label in front of its field.
fn without_label(word: &str) -> Option<&str> {
    let (label, rest) = word.split_at(word.find(['"', '[', '$', '%'])?);
    is_label(label).then_some(rest)
}

/// The first number that names no placeholder yet.
fn free_name(text: &str) -> usize {
    (1..).find(|number| !text.contains(&format!("field{number}"))).unwrap_or(1)
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
