//! State file format: the content of a generation as text, and the changes that are appended behind it.
//!
//! ```text
//! # httpd_exporter state 2 <length> <crc32>
//! [generation]
//! began <milliseconds since boot>
//! wants port                          only while it waits for the port
//! absorbed <name> <name> ...          whose counts are in this file; only where there are any
//! [kept]                              texts by key: places in followed files, learned routes
//! <key> <tab> <text>
//! [page]                              an OpenMetrics page; or, where that is long, [series], which is shorter
//! [native]                            the native counts of its histograms
//! # changes <length> <crc32>
//! [series]                            the series that have changed since, as they are now
//! [native]                            and their native counts
//! ```
//!
//! Length and checksum are those of the sections that follow, up to the next such line, so damage anywhere is
//! detected. Changes that are cut off, as a kill leaves them, are ignored. Sections of other names are skipped: they
//! are written by a later version. Files of version 1 (0.1.0) are read as well.

use crate::catalogue;
use crate::fixed_point::FixedPoint;
use crate::generations::native;
use crate::generations::series;
use crate::limits::CLOCK_AHEAD_MAX;
use crate::snapshot::exposition;
use crate::snapshot::exposition::text::{self, TextForm};
use crate::snapshot::page::{Page, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fmt::Write;
use std::time::SystemTime;

/// `<start>-<pid>`: when the generation began, in milliseconds since the epoch, so that older names sort
/// first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    pub start: u64,
    pub pid: u32,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}-{}", self.start, self.pid)
    }
}

impl Name {
    /// Reads exactly what `Display` writes; anything else is not a name of ours.
    pub fn parse(text: &str) -> Option<Name> {
        let (start, pid) = text.split_once('-')?;
        let name = Name { start: start.parse().ok()?, pid: pid.parse().ok()? };
        (name.to_string() == text).then_some(name)
    }

    /// The name of the file while it is being written.
    pub fn unfinished(self) -> String {
        format!("{self}.new")
    }
}

/// The head of a state file: what other generations have to know without reading the page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Head {
    /// In milliseconds since boot: the wall clock may be set back between two starts.
    pub began: u64,
    /// The generation waits for the port.
    pub wants_port: bool,
    /// The generations whose counts are in the page: where their files still stand, they are not added.
    pub absorbed: BTreeSet<Name>,
}

/// The content of a state file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Content {
    pub head: Head,
    /// Texts by key.
    pub kept: BTreeMap<String, String>,
    pub page: Page,
}

const TITLE: &str = "# httpd_exporter state ";
/// Raised when an older program could not read the file, or would read it wrongly.
const VERSION: &str = "2";
const CHANGES: &str = "# changes ";

/// Takes over what another generation has kept. Texts of places begin with a number that grows from one reader of a
/// file to the next: of two, the later one counts, and among equals that of the other.
pub fn take_over(kept: &mut BTreeMap<String, String>, other: &BTreeMap<String, String>) {
    let number =
        |text: &str| text.split('\t').next().and_then(|first| first.parse::<u64>().ok()).unwrap_or(0);
    for (key, text) in other {
        if kept.get(key).is_none_or(|known| number(known) <= number(text)) {
            kept.insert(key.clone(), text.clone());
        }
    }
}

/// The longest first line of a file or of changes.
pub const TITLE_BYTES_MAX: usize = 80;

/// A state of up to so many bytes is an OpenMetrics page that a person can read, and is written whole each time: once a
/// second, that costs a disk little.
pub const READABLE_BYTES_MAX: usize = 48 << 10;

/// Where a page of more series than this is too long anyway.
const READABLE_SERIES_MAX: usize = 1_000;

impl Content {
    pub fn write(&self) -> String {
        let mut body = format!("[generation]\nbegan {}\n", self.head.began);
        if self.head.wants_port {
            body.push_str("wants port\n");
        }
        if !self.head.absorbed.is_empty() {
            body.push_str("absorbed");
            for name in &self.head.absorbed {
                let _ = write!(body, " {name}");
            }
            body.push('\n');
        }
        write_kept(&mut body, &self.kept);
        let readable = (self.page.series() <= READABLE_SERIES_MAX)
            .then(|| text::write(&self.page, TextForm::OpenMetrics))
            .filter(|text| text.len() <= READABLE_BYTES_MAX);
        match readable {
            Some(text) => body.push_str(&format!("[page]\n{text}")),
            None => body.push_str(&format!("[series]\n{}", series::write(&self.page))),
        }
        write_native(&mut body, &self.page);
        titled(&format!("{TITLE}{VERSION} "), &body)
    }

    /// What has to be appended to a file with the old content for it to have this one; None where that cannot be said
    /// by changes.
    pub fn changes_since(&self, old: &Content) -> Option<String> {
        if self.head != old.head {
            return None;
        }
        let page = self.page.changes_since(&old.page)?;
        let mut body = String::new();
        if self.kept != old.kept {
            write_kept(&mut body, &self.kept);
        }
        let _ = write!(body, "[series]\n{}", series::write(&page));
        write_native(&mut body, &page);
        Some(titled(CHANGES, &body))
    }

    /// What a file says, and how many of its bytes say it: those of a change that is just being written, or was cut
    /// off, do not. The error says what is wrong with the file.
    pub fn read(bytes: &[u8]) -> Result<(Content, usize), String> {
        let end = title_end(bytes).ok_or("it is not a state file")?;
        let title = str::from_utf8(&bytes[..end]).unwrap_or_default();
        let words = title.strip_prefix(TITLE).ok_or("it is not a state file")?;
        match words.split(' ').next() {
            Some("1") => return Ok((read_first_version(title, &bytes[end..])?, bytes.len())),
            Some(VERSION) => {}
            other => {
                return Err(format!("it is of format {}", other.unwrap_or_default().escape_default()));
            }
        }
        let (body, length) = block(bytes, &format!("{TITLE}{VERSION} ")).ok_or("it is damaged")?;
        let mut content = Content::default();
        for (name, text) in sections(body) {
            match name {
                "generation" => content.head = read_head(text.split('\n')).ok_or("its head is none")?,
                "kept" => content.kept = read_kept(text).ok_or("a line of [kept] has no key")?,
                "page" => content.page = exposition::read(text)?,
                "series" => content.page = series::read(text)?,
                "native" => native::read(text, &mut content.page)?,
                _ => {}
            }
        }
        content.page.complete_native();
        let changes = content.read_changes(&bytes[length..])?;
        Ok((content, length + changes))
    }

    /// Takes in the changes that these bytes begin with, and says how many bytes they are.
    pub fn read_changes(&mut self, bytes: &[u8]) -> Result<usize, String> {
        let mut at = 0;
        while let Some((body, length)) = block(&bytes[at..], CHANGES) {
            let mut changes = Page::default();
            for (name, text) in sections(body) {
                match name {
                    "kept" => self.kept = read_kept(text).ok_or("a line of [kept] has no key")?,
                    "series" => changes = series::read(text)?,
                    "native" => native::read(text, &mut changes)?,
                    _ => {}
                }
            }
            changes.complete_native();
            self.page.overwrite(changes);
            at += length;
        }
        self.drop_future_time();
        Ok(at)
    }

    /// A newest time that lies ahead of our clock would stay until that time comes, perhaps for years.
    fn drop_future_time(&mut self) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let newest = FixedPoint::nanos((now + CLOCK_AHEAD_MAX).as_nanos());
        let name = catalogue::LAST_REQUEST.name;
        let ahead = |value: &Value| matches!(value, Value::Number { value, .. } if *value > newest);
        if self.page.families.get(name).is_some_and(|family| family.series.iter().any(|s| ahead(&s.value))) {
            self.page.families.remove(name);
        }
    }
}

impl Head {
    /// The head of the file that begins so; None where it does not, or not yet end.
    pub fn read(bytes: &[u8]) -> Option<Head> {
        let end = title_end(bytes)?;
        let words = str::from_utf8(&bytes[..end]).ok()?.strip_prefix(TITLE)?;
        // The last line may be cut off, in the middle of a character.
        let text = &bytes[end..end + bytes[end..].iter().rposition(|byte| *byte == b'\n')? + 1];
        let text = str::from_utf8(text).ok()?;
        if words.starts_with("1 ") {
            let first =
                text.split('\n').take_while(|line| line.starts_with("# absorbed") || *line == "# wants port");
            let lines: Vec<&str> = first.map(|line| &line[2..]).collect();
            return (lines.len() + 1 < text.split('\n').count()).then(|| read_head(lines.into_iter()))?;
        }
        let text = text.strip_prefix("[generation]\n")?;
        let end = if text.starts_with('[') { 0 } else { text.find("\n[")? + 1 };
        read_head(text[..end].split('\n'))
    }
}

fn read_head<'t>(lines: impl Iterator<Item = &'t str>) -> Option<Head> {
    let mut head = Head::default();
    for line in lines {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "began" => head.began = rest.parse().ok()?,
            "wants" if rest == "port" => head.wants_port = true,
            "absorbed" => {
                head.absorbed = rest.split_ascii_whitespace().map(Name::parse).collect::<Option<_>>()?;
            }
            _ => {}
        }
    }
    Some(head)
}

/// Each with its name in brackets before it.
fn sections(body: &str) -> Vec<(&str, &str)> {
    let mut sections = Vec::new();
    let mut rest = body;
    while let Some((name, text)) = rest.strip_prefix('[').and_then(|rest| rest.split_once("]\n")) {
        let end = if text.starts_with('[') { 0 } else { text.find("\n[").map_or(text.len(), |at| at + 1) };
        sections.push((name, &text[..end]));
        rest = &text[end..];
    }
    sections
}

fn write_native(body: &mut String, page: &Page) {
    let native = native::write(page);
    if !native.is_empty() {
        let _ = write!(body, "[native]\n{native}");
    }
}

fn write_kept(body: &mut String, kept: &BTreeMap<String, String>) {
    if kept.is_empty() {
        return;
    }
    body.push_str("[kept]\n");
    for (key, text) in kept {
        // A key may begin as a section does.
        let _ = writeln!(body, " {}\t{}", escaped(key), escaped(text));
    }
}

fn read_kept(text: &str) -> Option<BTreeMap<String, String>> {
    let lines = text.split_terminator('\n');
    lines
        .map(|line| line.strip_prefix(' ')?.split_once('\t'))
        .map(|pair| Some((unescaped(pair?.0), unescaped(pair?.1))))
        .collect()
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('\t', "\\t")
}

pub(super) fn unescaped(text: &str) -> String {
    let mut chars = text.chars();
    std::iter::from_fn(|| match chars.next()? {
        '\\' => Some(match chars.next()? {
            'n' => '\n',
            't' => '\t',
            other => other,
        }),
        other => Some(other),
    })
    .collect()
}

/// The body behind a line that tells its length and checksum.
fn titled(title: &str, body: &str) -> String {
    format!("{title}{} {:08x}\n{body}", body.len(), crc32fast::hash(body.as_bytes()))
}

/// The body of what these bytes begin with, if it is whole, and the length of it all.
fn block<'b>(bytes: &'b [u8], title: &str) -> Option<(&'b str, usize)> {
    let start = title_end(bytes)?;
    let figures = str::from_utf8(&bytes[..start]).ok()?.strip_prefix(title)?;
    let length: usize = figures.split(' ').next()?.parse().ok()?;
    let body = bytes.get(start..start.checked_add(length)?)?;
    let expected = format!("{length} {:08x}\n", crc32fast::hash(body));
    Some((str::from_utf8(body).ok().filter(|_| figures == expected)?, start + length))
}

pub(super) fn title_end(bytes: &[u8]) -> Option<usize> {
    bytes.iter().take(TITLE_BYTES_MAX).position(|byte| *byte == b'\n').map(|at| at + 1)
}

/// A file of 0.1.0: `# httpd_exporter state 1 <length> <FNV-1a>`, `# absorbed ...`, `# wants port`, an OpenMetrics
/// page.
fn read_first_version(title: &str, body: &[u8]) -> Result<Content, String> {
    let checksum = body.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let body = str::from_utf8(body).ok();
    let body = body.filter(|body| title == format!("{TITLE}1 {} {checksum:016x}\n", body.len()));
    let mut rest = body.ok_or("it is damaged")?;
    let mut head = Vec::new();
    while let Some((line, after)) = rest.split_once('\n')
        && (line.starts_with("# absorbed") || line == "# wants port")
    {
        head.push(&line[2..]);
        rest = after;
    }
    let head = read_head(head.into_iter()).ok_or("its list of absorbed generations cannot be read")?;
    let mut content = Content { head, kept: BTreeMap::new(), page: exposition::read(rest)? };
    content.page.complete_native();
    content.drop_future_time();
    Ok(content)
}

/// What holds for any bytes, as they are and as the sections of a file that is not damaged: what is read is written so
/// that it is read as the same.
#[cfg(any(test, fuzzing))]
pub fn check(bytes: &[u8]) {
    let _ = Head::read(bytes);
    let sealed = str::from_utf8(bytes).map(|body| titled(&format!("{TITLE}{VERSION} "), body));
    for bytes in [bytes, sealed.unwrap_or_default().as_bytes()] {
        let Ok((content, length)) = Content::read(bytes) else { continue };
        assert!(length <= bytes.len());
        let written = content.write();
        assert_eq!(Content::read(written.as_bytes()), Ok((content, written.len())), "{written}");
    }
}
