//! Keeps the documents true: what docs/ and the man page say of options, formats and metrics is rendered from the
//! tables that the program itself works with.
//!
//! The rendered parts stand between two comments. A test compares them; `BLESS=1 cargo test documents` writes them
//! anew. What a person wrote around them is never touched. Source of the man page's language: mdoc(7).

use crate::catalogue::METRICS;
use crate::options::{TABLE, wrap};
use crate::parse::Format;
use crate::parse::compile::field::Role;
use crate::parse::compile::presets::PRESETS;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// A rendered part of a document.
struct Part {
    file: &'static str,
    name: &'static str,
    render: fn() -> String,
}

const PARTS: [Part; 7] = [
    Part { file: "docs/metrics.md", name: "metrics", render: metrics_table },
    Part { file: "docs/options.md", name: "options", render: options_table },
    Part { file: "docs/formats.md", name: "presets", render: presets_table },
    Part { file: "docs/formats.md", name: "servers", render: servers_table },
    Part { file: "man/httpd_exporter.8", name: "options", render: options_list },
    Part { file: "man/httpd_exporter.8", name: "presets", render: presets_list },
    Part { file: "man/httpd_exporter.8", name: "metrics", render: metrics_list },
];

impl Part {
    /// The lines before and behind the part.
    fn marks(&self) -> (String, String) {
        let (open, close) = if self.file.ends_with(".md") { ("<!-- ", " -->") } else { (".\\\" ", "") };
        let mark = |text: String| format!("{open}{text}{close}\n");
        (
            mark(format!("{}: rendered from the program's tables", self.name)),
            mark(format!("end of {}", self.name)),
        )
    }

    /// The document with this part as it should be.
    fn renew(&self, document: &str) -> Option<String> {
        let (before, behind) = self.marks();
        let start = document.find(&before)? + before.len();
        let end = start + document[start..].find(&behind)?;
        Some(format!("{}{}{}", &document[..start], (self.render)(), &document[end..]))
    }
}

fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

fn read(file: &str) -> String {
    fs::read_to_string(path(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
}

// -------------------------------------------------------------------------------------------------------- Markdown ---

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{}`", cell(text)) }
}

fn metrics_table() -> String {
    let mut out = String::from("| metric | type | labels | from | meaning |\n|---|---|---|---|---|\n");
    for metric in METRICS {
        let from = if metric.from.is_empty() { "the exporter itself" } else { metric.from };
        let (name, kind) = (metric.name, metric.kind.as_str());
        let _ = writeln!(out, "| `{name}` | {kind} | {} | {} | {} |", metric.labels, cell(from), metric.help);
    }
    out
}

fn options_table() -> String {
    let mut out = String::from("| option | meaning | default |\n|---|---|---|\n");
    for flag in TABLE {
        let brief = sentences(flag.help).next().unwrap_or_default();
        let name = format!("--{}{}", flag.name, flag.shown_value());
        let _ = writeln!(out, "| {} | {} | {} |", code(name.trim_end()), cell(brief), code(flag.default));
    }
    out
}

fn presets_table() -> String {
    let mut out = String::from("| preset | what it is | gives |\n|---|---|---|\n");
    for preset in PRESETS {
        let by_name = if preset.by_name { "; never chosen by `auto`" } else { "" };
        let gives = gives(preset.name);
        let _ = writeln!(out, "| {} | {}{by_name} | {gives} |", code(preset.name), cell(preset.about));
    }
    out
}

/// A server, where it is told what to log, and a format that makes the most of it: the same text is given to
/// `--format`, with the language before a colon where it is neither Apache's nor nginx's.
const SERVERS: &[(&str, &str, &str)] = &[
    (
        "Apache",
        "`LogFormat`, with `LogIOTrackTTFB ON`",
        r#"%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i" %D %I %^FB %X"#,
    ),
    (
        "nginx",
        "`log_format`",
        r#"$remote_addr - $remote_user [$time_local] "$request" $status $bytes_sent "$http_referer" "$http_user_agent" $server_name $request_length $request_time "$upstream_response_time" "$upstream_header_time" "$request_completion""#,
    ),
    ("HAProxy", "`option httplog`", "haproxy"),
    ("HAProxy", "`log-format`", r#"haproxy:%ci:%cp [%tr] %ft %b/%s %Tr/%Ta %ST %B %U %tsc %{+Q}r"#),
    (
        "Envoy, Istio",
        "`text_format`",
        r#"envoy:[%START_TIME%] "%REQ(:METHOD)% %REQ(:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESPONSE_DURATION% "%REQ(:AUTHORITY)%""#,
    ),
    (
        "Varnish",
        "`varnishncsa -F`",
        r#"varnish:%h %l %u %t "%r" %s %b "%{Referer}i" "%{User-agent}i" %D %{Varnish:time_firstbyte}x"#,
    ),
    ("Squid", "`access_log ... squid`", "squid"),
    (
        "Tomcat since 10.1",
        "the valve's `pattern`",
        r#"tomcat:%h %l %u %t "%r" %s %b "%{Referer}i" "%{User-Agent}i" %D %F %v"#,
    ),
    (
        "Tomcat up to 9.0",
        "the valve's `pattern`",
        r#"tomcat9:%h %l %u %t "%r" %s %b "%{Referer}i" "%{User-Agent}i" %D %F %v"#,
    ),
    (
        "Undertow, WildFly",
        "the access log's `pattern`",
        r#"undertow:%h %l %u %t "%r" %s %b "%{i,Referer}" "%{i,User-Agent}" %D %v"#,
    ),
    ("lighttpd", "`accesslog.format`", r#"%h %V %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %D"#),
    (
        "gunicorn",
        "`--access-logformat`",
        r#"gunicorn:%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s" %(D)s "%({host}i)s""#,
    ),
    (
        "uWSGI",
        "`log-format`",
        r#"uwsgi:%(addr) - %(user) [%(ltime)] "%(method) %(uri) %(proto)" %(status) %(size) "%(referer)" "%(uagent)" %(micros) "%(host)""#,
    ),
    ("h2o", "`access-log`", r#"h2o:%h %l %u %t "%r" %s %b "%{Referer}i" "%{User-agent}i" %{duration}x %V"#),
    ("IIS", "the fields of W3C's format", "w3c:sc-win32-status=$win32_status"),
    ("CloudFront", "standard logs", "w3c:x-edge-detailed-result-type=$edge_result"),
    ("Caddy", "`log`", "caddy"),
    ("Traefik", "`accessLog`, `format: json`", "traefik-json"),
];

fn servers_table() -> String {
    let mut out = String::from("| server | what says so | `--format` | gives |\n|---|---|---|---|\n");
    for (server, told, format) in SERVERS {
        let _ = writeln!(out, "| {server} | {told} | {} | {} |", code(format), gives(format));
    }
    out
}

#[test]
fn every_row_of_the_servers_is_a_format_about_which_nothing_is_to_be_asked() {
    for (server, _, format) in SERVERS {
        let compiled = Format::compile(format).unwrap_or_else(|e| panic!("{server}: {e}"));
        assert!(compiled.fields.source_of(Role::Status).is_some(), "{server}");
        assert!(!gives(format).is_empty(), "{server}");
        let questions = crate::parse::compile::questions::questions(format);
        assert!(questions.is_empty(), "{server}: {questions:?}");
    }
}

/// What a preset gives beside requests, methods and statuses.
fn gives(preset: &str) -> String {
    let Ok(format) = Format::compile(preset) else { return String::new() };
    let roles = [
        (Role::BytesSent, "bytes"),
        (Role::BytesReceived, "bytes received"),
        (Role::Duration, "duration"),
        (Role::UpstreamDuration, "upstream"),
        (Role::TimeToFirstByte, "first byte"),
    ];
    let mut words: Vec<&str> = roles
        .iter()
        .filter(|(role, _)| format.fields.source_of(*role).is_some())
        .map(|&(_, word)| word)
        .collect();
    words.extend(format.fields.trust_of_vhost().map(|_| "vhost"));
    words.extend(format.fields.tells_aborted().then_some("aborted"));
    words.join(", ")
}

// ------------------------------------------------------------------------------------------------------------ mdoc ---

/// The sentences of a help text. A full stop before a capital or an option ends one.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let ends = rest.match_indices(". ").map(|(at, _)| at + 1);
        let end = ends
            .into_iter()
            .find(|at| rest[at + 1..].starts_with(|c: char| c.is_uppercase() || c == '`' || c == '@'))
            .unwrap_or(rest.len());
        let (sentence, left) = rest.split_at(end);
        rest = left.trim_start();
        (!sentence.is_empty()).then_some(sentence)
    })
}

/// The width that mandoc(1) wants of a source line.
const COLUMNS: usize = 79;

/// Text that roff prints as it stands. `code` comes in single quotes, as manual pages have it.
fn roff(text: &str) -> String {
    let mut out = String::new();
    let mut open = false;
    for c in text.chars() {
        match c {
            '`' => {
                out.push_str(if open { "\\(cq" } else { "\\(oq" });
                open = !open;
            }
            '\\' => out.push_str("\\e"),
            '-' => out.push_str("\\-"),
            '"' => out.push_str("\\(dq"),
            c => out.push(c),
        }
    }
    out
}

/// Prose, each sentence on lines of its own.
fn prose(text: &str, out: &mut String) {
    for sentence in sentences(text) {
        let mut lines = String::new();
        wrap(&roff(sentence), "", COLUMNS, &mut lines);
        for line in lines.lines() {
            // A dot or a quote at the beginning of a line would make a request of it.
            let guard = if line.starts_with(['.', '\'']) { "\\&" } else { "" };
            let _ = writeln!(out, "{guard}{line}");
        }
    }
}

fn options_list() -> String {
    let mut out = String::new();
    let mut group = "";
    for flag in TABLE {
        if flag.group != group {
            if !group.is_empty() {
                out.push_str(".El\n");
            }
            group = flag.group;
            let _ = write!(out, ".Ss {group}\n.Bl -tag -width Ds\n");
        }
        let value = match flag.value.strip_prefix("[=").and_then(|value| value.strip_suffix(']')) {
            Some(value) => format!(" Ns Op = Ns Ar {}", roff(value)),
            None if flag.value.is_empty() => String::new(),
            None => format!(" Ar {}", roff(flag.value)),
        };
        let _ = writeln!(out, ".It Fl \\-{}{value}", roff(flag.name));
        prose(flag.help, &mut out);
        if !flag.default.is_empty() {
            prose(&format!("Default: {}.", flag.default.replace(',', ", ")), &mut out);
        }
        if flag.repeats {
            out.push_str("May be given several times.\n");
        }
    }
    out.push_str(".El\n");
    out
}

fn presets_list() -> String {
    let mut out = String::from(".Bl -tag -width Ds\n");
    for preset in PRESETS {
        let _ = writeln!(out, ".It Cm {}", roff(preset.name));
        prose(&format!("{} ({}).", preset.about, preset.dialect), &mut out);
        // A map of JSON keys has no blanks to break it at, and nobody would type it.
        if preset.dialect != "JSON" {
            out.push_str(".Pp\n");
            prose(preset.text, &mut out);
        }
    }
    out.push_str(".El\n");
    out
}

fn metrics_list() -> String {
    let mut out = String::from(".Bl -tag -width Ds\n");
    for metric in METRICS {
        let _ = writeln!(out, ".It Sy {} No ({})", roff(metric.name), metric.kind.as_str());
        prose(metric.help, &mut out);
        if !metric.labels.is_empty() {
            prose(&format!("Labels: {}.", metric.labels), &mut out);
        }
        if !metric.from.is_empty() {
            prose(&format!("From: {}.", metric.from), &mut out);
        }
    }
    out.push_str(".El\n");
    out
}

// ----------------------------------------------------------------------------------------------------------- tests ---

#[test]
fn the_documents_say_what_the_tables_say() {
    let mut wrong = Vec::new();
    for part in &PARTS {
        let document = read(part.file);
        match part.renew(&document) {
            None => wrong.push(format!("{} has no place for the {}", part.file, part.name)),
            Some(renewed) if renewed != document && env::var_os("BLESS").is_some() => {
                fs::write(path(part.file), renewed).expect("the document can be written");
            }
            Some(renewed) if renewed != document => {
                wrong.push(format!("{}: the {} are out of date; BLESS=1 renews them", part.file, part.name));
            }
            Some(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with the headings of a changelog of this version of the program.
fn faults_of_changelog(text: &str, version: &str) -> Vec<String> {
    let headings: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let released = headings.strip_prefix(&["Unreleased"]).unwrap_or(&headings);
    let number = |heading: &str| -> Option<Vec<u32>> {
        let number = heading.split_once(" - ").map_or(heading, |(number, _day)| number);
        number.split('.').map(|part| part.parse().ok()).collect()
    };
    let mut faults = Vec::new();
    if released.first().and_then(|first| number(first)) != number(version) {
        faults
            .push(format!("the newest released heading is {:?}, the program is {version}", released.first()));
    }
    for pair in released.windows(2) {
        if number(pair[1]).is_none() || number(pair[0]) <= number(pair[1]) {
            faults.push(format!("{} stands above {}", pair[0], pair[1]));
        }
    }
    let sections = text.split("\n## ").skip(1).filter(|section| !section.starts_with("Unreleased"));
    let empty = sections.filter(|section| !section.contains("\n- "));
    faults.extend(empty.map(|section| format!("{}: nothing stands there", section.trim())));
    let mut items: Vec<&str> = text.lines().filter(|line| line.starts_with("- ")).collect();
    items.sort_unstable();
    let twice = items.windows(2).filter(|pair| pair[0] == pair[1]);
    faults.extend(twice.map(|pair| format!("{}: stands there twice", pair[0])));
    faults
}

#[test]
fn the_changelog_has_this_version_and_none_twice() {
    assert_eq!(faults_of_changelog(&read("CHANGELOG.md"), env!("CARGO_PKG_VERSION")), [] as [&str; 0]);
    let text = "# Changelog\n\n## Unreleased\n\n## 0.10.0 - 2026-11-26\n\n- New.\n\n## 0.9.0\n\n- Old.\n";
    assert_eq!(faults_of_changelog(text, "0.10.0"), [] as [&str; 0]);
    for (version, wrong) in [
        ("0.11.0", text.to_owned()),
        ("0.10.0", text.replace("## 0.9.0", "## 0.10.0")),
        ("0.10.0", text.replace("## 0.9.0", "## Unreleased")),
        ("0.10.0", text.replace("- New.", "")),
        ("0.10.0", text.replace("- New.", "- New.\n- New.")),
    ] {
        assert_ne!(faults_of_changelog(&wrong, version), [] as [&str; 0], "{version}\n{wrong}");
    }
}

/// All stories and tests of the whole program as one text.
fn told() -> String {
    let mut folders = vec![path("tests")];
    let mut text = String::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("tests/ is there") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "story" || extension == "rs") {
                text.push_str(&fs::read_to_string(path).expect("tests are text"));
            }
        }
    }
    text
}

#[test]
fn every_option_preset_and_metric_is_told_of() {
    let told = told();
    let whole = |name: &str| {
        let part_of_a_name = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        told.match_indices(name).any(|(at, _)| !told[at + name.len()..].starts_with(part_of_a_name))
    };
    let options = TABLE.iter().map(|flag| format!("--{}", flag.name));
    let presets = PRESETS.iter().map(|preset| format!("--format {}", preset.name));
    let metrics = METRICS.iter().map(|metric| metric.name.to_owned());
    let untold: Vec<String> =
        options.chain(presets).chain(metrics).filter(|name| !whole_or_part(&whole, name)).collect();
    assert!(untold.is_empty(), "no story or test tells of {untold:?}");
}

/// A histogram and a summary are told of by their samples.
fn whole_or_part(whole: &impl Fn(&str) -> bool, name: &str) -> bool {
    ["", "_sum", "_count", "_bucket"].iter().any(|suffix| whole(&format!("{name}{suffix}")))
}
