//! The page of a report as one HTML file that needs nothing else: the looks of the live page, charts as SVG.

use crate::calendar::Date;
use crate::report::figures;
use crate::report::page::{Chart, Page, Row, Table, Tone};
use std::fmt::Write;

/// What the live page looks like, and what only a report has.
const STYLE: &str = include_str!("../serve/live/style.css");
const MORE_STYLE: &str = "
.chart { height: auto; cursor: default; }
.chart rect { fill: var(--link); } .warning .chart rect { fill: var(--c4xx); } .bad .chart rect { fill: var(--c5xx); }
figure.bad, section.bad { color: inherit; }
figure.wide { grid-column: 1 / -1; }
figcaption { color: var(--soft); font-size: 0.875rem; font-weight: 600; }
.ends { display: flex; justify-content: space-between; color: var(--soft); font-size: 0.8125rem; margin: 0.3rem 0 0; }
tbody tr {
  --bar: color-mix(in srgb, var(--link) 14%, transparent);
  background: linear-gradient(to right, var(--bar) var(--share), transparent 0);
}
tr.warning th { color: var(--c4xx); } tr.bad th { color: var(--c5xx); }
figcaption span:last-child { white-space: nowrap; }
section.wide { grid-column: 1 / -1; }
th, td { width: 5.8em; }
@media (max-width: 44rem) {
  .wide table, .wide tbody, .wide thead { display: block; }
  .wide tr { display: flex; flex-wrap: wrap; padding-left: 0.1rem; }
  .wide tbody th { flex: 1 0 100%; width: 100%; padding-bottom: 0; }
  .wide tbody td { border-top: 0; }
  .wide td, .wide thead th { flex: 1; width: auto; padding-left: 0; white-space: nowrap; }
  .wide thead th:first-child { display: none; }
}
main > p { max-width: 60rem; }
";

/// A chart in units of its own, which it is stretched from.
const CHART_WIDTH: f64 = 700.0;
const CHART_HEIGHT: f64 = 120.0;

pub fn write(page: &Page) -> String {
    let title = escaped(&page.title);
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
         <style>\n{STYLE}{MORE_STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{title} <small>httpd_exporter {}</small></h1>\n\
         </header>\n<main>\n<div class=\"cards\">\n<section class=\"wide\">\n<h2>In short</h2>\n<dl class=\"facts\">\n",
        env!("CARGO_PKG_VERSION")
    );
    for (name, value) in &page.facts {
        let _ = writeln!(html, "<dt>{name}</dt><dd>{}</dd>", escaped(value));
    }
    html.push_str("</dl>\n</section>\n");
    page.charts.iter().for_each(|chart| write_chart(chart, &mut html));
    page.tables.iter().for_each(|table| write_table(table, &mut html));
    if !page.remarks.is_empty() {
        html.push_str("<section class=\"wide\">\n<h2>Lines</h2>\n");
        page.remarks.iter().for_each(|remark| {
            let _ = writeln!(html, "<p>{}</p>", escaped(remark));
        });
        html.push_str("</section>\n");
    }
    html.push_str("</div>\n</main>\n</body>\n</html>\n");
    html
}

/// Text of a log between tags and within attributes.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "",
        Tone::Warning => "warning",
        Tone::Bad => "bad",
    }
}

fn moment(second: i64) -> String {
    Date::of(u64::try_from(second).unwrap_or(0)).to_string()
}

fn write_chart(chart: &Chart, html: &mut String) {
    let highest = chart.bars.iter().copied().max().unwrap_or(0).max(1);
    let (title, class) = (escaped(&chart.title), class(chart.tone));
    let _ = write!(
        html,
        "<figure class=\"wide {class}\">\n<figcaption><span>{title}</span><span>at most {}</span></figcaption>\n\
         <svg class=\"chart\" viewBox=\"0 0 {CHART_WIDTH} {CHART_HEIGHT}\" role=\"img\" aria-label=\"{title}\">\n",
        figures::count(highest)
    );
    let width = CHART_WIDTH / chart.bars.len().max(1) as f64;
    for (second, (place, bar)) in (chart.from..)
        .step_by(usize::try_from(chart.bar_seconds).unwrap_or(1).max(1))
        .zip(chart.bars.iter().enumerate())
    {
        if *bar == 0 {
            continue;
        }
        // What is not zero is seen.
        let height = (*bar as f64 / highest as f64 * CHART_HEIGHT).max(1.0);
        let _ = writeln!(
            html,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\"><title>{}: {}</title></rect>",
            place as f64 * width,
            CHART_HEIGHT - height,
            (width - 1.0).max(0.5),
            moment(second),
            figures::count(*bar)
        );
    }
    let end = chart.from + chart.bar_seconds * i64::try_from(chart.bars.len()).unwrap_or(0);
    let _ = writeln!(
        html,
        "</svg>\n<p class=\"ends\"><span>{}</span><span>{}</span></p>\n</figure>",
        moment(chart.from),
        moment(end)
    );
}

fn write_table(table: &Table, html: &mut String) {
    // A name needs room beside many columns.
    let class = if table.columns.len() > 2 { " class=\"wide\"" } else { "" };
    let title = escaped(&table.title);
    let _ = write!(html, "<section{class}>\n<h2>{title}</h2>\n<table>\n<thead><tr><th></th>");
    for column in &table.columns {
        let _ = write!(html, "<th scope=\"col\">{column}</th>");
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for Row { name, cells, share, tone } in &table.rows {
        let (name, percent) = (escaped(name), share.clamp(0.0, 1.0) * 100.0);
        let _ = write!(
            html,
            "<tr class=\"{}\" style=\"--share: {percent:.1}%\"><th scope=\"row\" title=\"{name}\"><bdi>{name}</bdi></th>",
            self::class(*tone)
        );
        for cell in cells {
            let _ = write!(html, "<td>{}</td>", escaped(cell));
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table>\n</section>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_log_contains_is_no_tag() {
        let row = Row {
            name: "/<script>\"&".to_owned(),
            cells: vec!["1".to_owned()],
            share: 1.0,
            tone: Tone::Plain,
        };
        let table = Table { title: "Paths".to_owned(), columns: vec!["requests"], rows: vec![row] };
        let html = write(&Page { tables: vec![table], remarks: vec!["a <b>".to_owned()], ..Page::default() });
        assert!(html.contains("/&lt;script&gt;&quot;&amp;") && html.contains("a &lt;b&gt;"));
        assert!(
            !html.contains("<script") && !html.contains("<b>") && !html.contains("://"),
            "needs nothing else"
        );
    }
}
