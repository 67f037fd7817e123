//! Documents that the program serves: the manual, and what to do when an alert fires, as pages to read on a phone.
//!
//! The manual is what mandoc makes of the man page (man/httpd_exporter.html, held to it by a test). The other is text
//! with a few marks of Markdown's: headings, numbered lists, and code between backticks.

use crate::serve::landing::escaped;

const MANUAL: &str = include_str!("../../man/httpd_exporter.html");
const ALERTS: &str = include_str!("../../docs/alerts.md");

/// The page of that path.
pub fn page(path: &str) -> Option<String> {
    match path {
        "/manual" => Some(framed("httpd_exporter(8)", MANUAL)),
        "/alerts" => Some(framed("What to do when an alert fires", &html_of(ALERTS))),
        _ => None,
    }
}

/// Links are relative, so that the page may be served below any path.
fn framed(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
         <link rel=\"icon\" href=\"favicon.ico\" type=\"image/svg+xml\">\n<link rel=\"stylesheet\" href=\"live.css\">\n\
         </head>\n<body class=\"document\">\n<nav><a href=\"./\">Back to the live page</a></nav>\n<main>\n{body}\n</main>\n\
         </body>\n</html>\n"
    )
}

/// Blocks are parted by empty lines.
fn html_of(text: &str) -> String {
    let mut html = String::new();
    for block in text.split("\n\n").map(str::trim).filter(|block| !block.is_empty()) {
        if let Some(heading) = block.strip_prefix("## ") {
            html.push_str(&format!("<h2 id=\"{0}\"><a href=\"#{0}\">{0}</a></h2>\n", escaped(heading)));
        } else if let Some(heading) = block.strip_prefix("# ") {
            html.push_str(&format!("<h1>{}</h1>\n", escaped(heading)));
        } else if block.starts_with("1. ") {
            let items = items(block);
            let items = items.iter().map(|item| format!("<li>{}</li>\n", inline(item)));
            html.push_str(&format!("<ol>\n{}</ol>\n", items.collect::<String>()));
        } else {
            html.push_str(&format!("<p>{}</p>\n", inline(block)));
        }
    }
    html
}

/// The items of a list: each begins with its number, and goes on in lines that are indented.
fn items(block: &str) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    for line in block.lines() {
        match (line.split_once(". "), items.last_mut()) {
            (_, Some(item)) if line.starts_with(' ') => {
                item.push(' ');
                item.push_str(line.trim());
            }
            (Some((number, text)), _) if number.bytes().all(|b| b.is_ascii_digit()) => {
                items.push(text.to_owned());
            }
            _ => items.push(line.to_owned()),
        }
    }
    items
}

/// What stands between backticks is code.
fn inline(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let parts = parts.map(|(number, part)| match number % 2 {
        0 => escaped(part),
        _ => format!("<code>{}</code>", escaped(part)),
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_alert_has_its_anchor_and_its_steps() {
        let page = page("/alerts").unwrap();
        for heading in ALERTS.lines().filter_map(|line| line.strip_prefix("## ")) {
            assert!(page.contains(&format!("<h2 id=\"{heading}\">")), "{heading}");
        }
        assert!(page.contains("<li>With systemd: <code>systemctl status httpd_exporter</code>,"), "{page}");
        assert!(!page.contains('`') && page.contains("<a href=\"./\">"));
    }

    #[test]
    fn text_becomes_what_its_marks_say() {
        let html = html_of("# A\n\n## B\n\nx < `y`\nz\n\n1. one\n   more\n2. two & three\n");
        let expected = "<h1>A</h1>\n<h2 id=\"B\"><a href=\"#B\">B</a></h2>\n<p>x &lt; <code>y</code>\nz</p>\n\
                        <ol>\n<li>one more</li>\n<li>two &amp; three</li>\n</ol>\n";
        assert_eq!(html, expected);
    }

    /// The policy of the page allows nothing inline.
    #[test]
    fn the_manual_is_a_page_without_styles_of_its_own() {
        let page = page("/manual").unwrap();
        assert!(page.contains("id=\"DESCRIPTION\"") && page.contains("--state-dir"));
        assert!(!page.contains("style=") && !page.contains("<script"));
    }
}
