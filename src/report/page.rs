//! The page of a report as data: facts, charts and tables, which text and HTML show alike.

use crate::calendar::Date;
use crate::count::clients::KINDS;
use crate::count::frequent::Frequent;
use crate::count::ledger::{Ledger, Values};
use crate::count::totals::{INVALID_NAMES, Outcome};
use crate::log::printable;
use crate::order;
use crate::parse::Reason;
use crate::report::figures;
use crate::report::tallies::{Group, Tallies};
use crate::timeline::{self, Cell, Stretch};

/// Rows of a table: a screen has room for all of them.
const ROWS_MAX: usize = 10;

/// Columns of a chart.
pub const BARS_MAX: usize = 70;

/// How wide the bars of a chart can be, in seconds: what people count time by.
const BAR_SECONDS: [i64; 20] = [
    1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
    1_209_600, 2_419_200, 7_257_600,
];

/// How something is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Warning,
    Bad,
}

#[derive(Debug, Default)]
pub struct Page {
    pub title: String,
    pub facts: Vec<(&'static str, String)>,
    pub charts: Vec<Chart>,
    pub tables: Vec<Table>,
    /// Paragraphs on what is wrong with the lines.
    pub remarks: Vec<String>,
}

/// Bars of one width, from left to right.
#[derive(Debug)]
pub struct Chart {
    pub title: String,
    pub tone: Tone,
    /// The second in which the first bar begins.
    pub from: i64,
    pub bar_seconds: i64,
    pub bars: Vec<u64>,
}

#[derive(Debug)]
pub struct Table {
    pub title: String,
    /// Titles of the columns before the name.
    pub columns: Vec<&'static str>,
    pub rows: Vec<Row>,
}

#[derive(Debug)]
pub struct Row {
    pub name: String,
    pub cells: Vec<String>,
    /// Of all requests, from 0 to 1.
    pub share: f64,
    pub tone: Tone,
}

/// Everything that can be said; `advice` is on the lines that do not fit.
pub fn page(ledger: &Ledger, mut tallies: Tallies, advice: Option<String>) -> Page {
    let lines = ledger.totals.all();
    let of = if ledger.format_known { format!(" of {}", ledger.format.0) } else { String::new() };
    let title = figures::counted(lines, "line", "lines") + &of;
    let mut page = Page { title, ..Page::default() };
    let cells: Vec<(i64, Cell)> = tallies.timeline.cells().collect();
    let unit = tallies.timeline.unit();
    let stretches = timeline::stretches(cells.iter().map(|(from, cell)| (*from, cell.requests)), unit);
    let (log, far) = timeline::part_far(stretches);
    let is_near = |from: i64| log.iter().any(|stretch| (stretch.from..stretch.to).contains(&from));
    let near: Vec<(i64, Cell)> = cells.into_iter().filter(|(from, _)| is_near(*from)).collect();
    page.facts = facts(&tallies, &near, unit, &far);
    page.charts = charts(&near, &log);
    page.tables = tables(ledger, &tallies);
    page.remarks = remarks(ledger, &tallies, &far, advice);
    page
}

fn date(seconds: i64) -> String {
    Date::of(u64::try_from(seconds).unwrap_or(0)).to_string()
}

fn facts(tallies: &Tallies, near: &[(i64, Cell)], unit: i64, far: &[Stretch]) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    let requests = tallies.requests;
    let mut rate = String::new();
    if let (Some((first, last)), Some((begin, _)), Some((end, _))) =
        (tallies.timeline.span(), near.first(), near.last())
    {
        // Where some lines are far from the others, the span is that of the others.
        let second = |nanos: i64| nanos.div_euclid(1_000_000_000);
        let (first, last) =
            if far.is_empty() { (second(first), second(last)) } else { (*begin, *end + unit - 1) };
        let length = last - first + 1;
        facts.push(("from", date(first)));
        facts.push(("to", format!("{}, {}", date(last), figures::long(length as f64))));
        let mean = figures::rate(near.iter().map(|(_, cell)| cell.requests as f64).sum(), length as f64);
        // One second has no other rate than its count.
        if length > 1 {
            rate = format!(", {mean} on average");
        }
        // The first of those that are as busy.
        let busiest = near.iter().rev().max_by_key(|(_, cell)| cell.requests).filter(|_| near.len() > 1);
        if let Some((from, cell)) = busiest {
            let peak = figures::rate(cell.requests as f64, unit as f64);
            rate += &format!(", {peak} at most ({})", date(*from).trim_end_matches(" UTC"));
        }
    }
    facts.push(("requests", figures::count(requests) + &rate));
    if requests == 0 {
        return facts;
    }
    let class = |class: usize| -> u64 {
        let first = (class - 1) * 100 + 1;
        tallies.statuses.iter().skip(first).take(100).sum()
    };
    let errors = |class_of: usize, who: &str| {
        let count = class(class_of);
        format!("{} by the {who} ({})", figures::count(count), figures::share(count, requests))
    };
    facts.push(("errors", format!("{}, {}", errors(5, "server"), errors(4, "clients"))));
    if tallies.bytes > 0 {
        let mean = figures::bytes(tallies.bytes as f64 / requests.max(1) as f64);
        facts.push(("bytes sent", format!("{}, {mean} a response", figures::bytes(tallies.bytes as f64))));
    }
    if tallies.durations.count() > 0 {
        let named = |(quantile, value): (f64, Option<f64>)| {
            let name = if quantile >= 1.0 { "max".to_owned() } else { format!("p{}", quantile * 100.0) };
            format!("{name} {}", figures::seconds(value.unwrap_or(0.0)))
        };
        let values = tallies.durations.summary(0).into_iter().map(named).collect::<Vec<_>>().join("  ");
        facts.push(("durations", format!("{values}  (within 1 %)")));
    }
    if tallies.has_addresses() {
        let many =
            tallies.addresses.distinct().map(|many| figures::counted(many as u64, "address", "addresses"));
        let many = many.unwrap_or_else(|| "more addresses than can be counted".to_owned());
        facts.push(("clients", many));
    }
    facts
}

fn charts(near: &[(i64, Cell)], log: &[Stretch]) -> Vec<Chart> {
    let (Some(first), Some(last)) = (log.first(), log.last()) else { return Vec::new() };
    let bars = |width: i64| (last.to - 1).div_euclid(width) - first.from.div_euclid(width) + 1;
    let fits = |width: &&i64| bars(**width) <= BARS_MAX as i64;
    // Of a span of ages, the bars are as wide as it takes.
    let widest = ((last.to - first.from) / (BARS_MAX as i64 - 1) + 1).max(1);
    let bar_seconds = BAR_SECONDS.iter().find(fits).copied().unwrap_or(widest);
    let from = first.from.div_euclid(bar_seconds);
    let chart = |title: &str, tone, count: fn(&Cell) -> u64| {
        let mut heights = vec![0; usize::try_from(bars(bar_seconds)).unwrap_or(0)];
        for (second, cell) in near {
            let place = usize::try_from(second.div_euclid(bar_seconds) - from).unwrap_or(0);
            if let Some(height) = heights.get_mut(place) {
                *height += count(cell);
            }
        }
        let title = format!("{title}, each bar {}", figures::long(bar_seconds as f64));
        Chart { title, tone, from: from * bar_seconds, bar_seconds, bars: heights }
    };
    let mut charts = vec![chart("Requests", Tone::Plain, |cell| cell.requests)];
    let errors = [
        chart("Server errors (5xx)", Tone::Bad, |cell| cell.server_errors),
        chart("Client errors (4xx)", Tone::Warning, |cell| cell.client_errors),
    ];
    charts.extend(errors.into_iter().filter(|chart| chart.bars.iter().any(|height| *height > 0)));
    charts
}

fn tables(ledger: &Ledger, tallies: &Tallies) -> Vec<Table> {
    let all = tallies.requests;
    let mut tables = vec![
        named("Statuses", &tallies.statuses, all, |id| Values::Status.text(id).into_owned()),
        named("Methods", &tallies.methods, all, |id| ledger.labels[0].values.text(id).into_owned()),
    ];
    if let Some(place) = ledger.vhost {
        let text = |id| ledger.labels[place].values.text(id).into_owned();
        tables.push(groups("Virtual hosts", &tallies.vhosts, all, text));
    }
    if let Some(label) = ledger.labels.iter().find(|label| label.name == "route") {
        tables.push(groups("Routes", &tallies.routes, all, |id| label.values.text(id).into_owned()));
    }
    tables.push(frequent("Paths", &tallies.paths, all));
    tables.push(frequent("Paths that were not found", &tallies.missing, all));
    if tallies.has_addresses() {
        tables.push(frequent("Clients", &tallies.addresses, all));
    }
    if let Some(kinds) = &tallies.kinds {
        tables.push(named("Kinds of clients", kinds, all, |id| KINDS[usize::from(id)].to_owned()));
    }
    tables.retain(|table| !table.rows.is_empty());
    tables
}

fn row(name: &str, requests: u64, all: u64, cells: Vec<String>) -> Row {
    let tone = match name.as_bytes() {
        [b'4', _, _] => Tone::Warning,
        [b'5', _, _] => Tone::Bad,
        _ => Tone::Plain,
    };
    let figures = [figures::count(requests), figures::share(requests, all)];
    let cells = figures.into_iter().chain(cells).collect();
    // A log may contain what a terminal would obey.
    let name = printable(name.as_bytes(), VALUE_CHARS);
    Row { name, cells, share: requests as f64 / all.max(1) as f64, tone }
}

/// The places of the largest counts, and how many others are not empty.
fn largest(counts: impl Iterator<Item = u64>) -> (Vec<(u16, u64)>, usize) {
    let mut all: Vec<(u16, u64)> = (0..).zip(counts).filter(|(_, count)| *count > 0).collect();
    order::sort_by(&mut all, |(a, of_a), (b, of_b)| of_b.cmp(of_a).then(a.cmp(b)));
    let more = all.len().saturating_sub(ROWS_MAX);
    all.truncate(ROWS_MAX);
    (all, more)
}

fn title_of(title: &str, more: usize) -> String {
    if more == 0 {
        title.to_owned()
    } else {
        format!("{title}, the busiest; {} more", figures::count(more as u64))
    }
}

fn named(title: &str, counts: &[u64], all: u64, text: impl Fn(u16) -> String) -> Table {
    let (largest, more) = largest(counts.iter().copied());
    let rows = largest.into_iter().map(|(id, count)| row(&text(id), count, all, Vec::new())).collect();
    Table { title: title_of(title, more), columns: vec!["requests", "share"], rows }
}

fn groups(title: &str, groups: &[Group], all: u64, text: impl Fn(u16) -> String) -> Table {
    let (largest, more) = largest(groups.iter().map(|group| group.requests));
    let has_durations = groups.iter().any(|group| group.durations.is_some());
    let mut columns = vec!["requests", "share", "4xx", "5xx"];
    columns.push(if has_durations { "p95" } else { "sent" });
    let rows = largest.into_iter().map(|(id, count)| {
        let group = &groups[usize::from(id)];
        let errors = [group.client_errors, group.server_errors].map(|errors| match errors {
            0 => "-".to_owned(),
            errors => figures::share(errors, count),
        });
        let slow = group.durations.as_ref().and_then(|window| window.summary(0).first()?.1);
        let last = match has_durations {
            true => slow.map_or_else(|| "-".to_owned(), figures::seconds),
            false => figures::bytes(group.bytes as f64),
        };
        row(&text(id), count, all, errors.into_iter().chain([last]).collect())
    });
    Table { title: title_of(title, more), columns, rows: rows.collect() }
}

/// How much of a value is shown.
const VALUE_CHARS: usize = 300;

fn frequent(title: &str, values: &Frequent, all: u64) -> Table {
    let more = values.distinct().map(|distinct| distinct.saturating_sub(ROWS_MAX));
    let title = match (more, values.error()) {
        (Some(more), _) => title_of(title, more),
        (None, error) => {
            format!("{title}, the busiest; counts may be up to {} too low", figures::count(error))
        }
    };
    let top = values.top(ROWS_MAX).into_iter();
    let rows = top.map(|(value, count)| {
        let name = printable(value, VALUE_CHARS);
        Row { tone: Tone::Plain, name, ..row("", count, all, Vec::new()) }
    });
    Table { title, columns: vec!["requests", "share"], rows: rows.collect() }
}

fn remarks(ledger: &Ledger, tallies: &Tallies, far: &[Stretch], advice: Option<String>) -> Vec<String> {
    let totals = &ledger.totals;
    let mut remarks = Vec::new();
    let listed = |names: &[&str], counts: &[u64]| {
        let there = names.iter().zip(counts).filter(|(_, count)| **count > 0);
        there.map(|(name, count)| format!("{} {name}", figures::count(*count))).collect::<Vec<_>>().join(", ")
    };
    let outcomes: Vec<&str> = Outcome::NAMES[1..].to_vec();
    let not_counted = listed(&outcomes, &totals.lines[1..]);
    if !not_counted.is_empty() {
        remarks.push(format!("Lines that are not counted as requests: {not_counted}."));
    }
    let reasons = listed(&Reason::ALL.map(Reason::as_str), &totals.malformed);
    if !reasons.is_empty() {
        remarks.push(format!("Malformed lines, by what does not fit: {reasons}."));
    }
    remarks.extend(advice);
    let invalid = listed(&INVALID_NAMES, &totals.invalid);
    if !invalid.is_empty() {
        remarks.push(format!(
            "Requests that are no HTTP: {invalid}. These are connections without a request, TLS on a plain port, \
             scanners."
        ));
    }
    if tallies.timeless > 0 {
        let many = figures::counted(tallies.timeless, "request", "requests");
        remarks.push(format!("Without a time, or with one without a zone: {many}; no chart has them."));
    }
    for Stretch { from, to, lines } in far {
        let (from, to) = (date(*from), date(*to));
        let many = figures::counted(*lines, "request", "requests");
        remarks.push(format!(
            "Far from all others: {many} from {from} to {to}; no chart has them. A clock was wrong?"
        ));
    }
    // Methods have a place for `other` of their own.
    let has_table = |place: usize, name: &str| ledger.vhost == Some(place) || name == "route";
    let mut labels = ledger.labels.iter().enumerate().filter(|(place, label)| has_table(*place, &label.name));
    if labels.any(|(_, label)| label.values.overflow() > 0) {
        remarks.push(
            "Of vhosts and routes with too many different values, the rest is `other`: --max-values allows more."
                .to_owned(),
        );
    }
    let doubt = ledger.why_not_ready().filter(|why| !remarks.iter().any(|remark| remark.contains(&**why)));
    remarks.extend(doubt.map(|why| format!("In doubt: {why}.")));
    remarks
}
