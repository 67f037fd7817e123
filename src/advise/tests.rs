//! Tests of the room as a whole: a format and a line in, what a person is told out.

use crate::advise::reading::explain;
use crate::parse::Format;
use crate::parse::compile::presets::PRESETS;
use proptest::prelude::*;

const TIME: &str = "[05/Mar/2031:04:05:06 +0100]";

#[test]
fn mismatches_name_the_place_and_what_was_expected() {
    let ok = r#""GET / HTTP/1.1" 200"#;
    for (spec, line, want) in [
        (
            "combined",
            format!("h - - {TIME} {ok} 17"),
            "expected \" \\\"\" at column 59 (before %{Referer}i), found the end of the line",
        ),
        (
            "common",
            format!("h - - {TIME} {ok} 17 \"-\" \"x\""),
            "expected the end of the line at column 59, found \" \"-\" \"x\"\"",
        ),
        (
            "common",
            format!("h  - - {TIME} {ok} 17"),
            "expected a word at column 3 (for %l), found \" - - [05/Mar/2031:04:05:06 +0100] \
             \"GET / HTTP/1.1\" 200 17\"",
        ),
        (
            "common",
            format!("h - - {TIME} \"GET / HTTP/1.1\"  200 17"),
            "expected digits or - at column 53 (for %>s), found \" 200 17\"",
        ),
        (
            "combined",
            format!("h - - {TIME} {ok} 17 - x"),
            "expected \"\\\"\" at column 60 (before %{Referer}i), found \"- x\"",
        ),
        (
            "combined",
            format!("h - - {TIME} {ok} 17 \"-\" \"cut off"),
            "expected \"\\\"\" at column 72, found the end of the line",
        ),
        ("%h %>s", "h x".to_owned(), "expected digits or - at column 3 (for %>s), found \"x\""),
        ("caddy", "{\"status\":200".to_owned(), "expected , or } at column 14, found the end of the line"),
    ] {
        let mismatch = explain(&Format::compile(spec).unwrap(), line.as_bytes()).unwrap_err();
        assert_eq!(mismatch.to_string(), want, "{line}");
    }
}

#[test]
fn readings_show_values_with_units() {
    let format = Format::compile("%h %r %>s %b %D").unwrap();
    let readings = explain(&format, b"h GET /x HTTP/1.1 200 17 1500").unwrap();
    let shown: Vec<String> = readings.iter().map(|r| format!("{}|{}|{}", r.name, r.raw, r.value)).collect();
    let want =
        ["%h|h|h", "%r|GET /x HTTP/1.1|GET /x HTTP/1.1", "%>s|200|200", "%b|17|17 bytes", "%D|1500|0.0015 s"];
    assert_eq!(shown, want);
}

#[test]
fn the_end_of_a_line_is_not_expected_and_missed_at_once() {
    let format = Format::compile("$host$request_uri $status").unwrap();
    let wrong = explain(&format, b"shop.example").unwrap_err().to_string();
    assert!(!wrong.contains("found the end of the line") || !wrong.contains("expected the end"), "{wrong}");
}

/// The columns in doubt.
fn doubted(format: &str, line: &str) -> Vec<usize> {
    let readings = explain(&Format::compile(format).unwrap(), line.as_bytes()).unwrap();
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
        ("%>s %T", "200 599", &[]),
        ("%>s %T", "200 123456", &[5]),
        ("%>s %{ms}T", "200 123456", &[]),
        ("%>s %D", "200 123456789", &[]),
        ("%v %h %>s", "192.0.2.9 192.0.2.1 200", &[]),
        ("%v %h %>s", "192.0.2.1 - 200", &[1, 11]),
        ("$server_name $remote_addr $status", "[2001:db8::1]:80 - 200", &[1, 18]),
        ("%v %>s", "192.0.2.9 200", &[]),
        ("json:s=$status,b=$body_bytes_sent", r#"{"s":304,"b":5}"#, &[]),
    ] {
        assert_eq!(doubted(format, line), columns, "{format} {line}");
    }
}

proptest! {
    #[test]
    fn any_line_is_explained(line in proptest::collection::vec(any::<u8>(), 0..120), cut in 0usize..200) {
        let whole = format!("h - - {TIME} \"GET / HTTP/1.1\" 200 1 \"-\" \"x\"");
        let half = [&whole.as_bytes()[..cut.min(whole.len())], &line].concat();
        for preset in PRESETS {
            let format = Format::compile(preset.name).unwrap();
            for line in [&line, &half] {
                let _ = explain(&format, line).map_err(|mismatch| mismatch.to_string());
            }
        }
    }
}
