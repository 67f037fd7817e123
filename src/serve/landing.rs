//! Turns a few facts about the running program into the HTML of `/`, and holds the files that make it live: a
//! stylesheet, an icon and a script that asks for what live/ keeps. Without script the page is plain
//! and still tells what the program is, where its pages are and how it fares.
//!
//! Every value is escaped, since a format and a path come from outside. Nothing is inline and nothing comes from
//! elsewhere, so that the policy on every HTML answer (http/response.rs) can be a strict one.

const TEMPLATE: &str = include_str!("live/page.html");

/// What the landing page tells.
#[derive(Debug, Clone)]
pub struct LandingFacts {
    pub name: String,
    pub version: String,
    pub telemetry_path: String,
    /// The format in use, or that it is not chosen yet.
    pub format: String,
    pub lines_read: u64,
    pub lines_malformed: u64,
    pub lines_foreign: u64,
    /// Since when lines are counted, as it is to be shown.
    pub since: String,
}

pub fn page(facts: &LandingFacts) -> String {
    let mut html = String::with_capacity(TEMPLATE.len() + 256);
    let mut rest = TEMPLATE;
    // In one pass, so that a value that looks like a placeholder stays what it is.
    while let Some((before, name, after)) = placeholder(rest) {
        html.push_str(before);
        html.push_str(&escaped(&value(facts, name)));
        rest = after;
    }
    html + rest
}

/// The text before the next `{{name}}`, the name, and the text behind it.
fn placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("{{")?;
    let (name, after) = rest.split_once("}}")?;
    Some((before, name, after))
}

fn value(facts: &LandingFacts, name: &str) -> String {
    match name {
        "name" => facts.name.clone(),
        "version" => facts.version.clone(),
        // Relative, for a proxy may serve the page below a path of its own.
        "telemetry_path" => facts.telemetry_path.trim_start_matches('/').to_owned(),
        "format" => facts.format.clone(),
        "lines_read" => facts.lines_read.to_string(),
        "lines_foreign" => facts.lines_foreign.to_string(),
        "lines_malformed" => facts.lines_malformed.to_string(),
        "since" => facts.since.clone(),
        _ => String::new(),
    }
}

/// The content type and the bytes of the files that go with the page. The icon has the name that browsers ask for by
/// themselves, beside documents and metrics.
pub fn asset(path: &str) -> Option<(&'static str, &'static [u8])> {
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    Some(match path {
        "/live.css" => ("text/css; charset=utf-8", include_bytes!("live/style.css")),
        "/live.js" => (SCRIPT, include_bytes!("live/live.js")),
        "/favicon.ico" => ("image/svg+xml", include_bytes!("live/icon.svg")),
        _ => return None,
    })
}

/// Text as it may stand in an element and in a quoted attribute.
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "/live.js";

    fn facts() -> LandingFacts {
        LandingFacts {
            name: "httpd_exporter".into(),
            version: "0.1.0".into(),
            telemetry_path: "/metrics".into(),
            format: "combined".into(),
            lines_read: 12_345,
            lines_malformed: 6,
            lines_foreign: 78,
            since: "2026-01-02 03:04:05 UTC".into(),
        }
    }

    fn text_of(path: &str) -> &'static str {
        std::str::from_utf8(asset(path).unwrap().1).unwrap()
    }

    #[test]
    fn tells_every_fact_and_links_every_page() {
        let html = page(&facts());
        for part in [
            ">combined<",
            ">12345<",
            ">6<",
            ">78<",
            ">2026-01-02 03:04:05 UTC<",
            "httpd_exporter <small>0.1.0<",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        for link in ["metrics", "-/healthy", "-/ready", "manual", "alerts"] {
            assert!(html.contains(&format!("<a href=\"{link}\">")), "{link} in {html}");
        }
        assert!(!html.contains("{{"), "every placeholder has a value: {html}");
    }

    #[test]
    fn nothing_from_outside_becomes_markup() {
        let evil = "\"><script>alert('&')</script>{{version}}";
        let html = page(&LandingFacts {
            name: evil.into(),
            version: evil.into(),
            telemetry_path: evil.into(),
            format: evil.into(),
            since: evil.into(),
            ..facts()
        });
        assert!(!html.contains("<script>") && !html.contains("\"\""), "{html}");
        let shown = "&quot;&gt;&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;{{version}}";
        assert_eq!(html.matches(shown).count(), TEMPLATE.matches("{{").count() - 3);
    }

    #[test]
    fn nothing_is_inline_and_nothing_comes_from_elsewhere() {
        let html = page(&facts());
        for part in ["<style", " style=", "javascript:", "<script>", " on", "//"] {
            let found = html.find(part).map(|place| &html[place..(place + 40).min(html.len())]);
            // Words may begin with `on`; attributes that do have an `=` behind them.
            assert!(found.is_none_or(|text| part == " on" && !text.contains("=\"")), "{part}: {found:?}");
        }
        for reference in html.split("src=\"").skip(1).chain(html.split("<link ").skip(1)) {
            let path = reference.split('"').find(|part| part.contains('.')).unwrap();
            assert!(
                asset(&format!("/{path}")).is_some(),
                "{path} is a page of ours, and relative to this one"
            );
        }
        for sink in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function("] {
            assert!(!text_of(SCRIPT).contains(sink), "{sink}");
        }
    }

    #[test]
    fn the_page_and_all_it_loads_stay_small() {
        let loaded = [SCRIPT, "/live.css", "/favicon.ico"].map(|path| text_of(path).len());
        let bytes = page(&facts()).len() + loaded.iter().sum::<usize>();
        assert!(bytes < 40_000, "{bytes}");
    }

    #[test]
    fn the_script_has_words_for_every_reason() {
        for reason in crate::parse::Reason::ALL {
            assert!(text_of("/live.js").contains(&format!("[\"{}\", ", reason.as_str())), "{reason:?}");
        }
    }
}
