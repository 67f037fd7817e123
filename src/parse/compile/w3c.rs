//! The columns of the W3C extended log format, and what each server writes into them.
//!
//! The format names its columns in the log; this table says what they are. `time-taken` is milliseconds with IIS and
//! ASP.NET Core and seconds with CloudFront, Tomcat, NetScaler and WebLogic, so its unit is taken from the headers
//! where these say which server wrote the log, and otherwise has to be told (`w3c:time-taken=$duration_ms`). Sources:
//! the working draft WD-logfile; IIS ("IIS log file format"); CloudFront ("Standard logs"); Tomcat's
//! ExtendedAccessLogValve; ASP.NET Core's W3CLogger; the NetScaler Web Logging client ("W3C extended log format");
//! WebLogic's extended log format.

use crate::parse::compile::field::{Kind, Meaning, Role, Row, Trust, Unit, row};

/// Whose log it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    Iis,
    /// ASP.NET Core's own server.
    Kestrel,
    CloudFront,
    Tomcat,
    NetScaler,
    WebLogic,
    /// Somebody who says who it is, and is none of these.
    Other,
}

/// What `#Software:` has in it, and who it is then.
const SOFTWARE: &[(&str, Writer)] = &[
    ("Internet Information Services", Writer::Iis),
    ("IIS", Writer::Iis),
    ("Tomcat", Writer::Tomcat),
    ("Netscaler Web Logging", Writer::NetScaler),
    ("WebLogic", Writer::WebLogic),
];

impl Writer {
    /// Who `#Software:` says it is.
    pub fn of_software(text: &[u8]) -> Writer {
        let says = |name: &str| text.windows(name.len()).any(|part| part == name.as_bytes());
        SOFTWARE.iter().find(|(name, _)| says(name)).map_or(Writer::Other, |&(_, writer)| writer)
    }

    /// The server that has one of these columns, if only one has.
    pub fn of_columns(fields: &[u8]) -> Option<Writer> {
        let mut names = fields.split(u8::is_ascii_whitespace);
        names.find_map(|name| match name {
            b"x-edge-location" | b"x-edge-result-type" => Some(Writer::CloudFront),
            b"sc-win32-status" | b"s-sitename" => Some(Writer::Iis),
            b"x-threadname" => Some(Writer::Tomcat),
            _ => None,
        })
    }
}

const fn by(writer: Writer, row: Row) -> (Option<Writer>, Row) {
    (Some(writer), row)
}

const fn of_all(row: Row) -> (Option<Writer>, Row) {
    (None, row)
}

const fn bytes(name: &'static str, role: Role) -> (Option<Writer>, Row) {
    of_all(row(name, Kind::Word, Meaning::of(role, Unit::Bytes, 0)))
}

const fn span(name: &'static str, role: Role, unit: Unit) -> Row {
    row(name, Kind::Word, Meaning::span_or_never(role, unit))
}

/// A column with the writer it is of, if it has another meaning with others.
pub const COLUMNS: &[(Option<Writer>, Row)] = &[
    of_all(row("date", Kind::Word, Meaning::of(Role::Date, Unit::Plain, 0)).remark("UTC")),
    of_all(row("time", Kind::Word, Meaning::of(Role::Timestamp, Unit::Seconds, 0)).remark("UTC")),
    of_all(row("cs-method", Kind::Word, Meaning::of(Role::Method, Unit::Plain, 0))),
    of_all(
        row("cs-uri-stem", Kind::Word, Meaning::of(Role::Path, Unit::Plain, 1)).remark("without the query"),
    ),
    of_all(row("cs-uri-query", Kind::Word, Meaning::of(Role::Query, Unit::Plain, 0))),
    of_all(row("cs-uri", Kind::Word, Meaning::of(Role::Path, Unit::Plain, 2))),
    of_all(row("cs-version", Kind::Word, Meaning::of(Role::Protocol, Unit::Plain, 0))),
    of_all(row("cs-protocol-version", Kind::Word, Meaning::of(Role::Protocol, Unit::Plain, 0))),
    by(Writer::CloudFront, row("cs-protocol", Kind::Word, Meaning::of(Role::Scheme, Unit::Plain, 0))),
    of_all(row("x-host-header", Kind::Word, Meaning::vhost(Trust::Client, 0))),
    of_all(row("cs-host", Kind::Word, Meaning::vhost(Trust::Client, 1))),
    of_all(row("cs(Host)", Kind::Word, Meaning::vhost(Trust::Client, 1))),
    of_all(row("s-sitename", Kind::Word, Meaning::vhost(Trust::Client, 2)).remark("where no host is logged")),
    of_all(row("sc-status", Kind::Word, Meaning::of(Role::Status, Unit::Plain, 0))),
    of_all(
        row("sc-win32-status", Kind::Word, Meaning::NONE)
            .remark("IIS's; with w3c:sc-win32-status=$win32_status clients that went away are counted"),
    ),
    of_all(row("x-edge-detailed-result-type", Kind::Word, Meaning::NONE).remark(
        "CloudFront's; with w3c:x-edge-detailed-result-type=$edge_result clients that went away are counted",
    )),
    bytes("sc-bytes", Role::BytesSent),
    bytes("bytes", Role::BytesSent),
    bytes("cs-bytes", Role::BytesReceived),
    by(Writer::Iis, span("time-taken", Role::Duration, Unit::Millis).remark("IIS")),
    by(Writer::Kestrel, span("time-taken", Role::Duration, Unit::Millis).remark("ASP.NET Core")),
    by(Writer::CloudFront, span("time-taken", Role::Duration, Unit::Seconds).remark("CloudFront")),
    by(Writer::Tomcat, span("time-taken", Role::Duration, Unit::Seconds).remark("Tomcat")),
    by(Writer::NetScaler, span("time-taken", Role::Duration, Unit::Seconds).remark("NetScaler")),
    by(Writer::WebLogic, span("time-taken", Role::Duration, Unit::Seconds).remark("WebLogic")),
    of_all(span("time-to-first-byte", Role::TimeToFirstByte, Unit::Seconds).remark("CloudFront")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_known_by_its_columns() {
        let software = |text: &str| Writer::of_software(text.as_bytes());
        assert_eq!(software(" Microsoft Internet Information Services 10.0"), Writer::Iis);
        assert_eq!(software(" Apache Tomcat/10.1.60 (Debian)"), Writer::Tomcat);
        assert_eq!(software(" Netscaler Web Logging(NSWL)"), Writer::NetScaler);
        assert_eq!(software(" something"), Writer::Other);
        assert_eq!(Writer::of_columns(b" date time x-edge-location sc-bytes"), Some(Writer::CloudFront));
        assert_eq!(Writer::of_columns(b" date time sc-status time-taken"), None);
    }
}
