//! Tests of the vocabulary and the languages: a format in each, a line as its server writes it, the values.

use super::said;
use crate::parse::Format;
use crate::parse::compile::language;
use crate::parse::compile::presets::PRESETS;
use crate::parse::read::spans::Spans;

fn read(spec: &str, line: &str) -> String {
    said(Format::compile(spec).unwrap().parse(line.as_bytes(), &mut Spans::new()))
}

#[test]
fn spans_of_time_in_every_unit() {
    for (field, value, nanos) in [
        ("$duration", "300.58ms", Some(300_580_000)),
        ("$duration", "29.304µs", Some(29_304)),
        ("$duration", "1m2.5s", Some(62_500_000_000)),
        ("$duration", "-", None),
        ("$duration_s", "1.505", Some(1_505_000_000)),
        ("$duration_ms", "112.4621", Some(112_462_100)),
        ("$duration_us", "301.4", Some(301_400)),
        ("$duration_ns", "37336", Some(37_336)),
        ("$duration_ms", "-1", None),
        // Of nginx and Apache a negative number is a clock that was set back.
        ("$request_time", "-1", Some(0)),
    ] {
        let want = nanos.map(|nanos: u64| format!(" duration={nanos}")).unwrap_or_default();
        assert_eq!(
            read(&format!("$status {field}"), &format!("200 {value}")),
            format!("Empty status=200{want}")
        );
        let json = format!(r#"{{"s":200,"d":"{value}"}}"#);
        assert_eq!(
            read(&format!("json:s=$status,d={field}"), &json),
            format!("Empty status=200{want}"),
            "{json}"
        );
    }
    assert_eq!(read("$status $duration", "200 17"), "value@5");
    assert_eq!(read("json:s=$status,d=$duration", r#"{"s":200,"d":17}"#), "Empty status=200");
    assert_eq!(
        read("$status $upstream_ms $ttfb", "200 3.5 2ms"),
        "Empty status=200 first=2000000 upstream=3500000"
    );
    assert_eq!(read("json:s=$status,u=$upstream_ms", r#"{"s":404,"u":-1}"#), "Empty status=404");
}

#[test]
fn the_parts_of_a_duration_are_added_if_all_are_there() {
    let spec = "$duration_part_s $upstream_s $duration_part_s $status";
    assert_eq!(read(spec, "0.086 0.048 0.037 200"), "Empty status=200 duration=171000000 upstream=48000000");
    assert_eq!(read(spec, "0.086 -1 -1 504"), "Empty status=504");
}

#[test]
fn a_status_that_is_none_is_no_reason_to_lose_the_request() {
    for status in ["0", "000", "null", "\"-\"", "\"\""] {
        let line = format!(r#"{{"s":{status},"m":"GET","u":"/a"}}"#);
        let said = read("json:s=$status,m=$request_method,u=$request_uri", &line);
        assert!(said.starts_with("Http method=GET path=/a"), "{line} {said}");
    }
    assert_eq!(read("json:s=$status,m=$request_method", r#"{"m":"GET"}"#), "missing@12");
}

#[test]
fn a_request_in_its_own_quotes_or_a_dash() {
    let spec = "$skip $request_or_dash $status";
    assert_eq!(
        read(spec, "a/b \"GET /a?b HTTP/1.1\" 404"),
        "Http method=GET path=/a protocol=HTTP/1.1 status=404"
    );
    assert_eq!(read(spec, "a/b - 204"), "Empty status=204");
}

#[test]
fn an_absolute_url_names_the_host() {
    for (line, want) in [
        (
            "GET http://shop.example:8080/a?b 200",
            "Http method=GET path=/a status=200 vhost=shop.example:8080",
        ),
        ("GET /a 200", "Http method=GET path=/a status=200"),
        ("GET http:///a 400", "Http method=GET path=/a status=400"),
        ("GET http://u:p@[::1]/ 200", "Http method=GET path=/ status=200 vhost=[::1]"),
    ] {
        assert_eq!(read("$request_method $url $status", line), want);
    }
    let varnish = |line| read(r#"varnish:"%r" %s"#, line);
    assert!(varnish("\"GET http://a.example/ HTTP/1.1\" 200").ends_with("vhost=a.example"));
    assert!(!varnish("\"- http://localhost HTTP/1.0\" 400").contains("vhost"));
    // A field for the host is heard alone.
    assert!(
        !read("varnish:\"%r\" %s %{Host}i", "\"GET http://localhost/ HTTP/1.0\" 200 -").contains("vhost")
    );
    // Others' clients may ask for any URL, and that names no host of theirs.
    assert!(!read("%>s \"%r\"", "200 \"GET http://a.example/ HTTP/1.1\"").contains("vhost"));
}

#[test]
fn who_went_away() {
    for (spec, line, gone) in [
        ("$status $aborted", "200 true", true),
        ("$status $aborted", "200 false", false),
        ("$status $termination_state", "200 CD--", true),
        ("$status $termination_state", "503 SC--", false),
        ("$status $response_flags", "0 DC", true),
        ("$status $response_flags", "503 UF,URX", false),
        ("$status $response_flags", "200 UT,DC", true),
        ("$cache_result/$status", "TCP_MISS_ABORTED/000", true),
        ("$cache_result/$status", "TCP_HIT/200", false),
        ("$status \"$request_completion\"", "200 \"\"", true),
        ("$status \"$request_completion\"", "200 \"OK\"", false),
        ("%>s %X", "200 X", true),
        ("%>s %X", "200 -", false),
        ("$status", "499", true),
    ] {
        assert_eq!(read(spec, line).ends_with("aborted=yes"), gone, "{spec} {line}");
    }
}

#[test]
fn a_day_and_a_time_of_the_day() {
    let spec = "$date $time $status";
    assert_eq!(read(spec, "2026-03-05 04:05:06 200"), "Empty status=200 time=1772683506000000000");
    assert_eq!(read(spec, "2026-03-05 noon 200"), "Empty status=200");
}

#[test]
fn blanks_that_align_and_the_end_of_a_line() {
    assert_eq!(read("$blanks$duration_ms $status", "     3 200"), "Empty status=200 duration=3000000");
    assert_eq!(read("$blanks$duration_ms $status", "123456 200"), "Empty status=200 duration=123456000000");
    for spec in [r"$status $body_bytes_sent\n", r"log_format x '$status $body_bytes_sent\r\n';", r"%>s %b\n"]
    {
        assert_eq!(read(spec, "200 5"), "Empty status=200 sent=5", "{spec}");
    }
}

#[test]
fn the_letters_of_each_server() {
    let d = |language: &str| read(&format!("{language}:%s %D"), "200 307");
    assert_eq!(d("apache"), "Empty status=200 duration=307000");
    assert_eq!(d("tomcat"), "Empty status=200 duration=307000");
    assert_eq!(d("tomcat9"), "Empty status=200 duration=307000000");
    assert_eq!(d("undertow"), "Empty status=200 duration=307000000");
    assert_eq!(
        read("tomcat:%s %F %{fracsec}T", "200 12 0.307"),
        "Empty status=200 duration=307000000 first=12000000"
    );
    assert_eq!(read("tomcat9:%s %T", "200 1.502"), "Empty status=200 duration=1502000000");
    assert_eq!(read("tomcat:%s %U%q %m", "200 /a?b GET"), "Http method=GET path=/a status=200");
    assert_eq!(read("tomcat:%s q=%q %m %U", "200 q=- GET /a"), "Http method=GET path=/a status=200");
    assert_eq!(
        read("undertow:%h %s %{i,Host} %{RESPONSE_TIME}", "::1 200 a.example 5"),
        "Empty status=200 vhost=a.example duration=5000000"
    );
    assert_eq!(
        read("varnish:%s %{Varnish:time_firstbyte}x", "200 0.000724"),
        "Empty status=200 first=724000"
    );
    assert_eq!(read("h2o:%s %{duration}x", "200 0.001795"), "Empty status=200 duration=1795000");
    assert_eq!(read("h2o:%s %{duration}x", "200 -"), "Empty status=200");
    let asked = Format::compile("%h %d").unwrap_err();
    assert_eq!(asked.to_string(), "unknown directive %d at column 4; is %D meant?");
}

#[test]
fn gunicorn_and_uwsgi() {
    let spec = r#"gunicorn:%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s" %(L)s"#;
    let line = r#"::1 - - [05/Mar/2031:04:05:06 +0100] "GET /a?b HTTP/1.1" 200 17 "-" "a "b" \c" 0.300512"#;
    assert_eq!(
        read(spec, line),
        "Http method=GET path=/a protocol=HTTP/1.1 status=200 sent=17 duration=300512000 time=1930446306000000000"
    );
    let spec = r#"uwsgi:%(addr) "%(method) %(uri) %(proto)" %(status) %(size) %(micros) %(host)"#;
    assert_eq!(
        read(spec, r#"::1 "GET /a b HTTP/1.1" 404 82 97 shop.example"#),
        "Http method=GET path=/a b protocol=HTTP/1.1 status=404 vhost=shop.example sent=82 duration=97000"
    );
}

const HTTPLOG: &str = "haproxy:%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc \
                       %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r";

#[test]
fn haproxy_with_and_without_captured_headers() {
    for headers in ["", "{a.example|x} ", "{a.example|Mozilla/5.0 (X} y)} {z} "] {
        let line = format!(
            "2001:db8::7:4431 [05/Mar/2031:04:05:06.642] fe~ be/s1 0/0/0/89/+91 200 1373 - - CD-- 1/1/0/0/0 0/0 \
             {headers}\"GET /a?b=#22 HTTP/1.1\""
        );
        assert_eq!(
            read(HTTPLOG, &line),
            "Http method=GET path=/a protocol=HTTP/1.1 status=200 vhost=be sent=1373 duration=91000000 \
             upstream=89000000 aborted=yes"
        );
    }
    let line = "192.0.2.1:4431 [05/Mar/2031:04:05:06.642] fe fe/<NOSRV> -1/-1/-1/-1/0 400 0 - - PR-- 1/1/0/0/0 \
                0/0 \"<BADREQ>\"";
    assert_eq!(read(HTTPLOG, line), "Malformed status=400 vhost=fe sent=0 duration=0");
}

#[test]
fn haproxy_in_json() {
    let spec = "haproxy:%{+json}o %(status)ST %(ms)Ta %(verb)HM %(uri)HU %(backend)b %(end)ts %(up)Tr";
    let line =
        r#"{"status": 200, "ms": 12, "verb": "GET", "uri": "/a", "backend": "be", "end": "--", "up": -1}"#;
    assert_eq!(read(spec, line), "Http method=GET path=/a status=200 vhost=be duration=12000000");
    let spec = r#"log-format "{\"s\":%ST,\"m\":\"%HM\",\"u\":\"%HU\",\"t\":%Ta}""#;
    assert_eq!(
        read(spec, r#"{"s":200,"m":"GET","u":"/a","t":12}"#),
        "Http method=GET path=/a status=200 duration=12000000"
    );
}

#[test]
fn envoy_in_text_and_in_json() {
    let spec = "envoy:[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" \
                %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_SENT% %DURATION% \
                %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(USER-AGENT)%\" \"%REQ(:AUTHORITY)%\"\\n";
    let line =
        "[2031-03-05T04:05:06.162Z] \"GET /a?b HTTP/2\" 200 - 77 343 300 \"X \"y\" \\z\" \"shop.example\"";
    assert_eq!(
        read(spec, line),
        "Http method=GET path=/a protocol=HTTP/2 status=200 vhost=shop.example sent=77 duration=343000000 \
         upstream=300000000 time=1930449906162000000"
    );
    let line = "[2031-03-05T04:05:06.162Z] \"- - HTTP/1.1\" 0 DC 0 - - \"-\" \"-\"";
    assert_eq!(
        read(spec, line),
        "Empty protocol=HTTP/1.1 status=0 sent=0 time=1930449906162000000 aborted=yes"
    );
    let spec = r#"envoy:{"code":"%RESPONSE_CODE%","verb":"%REQ(:METHOD)%","took":"%DURATION%","why":"%RESPONSE_FLAGS%"}"#;
    let line = r#"{"why":"DC","verb":"GET","took":12,"code":0}"#;
    assert_eq!(read(spec, line), "Http method=GET status=0 duration=12000000 aborted=yes");
}

#[test]
fn a_language_has_no_other_names() {
    let names: Vec<&str> = language::LANGUAGES.iter().map(|language| language.name).collect();
    for (at, name) in names.iter().enumerate() {
        assert!(
            !names[..at].contains(name) && !PRESETS.iter().any(|preset| preset.name == format!("{name}:"))
        );
    }
    let help = language::help();
    for field in ["$duration_ms", "%{ms}T", "%Tr", "%RESPONSE_FLAGS%", "%(micros)", "%(L)s"] {
        assert!(help.contains(field), "{field}");
    }
}

/// The values of every line of a log.
fn read_all(spec: &str, lines: &[&str]) -> Vec<String> {
    let format = Format::compile(spec).unwrap();
    let mut spans = Spans::new();
    lines.iter().map(|line| said(format.parse(line.as_bytes(), &mut spans))).collect()
}

#[test]
fn labels_and_keys_in_any_order() {
    let ltsv = "status:200\treqtime:0.120\tmethod:GET\turi:/a?b=c:d\tsize:512\tvhost:shop.example";
    assert_eq!(
        read("ltsv", ltsv),
        "Http method=GET path=/a status=200 vhost=shop.example sent=512 duration=120000000"
    );
    let line = "vhost:a.example\ttime:[05/Mar/2031:04:05:06 +0100]\tstatus:502\tmethod:POST\turi:/";
    assert_eq!(
        read("ltsv", line),
        "Http method=POST path=/ status=502 vhost=a.example time=1930446306000000000"
    );
    let spec = "logfmt:method=$request_method,path=$request_uri,status=$status,took=$duration,host=$host";
    assert_eq!(
        read(spec, r#"level=INFO took=14.021µs status=200 path="/a b?c=\"d\"" host="" method=GET"#),
        "Http method=GET path=/a b status=200 duration=14021"
    );
    assert_eq!(read(spec, "method=GET path=/ took=1ms"), "missing@27");
    assert_eq!(read(spec, "* Listening on http://127.0.0.1:9292"), "value@1");
}

#[test]
fn columns_that_the_log_names() {
    let lines = [
        "#Fields: date time cs-method cs-uri-stem cs-uri-query sc-status sc-win32-status time-taken",
        "2026-03-05 04:05:06 GET /a b=c 200 0 307",
        "#Software: Microsoft Internet Information Services 10.0",
        "#Fields: date time cs-host cs-method cs-uri-stem sc-status sc-win32-status sc-bytes time-taken",
        "2026-03-05 04:05:07 shop.example POST /b 200 64 12 15000",
        "2026-03-05 04:05:07 shop.example POST /b 200 0 12 15000 more",
    ];
    assert_eq!(
        read_all("w3c", &lines),
        [
            "foreign",
            "Http method=GET path=/a status=200 duration=307000000 time=1772683506000000000",
            "foreign",
            "foreign",
            "Http method=POST path=/b status=200 vhost=shop.example sent=12 duration=15000000000 \
             time=1772683507000000000",
            "trailing@57",
        ]
    );
    // Clients that went away are counted where that is asked for.
    let told = read_all("w3c:sc-win32-status=$win32_status", &lines);
    assert_eq!(told.iter().map(|said| said.contains("aborted")).filter(|aborted| *aborted).count(), 1);
    assert!(told[4].ends_with(" aborted=yes"), "{told:?}");
}

#[test]
fn whose_columns_they_are_decides_the_unit() {
    let fields = "#Fields: cs-method cs-uri-stem sc-status time-taken cs(User-Agent)";
    let line = "GET /a 200 0.25 \"Mozilla \"\"x\"\" (X11)\"";
    for (header, want) in [
        ("#Software: Apache Tomcat/10.1.60", " duration=250000000"),
        ("#Start-Date: 2026-03-05 04:05:00", " duration=250000"),
        ("#Software: WebLogic", " duration=250000000"),
        ("#Software: whose", ""),
        ("#Version: 1.0", ""),
    ] {
        let said = read_all("w3c", &[header, fields, line]);
        assert_eq!(said[2], format!("Http method=GET path=/a status=200{want}"), "{header}");
    }
    // Only a log without a word of whose it is, and with the day it begins, is ASP.NET Core's.
    let said = read_all("w3c", &["#Software: whose", "#Start-Date: 2026-03-05", fields, line]);
    assert_eq!(said[3], "Http method=GET path=/a status=200");
    let told = read_all("w3c:time-taken=$duration_us", &[fields, line]);
    assert_eq!(told[1], "Http method=GET path=/a status=200 duration=250");
    let cloudfront = [
        "#Fields: date time x-edge-location cs-method cs-uri-stem sc-status time-taken x-host-header",
        "2026-03-05\t04:05:06\tFRA2\tGET\t/a%20b\t000\t1.5\tshop.example",
    ];
    assert_eq!(
        read_all("w3c", &cloudfront)[1],
        "Http method=GET path=/a%20b status=0 vhost=shop.example duration=1500000000 \
         time=1772683506000000000"
    );
    assert_eq!(read_all("w3c", &["GET /a 200"]), ["missing@1"]);
}

#[test]
fn values_of_a_preset_that_tell_of_a_client_that_went_away() {
    let line = r#"{"req":{"method":"GET","url":"/a"},"res":{"statusCode":null},"responseTime":201,"msg":"request aborted"}"#;
    assert_eq!(read("pino-http", line), "Http method=GET path=/a duration=201000000 aborted=yes");
    assert_eq!(read("pino-http", r#"{"msg":"Server listening","level":30}"#), "foreign");
    let line = "http 2018-07-02T22:23:00.186641Z app/lb/1 192.0.2.39:2817 - -1 -1 -1 460 - 34 0 \
                \"GET http://shop.example:80/ HTTP/1.1\" \"curl\" - - x";
    assert_eq!(
        read("aws-alb", line),
        "Http method=GET path=/ protocol=HTTP/1.1 status=460 vhost=shop.example:80 sent=0 received=34 \
         time=1530570180186641000 aborted=yes"
    );
}

#[test]
fn what_syslog_cut_off_within_the_request_of_haproxy_is_a_request() {
    let whole = "192.0.2.5:33317 [05/Mar/2031:04:05:06.655] fe be/s1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 \
                 \"GET /search?q=aaaaaaaa HTTP/1.1\"";
    let counted = " status=200 vhost=be sent=2750 duration=109000000 upstream=69000000";
    assert_eq!(read("haproxy", whole), format!("Http method=GET path=/search protocol=HTTP/1.1{counted}"));
    let cut = |left: &str| &whole[..whole.find(left).unwrap() + left.len()];
    assert_eq!(read("haproxy", cut("q=aaa")), format!("Http method=GET path=/search{counted}"));
    assert_eq!(read("haproxy-https", cut("q=aaa")), format!("Http method=GET path=/search{counted}"));
    // Nothing is there of the request, or the line has its end and not that of the format.
    assert!(read("haproxy", cut("0/0 \"")).starts_with("truncated@"));
    assert!(read("haproxy", &format!("{whole} more")).starts_with("trailing@"));
    assert!(read("haproxy-https", whole).starts_with("truncated@"));
    // Without the status it tells too little.
    let clf = "192.0.2.1 - - [05/Mar/2031:04:05:06 +0100] \"GET /a?b=c";
    assert!(read("haproxy-clf", clf).starts_with("truncated@"));
}

#[test]
fn a_map_that_tells_the_unit_gets_the_other_times_of_that_server() {
    let line =
        r#"{"statusCode":"200","request":"GET /a HTTP/1.1","elapsedTime":"307695","firstByteTime":"307"}"#;
    let request = "Http method=GET path=/a protocol=HTTP/1.1 status=200";
    for (map, times) in [
        ("json:statusCode=$status,request=$request,elapsedTime=%D", " duration=307695000 first=307000000"),
        (
            "json:statusCode=$status,request=$request,elapsedTime=$duration_ms",
            " duration=307695000000 first=307000000",
        ),
        // What is told otherwise stays as it is told, and without the unit it may be anybody's.
        (
            "json:statusCode=$status,request=$request,elapsedTime=%D,firstByteTime=$upstream_ms",
            " duration=307695000 upstream=307000000",
        ),
        ("json:statusCode=$status,request=$request", ""),
        ("json:statusCode=$status,request=$request,elapsedTime=%D,other=$host", " duration=307695000"),
    ] {
        assert_eq!(read(map, line), format!("{request}{times}"), "{map}");
    }
}

#[test]
fn a_connection_that_tomcat_broke_off_itself_is_no_client_that_went_away() {
    assert_eq!(read("tomcat:%s %X", "200 X"), "Empty status=200");
    assert_eq!(read("%>s %X", "200 X"), "Empty status=200 aborted=yes");
}

#[test]
fn the_time_of_a_named_value_is_that_of_its_own_line() {
    for (map, line) in [
        ("json:status=$status,at=$time", "{\"status\":200,\"at\":\"TIME\"}"),
        ("ltsv:status=$status,at=$time", "status:200\tat:TIME\tx:y"),
        ("logfmt:status=$status,at=$time", "status=200 at=\"TIME\" x=y"),
    ] {
        let (format, mut spans) = (Format::compile(map).unwrap(), Spans::new());
        for (time, nanos) in [
            ("2031-03-05T04:05:06+01:00", Some(1_930_446_306_000_000_000)),
            ("2031-03-05T04:05:06+01:00", Some(1_930_446_306_000_000_000)),
            ("2031-03-05T04:05:07+01:00", Some(1_930_446_307_000_000_000)),
            ("2031-03-05T04:05:07", None),
            ("2031-03-05T04:05:07+01:00", Some(1_930_446_307_000_000_000)),
            ("2031-03-05T04:05:07+01:00 x", None),
            ("2031-03-05T03:05:06.5Z", Some(1_930_446_306_500_000_000)),
            ("05/Mar/2031:04:05:06 +0100", Some(1_930_446_306_000_000_000)),
            ("[05/Mar/2031:04:05:08 +0100]", Some(1_930_446_308_000_000_000)),
            ("-", None),
            ("1930446306.25", Some(1_930_446_306_250_000_000)),
            ("", None),
        ] {
            let line = line.replace("TIME", time);
            let record = format.parse(line.as_bytes(), &mut spans).unwrap();
            assert_eq!(record.unix_time_nanos(), nanos, "{line}");
        }
    }
}
