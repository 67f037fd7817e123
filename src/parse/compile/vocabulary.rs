//! The vocabulary: every `$name` with its shape, role and unit, in one table.
//!
//! The first part holds the variables of nginx that play a role or whose shape helps to find their end
//! (ngx_http_variables.c, ngx_http_upstream.c). The second holds names of our own, a role and a unit each, for what
//! other servers write: `json:`, `ltsv:`, `logfmt:` and `w3c:` are maps onto these, and so are most presets. Feeds the
//! compiler, `--help fields`, the manual and the tests.

use crate::parse::compile::field::{Kind, Meaning, Role, Row, Tables, Trust, Unit, row, row_or_empty};
use crate::parse::read::time::Style;

/// Every name, ours last.
pub const NAMES: Tables = &[NGINX, OURS];

pub const NGINX: &[Row] = &[
    row_or_empty("args", Kind::Text, Meaning::of(Role::Query, Unit::Plain, 0)),
    row("body_bytes_sent", Kind::Integer, Meaning::of(Role::BytesSent, Unit::Bytes, 2))
        .remark("without headers"),
    row("bytes_sent", Kind::Integer, Meaning::of(Role::BytesSent, Unit::Bytes, 4)).remark("with headers"),
    row("connection", Kind::Integer, Meaning::NONE),
    row("connection_requests", Kind::Integer, Meaning::NONE),
    row_or_empty("gzip_ratio", Kind::Decimal, Meaning::NONE),
    row_or_empty("host", Kind::Word, Meaning::vhost(Trust::Client, 0)),
    row_or_empty("hostname", Kind::Word, Meaning::NONE),
    row_or_empty("http_host", Kind::Text, Meaning::vhost(Trust::Client, 1)),
    row("msec", Kind::Decimal, Meaning::of(Role::Timestamp, Unit::Seconds, 2)),
    row("pid", Kind::Integer, Meaning::NONE),
    row_or_empty("pipe", Kind::Word, Meaning::NONE),
    row_or_empty("query_string", Kind::Text, Meaning::of(Role::Query, Unit::Plain, 0)),
    row("remote_addr", Kind::Word, Meaning::NONE),
    row_or_empty("remote_port", Kind::Integer, Meaning::NONE),
    row_or_empty("request", Kind::Text, Meaning::of(Role::Request, Unit::Plain, 0)),
    row_or_empty("request_completion", Kind::Text, Meaning::aborted_if(&["", "-"]))
        .remark("`OK`, or nothing where the client went away"),
    row_or_empty("request_id", Kind::Word, Meaning::NONE),
    row("request_length", Kind::Integer, Meaning::of(Role::BytesReceived, Unit::Bytes, 0)),
    row_or_empty("request_line", Kind::Text, Meaning::of(Role::Request, Unit::Plain, 1)).remark("APISIX"),
    row_or_empty("request_method", Kind::Text, Meaning::of(Role::Method, Unit::Plain, 0)),
    row("request_time", Kind::Decimal, Meaning::span(Role::Duration, Unit::Seconds)),
    row_or_empty("request_uri", Kind::Path, Meaning::of(Role::Path, Unit::Plain, 0)),
    row_or_empty("scheme", Kind::Word, Meaning::of(Role::Scheme, Unit::Plain, 0)),
    row_or_empty("server_addr", Kind::Word, Meaning::NONE),
    row_or_empty("server_name", Kind::Word, Meaning::vhost(Trust::Server, 0)),
    row_or_empty("server_port", Kind::Integer, Meaning::NONE),
    row_or_empty("server_protocol", Kind::Word, Meaning::of(Role::Protocol, Unit::Plain, 0)),
    row_or_empty("ssl_cipher", Kind::Word, Meaning::NONE),
    row_or_empty("ssl_protocol", Kind::Word, Meaning::NONE),
    row("status", Kind::Integer, Meaning::of(Role::Status, Unit::Plain, 0)),
    row("time_iso8601", Kind::Time(Style::Iso), Meaning::of(Role::Timestamp, Unit::Plain, 1)),
    row("time_local", Kind::Time(Style::Clf), Meaning::of(Role::Timestamp, Unit::Plain, 0)),
    row_or_empty("upstream_addr", Kind::Words, Meaning::NONE),
    row_or_empty("upstream_bytes_received", Kind::Words, Meaning::NONE),
    row_or_empty("upstream_bytes_sent", Kind::Words, Meaning::NONE),
    row_or_empty(
        "upstream_connect_time",
        Kind::Decimals,
        Meaning::span(Role::UpstreamConnect, Unit::Seconds),
    ),
    row_or_empty("upstream_queue_time", Kind::Decimals, Meaning::span(Role::UpstreamQueue, Unit::Seconds)),
    row_or_empty("upstream_header_time", Kind::Decimals, Meaning::span(Role::TimeToFirstByte, Unit::Seconds)),
    row_or_empty("upstream_response_length", Kind::Words, Meaning::NONE),
    row_or_empty(
        "upstream_response_time",
        Kind::Decimals,
        Meaning::span(Role::UpstreamDuration, Unit::Seconds),
    ),
    row_or_empty("upstream_status", Kind::Words, Meaning::NONE),
    row_or_empty("uri", Kind::Path, Meaning::of(Role::Path, Unit::Plain, 1)).remark("without the query"),
];

/// A span of time that the server writes as a decimal, and as `-1` where it never happened.
const fn span(name: &'static str, role: Role, unit: Unit) -> Row {
    row(name, Kind::Decimal, Meaning::span_or_never(role, unit))
}

/// A span of time that brings its unit along.
const fn own(name: &'static str, role: Role) -> Row {
    row(name, Kind::WithUnit, Meaning::span_or_never(role, Unit::Own))
        .remark("with its unit: 300.58ms, 29.3µs, 1.5s")
}

/// No variables of nginx.
pub const OURS: &[Row] = &[
    own("duration", Role::Duration),
    span("duration_s", Role::Duration, Unit::Seconds),
    span("duration_ms", Role::Duration, Unit::Millis),
    span("duration_us", Role::Duration, Unit::Micros),
    span("duration_ns", Role::Duration, Unit::Nanos),
    own("upstream", Role::UpstreamDuration),
    span("upstream_s", Role::UpstreamDuration, Unit::Seconds),
    span("upstream_ms", Role::UpstreamDuration, Unit::Millis),
    span("upstream_us", Role::UpstreamDuration, Unit::Micros),
    span("upstream_ns", Role::UpstreamDuration, Unit::Nanos),
    own("ttfb", Role::TimeToFirstByte),
    span("ttfb_s", Role::TimeToFirstByte, Unit::Seconds),
    span("ttfb_ms", Role::TimeToFirstByte, Unit::Millis),
    span("ttfb_us", Role::TimeToFirstByte, Unit::Micros),
    span("ttfb_ns", Role::TimeToFirstByte, Unit::Nanos),
    span("duration_part_s", Role::DurationPart, Unit::Seconds)
        .remark("before or behind the upstream's: the parts and the upstream's add up to the duration"),
    row("request_or_dash", Kind::MaybeQuoted, Meaning::of(Role::Request, Unit::Plain, 0))
        .remark("in its own quotes, or a bare -"),
    row_or_empty("request_url", Kind::Text, Meaning::of(Role::Request, Unit::Plain, 0).naming_host_but(""))
        .remark("a request line whose target is an absolute URL, which names the virtual host"),
    row_or_empty("url", Kind::Text, Meaning::of(Role::Path, Unit::Plain, 0).naming_host_but(""))
        .remark("an absolute one names the virtual host"),
    row_or_empty("path", Kind::Text, Meaning::of(Role::Path, Unit::Plain, 1)).remark("without the query"),
    row_or_empty("skip", Kind::Text, Meaning::NONE).remark("anything that is not needed"),
    row("word", Kind::Word, Meaning::NONE).remark("anything without a blank that is not needed"),
    row("quoted_or_dash", Kind::MaybeQuoted, Meaning::NONE).remark("in its own quotes, or a bare -"),
    row("duration_s4", Kind::FourDecimals, Meaning::span(Role::Duration, Unit::Seconds))
        .remark("with four decimals, as Rack writes"),
    row_or_empty("colour", Kind::Colour, Meaning::NONE)
        .remark("what a terminal takes for colours, or nothing"),
    row_or_empty("captured", Kind::Captured, Meaning::NONE)
        .remark("HAProxy's captured headers with the blank behind them, or nothing"),
    row_or_empty("open_quote", Kind::OpenQuote, Meaning::NONE)
        .remark("a quote around the whole line, or nothing"),
    row_or_empty("rest_of_combined", Kind::RestOfCombined, Meaning::NONE)
        .remark("referer and user agent in quotes, or the quote around the whole line, or nothing"),
    row_or_empty("blanks", Kind::Blanks, Meaning::NONE).remark("what aligns columns, or nothing"),
    row_or_empty("aborted", Kind::Text, Meaning::aborted_if(&["X", "true", "yes", "1", "aborted"]))
        .remark("X, true, yes, 1 or aborted where the client went away"),
    row("termination_state", Kind::Word, Meaning::aborted_if(&["C*", "c*"])).remark("HAProxy's"),
    row("response_flags", Kind::Word, Meaning::aborted_if(DOWNSTREAM_GONE)).remark("Envoy's"),
    row("win32_status", Kind::Word, Meaning::aborted_if(&["64", "1236"])).remark(
        "IIS's: 64 and 1236; also where a load balancer resets a connection whose answer was complete",
    ),
    row("edge_result", Kind::Word, Meaning::aborted_if(&["ClientCommError"])).remark("CloudFront's"),
    row("cache_result", Kind::Word, Meaning::aborted_if(&["*_ABORTED", "ERR_CLIENT_*"]))
        .remark("Squid's and Traffic Server's, before the status"),
    row_or_empty("time", Kind::Text, Meaning::of(Role::Timestamp, Unit::Seconds, 0))
        .remark("as ISO 8601 or the Common Log Format has it, or seconds since 1970"),
    row("time_ms", Kind::Decimal, Meaning::of(Role::Timestamp, Unit::Millis, 0)).remark("since 1970"),
    row("time_us", Kind::Decimal, Meaning::of(Role::Timestamp, Unit::Micros, 0)).remark("since 1970"),
    row("time_ns", Kind::Decimal, Meaning::of(Role::Timestamp, Unit::Nanos, 0)).remark("since 1970"),
    row("date", Kind::Word, Meaning::of(Role::Date, Unit::Plain, 0))
        .remark("the day, in UTC, of the time of the day that $time is then"),
    row("millis", Kind::Decimal, Meaning::span(Role::Duration, Unit::Millis))
        .remark("an older name of $duration_ms"),
    row("nanos", Kind::Decimal, Meaning::span(Role::Duration, Unit::Nanos))
        .remark("an older name of $duration_ns"),
    row("nanos_upstream", Kind::Decimal, Meaning::span(Role::UpstreamDuration, Unit::Nanos))
        .remark("an older name of $upstream_ns"),
    row("syslog_header", Kind::SyslogHeader, Meaning::NONE).remark("up to NAME[PID]: , or nothing"),
];

/// Envoy's flags of a client that went away (config/observability/access_log/usage, RESPONSE_FLAGS): several stand with
/// commas between them, and the long form spells them.
pub const DOWNSTREAM_GONE: &[&str] = &["DC", "DC,*", "*,DC", "*,DC,*", "*DownstreamConnectionTermination*"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_given_once() {
        let names: Vec<&str> = NAMES.iter().flat_map(|table| table.iter()).map(|row| row.name).collect();
        for (at, name) in names.iter().enumerate() {
            assert!(!names[..at].contains(name), "{name}");
        }
    }

    #[test]
    fn every_unit_is_there_for_every_span() {
        for span in ["duration", "upstream", "ttfb"] {
            for (suffix, unit) in [
                ("", Unit::Own),
                ("_s", Unit::Seconds),
                ("_ms", Unit::Millis),
                ("_us", Unit::Micros),
                ("_ns", Unit::Nanos),
            ] {
                let found = OURS.iter().find(|row| row.name == format!("{span}{suffix}"));
                assert_eq!(found.map(|row| row.meaning.unit), Some(unit), "{span}{suffix}");
            }
        }
    }
}
