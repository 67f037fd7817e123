//! The file of `--web.config.file`, in the format that Prometheus's exporters share: keys and values, checked.
//!
//! Nothing is opened here. What cannot be kept to is refused with its line and key, never passed over: a file that says
//! more than is done would promise a protection that is not there.

use crate::serve::guard::yaml::{self, Entry, Fault, Node, Value};
use std::time::Duration;

/// All that a file says.
#[derive(Debug, Default)]
pub struct WebConfig {
    pub tls: Option<Tls>,
    pub headers: Vec<(String, String)>,
    pub users: Vec<User>,
    pub rate_limit: Option<RateLimit>,
}

/// A text from the file, with where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    pub line: usize,
    pub key: &'static str,
    pub text: String,
}

/// What is given by a file or within this one.
#[derive(Debug)]
pub enum Source {
    File(Text),
    Inline(Text),
}

#[derive(Debug)]
pub struct Tls {
    pub certificate: Source,
    pub key: Source,
    pub client_auth: ClientAuth,
    pub client_ca: Option<Source>,
    /// Some: one of these names has to be among those of a client's certificate.
    pub allowed_names: Option<Vec<String>>,
    pub versions: (Version, Version),
    /// Names of suites of TLS 1.2, in order of preference; empty: all.
    pub cipher_suites: Vec<Text>,
    pub curves: Vec<Text>,
    pub prefers_own_order: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    None,
    Request,
    RequireAny,
    VerifyIfGiven,
    RequireAndVerify,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    Tls12,
    Tls13,
}

#[derive(Debug)]
pub struct User {
    pub name: String,
    pub hash: Text,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateLimit {
    pub interval: Duration,
    pub burst: u32,
}

/// The headers that may be set, and the values of those that have few.
const HEADERS: [(&str, &[&str]); 5] = [
    ("Content-Security-Policy", &[]),
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-XSS-Protection", &[]),
];

pub fn read(text: &str) -> Result<WebConfig, Fault> {
    let document = yaml::read(text)?;
    let mut config = WebConfig::default();
    for entry in entries("", &document)? {
        match entry.key.as_str() {
            "tls_server_config" => config.tls = tls(entry)?,
            "http_server_config" => config.headers = http(entry)?,
            "basic_auth_users" => config.users = users(entry)?,
            "rate_limit" => config.rate_limit = rate_limit(entry)?,
            _ => {
                let known = ["tls_server_config", "http_server_config", "basic_auth_users", "rate_limit"];
                return Err(unknown("", entry, &known));
            }
        }
    }
    Ok(config)
}

// ------------------------------------------------------------------------------------------------- the sections ---

const TLS_KEYS: [&str; 13] = [
    "cert",
    "key",
    "client_ca",
    "cert_file",
    "key_file",
    "client_ca_file",
    "client_auth_type",
    "client_allowed_sans",
    "min_version",
    "max_version",
    "cipher_suites",
    "prefer_server_cipher_suites",
    "curve_preferences",
];

fn tls(section: &Entry) -> Result<Option<Tls>, Fault> {
    let entries = entries(&section.key, &section.node)?;
    if entries.is_empty() {
        return Ok(None);
    }
    for entry in entries {
        if !TLS_KEYS.contains(&entry.key.as_str()) {
            return Err(unknown(&section.key, entry, &TLS_KEYS));
        }
    }
    let find = |key: &str| entries.iter().find(|entry| entry.key == key);
    let text =
        |key: &'static str| find(key).map(|entry| text_of(key, entry)).transpose().map(Option::flatten);
    let source = |file: &'static str, inline: &'static str| {
        let (file, inline) = (text(file)?, text(inline)?);
        Ok(file.map(Source::File).or(inline.map(Source::Inline)))
    };
    let missing = |file: &str, inline: &str| {
        Fault::new(section.line, format!("tls_server_config: one of {file} and {inline} is missing"))
    };
    let client_ca = source("client_ca_file", "client_ca")?;
    let client_auth = client_auth(text("client_auth_type")?.as_ref())?;
    let names = find("client_allowed_sans").filter(|entry| !matches!(entry.node.value, Value::Null));
    let allowed_names = names.map(|entry| allowed_names(entry, client_auth)).transpose()?;
    check_client_ca(client_ca.as_ref(), client_auth)?;
    let list = |key: &'static str| find(key).map_or(Ok(Vec::new()), |entry| list_of(key, entry));
    let prefers = find("prefer_server_cipher_suites")
        .map_or(Ok(true), |entry| flag("prefer_server_cipher_suites", entry));
    Ok(Some(Tls {
        certificate: source("cert_file", "cert")?.ok_or_else(|| missing("cert_file", "cert"))?,
        key: source("key_file", "key")?.ok_or_else(|| missing("key_file", "key"))?,
        client_auth,
        client_ca,
        allowed_names,
        versions: versions(text("min_version")?.as_ref(), text("max_version")?.as_ref())?,
        cipher_suites: list("cipher_suites")?,
        curves: list("curve_preferences")?,
        prefers_own_order: prefers?,
    }))
}

fn client_auth(given: Option<&Text>) -> Result<ClientAuth, Fault> {
    let Some(given) = given else { return Ok(ClientAuth::None) };
    match given.text.as_str() {
        "NoClientCert" => Ok(ClientAuth::None),
        "RequestClientCert" => Ok(ClientAuth::Request),
        // The second is the name that the first had once.
        "RequireAnyClientCert" | "RequireClientCert" => Ok(ClientAuth::RequireAny),
        "VerifyClientCertIfGiven" => Ok(ClientAuth::VerifyIfGiven),
        "RequireAndVerifyClientCert" => Ok(ClientAuth::RequireAndVerify),
        other => Err(wrong(
            given,
            &format!(
                "`{other}` is none of NoClientCert, RequestClientCert, RequireAnyClientCert, VerifyClientCertIfGiven, \
                 RequireAndVerifyClientCert"
            ),
        )),
    }
}

fn check_client_ca(client_ca: Option<&Source>, auth: ClientAuth) -> Result<(), Fault> {
    match (client_ca, auth) {
        (Some(Source::File(ca) | Source::Inline(ca)), ClientAuth::None) => {
            Err(wrong(ca, "clients are not asked for certificates: client_auth_type is missing"))
        }
        // Without one the system's authorities verify clients.
        _ => Ok(()),
    }
}

fn allowed_names(entry: &Entry, auth: ClientAuth) -> Result<Vec<String>, Fault> {
    let names = list_of("client_allowed_sans", entry)?;
    if !matches!(auth, ClientAuth::RequireAny | ClientAuth::RequireAndVerify) {
        let text = "tls_server_config.client_allowed_sans: client_auth_type has to be RequireAnyClientCert or \
                    RequireAndVerifyClientCert, or clients without a certificate would pass";
        return Err(Fault::new(entry.line, text));
    }
    match names.iter().find(|name| name.text.contains('@') && !name.text.contains("://")) {
        Some(mail) => {
            Err(wrong(mail, "e-mail addresses are not matched, only DNS names, IP addresses and URIs"))
        }
        None => Ok(names.into_iter().map(|name| name.text).collect()),
    }
}

fn versions(least: Option<&Text>, most: Option<&Text>) -> Result<(Version, Version), Fault> {
    let read = |given: Option<&Text>, default| {
        let Some(given) = given else { return Ok(default) };
        match given.text.as_str() {
            "TLS12" => Ok(Version::Tls12),
            "TLS13" => Ok(Version::Tls13),
            old @ ("TLS10" | "TLS11") => {
                Err(wrong(given, &format!("{old} is not spoken any more; TLS12 and TLS13 are")))
            }
            other => Err(wrong(given, &format!("`{other}` is neither TLS12 nor TLS13"))),
        }
    };
    let range = (read(least, Version::Tls12)?, read(most, Version::Tls13)?);
    match least {
        Some(least) if range.0 > range.1 => Err(wrong(least, "it is above max_version")),
        _ => Ok(range),
    }
}

fn http(section: &Entry) -> Result<Vec<(String, String)>, Fault> {
    let mut headers = Vec::new();
    for entry in entries(&section.key, &section.node)? {
        match entry.key.as_str() {
            // HTTP/1.1 is spoken either way.
            "http2" => drop(flag("http_server_config.http2", entry)?),
            "headers" => {
                for header in entries("http_server_config.headers", &entry.node)? {
                    headers.extend(self::header(header)?);
                }
            }
            _ => return Err(unknown(&section.key, entry, &["http2", "headers"])),
        }
    }
    Ok(headers)
}

fn header(entry: &Entry) -> Result<Option<(String, String)>, Fault> {
    let fault =
        |what: &str| Fault::new(entry.line, format!("http_server_config.headers.{}: {what}", entry.key));
    let Some((name, values)) = HEADERS.iter().find(|(name, _)| *name == entry.key) else {
        let known: Vec<&str> = HEADERS.iter().map(|(name, _)| *name).collect();
        return Err(unknown("http_server_config.headers", entry, &known));
    };
    let value = match &entry.node.value {
        Value::Text(value) => value.as_str(),
        Value::Null => "",
        _ => return Err(fault("this is not a text")),
    };
    if !values.is_empty() && !values.contains(&value) {
        return Err(fault(&format!("`{value}` is none of {}", values.join(", "))));
    }
    if !value.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
        return Err(fault("a value is printable ASCII"));
    }
    Ok((!value.is_empty()).then(|| ((*name).to_owned(), value.to_owned())))
}

fn users(section: &Entry) -> Result<Vec<User>, Fault> {
    let read = |entry: &Entry| {
        let Some(hash) = text_of("", entry)? else {
            return Err(Fault::new(
                entry.line,
                format!("basic_auth_users.{}: the hash is missing", entry.key),
            ));
        };
        Ok(User { name: entry.key.clone(), hash: Text { key: "basic_auth_users", ..hash } })
    };
    entries(&section.key, &section.node)?.iter().map(read).collect()
}

fn rate_limit(section: &Entry) -> Result<Option<RateLimit>, Fault> {
    let (mut interval, mut burst) = (Duration::ZERO, 0);
    for entry in entries(&section.key, &section.node)? {
        let fault = |what: &str| Fault::new(entry.line, format!("rate_limit.{}: {what}", entry.key));
        let given = text_of("", entry)?.map(|given| given.text);
        match (entry.key.as_str(), given) {
            ("interval", Some(given)) => {
                interval = duration(&given)
                    .ok_or_else(|| fault(&format!("`{given}` is no duration such as 1s or 100ms")))?;
            }
            ("burst", Some(given)) => {
                burst = given.parse().map_err(|_| fault(&format!("`{given}` is not a whole number")))?;
            }
            ("interval" | "burst", None) => {}
            _ => return Err(unknown("rate_limit", entry, &["interval", "burst"])),
        }
    }
    // With a burst of 0 every request is refused, as by all other exporters.
    Ok((!interval.is_zero()).then_some(RateLimit { interval, burst }))
}

// --------------------------------------------------------------------------------------------------- the values ---

fn entries<'n>(name: &str, node: &'n Node) -> Result<&'n [Entry], Fault> {
    match &node.value {
        Value::Map(map) => Ok(map),
        Value::Null => Ok(&[]),
        _ if name.is_empty() => Err(Fault::new(node.line, "these are no keys with values")),
        _ => Err(Fault::new(node.line, format!("{name}: these are no keys with values"))),
    }
}

/// An empty text says as little as none.
fn text_of(key: &'static str, entry: &Entry) -> Result<Option<Text>, Fault> {
    match &entry.node.value {
        Value::Text(text) if text.is_empty() => Ok(None),
        Value::Null => Ok(None),
        Value::Text(text) => Ok(Some(Text { line: entry.line, key, text: text.clone() })),
        _ => Err(Fault::new(entry.line, format!("{}: this is not a text", entry.key))),
    }
}

fn list_of(key: &'static str, entry: &Entry) -> Result<Vec<Text>, Fault> {
    let text = |node: &Node| match &node.value {
        Value::Text(text) => Ok(Text { line: node.line, key, text: text.clone() }),
        _ => Err(Fault::new(node.line, format!("tls_server_config.{key}: this is not a text"))),
    };
    match &entry.node.value {
        Value::Null => Ok(Vec::new()),
        Value::List(list) => list.iter().map(text).collect(),
        _ => Err(Fault::new(entry.line, format!("tls_server_config.{key}: this is not a list"))),
    }
}

fn flag(key: &str, entry: &Entry) -> Result<bool, Fault> {
    let fault = || Fault::new(entry.line, format!("{key}: this is neither true nor false"));
    let Value::Text(text) = &entry.node.value else { return Err(fault()) };
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" => Ok(true),
        "false" | "no" | "off" | "n" => Ok(false),
        _ => Err(fault()),
    }
}

/// A duration as Go writes it: numbers with units, such as `1m30s` or `1.5s`; one without a unit is in nanoseconds.
fn duration(text: &str) -> Option<Duration> {
    if let Ok(nanos) = text.parse() {
        return Some(Duration::from_nanos(nanos));
    }
    let (mut rest, mut sum) = (text, 0.0);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, behind) = rest.split_at(end);
        let end = behind.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(end);
        let seconds = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "\u{b5}s" | "\u{3bc}s" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        sum += number.parse::<f64>().ok()? * seconds;
        rest = behind;
    }
    Duration::try_from_secs_f64(sum).ok().filter(|_| !text.is_empty())
}

/// What is wrong with a text of the section on TLS.
pub fn wrong(text: &Text, what: &str) -> Fault {
    Fault::new(text.line, format!("tls_server_config.{}: {what}", text.key))
}

fn unknown(section: &str, entry: &Entry, known: &[&str]) -> Fault {
    let dot = if section.is_empty() { "" } else { "." };
    let known = known.join(", ");
    Fault::new(entry.line, format!("{section}{dot}{}: there is no such key; those are {known}", entry.key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_go() {
        let seconds = |text| duration(text).map(|duration| duration.as_secs_f64());
        assert_eq!(seconds("1m30s"), Some(90.0));
        assert_eq!(seconds("1.5s"), Some(1.5));
        assert_eq!(seconds("100ms"), Some(0.1));
        assert_eq!(seconds("0"), Some(0.0));
        assert_eq!(seconds("1000000000"), Some(1.0));
        for text in ["", "s", "1x", "-1s", "1s2"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    /// What is refused is refused with its line and its key.
    #[test]
    fn a_wrong_file_is_named_by_line_and_key() {
        let tls = "tls_server_config:\n  cert_file: c\n  key_file: k\n";
        for (text, line, what) in [
            ("tls_server_conf:\n", 1, "tls_server_conf: there is no such key"),
            ("- a\n", 1, "these are no keys with values"),
            ("tls_server_config:\n  cert_fil: x\n", 2, "tls_server_config.cert_fil: there is no such key"),
            ("tls_server_config:\n  cert_file: x\n", 1, "one of key_file and key is missing"),
            ("tls_server_config:\n  min_version: TLS12\n", 1, "one of cert_file and cert is missing"),
            (
                "tls_server_config:\n  cert_file: ''\n  key_file: ''\n",
                1,
                "one of cert_file and cert is missing",
            ),
            (
                &format!("{tls}  min_version: TLS11\n"),
                4,
                "tls_server_config.min_version: TLS11 is not spoken",
            ),
            (&format!("{tls}  min_version: TLS111\n"), 4, "`TLS111` is neither"),
            (&format!("{tls}  min_version: TLS13\n  max_version: TLS12\n"), 4, "above max_version"),
            (&format!("{tls}  client_auth_type: Maybe\n"), 4, "`Maybe` is none of NoClientCert"),
            (&format!("{tls}  client_ca_file: ca\n"), 4, "client_auth_type is missing"),
            (&format!("{tls}  client_allowed_sans: [a]\n"), 4, "client_auth_type has to be"),
            (&format!("{tls}  cipher_suites: A\n"), 4, "tls_server_config.cipher_suites: this is not a list"),
            ("http_server_config:\n  http2: maybe\n", 2, "http2: this is neither true nor false"),
            (
                "http_server_config:\n  headers:\n    X-Frame-Options: all\n",
                3,
                "`all` is none of deny, sameorigin",
            ),
            ("http_server_config:\n  headers:\n    X-Other: a\n", 3, "headers.X-Other: there is no such key"),
            (
                "http_server_config:\n  headers:\n    X-XSS-Protection: \"a\\r\\nb: c\"\n",
                3,
                "printable ASCII",
            ),
            ("basic_auth_users:\n  a:\n", 2, "basic_auth_users.a: the hash is missing"),
            ("rate_limit:\n  interval: soon\n  burst: 1\n", 2, "rate_limit.interval: `soon` is no duration"),
            ("rate_limit:\n  burst: -1\n", 2, "rate_limit.burst: `-1` is not a whole number"),
        ] {
            let fault = read(text).expect_err(text);
            assert!(fault.line == line && fault.what.contains(what), "{text:?}: {fault:?}");
        }
    }

    #[test]
    fn a_file_of_another_exporter_is_read() {
        let config = read(
            "tls_server_config:\n  cert_file: c.pem\n  key_file: k.pem\n  client_auth_type: RequireAnyClientCert\n  \
             client_allowed_sans: [a.example]\n  min_version: TLS13\n  prefer_server_cipher_suites: false\n  \
             curve_preferences:\n    - X25519\nhttp_server_config:\n  http2: true\n  headers:\n    \
             X-Frame-Options: deny\n    Content-Security-Policy:\nbasic_auth_users:\n  alice: $2y$10$x\nrate_limit:\n  \
             interval: 1s\n  burst: 20\n",
        )
        .unwrap();
        let tls = config.tls.unwrap();
        assert_eq!((tls.client_auth, tls.versions.0), (ClientAuth::RequireAny, Version::Tls13));
        assert_eq!((tls.prefers_own_order, tls.curves[0].text.as_str()), (false, "X25519"));
        assert_eq!(config.headers, [("X-Frame-Options".to_owned(), "deny".to_owned())]);
        assert_eq!((config.users[0].name.as_str(), config.users[0].hash.line), ("alice", 16));
        assert_eq!(config.rate_limit, Some(RateLimit { interval: Duration::from_secs(1), burst: 20 }));
        for empty in ["", "tls_server_config:\n", "basic_auth_users: {}\nrate_limit:\n"] {
            let config = read(empty).unwrap();
            assert!(config.tls.is_none() && config.users.is_empty() && config.rate_limit.is_none());
        }
    }
}
