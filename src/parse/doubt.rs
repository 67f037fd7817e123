//! What fits a format and yet is not what the server writes there.
//!
//! Turns a value, or a line as read, into the reason why a person would shake the head: a format that is nearly right
//! often reads the lines, with every value one place off. Follows what mod_log_config.c, mod_logio.c and
//! ngx_http_log_module.c print and never print. It only advises (explain.rs, remedy.rs): no line is refused for a
//! doubt, and nothing here runs while lines are counted.

use super::field::{Kind, Role, Slot, Unit};
use super::spans::{Span, Spans};
use super::text::Escape;

/// What speaks against a reading, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Doubt {
    /// Which capture is in doubt.
    pub(super) slot: usize,
    /// Where in its value a person would point, in bytes from 0.
    pub(super) at: usize,
    pub(super) why: String,
    /// What would be expected there instead; empty for what follows the value.
    pub(super) expected: &'static str,
    /// Nobody would read the line so: if the line does not fit further on, this is where it went wrong.
    pub(super) certain: bool,
}

/// The doubts about a line as far as it is read: captures that are not read yet have no span.
pub(super) fn of_line(slots: &[Slot], line: &[u8], spans: &Spans) -> Vec<Doubt> {
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
    if let Some(front) = pushed_aside(slots, raw) {
        // The cause, and not its consequences.
        doubts.insert(0, front);
    }
    doubts.extend(size(slots, raw));
    doubts
}

/// The place in a value, the reason and whether it is certain.
fn of_value(slot: &Slot, raw: &[u8]) -> Option<(usize, String, bool)> {
    let name = &slot.name;
    match slot.kind {
        _ if slot.escape == Escape::Json => None,
        Kind::Word | Kind::Text | Kind::Path if raw.first() == Some(&b'"') && raw != b"\"\"" => {
            Some((0, format!("it stands in quotes, which the format has not around {name}"), true))
        }
        Kind::Word if name == "%h" && has_port(raw) => {
            Some((0, "a name with its port, as %v:%p logs it".to_owned(), true))
        }
        Kind::Word if raw == b"-" && ["%h", "%a", "$remote_addr"].contains(&name.as_str()) => {
            // Some blank it out on purpose; the line may have another fault.
            Some((0, format!("{name} is never `-`"), false))
        }
        Kind::Word => {
            let odd =
                raw.iter().position(|c| b"\t,;\"[{".contains(c)).filter(|at| *at > 0 || raw[0] != b'[')?;
            Some((odd, format!("{name} is one word, and this is several"), true))
        }
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
            (!sound).then(|| (0, "this is no status code".to_owned(), false))
        }
        Kind::Integer if raw == b"-" && slot.escape == Escape::Apache && never_absent(slot) => {
            let meant = if slot.meaning.unit == Unit::Bytes { ": the log may have %b here" } else { "" };
            Some((0, format!("{name} is never `-`{meant}"), false))
        }
        Kind::Decimal if name == "$request_time" && raw != b"-" && !raw.contains(&b'.') => {
            Some((0, "nginx writes three decimals here: microseconds, as %D of Apache?".to_owned(), false))
        }
        _ => None,
    }
}

fn has_port(raw: &[u8]) -> bool {
    let mut parts = raw.split(|byte| *byte == b':');
    let (_, port, more) = (parts.next(), parts.next(), parts.next());
    more.is_none() && port.is_some_and(|port| !port.is_empty() && port.iter().all(u8::is_ascii_digit))
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
    value.parse::<std::net::IpAddr>().ok()?;
    let why =
        format!("something stands in front of {}: the address is only where %l should be", slots[0].name);
    Some(Doubt { slot: 0, at: 0, why, expected: "the client's address", certain: true })
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

    /// The columns in doubt.
    fn doubted(format: &str, line: &str) -> Vec<usize> {
        let readings = Format::compile(format).unwrap().explain(line.as_bytes()).unwrap();
        readings.into_iter().filter_map(|reading| reading.doubt).map(|(column, _)| column).collect()
    }

    #[test]
    fn what_servers_never_write_is_doubted_and_what_they_do_is_not() {
        for (format, line, columns) in [
            ("%h %>s", "192.0.2.1 200", &[][..]),
            ("%h %>s", "[::1] 999", &[7]),
            ("%h %>s", "www.example:80 200", &[1]),
            ("%h %>s", "- 200", &[1]),
            ("%h %l %>s", "www.example 2001:db8::1 200", &[1]),
            ("%u [%>s]", "some body [200]", &[]),
            ("%u [%>s]", "- somebody [200]", &[2]),
            ("%u [%>s]", "\"\" [200]", &[]),
            ("%>s %B %O", "200 0 -", &[7]),
            ("%m %>s %B", "HEAD 200 5", &[10]),
            ("%m %>s %O", "GET 304 0", &[9]),
            ("%>s %b", "204 -", &[]),
            ("$status $request_time", "200 0.000", &[]),
            ("$status $request_time", "200 7", &[5]),
            ("json:s=$status,b=$body_bytes_sent", r#"{"s":304,"b":5}"#, &[]),
        ] {
            assert_eq!(doubted(format, line), columns, "{format} {line}");
        }
    }
}
