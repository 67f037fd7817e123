//! Tests of the room as a whole: formats in, lines in, values out.

mod languages;

use super::*;
use crate::parse::compile::field::Trust;
use crate::parse::detect::detect;
use proptest::prelude::*;

const COMBINED: &str = "combined";
const TIME: &str = "[05/Mar/2031:04:05:06 +0100]";

/// What a line says by a format, in one string; or the reason and column of a malformed one.
fn read(spec: &str, line: &[u8]) -> String {
    said(Format::compile(spec).unwrap().parse(line, &mut Spans::new()))
}

pub fn said(read: Result<Record<'_, '_>, NoRecord>) -> String {
    let record = match read {
        Ok(record) => record,
        Err(NoRecord::Foreign) => return "foreign".to_owned(),
        Err(NoRecord::Malformed(malformed)) => {
            return format!("{}@{}", malformed.reason.as_str(), malformed.column);
        }
    };
    let request = record.request();
    let mut words = vec![format!("{:?}", request.kind)];
    let mut add =
        |name: &str, value: Option<String>| words.extend(value.map(|value| format!("{name}={value}")));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    add("method", Some(text(request.method)).filter(|method| !method.is_empty()));
    add("path", request.path().map(text));
    add("protocol", request.protocol.map(text));
    add("status", record.status().map(|n| n.to_string()));
    add("vhost", record.vhost().map(text));
    add("sent", record.bytes_sent().map(|n| n.to_string()));
    add("received", record.bytes_received().map(|n| n.to_string()));
    add("duration", record.duration_nanos().map(|n| n.to_string()));
    add("first", record.time_to_first_byte_nanos().map(|n| n.to_string()));
    add("upstream", record.upstream_nanos().map(|n| n.to_string()));
    add("time", record.unix_time_nanos().map(|n| n.to_string()));
    add("aborted", record.aborted(record.status()).then(|| "yes".to_owned()));
    words.join(" ")
}

/// A combined line with this user, request, status and the rest.
fn combined(user: &str, request: &str, rest: &str) -> Vec<u8> {
    format!("192.0.2.7 - {user} {TIME} \"{request}\" {rest}").into_bytes()
}

/// The value of one field of a line.
fn value(spec: &str, field: &str, line: &[u8]) -> Option<String> {
    let mut format = Format::compile(spec).unwrap();
    let field = format.field(field).unwrap();
    format.need(&[], &[field]);
    let mut spans = Spans::new();
    let record = format.parse(line, &mut spans).unwrap();
    record
        .value(field, &record.request(), &mut Vec::new())
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

#[test]
fn a_whole_line() {
    let line = combined("-", "GET /a?b=c HTTP/1.1", r#"200 17 "-" "curl/9""#);
    let want = "Http method=GET path=/a protocol=HTTP/1.1 status=200 sent=17 time=1930446306000000000";
    assert_eq!(read(COMBINED, &line), want);
    let with_return: Vec<u8> = [&line[..], b"\r"].concat();
    assert_eq!(read(COMBINED, &with_return), want);
}

#[test]
fn user_names_are_a_strangers_words() {
    for user in [
        "a b",
        "\"\"",
        r#"q\"uo\\te"#,
        "x [01/Jan/2020 [",
        "x [05/Mar/2031:04:05:0",
        " lead",
        "- - -",
        "[",
        "a\" b",
    ] {
        let line = combined(user, "GET / HTTP/1.1", r#"401 - "-" "x""#);
        assert!(
            read(COMBINED, &line).starts_with("Http method=GET path=/ protocol=HTTP/1.1 status=401 time"),
            "{user}"
        );
        let want =
            if user == "\"\"" { String::new() } else { user.replace(r#"\""#, "\"").replace(r"\\", r"\") };
        let got = value(COMBINED, "%u", &line).unwrap();
        assert_eq!(got, want, "{user}");
    }
    let quoted = format!(r#"192.0.2.7 """" {TIME} "GET / HTTP/1.1" 200"#);
    assert_eq!(value(r#"%h "%u" %t "%r" %>s"#, "%u", quoted.as_bytes()), Some(String::new()));
}

#[test]
fn invalid_requests_fit_their_format() {
    for (request, rest, want) in [
        ("-", r#"408 - "-" "-""#, "Timeout status=408"),
        ("", r#"408 - "-" "-""#, "Timeout status=408"),
        ("-", r#"400 0 "-" "-""#, "Empty status=400"),
        ("", r#"400 226 "-" "-""#, "Empty status=400"),
        (r"\x16\x03\x01\x02", r#"400 226 "-" "-""#, "Tls status=400"),
        (r"\n", r#"400 226 "-" "-""#, "Malformed status=400"),
        (r#"\x03\"\\"#, r#"400 226 "-" "-""#, "Malformed status=400"),
        ("GET /", r#"200 6 "-" "-""#, "Http method=GET path=/ status=200"),
        (r#"GET /a\" 200 5 \"x\" HTTP/1.0"#, r#"404 1 "-" "-""#, "Http method=GET"),
    ] {
        let got = read(COMBINED, &combined("-", request, rest));
        let (kind, rest) = want.split_once(' ').unwrap();
        assert!(got.starts_with(kind) && got.contains(rest), "{request}: {got}");
    }
}

#[test]
fn quotes_inside_quoted_fields() {
    for (rest, agent) in [
        (r#"200 1 "-" "a \"b\" c""#, Some("a \"b\" c")),
        (r#"200 1 "-" "Tab 10\" Build""#, Some("Tab 10\" Build")),
        (r#"200 1 "-" "Tab 10" Build""#, Some("Tab 10\" Build")),
        (r#"200 1 "-" "say "hello" twice""#, Some("say \"hello\" twice")),
        (r#"200 1 "-" "ends in \\""#, Some("ends in \\")),
        (r#"200 1 "-" """#, Some("")),
        (r#"200 1 "-" "-""#, None),
    ] {
        let line = combined("-", "GET / HTTP/1.1", rest);
        assert_eq!(value(COMBINED, "%{User-Agent}i", &line).as_deref(), agent, "{rest}");
    }
    // More fields than the format has are no quotes in the last one.
    for rest in [r#"200 1 "-" "ua" "xff""#, r#"200 1 "-" "ua" rt=0.1 urt="-""#, r#"200 1 "-" "ua" "a" "b""#] {
        let got = read(COMBINED, &combined("-", "GET / HTTP/1.1", rest));
        assert!(got.starts_with("trailing@"), "{rest}: {got}");
    }
}

#[test]
fn numbers_and_their_absence() {
    for (format, line, want) in [
        ("%>s %b %B", "200 - 7", "status=200 sent=7"),
        ("%>s %b %O", "200 - 291", "status=200"),
        ("%>s %O", "200 291", "status=200 sent=291"),
        ("%<s %s %>s", "201 202 203", "status=203"),
        ("%s", "000", "status=0"),
        ("%s", "99", "status=99"),
        ("%s", "601", "status=601"),
        ("%s", "-", ""),
        ("%T %{ms}T", "1 1042", "duration=1042000000"),
        ("%D %T", "-5 0", "duration=0"),
        ("%>s %^FB %I", "200 1500 80", "status=200 received=80 first=1500000"),
        ("%>s %X", "200 X", "status=200 aborted=yes"),
        ("%>s %X", "200 -", "status=200"),
        ("%{usec}t %>s", "1930446306000001 200", "status=200 time=1930446306000001000"),
        ("$msec $status", "1930446306.250 499", "status=499 time=1930446306250000000 aborted=yes"),
        (
            "$status $request_time $upstream_response_time",
            "200 0.250 0.004, 0.012 : -",
            "status=200 duration=250000000 upstream=16000000",
        ),
        ("$upstream_response_time $status", "0.004, 0.012 200", "status=200 upstream=16000000"),
        (
            "$upstream_addr $upstream_connect_time $status",
            "10.0.0.1:80, unix:/s : 10.0.0.2:80 0.001, - : 0.002 200",
            "status=200",
        ),
        ("$status u=\"$upstream_header_time\"", "200 u=\"-, 0.5\"", "status=200 first=500000000"),
        (
            "escape=json {\"s\":\"$status\",\"u\":\"$upstream_response_time\"}",
            "{\"s\":\"200\",\"u\":\"\"}",
            "status=200",
        ),
    ] {
        let got = read(format, line.as_bytes());
        let shown = got.split_once(' ').map_or("", |(_, rest)| rest);
        assert_eq!(shown, want, "{format}: {line}: {got}");
    }
}

#[test]
fn hosts_with_colons() {
    for (line, host) in [("a.example:443 200", "a.example"), ("::1:80 200", "::1"), ("[::1]:80 200", "[::1]")]
    {
        assert!(read("%v:%p %>s", line.as_bytes()).ends_with(&format!("vhost={host}")), "{line}");
    }
    assert_eq!(read("%v:%p %>s", b"a.example 200"), "literal@10");
}

#[test]
fn values_that_touch() {
    assert_eq!(value("%U%q %>s", "%q", b"/a?b=c 200").as_deref(), Some("?b=c"));
    assert_eq!(value("%U%q %>s", "%U", b"/a 200").as_deref(), Some("/a"));
    let format = "$scheme://$host$request_uri $status";
    assert_eq!(read(format, b"https://h.example/x?y 200"), "Empty path=/x status=200 vhost=h.example");
}

#[test]
fn a_key_of_too_many_parts_is_refused_with_its_column() {
    let key = ["k"; 65].join(".");
    let error = Format::compile(&format!("json:s=$status,{key}=%b")).unwrap_err();
    assert_eq!((error.column, error.to_string().contains("more than 64 parts")), (16, true), "{error}");
    assert!(Format::compile("json:s=$status").unwrap().field(&key).is_err());
    assert!(Format::compile(&format!("json:{}=%s", &key[2..])).is_ok());
}

#[test]
fn values_that_may_be_nothing_or_hold_blanks() {
    for (format, line, want) in [
        ("%>s|%U%q|%b", "200|/a?b=c|5", "path=/a status=200 sent=5"),
        ("%>s|%U%q|%b", "200|/a|5", "path=/a status=200 sent=5"),
        ("%U%q", "/a?b", "path=/a"),
        ("%V %>s %b", " 200 5", "status=200 sent=5"),
        ("%V %>s %b", "a b 200 5", "status=200 vhost=a b sent=5"),
        ("%V:%p %>s", ":80 200", "status=200"),
        ("%m %H %>s", "GET b HTTP/1.0 200", "method=GET protocol=b HTTP/1.0 status=200"),
        ("$status|$server_protocol|$server_name", "400||", "status=400"),
        ("$server_name $host $status $body_bytes_sent", "  400 5", "status=400 sent=5"),
        ("$remote_addr:$remote_port $status", "unix:: 200", "status=200"),
        ("'%h' '%b' %>s", "'192.0.2.1' '5' 200", "status=200 sent=5"),
    ] {
        let got = read(format, line.as_bytes());
        assert_eq!(got.split_once(' ').map_or("", |(_, rest)| rest), want, "{format}: {line}: {got}");
    }
}

#[test]
fn literals_count_to_the_last_blank() {
    assert_eq!(read("%>s ", b"200 "), "Empty status=200");
    assert_eq!(read("%>s ", b"200"), "truncated@4");
    assert_eq!(read("%>s", b"200 "), "trailing@4");
    assert_eq!(
        read("\"%h \"%r\" %>s\"", b"\"h \"GET / HTTP/1.1\" 200\""),
        "Http method=GET path=/ protocol=HTTP/1.1 status=200"
    );
}

#[test]
fn times_that_are_read_and_times_that_are_not() {
    for (format, line, time) in [
        ("%{%FT%T%z}t %>s", "2031-03-05T04:05:06+0100 200", true),
        ("%{begin:[%d/%b/%Y:%T %z]}t %>s", "[05/Mar/2031:04:05:06 +0100] 200", true),
        ("%{%d/%b/%Y %T}t.%{msec_frac}t %>s", "05/Mar/2031 04:05:06.123 200", false),
        ("%t %>s", "[-] 200", false),
        ("$time_iso8601 $status", "2031-03-05T03:05:06Z 200", true),
    ] {
        let got = read(format, line.as_bytes());
        assert_eq!(got.contains("time=1930446306000000000"), time, "{format}: {got}");
        assert!(got.contains("status=200"), "{format}: {got}");
    }
}

#[test]
fn json_lines() {
    let caddy = concat!(
        r#"web | {"level":"info","ts":1930446306.5,"request":{"method":"GET","uri":"/a?b","#,
        r#""proto":"HTTP/2.0","host":"h.example:8443","headers":{"User-Agent":["x\u0041"]}},"#,
        r#""bytes_read":3,"duration":7.3e-05,"size":188,"status":200}"#,
    )
    .as_bytes();
    assert_eq!(
        read("caddy", caddy),
        "Http method=GET path=/a protocol=HTTP/2.0 status=200 vhost=h.example:8443 \
         sent=188 received=3 duration=73000 time=1930446306500000000"
    );
    assert_eq!(value("caddy", "request.headers.User-Agent", caddy).as_deref(), Some("xA"));
    assert_eq!(value("caddy", "path", caddy).as_deref(), Some("/a"));
    assert_eq!(read("caddy", br#"{"level":"info","msg":"started"}"#), "foreign");
    assert_eq!(read("caddy", br#"{"level":"info"}"#), "missing@17");
    assert_eq!(read("caddy", b"started"), "json@1");
    let traefik = concat!(
        r#"{"DownstreamStatus":"502","Duration":1500,"OriginDuration":1000,"RequestMethod":"PUT","#,
        r#""RequestPath":"/","RequestProtocol":"HTTP/1.1","StartUTC":"2031-03-05T03:05:06.5Z"}"#,
    )
    .as_bytes();
    assert_eq!(
        read("traefik-json", traefik),
        "Http method=PUT path=/ protocol=HTTP/1.1 status=502 duration=1500 \
         upstream=1000 time=1930446306500000000"
    );
    let map = "json:code=$status,http.took=%D,http.size=%b";
    assert_eq!(
        read(map, br#"{"code":200,"http":{"took":12,"size":"-"}}"#),
        "Empty status=200 duration=12000"
    );
    assert_eq!(read(map, br#"{"code":200,"http.took":12}"#), "Empty status=200 duration=12000");
}

#[test]
fn traefik_in_text() {
    let line = format!(
        r#"192.0.2.7 - - {TIME} "GET / HTTP/2.0" 200 44 "-" "x" 1 "my router" "http://10.0.0.1" 123ms"#
    );
    assert!(read("traefik", line.as_bytes()).contains("status=200 sent=44 duration=123000000"));
    let bare = format!(r#"192.0.2.7 - - {TIME} "GET / HTTP/2.0" - - "-" "-" 0 "-" - 0ms"#);
    assert!(read("traefik", bare.as_bytes()).contains("protocol=HTTP/2.0 duration=0"));
}

#[test]
fn haproxy_with_and_without_captures() {
    let line =
        "192.0.2.7:5 [05/Mar/2031:04:05:06.789] web~ pool/s1 0/0/1/9/+20 200 1015 - - ---- 8/8/0/0/0 0/0 ";
    let want = "Http method=GET path=/a protocol=HTTP/1.1 status=200 vhost=pool sent=1015 duration=20000000 \
                upstream=9000000";
    for captured in ["", "{h.example|} {} "] {
        let line = format!("{line}{captured}\"GET /a HTTP/1.1\"");
        assert_eq!(read("haproxy", line.as_bytes()), want, "{line}");
    }
    assert!(read("haproxy", format!("{line}\"<BADREQ>\"").as_bytes()).starts_with("Malformed status=200"));
}

#[test]
fn parts_of_the_request_as_fields() {
    let line = combined("-", r"GET http://h.example/a\xe9?q=1+%32&r#x HTTP/1.1", r#"200 1 "-" "-""#);
    for (field, want) in [
        ("method", Some("GET")),
        ("protocol", Some("HTTP/1.1")),
        ("scheme", Some("http")),
        ("query:q", Some("1 2")),
        ("query:nowhere", None),
        ("%s", Some("200")),
        ("%{referer}i", None),
        ("%h", Some("192.0.2.7")),
    ] {
        assert_eq!(value(COMBINED, field, &line).as_deref(), want, "{field}");
    }
    let mut format = Format::compile(COMBINED).unwrap();
    let error = format.field("%U").unwrap_err();
    assert!(error.starts_with("the format has no %U; it has %h %l %u"), "{error}");
}

#[test]
fn what_nobody_needs_is_not_read() {
    let line =
        br#"{"status":200,"size":7,"duration":0.5,"request":{"method":"GET","host":"h"},"user_id":"u"}"#;
    let mut format = Format::compile("caddy").unwrap();
    let user = format.field("user_id").unwrap();
    format.need(&[Role::Method, Role::Duration], &[user]);
    let mut spans = Spans::new();
    let record = format.parse(line, &mut spans).unwrap();
    assert_eq!(
        (record.status(), record.request().method, record.duration_nanos()),
        (Some(200), &b"GET"[..], Some(500_000_000))
    );
    assert_eq!((record.bytes_sent(), record.vhost()), (None, None));
    assert_eq!(record.value(user, &record.request(), &mut Vec::new()), Some(&b"u"[..]));
}

#[test]
fn of_the_keys_that_mean_the_same_the_best_that_is_there_counts() {
    let mut format = Format::compile("json").unwrap();
    format.need(&Role::ALL, &[]);
    let read = |line: &str| {
        let mut spans = Spans::new();
        let record = format.parse(line.as_bytes(), &mut spans).unwrap();
        let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
        (text(record.vhost()), text(record.request().path()), record.bytes_sent(), record.unix_time_nanos())
    };
    let s = |text: &str| text.to_owned();
    let second = Some(1_500_000_000);
    assert_eq!(
        read(r#"{"status":200,"host":"b","bytes_sent":7,"uri":"/u","msec":"1.500"}"#),
        (s("b"), s("/u"), Some(7), second)
    );
    assert_eq!(
        read(r#"{"status":200,"server_name":"","http_host":"c","time_iso8601":"1970-01-01T00:00:01.5Z"}"#),
        (s("c"), s(""), None, second)
    );
    assert_eq!(
        read(r#"{"status":200,"server_name":"a","host":"b","body_bytes_sent":0,"bytes_sent":9}"#),
        (s("a"), s(""), Some(0), None)
    );
    let coarse = Format::compile("json:s=%>s,us=%D,sec=%T").unwrap();
    let mut spans = Spans::new();
    let record = coarse.parse(br#"{"s":200,"us":"-","sec":2}"#, &mut spans).unwrap();
    assert_eq!(record.duration_nanos(), Some(2_000_000_000));
    assert_eq!(format.fields.trust_of_vhost(), Some(Trust::Client));
}

#[test]
fn times_in_pieces_and_times_of_some_statuses() {
    for (format, line) in [
        ("%{%FT%T}t.%{msec_frac}t%{%z}t %h %>s", "2020-10-10T13:55:36.123+0200 h 200"),
        ("[%{%d/%b/%Y %T}t.%{usec_frac}t %{%z}t] %h %u %>s", "[10/Oct/2020 13:55:36.123456 +0200] h u 200"),
        ("%{%d/%b/%Y %T}t %h %u %>s", "10/Oct/2020 13:55:36 h a b 200"),
        ("%200t %h %>s", "- h 404"),
        ("%200t %h %>s", "[10/Oct/2020:13:55:36 +0200] h 200"),
    ] {
        let mut format = Format::compile(format).unwrap();
        let host = format.field("%h").unwrap();
        let mut spans = Spans::new();
        let record = format.parse(line.as_bytes(), &mut spans).unwrap();
        assert_eq!(record.value(host, &record.request(), &mut Vec::new()), Some(&b"h"[..]), "{line}");
    }
}

#[test]
fn sources_and_trust() {
    let format = Format::compile("vhost_combined_D").unwrap();
    assert_eq!(format.name(), "vhost_combined_D");
    assert_eq!(format.fields.source_of(Role::Duration), Some("%D"));
    assert_eq!(format.fields.source_of(Role::Method), Some("%r"));
    assert_eq!(format.fields.source_of(Role::UpstreamDuration), None);
    assert_eq!(format.fields.trust_of_vhost(), Some(Trust::Server));
    assert_eq!(
        Format::compile("$http_host $host $status").unwrap().fields.source_of(Role::Vhost),
        Some("$host")
    );
    assert_eq!(Format::compile("$host $server_name").unwrap().fields.trust_of_vhost(), Some(Trust::Server));
    assert_eq!(Format::compile("caddy").unwrap().fields.trust_of_vhost(), Some(Trust::Client));
    assert_eq!(Format::compile(COMBINED).unwrap().fields.trust_of_vhost(), None);
    assert_eq!(Format::compile("%h %>s").unwrap().name(), "apache");
}

#[test]
fn formats_that_are_none() {
    for (spec, column) in [
        ("combind", 1),
        ("%%h", 1),
        ("json:status", 6),
        ("json:a=$status,b=c", 16),
        ("json:a=%z", 8),
        ("", 1),
    ] {
        let error = Format::compile(spec).unwrap_err();
        assert_eq!(error.column, column, "{spec}: {error}");
    }
    let error = Format::compile("json:a=$status, b=%z").unwrap_err();
    assert_eq!((error.column, error.to_string().as_str()), (19, "unknown directive %z at column 19"));
}

#[test]
fn every_preset_compiles_and_the_lines_choose_among_them() {
    for preset in PRESETS {
        assert_eq!(Format::compile(preset.name).unwrap().name(), preset.name);
    }
    let base = format!(r#"h - - {TIME} "GET / HTTP/1.1" 200 17"#);
    for (line, want) in [
        (base.clone(), Some("common")),
        (format!(r#"{base} "-" "x""#), Some("combined")),
        (format!(r#"v:80 {base} "-" "x""#), Some("vhost_combined")),
        (format!(r#"{base} "-" "x" 12"#), Some("combined_D")),
        (format!(r#"{base} "-" "x" 12 34"#), Some("combinedio")),
        (format!(r#"{base} "-" "x" "-""#), Some("nginx_main")),
        (format!(r#"{} "-" "x""#, base.replace("h -", "h host.example")), Some("lighttpd")),
        (r#"{"status":200,"request_method":"GET"}"#.to_owned(), Some("json")),
        (r#"{"status":200,"request":{"method":"GET"}}"#.to_owned(), Some("caddy")),
        (r#"{"status":200}"#.to_owned(), None),
        ("hello".to_owned(), None),
        (format!(r#"Oct 10 13:55:36 web nginx: {base} "-" "x""#), None),
    ] {
        assert_eq!(detect(&[line.as_bytes()]).map(|found| found.preset.name), want, "{line}");
    }
}

/// Bytes as Apache writes them into a field.
fn escaped(bytes: &[u8]) -> String {
    let shown = |&c: &u8| match c {
        b'"' | b'\\' => format!("\\{}", char::from(c)),
        b'\n' => "\\n".to_owned(),
        0x20..=0x7e => char::from(c).to_string(),
        _ => format!("\\x{c:02x}"),
    };
    bytes.iter().map(shown).collect()
}

fn any_bytes(max: usize) -> impl Strategy<Value = Vec<u8>> {
    let tricky = prop_oneof![Just(b'"'), Just(b' '), Just(b'\\'), Just(b'['), Just(b']'), Just(b'-')];
    proptest::collection::vec(prop_oneof![any::<u8>(), tricky], 0..max)
}

#[test]
fn values_that_touch_are_told_apart_by_what_a_path_begins_with() {
    for (spec, line, vhost, path) in [
        ("%v%U%q %>s", "shop.example/cart 200", Some("shop.example"), Some("/cart")),
        ("https://%{Host}i%U%q %>s", "https://shop.example/a?b=c 200", Some("shop.example"), Some("/a")),
        ("%m %H://%V%U%q %>s", "OPTIONS HTTP/1.1://shop-a.example* 200", Some("shop-a.example"), Some("*")),
        ("%v%U %>s", "shop.example- 400", Some("shop.example"), None),
        (
            "$scheme://$host$request_uri $status",
            "http://shop.example/a-/* 200",
            Some("shop.example"),
            Some("/a-/*"),
        ),
        ("$scheme://$host$request_uri $status", "http://shop.example- 400", Some("shop.example"), None),
        (
            "$scheme://$host$request_uri $status",
            "http://shop.example?q=1 200",
            Some("shop.example"),
            Some(""),
        ),
        ("$host$uri $status", "_ 400", Some("_"), None),
    ] {
        let format = Format::compile(spec).unwrap();
        let mut spans = Spans::new();
        let record = format.parse(line.as_bytes(), &mut spans).unwrap_or_else(|e| panic!("{line}: {e:?}"));
        let text = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        assert_eq!(text(record.vhost()).as_deref(), vhost, "{line}");
        assert_eq!(text(record.request().path()).as_deref(), path, "{line}");
    }
}

#[test]
fn lists_of_upstreams_end_before_what_the_format_puts_behind_them() {
    for (spec, line, upstream, seconds) in [
        ("[$upstream_addr] $status $request_time", "[10.0.0.1:80] 200 1.5", "10.0.0.1:80", "1.5"),
        (
            "[$upstream_addr] $status $request_time",
            "[[::1]:80, unix:/s : -] 200 1.5",
            "[::1]:80, unix:/s : -",
            "1.5",
        ),
        ("<$upstream_addr> {$upstream_response_length} $status", "<a:1, b:2> {5, 6} 200", "a:1, b:2", ""),
        ("$upstream_addr|$upstream_status|$status|$request_time", "a:1|200|200|0.5", "a:1", "0.5"),
        ("$status;$upstream_addr;$request_time", "200;a:1, b:2;0.2", "a:1, b:2", "0.2"),
        ("$status,$upstream_response_time,$upstream_addr,$request_time", "200,-,a:1,0.2", "a:1", "0.2"),
        ("$status ua=$upstream_addr, rt=$request_time", "200 ua=a:1, b:2, rt=0.2", "a:1, b:2", "0.2"),
        (
            "$status $upstream_response_time : $upstream_addr : $request_time",
            "200 0.1 : a:1 : 0.2",
            "a:1",
            "0.2",
        ),
        ("$upstream_addr $request_time $status", "a:1, b:2 : c:3 0.1 200", "a:1, b:2 : c:3", "0.1"),
        ("\"$upstream_addr\" $status", "\"unix:/run/php fpm.sock\" 200", "unix:/run/php fpm.sock", ""),
        ("\"$upstream_addr\" $status", "\"\" 200", "", ""),
        (
            "escape=json {\"a\":\"$upstream_addr\",\"s\":$upstream_status,\"c\":$status}",
            r#"{"a":"a:1","s":200,"c":200}"#,
            "a:1",
            "",
        ),
    ] {
        assert_eq!(value(spec, "$upstream_addr", line.as_bytes()).as_deref(), Some(upstream), "{line}");
        let format = Format::compile(spec).unwrap();
        let mut spans = Spans::new();
        let record = format.parse(line.as_bytes(), &mut spans).unwrap();
        let nanos =
            seconds.parse().ok().map(|seconds| std::time::Duration::from_secs_f64(seconds).as_nanos());
        assert_eq!((record.status(), record.duration_nanos().map(u128::from)), (Some(200), nanos), "{line}");
    }
}

#[test]
fn what_a_client_sends_for_its_length_is_text() {
    assert_eq!(value("$content_length $status", "$content_length", b"a b 400").as_deref(), Some("a b"));
}

#[test]
fn tabs_are_written_as_in_nginx_conf() {
    for spec in
        [r"'$remote_addr\t$status'", r#"log_format t "$remote_addr\t$status";"#, r"$remote_addr\t$status"]
    {
        assert_eq!(value(spec, "$status", b"192.0.2.1\t404").as_deref(), Some("404"), "{spec}");
    }
}

#[test]
fn a_name_made_of_what_ends_a_name_is_read_and_the_longest_line_is_given_up() {
    for pieces in [1, 65, 2_500] {
        let line = combined(&"x [".repeat(pieces), "GET / HTTP/1.1", r#"401 5 "-" "-""#);
        assert!(
            Format::compile("combined").unwrap().parse(&line, &mut Spans::new()).is_ok(),
            "{pieces} pieces"
        );
    }
    let endless = combined(&"x [".repeat(300_000), "GET / HTTP/1.1", "");
    assert!(Format::compile("combined").unwrap().parse(&endless, &mut Spans::new()).is_err());
}

proptest! {
    #[test]
    fn what_is_written_by_a_format_is_read_back(
        user in any_bytes(12), request in any_bytes(30), referer in any_bytes(20), agent in any_bytes(20),
        status in 100u16..600, sent in any::<u32>(), micros in any::<u32>(),
    ) {
        // Basic authentication cuts the user at the colon, so no whole time stamp can be in it.
        let user: Vec<u8> = user.into_iter().filter(|&c| c != b':').collect();
        let logged = if user.is_empty() { "\"\"".to_owned() } else { escaped(&user) };
        let line = format!(
            "h:80 192.0.2.7 - {logged} {TIME} \"{}\" {status} {sent} \"{}\" \"{}\" {micros}",
            escaped(&request), escaped(&referer), escaped(&agent),
        );
        let mut format = Format::compile("vhost_combined_D").unwrap();
        let fields: Vec<FieldRef> =
            ["%u", "%r", "%{Referer}i", "%{User-Agent}i"].map(|name| format.field(name).unwrap()).to_vec();
        let mut spans = Spans::new();
        let record = format.parse(line.as_bytes(), &mut spans).unwrap();
        prop_assert_eq!(record.status(), Some(status));
        prop_assert_eq!(record.bytes_sent(), Some(u64::from(sent)));
        prop_assert_eq!(record.duration_nanos(), Some(u64::from(micros) * 1000));
        for (field, want) in fields.iter().zip([&user, &request, &referer, &agent]) {
            let mut scratch = Vec::new();
            let got = record.value(*field, &record.request(), &mut scratch);
            prop_assert_eq!(got, Some(want.as_slice()).filter(|want| *want != b"-"));
        }
    }

    #[test]
    fn no_bytes_make_a_format_panic(line in any_bytes(120), cut in 0usize..200) {
        let whole = combined("-", "GET / HTTP/1.1", r#"200 1 "-" "x""#);
        let half = [&whole[..cut.min(whole.len())], &line].concat();
        for preset in PRESETS {
            let format = Format::compile(preset.name).unwrap();
            let mut spans = Spans::new();
            for line in [&line, &half] {
                match format.parse(line, &mut spans) {
                    Ok(_) => {
                        for span in &spans.at {
                            prop_assert!(*span == Span::NONE || span.of(line).is_some());
                        }
                    }
                    Err(NoRecord::Foreign) => {}
                    Err(NoRecord::Malformed(malformed)) => prop_assert!(malformed.column <= line.len() + 1),
                }
                let _ = read(preset.name, line);
            }
        }
    }

    #[test]
    fn no_text_makes_the_compiler_panic(spec in "[%$ -~{}<>!,\\\\\"']{0,30}") {
        let _ = Format::compile(&spec).map_err(|error| error.to_string());
        let _ = Format::compile(&format!("json:{spec}"));
        if let Ok(mut format) = Format::compile("caddy") {
            let _ = format.field(&spec);
        }
    }
}

#[test]
fn a_hostile_line_costs_a_bounded_amount_of_work() {
    // Every ` [` and every quote is a place to go on from; without a bound this would take hours.
    let line = " [\" \" [".repeat(20_000);
    assert!(read("%u %t \"%r\" %>s \"%{a}i\" \"%{b}i\" x", line.as_bytes()).contains('@'));
}
