//! A format drafted from a line that no known format reads.
//!
//! Turns a line of text into a log_format in nginx's way, each part named by what it looks like, and a line of JSON
//! into a map of its keys. What has no look of its own gets a name of its own, which reads any text; a unit is never
//! guessed.
//! Whether the draft reads the line is for remedy.rs to try. Slow; for people.

use crate::parse::compile::field::Role;
use crate::parse::compile::nginx;
use crate::parse::detect::doubt::{is_address, is_usual_method};
use crate::parse::read::keyed::members;
use crate::parse::read::request::{Request, RequestKind};
use crate::parse::read::text::Escape;
use crate::parse::read::time;
use crate::parse::read::time::Style;

/// A part of a line: what separates, or a word, which quotes and brackets hold together.
enum Part<'l> {
    Between(&'l str),
    Word(&'l str),
}

/// Cuts a line at these bytes.
fn parts<'l>(line: &'l str, separators: &[u8]) -> Vec<Part<'l>> {
    let bytes = line.as_bytes();
    let (mut parts, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let between = bytes[at..].iter().take_while(|c| separators.contains(c)).count();
        if between > 0 {
            parts.push(Part::Between(&line[at..at + between]));
            at += between;
        }
        let end = word_end(bytes, at, separators);
        if end > at {
            parts.push(Part::Word(&line[at..end]));
            at = end;
        }
    }
    parts
}

fn word_end(bytes: &[u8], start: usize, separators: &[u8]) -> usize {
    let mut at = start;
    while bytes.get(at).is_some_and(|c| !separators.contains(c)) {
        let opens = at == start || b"=:".contains(&bytes[at - 1]);
        let closing = match bytes[at] {
            b'"' if opens => closed(bytes, at, b'"', separators),
            b'[' if opens => closed(bytes, at, b']', separators),
            _ => None,
        };
        at = closing.unwrap_or(at) + 1;
    }
    at
}

/// Where what opens here is closed, with nothing of the word behind.
fn closed(bytes: &[u8], open: usize, close: u8, separators: &[u8]) -> Option<usize> {
    let ends = |at: usize| bytes.get(at + 1).is_none_or(|next| separators.contains(next));
    (open + 1..bytes.len()).find(|&at| bytes[at] == close && bytes[at - 1] != b'\\' && ends(at))
}

/// What encloses a word, and its inside.
fn unwrapped(word: &str) -> (&'static str, &str, &'static str) {
    let inside = |open: char, close: char| word.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    match (inside('"', '"'), inside('[', ']')) {
        (Some(inner), _) => ("\"", inner, "\""),
        (_, Some(inner)) => ("[", inner, "]"),
        _ => ("", word, ""),
    }
}

/// Words of nobody's as fields with names of their own, and whether any of them is known by its label: in nginx's way,
/// and where the format has no such field yet. None when what is between them cannot be written.
pub fn neutral(text: &str, format: &str, nginx: bool, first: usize) -> Option<(String, bool)> {
    let (mut named, mut number, mut known) = (String::new(), first, false);
    for part in parts(text, b" \t") {
        let (label, rest) = match part {
            Part::Between(text) => (text, ""),
            Part::Word(mark) if is_mark(mark) => (mark, ""),
            Part::Word(word) => label_of(word),
        };
        named.push_str(label);
        if rest.is_empty() {
            continue;
        }
        let (open, inner, close) = unwrapped(rest);
        let variable = label.strip_suffix('=').and_then(|key| variable_of_key(key, inner));
        let variable = variable.filter(|name| nginx && name.starts_with('$') && !format.contains(name));
        known |= variable.is_some();
        let name = match variable {
            Some(variable) => variable.to_owned(),
            None if nginx => format!("$field{number}"),
            None => format!("%{{field{number}}}n"),
        };
        number += usize::from(variable.is_none());
        named.extend([open, &name, close]);
    }
    ((number > first || known) && !named.contains("$ ")).then_some((named, known))
}

/// Signs alone, which separate. A dash stands for what is absent.
fn is_mark(word: &str) -> bool {
    word != "-" && word.bytes().all(|c| c.is_ascii_punctuation() && !b"\"[]%$\\".contains(&c))
}

/// What separates the words of a line: tabs where there are any; bars, or commas where no blank is better.
fn separators(line: &str) -> &'static [u8] {
    let words = |separators: &[u8]| {
        parts(line, separators).iter().filter(|part| matches!(part, Part::Word(_))).count()
    };
    match line {
        _ if line.contains('\t') => b"\t",
        _ if words(b"|") > 3 => b"|",
        _ if words(b",") > words(b" ") => b",",
        _ => b" ",
    }
}

/// A log_format for a line of text.
pub fn of_text(line: &str) -> Option<String> {
    let line = line.trim_end();
    if line.contains('$') || line.contains('{') {
        return None;
    }
    let parts = parts(line, separators(line));
    let words: Vec<Word> = parts.iter().map(Word::of).collect();
    let mut draft = Draft::default();
    draft.place(&words);
    for (at, word) in words.iter().enumerate() {
        draft.write(at, word);
    }
    Some(draft.text)
}

/// A part of a line as far as its look tells.
#[derive(Default)]
struct Word<'l> {
    /// What stands there in every line.
    before: String,
    inner: &'l str,
    after: String,
    /// The variable that it looks like.
    variable: &'static str,
    /// Without a label that tells what it is, and without quotes.
    bare: bool,
}

impl<'l> Word<'l> {
    fn of(part: &Part<'l>) -> Word<'l> {
        let word = match *part {
            Part::Between(text) => return Word { before: text.to_owned(), ..Word::default() },
            Part::Word(mark) if is_mark(mark) => return Word { before: mark.to_owned(), ..Word::default() },
            Part::Word(word) => word,
        };
        let padding = word.len() - word.trim_start().len();
        let (padding, word) = word.split_at(padding);
        let (label, rest) = label_of(word);
        let (open, inner, close) = unwrapped(rest.trim_end());
        let after = format!("{close}{}", &rest[rest.trim_end().len()..]);
        let bare = label.is_empty() && open.is_empty();
        let mut word = Word { before: format!("{padding}{label}{open}"), inner, after, variable: "", bare };
        word.variable = match (word.take_unit(), label.strip_suffix(['=', ':'])) {
            (Some(timed), _) => timed,
            (None, Some(key)) => variable_of_key(key, inner).unwrap_or_default(),
            (None, None) => look_of(inner),
        };
        word
    }

    /// A unit behind a number stands there in every line, and tells that the number is a time.
    fn take_unit(&mut self) -> Option<&'static str> {
        let number = self.inner.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = &self.inner[number.len()..];
        let timed = match unit {
            "ms" if is_integer(number) => "$millis",
            "s" if number.contains('.') && is_decimal(number) => "$request_time",
            _ => return None,
        };
        self.inner = number;
        self.after.insert_str(0, unit);
        Some(timed)
    }
}

/// The variable that a word without a label looks like.
fn look_of(text: &str) -> &'static str {
    match text {
        _ if text.parse::<std::net::IpAddr>().is_ok() => "$remote_addr",
        _ if is_address(text) && !text.starts_with('[') => "$remote_addr:$remote_port",
        _ if is_stamp(Style::Clf, text) => "$time_local",
        _ if is_stamp(Style::Iso, text) => "$time_iso8601",
        _ if is_epoch(text) => "$msec",
        _ if is_request(text) => "$request",
        _ if is_method(text) => "$request_method",
        _ if text.starts_with('/') && !text.contains(' ') => "$request_uri",
        _ if text.starts_with("HTTP/") => "$server_protocol",
        _ => "",
    }
}

/// Letters of a label.
const LABEL_MAX: usize = 30;

/// `key=` in front of a value, or `key:` (LTSV), and what follows.
fn label_of(word: &str) -> (&str, &str) {
    let name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let end = word.find(|c| !name(c)).unwrap_or(0);
    let letters = word.starts_with(|c: char| c.is_ascii_alphabetic()) && end > 0;
    let rest = &word[end..];
    // A query and what is coded in base64 have such signs as well.
    let sign = rest.starts_with([':', '=']) && !rest.starts_with("://") && !rest.starts_with("==");
    let labelled = letters && end <= LABEL_MAX && sign && !word.contains('&');
    word.split_at(if labelled { end + 1 } else { 0 })
}

#[derive(Default)]
struct Draft {
    text: String,
    /// Where the status and the size stand among the words, if it can be told.
    status: Option<usize>,
    size: Option<usize>,
    used: Vec<&'static str>,
    fields: usize,
}

impl Draft {
    /// The status is the first number of its kind behind the request. A single number behind it is the size; of several
    /// nobody can tell.
    fn place(&mut self, words: &[Word]) {
        let known = |names: &[&str]| words.iter().position(|word| names.contains(&word.variable));
        let request = known(&["$request", "$request_uri", "$request_method"]).unwrap_or(0);
        let unnamed = |at: &usize| words[*at].variable.is_empty() && words[*at].bare;
        let statuses = || (0..words.len()).filter(unnamed).filter(|at| is_status(words[*at].inner));
        self.status = statuses().find(|at| *at > request).or_else(|| statuses().next());
        if known(&["$status"]).is_some() {
            self.status = None;
        }
        let Some(status) = self.status else { return };
        let mut numbers = (status + 1..words.len()).filter(unnamed).filter(|at| is_integer(words[*at].inner));
        let first = numbers.next();
        self.size = first.filter(|_| numbers.next().is_none());
    }

    fn write(&mut self, at: usize, word: &Word) {
        self.text.push_str(&word.before);
        if word.inner.is_empty() && word.after.is_empty() {
            return;
        }
        let variable = match at {
            _ if self.status == Some(at) => "$status",
            _ if self.size == Some(at) => "$body_bytes_sent",
            _ => word.variable,
        };
        if variable.is_empty() || self.used.contains(&variable) {
            self.fields += 1;
            self.text.push_str(&format!("$field{}", self.fields));
        } else if word.after.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            self.text.push_str(&format!("${{{}}}", &variable[1..]));
        } else {
            self.text.push_str(variable);
        }
        self.used.push(variable);
        self.text.push_str(&word.after);
    }
}

/// A map of the keys of a JSON line, and the words for it. `own` is the map that somebody gave: what of it the line has
/// stays. None when the line has no status that can be told.
pub fn of_keys(own: &str, line: &[u8]) -> Option<(String, String)> {
    let members = members_of(line);
    let has = |key: &str| members.iter().any(|(known, _)| known == key);
    let own = own.strip_prefix("json:").unwrap_or_default().split(',');
    let own = own.filter_map(|pair| pair.trim().rsplit_once('=')).filter(|(key, _)| has(key));
    let mut pairs: Vec<(String, &str)> = own.map(|(key, field)| (key.to_owned(), field)).collect();
    let mut unknown = Vec::new();
    for (key, value) in &members {
        let taken =
            |field: &str| pairs.iter().any(|(known, used)| known == key || plays_the_same(used, field));
        match variable_of_key(key, value) {
            Some(field) if !taken(field) => pairs.push((key.clone(), field)),
            None if is_time_span(key, value) && !taken("$request_time") => unknown.push(key.as_str()),
            _ => {}
        }
    }
    if !pairs.iter().any(|(_, field)| plays_the_same(field, "$status")) {
        return None;
    }
    let pairs: Vec<String> = pairs.iter().map(|(key, field)| format!("{key}={field}")).collect();
    let mut what = "these are JSON objects with keys of their own".to_owned();
    if let Some(key) = unknown.first() {
        what.push_str(&format!(
            ", and only you know the unit of {} (add {key}=$request_time for seconds, {key}=$millis or {key}=%D)",
            unknown.join(" and ")
        ));
    }
    Some((what, format!("json:{}", pairs.join(","))))
}

/// What to do about a JSON line that has no status that can be told.
pub fn hint_at_keys(line: &[u8]) -> Option<String> {
    let members = members_of(line);
    let keys: Vec<&str> = members.iter().map(|(key, _)| key.as_str()).take(KEYS_SHOWN).collect();
    (!keys.is_empty()).then(|| {
        format!(
            "these are JSON objects with keys of their own: --format 'json:KEY=$status,KEY=$request_method,\
             KEY=$request_uri,KEY=$request_time' with the lines' keys for KEY, which are {}",
            keys.join(", ")
        )
    })
}

/// Keys that are named in a message.
const KEYS_SHOWN: usize = 20;

/// The keys that can stand in a map, with their values.
fn members_of(line: &[u8]) -> Vec<(String, String)> {
    let plain =
        |key: &str| !key.is_empty() && key.bytes().all(|c| c.is_ascii_graphic() && !b",'\\\"".contains(&c));
    let found = members(line).unwrap_or_default().into_iter().filter(|(key, _)| plain(key));
    found.map(|(key, value)| (key, String::from_utf8_lossy(value).into_owned())).collect()
}

fn plays_the_same(a: &str, b: &str) -> bool {
    let role = |field: &str| match field {
        "%D" => Some(Role::Duration),
        _ => nginx::variable(field.trim_start_matches('$'), Escape::Json).meaning.role,
    };
    let directive = |field: &str| field.starts_with('%') && field != "%D";
    match (directive(a), directive(b)) {
        (false, false) => role(a).is_some() && role(a) == role(b),
        // A directive of Apache's that means the status.
        _ => [a, b].iter().all(|field| field.ends_with('s') && !field.contains("bytes")),
    }
}

/// The words of a key: `response_timeMs` has three.
fn words_of(key: &str) -> Vec<String> {
    let last = key.rsplit('.').next().unwrap_or(key);
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in last.chars() {
        if !c.is_ascii_alphanumeric() || (c.is_ascii_uppercase() && before.is_ascii_lowercase()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_ascii_alphanumeric()) {
            word.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A word of the key, the test that its value has to pass, and the variable that it is then.
type Evidence = (&'static [&'static str], fn(&str) -> bool, &'static str);

const EVIDENCE: &[Evidence] = &[
    (&["status", "code", "statuscode"], is_status, "$status"),
    (&["method", "verb"], is_method, "$request_method"),
    (&["uri", "url", "path"], |value| value.starts_with('/'), "$request_uri"),
    (&["proto", "protocol"], |value| value.starts_with("HTTP/"), "$server_protocol"),
    (&["host", "vhost", "domain", "authority"], is_name, "$host"),
    (&["bytes", "size"], is_integer, "$body_bytes_sent"),
    (&["ts", "time", "timestamp", "date"], is_moment, "$time"),
];

/// Labels of the example in nginx's manual ("Configuring Logging"), which many have taken over.
const OF_NGINX: &[(&str, &str)] = &[
    ("rt", "$request_time"),
    ("uct", "$upstream_connect_time"),
    ("uht", "$upstream_header_time"),
    ("urt", "$upstream_response_time"),
];

/// The variable that a key and its value evidently are.
fn variable_of_key(key: &str, value: &str) -> Option<&'static str> {
    if let Some((_, variable)) = OF_NGINX.iter().find(|(label, _)| *label == key && is_of_nginx(value)) {
        return Some(variable);
    }
    let words = words_of(key);
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    // What other servers did is something else.
    if has(&["upstream", "origin", "backend"]) {
        return None;
    }
    if is_request(value) {
        return Some("$request");
    }
    if words == ["response"] && is_status(value) {
        return Some("$status");
    }
    if is_decimal(value) && is_span_word(&words) {
        return match words.last()?.as_str() {
            "ms" | "msec" | "millis" | "milliseconds" => Some("$millis"),
            "us" | "usec" | "micros" | "microseconds" => Some("%D"),
            "ns" | "nanos" | "nanoseconds" => Some("$nanos"),
            "s" | "sec" | "seconds" => Some("$request_time"),
            // nginx's own name.
            _ => (key == "request_time").then_some("$request_time"),
        };
    }
    let found = EVIDENCE.iter().find(|(names, sound, _)| has(names) && sound(value));
    let (_, _, variable) = found?;
    let others = match *variable {
        "$body_bytes_sent" => has(&["received", "read", "in", "request", "client"]),
        "$host" => has(&["remote", "local"]) || (has(&["client"]) && !has(&["request"])),
        _ => false,
    };
    (!others).then_some(*variable)
}

fn is_span_word(words: &[String]) -> bool {
    let spans = ["duration", "elapsed", "latency", "took", "taken", "time", "rt", "ms"];
    words.iter().any(|word| spans.contains(&word.as_str()))
}

/// Whether this is how long something took.
fn is_time_span(key: &str, value: &str) -> bool {
    is_decimal(value) && is_span_word(&words_of(key)) && !is_moment(value)
}

fn is_integer(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit())
}

fn is_decimal(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    is_integer(whole) && is_integer(fraction)
}

/// Seconds as nginx writes them, with three decimals.
fn is_of_nginx(text: &str) -> bool {
    is_decimal(text) && text.split_once('.').is_some_and(|(_, fraction)| fraction.len() == 3)
}

fn is_status(text: &str) -> bool {
    text.len() == 3 && is_integer(text) && ("100".."600").contains(&text)
}

fn is_method(text: &str) -> bool {
    ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE"].contains(&text)
}

fn is_request(text: &str) -> bool {
    let request = Request::read(text.as_bytes(), || false);
    let method = str::from_utf8(request.method).unwrap_or_default();
    request.kind == RequestKind::Http && request.protocol.is_some() && is_usual_method(method)
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !is_address(text)
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_.:".contains(&c))
}

fn is_stamp(style: Style, text: &str) -> bool {
    time::scan(style, text.as_bytes()).is_some_and(|stamp| stamp.len == text.len() && stamp.len > 1)
}

/// Seconds since 1970 with a fraction, in this century.
fn is_epoch(text: &str) -> bool {
    text.len() > 10 && text.as_bytes()[10] == b'.' && is_decimal(text)
}

fn is_moment(text: &str) -> bool {
    is_epoch(text)
        || (is_integer(text) && text.len() == 10)
        || is_stamp(Style::Iso, text)
        || is_stamp(Style::Clf, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_of_text_is_named_by_its_looks() {
        for (line, draft) in [
            (
                "2026-02-03T04:05:06Z web7 PUT /things/9 201 8ms 77",
                "$time_iso8601 $field1 $request_method $request_uri $status ${millis}ms $body_bytes_sent",
            ),
            (
                r#"https 1770087906.120 203.0.113.9:5000 - 200 "GET / HTTP/1.1" "a b" [x y] 0.25s"#,
                r#"$field1 $msec $remote_addr:$remote_port $field2 $status "$request" "$field3" [$field4] ${request_time}s"#,
            ),
            // Of several numbers nobody can tell which is the size.
            ("GET /a 200 5 7", "$request_method $request_uri $status $field1 $field2"),
            (
                "at=2026-02-03T04:05:06Z verb=GET path=/a status=200 took=5 latency=5ms ua=\"a b\"",
                "at=$field1 verb=$request_method path=$request_uri status=$status took=$field2 latency=${millis}ms \
                 ua=\"$field3\"",
            ),
            (
                "time:03/Feb/2026:04:05:06 +0100\treq:GET /a HTTP/1.1\tstatus:200\tsize:5\tua:a b",
                "time:$time\treq:$request\tstatus:$status\tsize:$body_bytes_sent\tua:$field1",
            ),
            (
                "203.0.113.9 | GET | /a | 200 | x y",
                "$remote_addr | $request_method | $request_uri | $status | $field1",
            ),
            ("203.0.113.9,GET,/a,200", "$remote_addr,$request_method,$request_uri,$status"),
        ] {
            assert_eq!(of_text(line).as_deref(), Some(draft), "{line}");
        }
        assert_eq!(of_text("200 $5"), None, "a dollar sign cannot be written");
    }

    #[test]
    fn keys_are_named_where_key_and_value_agree() {
        for (own, line, map) in [
            (
                "",
                r#"{"code":200,"verb":"GET","req":{"url":"/a"},"vhost":"v"}"#,
                "code=$status,verb=$request_method,req.url=$request_uri,vhost=$host",
            ),
            (
                "",
                r#"{"statusCode":"404","Size":5,"upstream_status":200,"responseTimeMs":7}"#,
                "statusCode=$status,Size=$body_bytes_sent,responseTimeMs=$millis",
            ),
            (
                "",
                r#"{"status":200,"elapsed_us":7,"bytes_received":5,"ts":1770087906.5}"#,
                "status=$status,elapsed_us=%D,ts=$time",
            ),
            (
                "json:took=%D,sent=$status",
                r#"{"took":9,"status":200,"message":"GET /a HTTP/1.1"}"#,
                "took=%D,status=$status,message=$request",
            ),
            (
                "",
                r#"{"ClientRequestMethod":"GET","ClientRequestURI":"/a","ClientRequestBytes":9,"EdgeResponseBytes":5,"EdgeResponseStatus":200,"ClientHost":"v"}"#,
                "ClientRequestMethod=$request_method,ClientRequestURI=$request_uri,EdgeResponseBytes=$body_bytes_sent,EdgeResponseStatus=$status",
            ),
            ("json:s=%>s", r#"{"s":200,"status":200}"#, "s=%>s"),
        ] {
            let (_, text) = of_keys(own, line.as_bytes()).unwrap();
            assert_eq!(text, format!("json:{map}"), "{line}");
        }
        assert_eq!(of_keys("", br#"{"status":"fine","code":7}"#), None);
        let (what, text) = of_keys("", br#"{"status":200,"took":7}"#).unwrap();
        assert!(what.contains("only you know the unit of took") && text == "json:status=$status", "{what}");
    }

    proptest! {
        #[test]
        fn any_line_is_survived(line in "[ -~\t\u{e9}\u{4e2d}]{0,80}", bytes: Vec<u8>) {
            let _ = (of_text(&line), neutral(&line, "", true, 1), of_keys("", line.as_bytes()), of_keys("", &bytes));
            let _ = hint_at_keys(&bytes);
        }
    }
}
