//! Lines of text cut into columns: what separates them in all lines, and the values of each.
//!
//! Quotes and brackets hold words together, and so does the comma of a list. Nothing that only some lines have
//! becomes fixed text; where lines have different numbers of words, what they have in common is cut and the rest is
//! one column.

use crate::order;

/// What lines of the same format have in one place.
#[derive(Debug, Default)]
pub struct Column<'l> {
    /// What stands in front of it in every line.
    pub before: String,
    /// Whether some lines have more blanks in front than that.
    pub padded: bool,
    /// `key=` in front of the value, or `key:`; a word and a blank within brackets.
    pub label: &'l str,
    pub open: &'static str,
    pub close: &'static str,
    pub values: Vec<&'l str>,
    /// All that is left of the line.
    pub is_rest: bool,
}

impl<'l> Column<'l> {
    /// What stands between the separator and the value, and behind it.
    pub fn fixed(&self) -> (String, &'static str) {
        // The name within brackets ends in a blank.
        let inside = self.label.ends_with(' ');
        let text = if inside { [self.open, self.label] } else { [self.label, self.open] };
        (text.concat(), self.close)
    }

    /// The values that are there: a dash stands for what is absent.
    pub fn present(&self) -> impl Iterator<Item = &'l str> + '_ {
        self.values.iter().copied().filter(|value| !matches!(*value, "-" | ""))
    }

    /// Whether every value that is there is sound, and one is there.
    pub fn all(&self, sound: impl Fn(&str) -> bool) -> bool {
        let mut present = self.present().peekable();
        present.peek().is_some() && present.all(sound)
    }

    /// The same in every line, and in more than one.
    pub fn is_constant(&self) -> bool {
        self.values.len() > 1 && self.values.windows(2).all(|pair| pair[0] == pair[1])
    }
}

/// Lines of one format, cut into columns.
#[derive(Debug)]
pub struct Table<'l> {
    pub columns: Vec<Column<'l>>,
    /// What stands behind the last column in every line.
    pub after: String,
    /// The lines that are in it, by their numbers.
    pub lines: Vec<usize>,
}

/// Cuts lines; None when they have nothing in common that can be cut.
pub fn cut<'l>(lines: &[&'l str]) -> Option<Table<'l>> {
    let separator = separator(lines);
    let rows: Vec<Vec<Word<'l>>> = lines.iter().map(|line| words(line, separator)).collect();
    // What is empty at the end of a line of words between blanks is no word.
    let count = |row: &Vec<Word<'l>>| {
        row.len() - usize::from(separator == b' ' && row.last().is_some_and(|word| word.text.is_empty()))
    };
    let mut counts: Vec<usize> = rows.iter().map(count).filter(|count| *count > 0).collect();
    order::sort(&mut counts);
    let of = |wanted: usize| counts.iter().filter(|count| **count == wanted).count();
    let most = counts.iter().copied().max_by_key(|count| of(*count))?;
    // The same number of words in nearly all lines; else the words that nearly all have, and the rest.
    let is_whole = of(most) * 10 >= counts.len() * 6;
    let width = if is_whole { most } else { counts.get(counts.len() / 10)?.checked_sub(1)? };
    let fits = |row: &Vec<Word<'l>>| if is_whole { count(row) == width } else { count(row) > width };
    let kept: Vec<usize> = (0..rows.len()).filter(|at| fits(&rows[*at])).collect();
    let word =
        |row: usize, at: usize| rows[row].get(at).copied().unwrap_or(Word { start: 0, before: "", text: "" });
    let mut columns: Vec<Column<'l>> = (0..width)
        .map(|at| column(&kept.iter().map(|row| word(*row, at)).collect::<Vec<Word>>(), separator == b'\t'))
        .collect();
    let behind = common(kept.iter().map(|row| word(*row, width).before)).to_owned();
    if is_whole {
        return Some(Table { columns, after: behind, lines: kept });
    }
    let rest = |row: &usize| &lines[*row][word(*row, width).start + behind.len()..];
    let values = kept.iter().map(rest).collect();
    columns.push(Column { before: behind, values, is_rest: true, ..Column::default() });
    Some(Table { columns, after: String::new(), lines: kept })
}

/// A word and what separates it from the one before; the last may be no word but what stands at the end of the line.
#[derive(Clone, Copy)]
struct Word<'l> {
    start: usize,
    before: &'l str,
    text: &'l str,
}

fn words<'l>(line: &'l str, separator: u8) -> Vec<Word<'l>> {
    let bytes = line.as_bytes();
    let blanks = |at: usize| at + bytes[at..].iter().take_while(|c| **c == b' ').count();
    let (mut words, mut at): (Vec<Word>, usize) = (Vec::new(), 0);
    while at < bytes.len() {
        let start = at;
        let mark = if separator == b'\t' { at } else { blanks(at) };
        at = match bytes.get(mark) {
            // Two marks have an empty value between them, two blanks have not.
            Some(c) if *c == separator && start > 0 && separator == b'\t' => mark + 1,
            Some(c) if *c == separator && start > 0 => blanks(mark + 1),
            _ => mark,
        };
        let mut end = word_end(bytes, at, separator);
        if separator == b' ' {
            end = list_end(bytes, at, end);
        }
        let text = &line[at..end];
        let text = if separator == b'\t' { text } else { text.trim_end_matches(' ') };
        words.push(Word { start, before: &line[start..at], text });
        at += text.len();
        if text.is_empty() && at == start {
            break;
        }
    }
    words
}

fn word_end(bytes: &[u8], start: usize, separator: u8) -> usize {
    let mut at = start;
    while bytes.get(at).is_some_and(|c| *c != separator) {
        let opens = at == start || b"=:".contains(&bytes[at - 1]);
        let closing = match bytes[at] {
            b'"' if opens => closed(bytes, at, b'"', separator),
            b'[' if opens => closed(bytes, at, b']', separator),
            _ => None,
        };
        at = closing.unwrap_or(at) + 1;
    }
    at
}

/// A list of several upstreams or clients has blanks behind its commas, and around its colons.
fn list_end(bytes: &[u8], start: usize, mut end: usize) -> usize {
    while end > start {
        let next = match (bytes[end - 1], bytes.get(end..end + 3)) {
            (b',', Some([b' ', next, ..])) if *next != b' ' => end + 1,
            (_, Some(b" : ")) => end + 3,
            _ => break,
        };
        if bytes[start] == b'"' || bytes[start] == b'[' && bytes[end - 1] == b']' {
            break;
        }
        end = word_end(bytes, next, b' ');
    }
    end
}

/// Where what opens here is closed, with nothing of the word behind.
fn closed(bytes: &[u8], open: usize, close: u8, separator: u8) -> Option<usize> {
    let ends = |at: usize| bytes.get(at + 1).is_none_or(|next| *next == separator || *next == b' ');
    (open + 1..bytes.len()).find(|&at| bytes[at] == close && bytes[at - 1] != b'\\' && ends(at))
}

/// What separates the words of lines: tabs where there are any; bars, or other marks where no blank is better.
fn separator(lines: &[&str]) -> u8 {
    let total = |separator: u8| lines.iter().map(|line| words(line, separator).len()).sum::<usize>();
    let often = |separator: u8| total(separator) > lines.len() * 3;
    match () {
        () if total(b'\t') > lines.len() => b'\t',
        () if often(b'|') => b'|',
        () if often(b';') && total(b';') > total(b' ') => b';',
        () if often(b',') && total(b',') > total(b' ') => b',',
        () => b' ',
    }
}

/// One column of the words in one place.
fn column<'l>(words: &[Word<'l>], is_ltsv: bool) -> Column<'l> {
    let before = common(words.iter().map(|word| word.before)).to_owned();
    let padded = words.iter().any(|word| word.before.len() > before.len());
    let label = same(words.iter().map(|word| label_of(word.text, is_ltsv))).unwrap_or_default();
    let rests = || words.iter().map(|word| &word.text[label.len()..]);
    let (open, close) = same(rests().map(wrapping)).unwrap_or_default();
    let values: Vec<&str> = rests().map(|rest| &rest[open.len()..rest.len() - close.len()]).collect();
    let mut column = Column { before, padded, label, open, close, values, is_rest: false };
    if let Some(name) = name_within(&column) {
        column.values.iter_mut().for_each(|value| *value = &value[name.len()..]);
        column.label = name;
    }
    column
}

/// `[Length 4103]`: a word that is the same in all lines, and a value that is not.
fn name_within<'l>(column: &Column<'l>) -> Option<&'l str> {
    let first = column.values.first()?;
    let name = &first[..=first.find(' ')?];
    let shared =
        column.values.iter().all(|value| value.starts_with(name) && !value[name.len()..].contains(' '));
    let is_name = name.trim_end().bytes().all(|c| c.is_ascii_alphabetic() || b"-_".contains(&c));
    (column.open == "["
        && column.label.is_empty()
        && shared
        && is_name
        && !column.is_constant()
        && column.values.len() > 1)
        .then_some(name)
}

/// What all texts begin with; of separators, the shortest.
fn common<'l>(texts: impl Iterator<Item = &'l str>) -> &'l str {
    texts.min_by_key(|text| text.len()).unwrap_or_default()
}

fn same<T: PartialEq>(mut all: impl Iterator<Item = T>) -> Option<T> {
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}

/// What encloses a word.
fn wrapping(word: &str) -> (&'static str, &'static str) {
    let inside = |open: char, close: char| word.len() > 1 && word.starts_with(open) && word.ends_with(close);
    match () {
        () if inside('"', '"') => ("\"", "\""),
        () if inside('[', ']') => ("[", "]"),
        () => ("", ""),
    }
}

/// Letters of a label.
const LABEL_CHARS_MAX: usize = 30;

/// `key=` in front of a value, or `key:` where tabs separate (LTSV).
pub fn label_of(word: &str, is_ltsv: bool) -> &str {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_-.@".contains(c);
    let end = word.find(|c| !is_name(c)).unwrap_or(0);
    let letters = word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '@') && end > 0;
    let rest = &word[end..];
    let sign = rest.starts_with('=') || (is_ltsv && rest.starts_with(':'));
    // A query and what is coded in base64 have such signs as well.
    let is_label =
        letters && end <= LABEL_CHARS_MAX && sign && !rest.starts_with("==") && !word.contains('&');
    &word[..if is_label { end + 1 } else { 0 }]
}
