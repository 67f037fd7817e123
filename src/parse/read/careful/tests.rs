//! No line costs more than its bytes, in any kind of format: what hostile lines make the reader look at is counted.

use crate::bytes::work::scanned_by;
use crate::parse::Format;
use crate::parse::compile::field::Kind;
use crate::parse::compile::presets::PRESETS;
use crate::parse::read::retry::Budget;
use crate::parse::read::spans::Spans;
use crate::parse::{Body, Slot};
use proptest::prelude::*;

/// Formats besides the presets: lists between commas, values that touch, blanks and quotes as the only separators.
const FORMATS: [&str; 16] = [
    "$remote_addr,$http_user_agent,$upstream_addr,$upstream_response_time,$status",
    "$upstream_addr,$upstream_status,$upstream_response_time,$request_time,$status,$http_user_agent,$http_referer",
    "$http_user_agent $upstream_addr : $upstream_response_time $http_x $status",
    "$upstream_response_time, $upstream_connect_time, $upstream_header_time, $status",
    "$http_user_agent$upstream_response_time$status$http_x $request_time",
    "$http_a$status \"$http_b\"",
    "$scheme://$host$request_uri $status",
    "escape=none \"$request\" \"$http_referer\" \"$http_user_agent\" $status \"$http_x\" $request_time",
    "escape=json {\"status\":$status,\"uri\":\"$uri\",\"agent\":\"$http_user_agent\",\"time\":$request_time}",
    "%h,%u,%t,%>s,%{Referer}i,%{User-Agent}i,%b",
    "%U%q %>s %u %b",
    "%U%q|%{Referer}i|%{User-Agent}i|%u|%>s",
    "%v:%p %V:%{local}p %u [%t] %s",
    "%{a}i%{b}i%{c}i%>s%{d}i",
    "\"%{a}i\" \"%{b}i\" \"%{c}i\" \"%{d}i\" %>s",
    "%{a}i %{b}i %{c}i %{d}i %>s %{e}i %b",
];

/// What strangers repeat to make a reader look again and again.
const HOSTILE: [&str; 23] = [
    "a,",
    "1,",
    "1, ",
    "1 : ",
    "- : ",
    "1",
    "1.",
    "1.5 ",
    "\"",
    "\" ",
    "\" \"",
    "\\",
    "\\\"",
    " ",
    "  [",
    "a ",
    ":",
    "/?",
    "://",
    "[05/Mar/2031:04:05:06 +0100] ",
    "\",\"a\":\"",
    "[[",
    "{\"a\":[",
];

fn usual(slot: &Slot) -> &'static str {
    match slot.kind {
        Kind::Integer | Kind::Decimal | Kind::Decimals => "200",
        Kind::Time(_) => "05/Mar/2031:04:05:06 +0100",
        Kind::Path => "/a",
        Kind::SyslogHeader => "",
        _ => "a",
    }
}

/// A line of the format, with this text in the place of one value; or, without a place, of all the line.
fn line(format: &Format, place: usize, text: &str, ends_well: bool) -> Vec<u8> {
    let Body::Text(steps) = &format.body else {
        return format!("{{\"{text}\":\"{text}\",\"a\":{text}}}").into_bytes();
    };
    let mut line = steps.literal(0).to_vec();
    for (index, slot) in format.fields.slots.iter().enumerate() {
        line.extend(if index == place { text } else { usual(slot) }.as_bytes());
        line.extend(steps.literal(index + 1));
    }
    if !ends_well {
        line.extend(b"\x01");
    }
    line.truncate(super::super::spans::Span::NONE.start as usize);
    line
}

/// Every byte a few times, and the retries: a search that stops at every byte to look at its literal counts for twice
/// what it is paid for.
fn allowed(bytes: usize) -> u64 {
    (400 * bytes + 2 * Budget::of_line(bytes).left()) as u64
}

fn scanned(format: &Format, line: &[u8]) -> u64 {
    let mut spans = Spans::new();
    scanned_by(|| {
        let _ = format.parse(line, &mut spans);
    })
}

/// What every single field of every format costs when it is all of one hostile thing.
#[test]
fn a_hostile_value_costs_no_more_than_its_bytes() {
    let mut dear = Vec::new();
    for spec in FORMATS.into_iter().chain(PRESETS.iter().map(|preset| preset.name)) {
        let format = Format::compile(spec).unwrap();
        for hostile in HOSTILE {
            let text = hostile.repeat(512 / hostile.len());
            for place in 0..format.fields.slots.len() {
                let line = line(&format, place, &text, false);
                let scanned = scanned(&format, &line);
                if scanned > allowed(line.len()) {
                    dear.push(format!("{spec}: {hostile:?} at {place}: {scanned} of {}", line.len()));
                }
            }
        }
    }
    assert!(dear.is_empty(), "{} dear\n{}", dear.len(), dear.join("\n"));
}

/// Values of 64 KiB in which a search stops at every second byte, and in vain.
#[test]
fn what_a_search_stops_at_is_paid_for() {
    for (spec, place, hostile) in [
        ("%V %h \"%r\" %>s %B %{ms}T %X", 0, "\" \""),
        ("combined", 2, "\" \""),
        ("combined", 2, " [ \""),
        ("%h,%u,%t,%>s,%{Referer}i,%{User-Agent}i,%b", 1, ",\","),
        // A list of words that ends at once, looked for again and again.
        ("$remote_addr,$upstream_addr,$status,$request", 1, "\","),
        ("$http_user_agent\t$upstream_addr\t$status\t$request", 0, "\t"),
        ("$http_user_agent|$upstream_addr|$status|$request", 0, "|\""),
        ("{\"a\":$http_user_agent,\"b\":$upstream_addr,\"c\":$status}", 0, ",\"b\":"),
        ("$host $http_x $request $status $http_user_agent $upstream_response_time $request_time", 1, " "),
        ("$host $http_x $request $status $http_user_agent $upstream_response_time $request_time", 4, " "),
    ] {
        let format = Format::compile(spec).unwrap();
        let line = line(&format, place, &hostile.repeat(65_536 / hostile.len()), false);
        let scanned = scanned(&format, &line);
        // A stop takes as long as the scan of sixteen bytes.
        assert!(scanned < Budget::of_line(line.len()).left() as u64 / 2, "{spec} {hostile}: {scanned}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn no_mixture_costs_more_than_the_budget(
        which in 0..FORMATS.len() + PRESETS.len(),
        parts in prop::collection::vec((0..HOSTILE.len(), 1usize..60), 1..5),
        size in 1usize..16_384, place in 0usize..12, ends_well: bool,
    ) {
        let spec = FORMATS.get(which).copied().unwrap_or_else(|| PRESETS[which - FORMATS.len()].name);
        let format = Format::compile(spec).unwrap();
        let piece: String = parts.iter().map(|&(what, times)| HOSTILE[what].repeat(times)).collect();
        let text = piece.repeat(size / piece.len() + 1);
        let line = line(&format, place % format.fields.slots.len(), &text, ends_well);
        let scanned = scanned(&format, &line);
        prop_assert!(scanned <= allowed(line.len()), "{}: {} of {} bytes", spec, scanned, line.len());
    }
}

/// What is read of a line does not depend on how long a value a stranger sends.
#[test]
fn long_hostile_values_are_read() {
    for (spec, place, hostile) in [
        ("$remote_addr,$http_user_agent,$upstream_addr,$upstream_response_time,$status", 1, "a,"),
        ("$remote_addr,$http_user_agent,$status", 1, "1,"),
        ("combined", 2, "\" ["),
        ("combined", 4, "\"x"),
        ("combined", 7, "\\\""),
        ("%h,%u,%t,%>s,%{Referer}i,%{User-Agent}i,%b", 5, "a,"),
    ] {
        let format = Format::compile(spec).unwrap();
        let line = line(&format, place, &hostile.repeat(8_192 / hostile.len()), true);
        assert!(format.parse(&line, &mut Spans::new()).is_ok(), "{spec} {hostile}");
    }
}
