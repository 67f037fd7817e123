//! The page of a report for a terminal of 80 columns: bars of block characters, colours where they are wanted.

use crate::calendar::Date;
use crate::options::wrap;
use crate::report::figures;
use crate::report::page::{Chart, Page, Row, Table, Tone};
use std::fmt::Write;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

const COLUMNS: usize = 80;

/// Lines of a chart of requests, and of one of errors.
const CHART_LINES: usize = 5;
const ERROR_LINES: usize = 2;

/// What stands before a chart: the count of its highest bar.
const AXIS_CHARS: usize = 9;

/// How wide the bar of a row is that has all requests.
const BAR_CHARS: usize = 10;

const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASIDE: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// Text with or without escape sequences (ECMA-48, SGR).
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub has_colours: bool,
}

impl Style {
    fn painted(self, code: &str, text: &str) -> String {
        if self.has_colours && !text.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn bold(self, text: &str) -> String {
        self.painted("1", text)
    }

    fn toned(self, tone: Tone, text: &str) -> String {
        self.painted(
            match tone {
                Tone::Plain => "36",
                Tone::Warning => "33",
                Tone::Bad => "31",
            },
            text,
        )
    }
}

pub fn write(page: &Page, style: Style) -> String {
    let mut text = format!("{}\n\n", style.bold(&page.title));
    for (name, value) in &page.facts {
        let _ = writeln!(text, "{}", fitted(&format!("  {name:11} {value}"), COLUMNS));
    }
    for chart in &page.charts {
        write_chart(chart, style, &mut text);
    }
    for table in &page.tables {
        write_table(table, style, &mut text);
    }
    if !page.remarks.is_empty() {
        let _ = writeln!(text, "\n{}", style.bold("Lines"));
    }
    for remark in &page.remarks {
        wrap(&broken(remark, COLUMNS - 2), "  ", COLUMNS, &mut text);
    }
    text
}

/// Without words of more than so many bytes: names in a log may be of any length.
fn broken(prose: &str, most: usize) -> String {
    prose.split_ascii_whitespace().flat_map(|word| pieces(word, most)).collect::<Vec<_>>().join(" ")
}

/// A word in pieces of at most so many bytes, of which a character has four at most.
fn pieces(word: &str, most: usize) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let ends = rest.char_indices().map(|(at, c)| at + c.len_utf8());
        let (piece, after) = rest.split_at(ends.take_while(|end| *end <= most).last()?);
        rest = after;
        Some(piece)
    })
}

/// Cut to so many columns: those of a terminal, where some characters are two wide.
fn fitted(text: &str, most: usize) -> String {
    if text.width() <= most {
        return text.to_owned();
    }
    let mut left = most.saturating_sub(1);
    let fits = |c: &char| {
        let width = c.width().unwrap_or(0);
        let fits = width <= left;
        left = left.saturating_sub(width);
        fits
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

fn write_chart(chart: &Chart, style: Style, text: &mut String) {
    let lines = if chart.tone == Tone::Plain { CHART_LINES } else { ERROR_LINES };
    let highest = chart.bars.iter().copied().max().unwrap_or(0);
    let _ = writeln!(text, "\n{}", style.bold(&chart.title));
    for line in (0..lines).rev() {
        let bars: String = chart.bars.iter().map(|bar| block(*bar, highest, line, lines)).collect();
        let axis = if line + 1 == lines { figures::count(highest) } else { String::new() };
        let _ = writeln!(text, "{axis:>AXIS_CHARS$} {}", style.toned(chart.tone, bars.trim_end()));
    }
    let end = chart.from + chart.bar_seconds * i64::try_from(chart.bars.len()).unwrap_or(0);
    let (from, to) = (moment(chart.from), moment(end));
    let room = chart.bars.len().saturating_sub(from.len());
    // Under few bars there is no room for two dates.
    let ends = if room > to.len() { format!("{from}{to:>room$}") } else { format!("{from} to {to}") };
    let _ = writeln!(text, "{:AXIS_CHARS$} {ends}", "");
}

fn moment(seconds: i64) -> String {
    let date = Date::of(u64::try_from(seconds).unwrap_or(0)).to_string();
    date.trim_end_matches(" UTC").to_owned()
}

/// The piece of a bar in one line of a chart. What is not zero is seen.
fn block(bar: u64, highest: u64, line: usize, lines: usize) -> char {
    let eighths = u128::from(bar) * 8 * lines as u128;
    let eighths = usize::try_from(eighths.div_ceil(u128::from(highest.max(1)))).unwrap_or(0);
    EIGHTHS[eighths.saturating_sub(line * 8).min(8)]
}

fn write_table(table: &Table, style: Style, text: &mut String) {
    let _ = writeln!(text, "\n{}", style.bold(&fitted(&table.title, COLUMNS)));
    let mut widths: Vec<usize> = table.columns.iter().map(|column| column.len()).collect();
    for row in &table.rows {
        for (width, cell) in widths.iter_mut().zip(&row.cells) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let cells = |cells: &mut dyn Iterator<Item = &str>| {
        let aligned = cells.zip(&widths).map(|(cell, width)| format!("  {cell:>width$}"));
        aligned.collect::<String>()
    };
    let _ = writeln!(text, "{}", style.painted("2", &cells(&mut table.columns.iter().copied())));
    // A table of many columns has no room for bars.
    let has_bars = table.columns.len() <= 2;
    for row in &table.rows {
        let figures = cells(&mut row.cells.iter().map(String::as_str));
        let bar = if has_bars { format!("{}  ", bar(row, style)) } else { String::new() };
        let used = figures.chars().count() + 2 + if has_bars { BAR_CHARS + 2 } else { 0 };
        let name = fitted(&row.name, COLUMNS.saturating_sub(used));
        let name = if row.tone == Tone::Plain { name } else { style.toned(row.tone, &name) };
        let _ = writeln!(text, "{figures}  {bar}{name}");
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share is from 0 to 1")]
fn bar(row: &Row, style: Style) -> String {
    let eighths = (row.share.clamp(0.0, 1.0) * (BAR_CHARS * 8) as f64).ceil() as usize;
    let (whole, rest) = (eighths / 8, eighths % 8);
    let mut bar: String = std::iter::repeat_n('█', whole).collect();
    if rest > 0 {
        bar.push(ASIDE[rest]);
    }
    let blanks = " ".repeat(BAR_CHARS.saturating_sub(bar.chars().count()));
    style.toned(row.tone, &bar) + &blanks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_are_longer_than_a_line_are_broken() {
        assert_eq!(broken("a line of éèêëabcdefghij and more", 8), "a line of éèêë abcdefgh ij and more");
    }

    #[test]
    fn what_is_cut_fits_the_columns_of_a_terminal() {
        assert_eq!(["/abc", "/abcd", "/日本語"].map(|text| fitted(text, 4)), ["/abc", "/ab…", "/日…"]);
        assert!(fitted(&"語".repeat(100), COLUMNS).width() <= COLUMNS);
    }
}
