//! Doubts: values that fit a format and yet are not what the server writes there.
//!
//! Turns a value, or a line as read, into the reason for a doubt: a format that is nearly right often reads the lines,
//! with every value one place off. Follows what mod_log_config.c, mod_logio.c and
//! ngx_http_log_module.c print and never print. It only advises (explain.rs, remedy.rs): no line is refused for a
//! doubt, and nothing here runs while lines are counted.
//!
//! Values that servers do write, but seldom, are odd, not doubtful. They are not reported; of two formats that read a
//! line, the one with fewer odd values is the likelier.

use crate::parse::compile::field::{Kind, Role, Slot, Trust, Unit};
use crate::parse::compile::presets;
use crate::parse::read::request::{Request, RequestKind};
use crate::parse::read::spans::{Span, Spans};
use crate::parse::read::text::{Escape, decimal};
use crate::parse::read::time;
use std::net::{IpAddr, SocketAddr};

/// A reason to doubt a reading, and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// Which capture is in doubt.
    pub slot: usize,
    /// The place in the value, in bytes from 0.
    pub at: usize,
    pub why: String,
    /// What would be expected there instead; empty for what follows the value.
    pub expected: &'static str,
    /// The value is certainly wrong: if the line does not fit further on, this is where it went wrong.
    pub certain: bool,
}

/// The doubts about a line as far as it is read: captures that are not read yet have no span.
pub fn of_line(slots: &[Slot], line: &[u8], spans: &Spans) -> Vec<Doubt> {
    let raw = |slot: usize| spans.at.get(slot).copied().unwrap_or(Span::NONE).of(line);
    let values = (0..slots.len()).filter_map(|slot| Some((slot, raw(slot)?)));
    let found = values.filter_map(|(slot, raw)| of_value(&slots[slot], raw).map(|doubt| (slot, doubt)));
    let mut doubts: Vec<Doubt> = found
        .map(|(slot, (at, why, certain))| {
            let wrapped = matches!(raw(slot).and_then(|raw| raw.first()), Some(b'"' | b'[' | b'{'));
            let expected = match at {
                0 if wrapped => "a value without quotes or braces",
                0 => "another value",
                _ => "",
            };
            Doubt { slot, at, why, expected, certain }
        })
        .collect();
    if let Some(front) = pushed_aside(slots, raw).or_else(|| moved_up(slots, raw)) {
        // Only the cause, not its consequences.
        doubts.insert(0, front);
    }
    doubts.extend(size(slots, raw));
    doubts
}

/// Fields that may hold whatever stands there; HAProxy's lists of captured headers have quotes of their own.
const ANYTHING: [&str; 4] = ["$skip", "$word", "%hrl", "%hsl"];

/// The place in a value, the reason and whether it is certain.
fn of_value(slot: &Slot, raw: &[u8]) -> Option<(usize, String, bool)> {
    let name = &slot.name;
    match slot.kind {
        _ if slot.escape == Escape::Json || ANYTHING.contains(&name.as_str()) => None,
        Kind::Word | Kind::Text | Kind::Path if raw.first() == Some(&b'"') && raw != b"\"\"" => {
            Some((0, format!("it stands in quotes, which the format has not around {name}"), true))
        }
        // A state may be several with commas between them.
        Kind::Word if slot.meaning.role == Some(Role::Aborted) => None,
        Kind::Word if is_client(name) && has_port(raw) => {
            let whose = if name.starts_with('$') { "$host:$server_port" } else { "%v:%p" };
            Some((0, format!("a name with its port, as {whose} logs it"), true))
        }
        Kind::Word if raw == b"-" && ["%h", "%a", "$remote_addr"].contains(&name.as_str()) => {
            // Some blank the address out on purpose; the line may have another fault.
            Some((0, format!("{name} is never `-`"), false))
        }
        Kind::Word => {
            let odd =
                raw.iter().position(|c| b"\t,;\"[{".contains(c)).filter(|at| *at > 0 || raw[0] != b'[')?;
            Some((odd, format!("{name} is one word, and this is several"), true))
        }
        Kind::Text if is_user(name) && has_address(raw) => Some((
            0,
            format!("an address is no user's name: perhaps a field is missing before {name}"),
            false,
        )),
        Kind::Text if is_user(name) => {
            let odd = raw.iter().position(|c| b"\t ".contains(c))?;
            // A name may have a blank in it; the dash that stands for no name is a field of its own.
            let several = raw.split(|c| *c == b' ').any(|word| word == b"-");
            let why = format!("this is more than a name: perhaps a field is missing before {name}");
            (several || raw[odd] == b'\t').then_some((odd, why, raw[odd] == b'\t'))
        }
        Kind::Text if slot.meaning.role == Some(Role::Method) => {
            let odd = raw.iter().position(|c| b"\t ".contains(c))?;
            Some((odd, format!("{name} is one word, and this is several"), true))
        }
        Kind::Integer if slot.meaning.role == Some(Role::Status) => {
            let sound = raw.len() == 3 && raw.iter().all(u8::is_ascii_digit) && raw < b"600".as_slice();
            // Where the client left before the answer, some have none.
            let sound = sound || (slot.escape != Escape::Apache && raw == b"0");
            (!sound).then(|| (0, "this is not a status code".to_owned(), false))
        }
        Kind::Integer if raw == b"-" && slot.escape == Escape::Apache && never_absent(slot) => {
            let meant = if slot.meaning.unit == Unit::Bytes { ": the log may have %b here" } else { "" };
            Some((0, format!("{name} is never `-`{meant}"), false))
        }
        Kind::Decimal if name == "$request_time" && raw != b"-" && !raw.contains(&b'.') => {
            Some((0, "nginx writes three decimals here: microseconds, as %D of Apache?".to_owned(), false))
        }
        Kind::Integer if slot.meaning.role == Some(Role::Duration) && slot.escape == Escape::Apache => {
            implausible_duration(slot, raw)
        }
        _ => None,
    }
}

/// Seconds that most requests stay below, whatever they are; in a coarse unit, numbers of a finer one do not.
const LONG_SECONDS: u64 = 600;

fn implausible_duration(slot: &Slot, raw: &[u8]) -> Option<(usize, String, bool)> {
    let unit = match slot.meaning.unit {
        Unit::Seconds => "seconds",
        Unit::Millis => "milliseconds",
        _ => return None,
    };
    let long = decimal(raw, slot.meaning.unit.power())? >= LONG_SECONDS * 1_000_000_000;
    let why = || format!("{} is in {unit}, and hardly takes so long: microseconds, as %D?", slot.name);
    long.then(|| (0, why(), false))
}

fn has_port(raw: &[u8]) -> bool {
    let mut parts = raw.split(|byte| *byte == b':');
    let (_, port, more) = (parts.next(), parts.next(), parts.next());
    more.is_none() && port.is_some_and(|port| !port.is_empty() && port.iter().all(u8::is_ascii_digit))
}

/// Whether one of the words is an address.
fn has_address(text: &[u8]) -> bool {
    text.split(|c| *c == b' ').any(|word| str::from_utf8(word).is_ok_and(is_address))
}

fn is_user(name: &str) -> bool {
    name.ends_with('u') && name.starts_with('%') || name == "$remote_user"
}

/// Directives that always print a number: of the sizes and times all but `%b` and `%^FB`.
fn never_absent(slot: &Slot) -> bool {
    ["O", "I", "B", "D", "T"].iter().any(|letter| slot.name.ends_with(letter))
}

/// A field in front of all pushes the client's address into `%l`, whose own value hardly anybody logs.
fn pushed_aside<'l>(slots: &[Slot], raw: impl Fn(usize) -> Option<&'l [u8]>) -> Option<Doubt> {
    let ident = slots.iter().position(|slot| slot.name == "%l").filter(|ident| *ident > 0)?;
    let value = std::str::from_utf8(raw(ident)?).ok()?;
    value.parse::<IpAddr>().ok()?;
    let why =
        format!("something stands in front of {}: the address is only where %l should be", slots[0].name);
    Some(Doubt { slot: 0, at: 0, why, expected: "the client's address", certain: true })
}

/// A field that the log lacks in front pulls the client's address into the name of the server.
fn moved_up<'l>(slots: &[Slot], raw: impl Fn(usize) -> Option<&'l [u8]>) -> Option<Doubt> {
    let text = |slot: usize| str::from_utf8(raw(slot)?).ok();
    let servers = |slot: &Slot| {
        slot.meaning.role == Some(Role::Vhost)
            && slot.meaning.trust() == Trust::Server
            && slot.escape != Escape::Json
    };
    let vhost = slots.iter().position(servers)?;
    let client = text(slots.iter().position(|slot| is_client(&slot.name))?)?;
    // A host may be called by its address, while the client has one too, or a name.
    if !is_address(text(vhost)?) || is_address(client) || client.starts_with(|c: char| c.is_alphanumeric()) {
        return None;
    }
    let why = format!("this is an address, and {} is a name: no field has the client's", slots[vhost].name);
    Some(Doubt { slot: vhost, at: 0, why, expected: "the name of a host", certain: true })
}

fn is_client(name: &str) -> bool {
    ["%h", "%a", "$remote_addr"].contains(&name)
}

/// An address of the Internet, with or without brackets and a port.
pub fn is_address(text: &str) -> bool {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse::<IpAddr>().is_ok() || text.parse::<SocketAddr>().is_ok()
}

/// A name of the domain name system with a dot in it, or `localhost`, with or without a port. Machines are called
/// otherwise too, but so is anything else.
pub fn is_host(text: &str) -> bool {
    let name = match text.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|c| c.is_ascii_digit()) => name,
        _ => text,
    };
    let sound = |label: &str| {
        !label.is_empty() && label.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_*".contains(&c))
    };
    let domain = |last: &str| {
        last.len() > 1 && (last.bytes().all(|c| c.is_ascii_alphabetic()) || last.starts_with("xn--"))
    };
    let labels = name.strip_suffix('.').unwrap_or(name).rsplit_once('.');
    name == "localhost" || labels.is_some_and(|(rest, last)| rest.split('.').all(sound) && domain(last))
}

/// How many values of a line are odd for their fields.
pub fn odd(slots: &[Slot], line: &[u8], spans: &Spans) -> usize {
    let odd = |(slot, span): &(&Slot, &Span)| {
        span.of(line).is_some_and(|raw| is_odd(slot, raw, is_quoted(line, span)))
    };
    slots.iter().zip(&spans.at).filter(odd).count()
        + usize::from(durations_differ(slots, line, spans))
        + usize::from(sizes_differ(slots, line, spans))
}

/// Whether a line says twice how long it took, and not the same: one of them is in another unit.
fn durations_differ(slots: &[Slot], line: &[u8], spans: &Spans) -> bool {
    let is_duration = |slot: &Slot| slot.meaning.role == Some(Role::Duration);
    let figures = slots.iter().zip(&spans.at).filter(|(slot, _)| is_duration(slot));
    let (mut least, mut most, mut tolerance) = (u64::MAX, 0, 1_000_000);
    for (slot, span) in figures {
        let Some(raw) = span.of(line) else { continue };
        let power = slot.meaning.unit.power();
        let Some(nanos) = decimal(raw, power) else { continue };
        (least, most) = (nanos.min(least), nanos.max(most));
        if power == 9 && !raw.contains(&b'.') {
            // Whole seconds are cut off.
            tolerance = 1_000_000_000;
        }
    }
    most.saturating_sub(least) > tolerance + most / 2
}

/// Whether quotes or brackets of the line stand around a value, so that whatever is in it is one value.
fn is_quoted(line: &[u8], span: &Span) -> bool {
    let before = (span.start as usize).checked_sub(1).and_then(|at| line.get(at));
    matches!((before, line.get(span.end as usize)), (Some(b'"'), Some(b'"')) | (Some(b'['), Some(b']')))
}

fn is_odd(slot: &Slot, raw: &[u8], quoted: bool) -> bool {
    let Ok(text) = str::from_utf8(raw) else { return false };
    if slot.escape == Escape::Json || (text == "-" && slot.meaning.role != Some(Role::Vhost)) {
        return false;
    }
    let name = slot.name.to_ascii_lowercase();
    match slot.meaning.role {
        _ if text.is_empty() => slot.kind == Kind::Text,
        Some(Role::Vhost) => !is_host(text) && text != "_",
        Some(Role::Request) => {
            let request = Request::read(raw, || false);
            let method = str::from_utf8(request.method).unwrap_or_default();
            request.kind == RequestKind::Malformed || !is_usual_method(method) || has_bare_quote(text)
        }
        Some(Role::Method) => !is_usual_method(text),
        Some(Role::Path) => !text.starts_with(['/', '*']) && !text.contains("://"),
        // The shortest request there is has 18 bytes, and with HTTP/2 hardly less.
        Some(Role::BytesReceived | Role::BytesSent | Role::Duration) if is_odd_figure(slot, raw) => true,
        // nginx's times have three decimals.
        _ if slot.name.ends_with("_time") && is_number(text) && !text.contains('.') => true,
        Some(Role::Timestamp) => !is_of_our_days(raw, slot.meaning.unit),
        _ if name == "%l" => true,
        _ if is_client(&slot.name) => !is_address(text) && !is_host(text),
        _ if name.contains("forwarded") => {
            let address = |part: &str| is_address(part.trim()) || part.trim() == "unknown";
            !text.split(',').all(address)
        }
        _ if name.contains("referer") => {
            has_bare_quote(text) || !["://", "about:"].iter().any(|sign| text.contains(sign))
        }
        _ if name.contains("user-agent") || name.contains("user_agent") => {
            has_bare_quote(text) || text.starts_with("http") || is_number(text) || is_address(text)
        }
        _ if is_user(&slot.name) => text.contains([' ', '[', '"']) || is_address(text),
        _ if slot.kind == Kind::Quoted || quoted => has_bare_quote(text),
        // Presets have fields of several words.
        _ if presets::PRESETS.iter().any(|preset| preset.text.contains(&slot.name)) => false,
        _ => slot.kind == Kind::Text && text.contains([' ', '\t', '"']),
    }
}

/// Whether a size or a time of a line is one that servers hardly ever write: another field, or another unit.
pub fn has_odd_figure(slots: &[Slot], line: &[u8], spans: &Spans) -> bool {
    let odd = |(slot, span): (&Slot, &Span)| span.of(line).is_some_and(|raw| is_odd_figure(slot, raw));
    slots.iter().zip(&spans.at).any(odd) || sizes_differ(slots, line, spans)
}

/// What headers hardly take.
const HEADER_BYTES_MAX: u64 = 64 * 1024;

/// Whether an answer has fewer bytes than its body, or far more: one of the two is no size. (Where the client went,
/// `%b` may be what it would have got.)
pub fn sizes_differ(slots: &[Slot], line: &[u8], spans: &Spans) -> bool {
    let range = |names: &[&str]| {
        let named = slots.iter().zip(&spans.at).filter(|(slot, _)| names.contains(&slot.name.as_str()));
        let figures = named.filter_map(|(_, span)| span.of(line));
        let figures = figures.filter_map(|raw| if raw == b"-" { Some(0) } else { decimal(raw, 0) });
        figures.fold(None, |range: Option<(u64, u64)>, figure| {
            let (least, most) = range.unwrap_or((figure, figure));
            Some((least.min(figure), most.max(figure)))
        })
    };
    let (whole, body) = (range(&["%O", "$bytes_sent"]), range(&["%b", "%B", "$body_bytes_sent"]));
    let differ = |(least, most): (u64, u64)| least < most;
    let apart = |((least, _), (_, body)): ((u64, u64), (u64, u64))| {
        least < body || least > body + body / 4 + HEADER_BYTES_MAX
    };
    whole.is_some_and(differ) || body.is_some_and(differ) || whole.zip(body).is_some_and(apart)
}

fn is_odd_figure(slot: &Slot, raw: &[u8]) -> bool {
    let below = |least: u64| decimal(raw, 0).is_some_and(|figure| figure < least);
    match slot.meaning.role {
        _ if slot.escape == Escape::Json => false,
        // The shortest request there is has 18 bytes, and with HTTP/2 hardly less. Envoy and AWS count bodies.
        Some(Role::BytesReceived) => slot.name == "%I" && below(10),
        Some(Role::BytesSent) => ["%O", "$bytes_sent"].contains(&slot.name.as_str()) && raw == b"0",
        // No answer takes less than ten microseconds; of seconds, most do.
        Some(Role::Duration) => slot.meaning.unit == Unit::Micros && below(10),
        _ => false,
    }
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|c| c.is_ascii_digit() || b".-".contains(&c))
}

/// A method in capitals: others are allowed, and hardly ever meant.
pub fn is_usual_method(text: &str) -> bool {
    text.bytes().all(|c| c.is_ascii_uppercase() || b"-_".contains(&c))
}

/// A quote that the server did not escape ends a field.
fn has_bare_quote(text: &str) -> bool {
    let mut escaped = false;
    for c in text.bytes() {
        if c == b'"' && !escaped {
            return true;
        }
        escaped = c == b'\\' && !escaped;
    }
    false
}

/// Whether a time lies between the years 2000 and 2100, as it does in the right unit only.
fn is_of_our_days(raw: &[u8], unit: Unit) -> bool {
    const OUR_DAYS: std::ops::Range<i64> = 946_684_800..4_102_444_800;
    match time::moment(raw, unit.power()) {
        Some(nanos) => OUR_DAYS.contains(&(nanos / 1_000_000_000)),
        // A time without a zone, or a number that is too large for any time.
        None => !raw.iter().all(u8::is_ascii_digit),
    }
}

/// Answers to HEAD and with status 204 or 304 have headers and no body (RFC 9110, section 6.4.1).
fn size<'l>(slots: &[Slot], raw: impl Fn(usize) -> Option<&'l [u8]>) -> Option<Doubt> {
    let of_role = |role| slots.iter().position(|slot| slot.meaning.role == Some(role));
    let status = raw(of_role(Role::Status)?)?;
    let request = of_role(Role::Request).and_then(&raw).unwrap_or_default();
    let method = of_role(Role::Method).and_then(&raw).unwrap_or_default();
    let bodiless = status == b"204" || status == b"304" || method == b"HEAD" || request.starts_with(b"HEAD ");
    let sizes = slots.iter().enumerate().filter(|(_, slot)| slot.meaning.role == Some(Role::BytesSent));
    for (place, slot) in sizes {
        let Some(value) = raw(place).filter(|_| bodiless) else { continue };
        let nothing = value == b"-" || value.iter().all(|digit| *digit == b'0');
        let (name, whole) = (&slot.name, ["%O", "$bytes_sent"].contains(&slot.name.as_str()));
        let why = match (whole, nothing, slot.escape) {
            (_, _, Escape::Json) => continue,
            (false, false, Escape::Apache) => {
                format!("this answer has no body, and {name} counts bodies: %O?")
            }
            (false, false, _) => format!("this answer has no body, and {name} counts bodies: $bytes_sent?"),
            (true, true, Escape::Apache) => {
                format!("{name} counts headers, so it is never nothing: %b or %B?")
            }
            (true, true, _) => format!("{name} counts headers, so it is never nothing: $body_bytes_sent?"),
            _ => continue,
        };
        return Some(Doubt { slot: place, at: 0, why, expected: "another size", certain: false });
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::parse::Format;

    #[test]
    fn what_servers_seldom_write_is_odd() {
        let odd_values = |format: &str, line: &str| {
            let (format, mut spans) = (Format::compile(format).unwrap(), crate::parse::Spans::new());
            format.parse(line.as_bytes(), &mut spans).unwrap();
            super::odd(&format.fields.slots, line.as_bytes(), &spans)
        };
        for (format, line, odd) in [
            ("%v %h %l %>s", "www.example:80 192.0.2.1 - 200", 0),
            ("%v %h %l %>s", "192.0.2.9 192.0.2.1 5 200", 2),
            ("%v %>s", "HIT 200", 1),
            ("\"%r\" %I", "\"GET / HTTP/1.1\" 80", 0),
            ("\"%r\" %I", "\"200\" 0", 2),
            ("\"%{X-Forwarded-For}i\" %O", "\"192.0.2.1, unknown\" 90", 0),
            ("\"%{X-Forwarded-For}i\" %O", "\"curl/8\" 0", 2),
            ("\"%{Referer}i\" \"%{User-agent}i\"", "\"-\" \"curl/8 \\\"a\\\"\"", 0),
            ("\"%{Referer}i\" \"%{User-agent}i\"", "\"curl/8\" \"https://www.example/\"", 2),
            ("%{sec}t %{msec}t", "1770087906 1770087906000", 0),
            ("%{sec}t %{msec}t", "1770087906000 1770087906", 2),
            ("$field1", "of mine", 1),
        ] {
            assert_eq!(odd_values(format, line), odd, "{format} {line}");
        }
    }
}
