//! Formats that are nearly right: `--explain` points where a person would, and says what to do about it.
//!
//! Each case is a format, a line, what is said of it and the advice; the advice is taken, and has to work.

use crate::golden::split_words;
use crate::harness::{BINARY, Exporter, Process, get, run};
use crate::readme::blocks_of;
use std::fs::File;
use std::io::Write;
use std::process::Command;

/// A slip: what it is, the format with it, the line, the column a person points at, the words there, the advice.
type Case = (&'static str, &'static str, &'static str, usize, &'static str, &'static str);

const CASES: &[Case] = &[
    (
        "a blank too many in the format",
        r#"%v %h %l %u  %t "%r" %>s %b"#,
        r#"v.example 203.0.113.9 - - [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5"#,
        27,
        r#"expected " [" at column 27 (before %t), found "[03/Feb"#,
        r#"one blank is enough behind %u: --format '%v %h %l %u %t "%r" %>s %b'"#,
    ),
    (
        "a blank too many in the log",
        r#"%v %h %l %u %t "%r" %>s %b"#,
        r#"v.example 203.0.113.9 - - [03/Feb/2026:04:05:06 +0100]  "GET /a HTTP/1.1" 200 5"#,
        56,
        r#"expected "\"" at column 56 (before %r), found " "GET"#,
        r#"put two blanks behind %t: --format '%v %h %l %u %t  "%r" %>s %b'"#,
    ),
    (
        "a directive missing in the middle",
        r#"%v %h %l %u %t "%r" %b "%{Referer}i""#,
        r#"v.example 203.0.113.9 - - [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5 "-""#,
        78,
        r#"expected "\"" at column 78 (before %{Referer}i), found "5 "-"""#,
        r#"add %>s behind "%r": --format '%v %h %l %u %t "%r" %>s %b "%{Referer}i"'"#,
    ),
    (
        "a variable missing at the end",
        r#"$server_name $remote_addr [$time_local] "$request" $status $bytes_sent"#,
        r#"v.example 203.0.113.9 [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5 0.012"#,
        75,
        r#"expected the end of the line at column 75, found " 0.012""#,
        r#"add $request_time behind $bytes_sent: --format '$server_name $remote_addr [$time_local] "$request" $status $bytes_sent $request_time'"#,
    ),
    (
        "%D in the format only",
        r#"%v %h %l %u %t "%r" %>s %b %D"#,
        r#"v.example 203.0.113.9 - - [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5"#,
        79,
        r#"expected " " at column 79 (before %D), found the end of the line"#,
        r#"leave out %D: --format '%v %h %l %u %t "%r" %>s %b'"#,
    ),
    (
        "%O in the format, %b in the log",
        r#"%v %h %l %u %t "%r" %>s %O"#,
        r#"v.example 203.0.113.9 - - [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 304 -"#,
        78,
        r#"in doubt: %O at column 78, "-": %O is never `-`: the log may have %b here"#,
        r#"the log has %b for %O: --format '%v %h %l %u %t "%r" %>s %b'"#,
    ),
    (
        "%b in the format, %O in the log",
        r#"%v %h %l %u %t "%r" %>s %b"#,
        r#"v.example 203.0.113.9 - - [03/Feb/2026:04:05:06 +0100] "HEAD /a HTTP/1.1" 200 230"#,
        79,
        r#"in doubt: %b at column 79, "230": this answer has no body, and %b counts bodies: %O?"#,
        r#"the log has %O for %b: --format '%v %h %l %u %t "%r" %>s %O'"#,
    ),
    (
        "a user agent without its quotes in the log",
        r#"%v %h %t "%r" %>s %b "%{User-Agent}i" %D"#,
        r#"v.example 203.0.113.9 [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5 agent/1 (of; mine) 1500"#,
        76,
        r#"expected "\"" at column 76 (before %{User-Agent}i), found "agent/1"#,
        r#""%{User-Agent}i" stands without quotes: --format '%v %h %t "%r" %>s %b %{User-Agent}i %D'"#,
    ),
    (
        "a user agent without its quotes in the format",
        r#"%v %h %t "%r" %>s %b %{User-Agent}i %D"#,
        r#"v.example 203.0.113.9 [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5 "agent/1 (of; mine)" 1500"#,
        76,
        r#"in doubt: %{User-Agent}i at column 76, ""agent/1 (of; mine)"": it stands in quotes"#,
        r#"%{User-Agent}i stands in quotes: --format '%v %h %t "%r" %>s %b "%{User-Agent}i" %D'"#,
    ),
    (
        "$http_x_forwarded_for in the log only",
        r#"$remote_addr [$time_local] "$request" $status $bytes_sent "$http_user_agent" $request_time"#,
        r#"203.0.113.9 [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5 "agent/1" "-" 0.012"#,
        76,
        r#"expected a number or - at column 76 (for $request_time), found ""-" 0.012""#,
        r#"add "$http_x_forwarded_for" behind "$http_user_agent": --format '$remote_addr [$time_local] "$request" $status $bytes_sent "$http_user_agent" "$http_x_forwarded_for" $request_time'"#,
    ),
    (
        "$http_x_forwarded_for in the format only",
        r#"$remote_addr [$time_local] "$request" $status "$http_user_agent" "$http_x_forwarded_for" $request_time"#,
        r#"203.0.113.9 [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 "agent/1" 0.012"#,
        74,
        r#"expected "\"" at column 74 (before $http_x_forwarded_for), found "0.012""#,
        r#"leave out "$http_x_forwarded_for": --format '$remote_addr [$time_local] "$request" $status "$http_user_agent" $request_time'"#,
    ),
    (
        "quotes escaped twice",
        r#"%v %h %t \\\"%r\\\" %>s %b"#,
        r#"v.example 203.0.113.9 [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5"#,
        52,
        r#"expected "\\\"" at column 52 (before %r), found ""GET"#,
        r#"the quotes need no backslashes: --format '%v %h %t "%r" %>s %b'"#,
    ),
    (
        "quotes that a shell took away",
        r#"%v %h %t %r %>s %b"#,
        r#"v.example 203.0.113.9 [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5"#,
        52,
        r#"in doubt: %r at column 52, ""GET /a HTTP/1.1"": it stands in quotes"#,
        r#"%r stands in quotes: --format '%v %h %t "%r" %>s %b'"#,
    ),
    (
        "a virtual host in front",
        r#"%h %l %u %t "%r" %>s %b %D"#,
        r#"v.example 203.0.113.9 - - [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5 1500"#,
        1,
        r#"in doubt: %h at column 1, "v.example": something stands in front of %h"#,
        r#"put %v in front: --format '%v %h %l %u %t "%r" %>s %b %D'"#,
    ),
    (
        "a virtual host in the format only",
        r#"%v %h %l %u %t "%r" %>s %b %D"#,
        r#"203.0.113.9 - - [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5 1500"#,
        1,
        r#"expected the name of a host at column 1 (for %v), found "203.0.113.9"#,
        r#"leave out %v: --format '%h %l %u %t "%r" %>s %b %D'"#,
    ),
    (
        "a % doubled in some places",
        r#"%%v %%h %t "%r" %>s %b"#,
        r#"v.example 203.0.113.9 [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5"#,
        1,
        r#"expected "%v %h [" at column 1 (before %t), found "v.example"#,
        r#"one % is enough, only systemd's unit files double it: --format '%v %h %t "%r" %>s %b'"#,
    ),
    (
        "tabs in the log",
        r#"%v %h %t "%r" %>s %b"#,
        "v.example\t203.0.113.9\t[03/Feb/2026:04:05:06 +0100]\t\"GET /a HTTP/1.1\"\t200\t5",
        10,
        r#"expected " " at column 10 (before %h), found "\t203.0.113.9"#,
        r#"the fields are separated by tabs: --format '%v\t%h\t%t\t"%r"\t%>s\t%b'"#,
    ),
    (
        "commas in the log",
        r#"%v %h %t "%r" %>s %b"#,
        r#"v.example,203.0.113.9,[03/Feb/2026:04:05:06 +0100],"GET /a HTTP/1.1",200,5"#,
        10,
        r#"expected " " at column 10 (before %h), found ",203.0.113.9"#,
        r#"the fields are separated by commas: --format '%v,%h,%t,"%r",%>s,%b'"#,
    ),
    (
        "one comma in the log",
        r#"%v %h %t "%r" %>s %b"#,
        r#"v.example 203.0.113.9 [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200,5"#,
        73,
        r#"expected " " at column 73 (before %b), found ",5""#,
        r#"a comma stands behind %>s: --format '%v %h %t "%r" %>s,%b'"#,
    ),
    (
        "status and bytes swapped",
        r#"%v %h %t "%r" %b %>s"#,
        r#"v.example 203.0.113.9 [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5123"#,
        74,
        r#"in doubt: %>s at column 74, "5123": this is not a status code"#,
        r#"swap %b and %>s: --format '%v %h %t "%r" %>s %b'"#,
    ),
    (
        "JSON in the log, text in the format",
        r#"%h %l %u %t "%r" %>s %b"#,
        r#"{"status":200,"request_method":"GET","request_uri":"/a","bytes_sent":5}"#,
        1,
        r#"expected a value without quotes or braces at column 1 (for %h), found "{"status":200"#,
        "the preset `json` reads it: --format json",
    ),
    (
        "text in the log, JSON in the format",
        "json",
        r#"203.0.113.9 - - [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5"#,
        1,
        r#"expected { at column 1, found "203.0.113.9"#,
        "the preset `common` reads it: --format common",
    ),
    (
        "nginx's log, Apache's format",
        r#"%v %h %t "%r" %>s %O %D"#,
        r#"v.example 203.0.113.9 [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 512 0.012"#,
        78,
        r#"expected digits or - at column 78 (for %D), found "0.012""#,
        r#"nginx writes it so: --format '$server_name $remote_addr [$time_local] "$request" $status $bytes_sent $request_time'"#,
    ),
    (
        "Apache's log, nginx's format",
        r#"$server_name $remote_addr [$time_local] "$request" $status $bytes_sent $request_time"#,
        r#"v.example 203.0.113.9 [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 512 1500"#,
        78,
        r#"in doubt: $request_time at column 78, "1500": nginx writes three decimals here"#,
        concat!(
            r#"each line ends in a number without a name, and none tells its unit. If it is how long a "#,
            r#"request took, give --format '%v %h %t "%r" %>s %O %D' for microseconds (%D of Apache, "#,
            r#"lighttpd, Tomcat 10.1 and later), or --format '%v %h %t "%r" %>s %O %{ms}T' for "#,
            r#"milliseconds (%D of Tomcat 9 and before, Undertow, WildFly, latency of Jetty 9), or "#,
            r#"--format '%v %h %t "%r" %>s %O %T' for seconds (%T of Apache, Icecast; with decimals "#,
            r#"nginx, Puma and Tomcat 9); if it is something else: --format '%v %h %t "%r" %>s %O "#,
            r#"%{field1}n'"#
        ),
    ),
    (
        "a time without its brackets",
        r#"%v %h %t "%r" %>s %b"#,
        r#"v.example 203.0.113.9 03/Feb/2026:04:05:06 +0100 "GET /a HTTP/1.1" 200 5"#,
        23,
        r#"expected "[" at column 23 (before %t), found "03/Feb"#,
        r#"the log has %{%d/%b/%Y:%H:%M:%S %z}t for %t: --format '%v %h %{%d/%b/%Y:%H:%M:%S %z}t "%r" %>s %b'"#,
    ),
    (
        "a time in brackets that the format lacks",
        r#"$remote_addr $time_local "$request" $status"#,
        r#"203.0.113.9 [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200"#,
        13,
        r#"expected a time like 10/Oct/2000:13:55:36 -0700 at column 13 (for $time_local), found "[03/Feb"#,
        r#"the log has [$time_local] for $time_local: --format '$remote_addr [$time_local] "$request" $status'"#,
    ),
];

/// Slips where something worse would read the line as well: what it is, the format, the line, the advice.
type Choice = (&'static str, &'static str, &'static str, &'static str);

const CHOICES: &[Choice] = &[
    (
        "the client missing in the format",
        r#"%l %u %t "%r" %>s %b"#,
        r#"203.0.113.9 - - [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5"#,
        r#"add %h in front: --format '%h %l %u %t "%r" %>s %b'"#,
    ),
    (
        "an address in front",
        r#"%h %l %u %t "%r" %>s %b %D"#,
        r#"198.51.100.4 203.0.113.9 - - [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5 1500"#,
        r#"put %{X-Forwarded-For}i in front: --format '%{X-Forwarded-For}i %h %l %u %t "%r" %>s %b %D'"#,
    ),
    (
        "a virtual host in the middle: the request is none",
        r#"$remote_addr [$time_local] "$request" $status"#,
        r#"203.0.113.9 [03/Feb/2026:04:05:06 +0100] v.example "GET /a HTTP/1.1" 200"#,
        r#"add $host behind [$time_local]: --format '$remote_addr [$time_local] $host "$request" $status'"#,
    ),
    (
        "a time before what a proxy sent",
        r#"$remote_addr [$time_local] "$request" $status "$http_user_agent" "$http_x_forwarded_for""#,
        r#"203.0.113.9 [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 "agent/1" 0.012 "-""#,
        r#"add $request_time behind "$http_user_agent": --format '$remote_addr [$time_local] "$request" $status "$http_user_agent" $request_time "$http_x_forwarded_for"'"#,
    ),
    (
        "one number for two directives: nearly everybody has the size",
        r#"%h %t "%r" %>s %I %b"#,
        r#"203.0.113.9 [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 512"#,
        r#"leave out %I: --format '%h %t "%r" %>s %b'"#,
    ),
    (
        "two numbers behind: the second is no size with its headers",
        "combined",
        r#"203.0.113.9 - - [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5 "-" "agent/1" 1500 0"#,
        r#"name what stands behind as you like: --format '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %{field1}n %{field2}n'"#,
    ),
    (
        "a virtual host behind",
        r#"%h %l %u %t "%r" %>s %b"#,
        r#"203.0.113.9 - - [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5 v.example"#,
        r#"add %v behind %b: --format '%h %l %u %t "%r" %>s %b %v'"#,
    ),
    (
        "a word of nobody's behind",
        r#"%h %l %u %t "%r" %>s %b"#,
        r#"203.0.113.9 - - [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5 HIT"#,
        r#"add %{field1}n behind %b: --format '%h %l %u %t "%r" %>s %b %{field1}n'"#,
    ),
    (
        "a virtual host without its port",
        "vhost_combined",
        r#"v.example 203.0.113.9 - - [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 512 "-" "agent/1""#,
        r#"the log has %v for %v:%p: --format '%v %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i"'"#,
    ),
    (
        "quotes around a time: no preset has what this format has",
        r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $request_time"#,
        r#"203.0.113.9 - - [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5 "-" "agent/1" "0.012""#,
        r#"$request_time stands in quotes: --format '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" "$request_time"'"#,
    ),
    (
        "nginx's main without X-Forwarded-For is nginx's own",
        "nginx_main",
        r#"203.0.113.9 - - [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5 "-" "agent/1""#,
        "the preset `nginx` reads it: --format nginx",
    ),
    (
        "no size at all",
        r#"%h "%r" %>s %B"#,
        r#"203.0.113.9 "GET /a HTTP/1.1" 304 -"#,
        r#"the log has %b for %B: --format '%h "%r" %>s %b'"#,
    ),
    (
        "microseconds for seconds",
        r#"%h "%r" %>s %T"#,
        r#"203.0.113.9 "GET /a HTTP/1.1" 200 123456"#,
        concat!(
            r#"each line ends in a number without a name, and none tells its unit. If it is how long a "#,
            r#"request took, give --format '%h "%r" %>s %D' for microseconds (%D of Apache, lighttpd, "#,
            r#"Tomcat 10.1 and later), or --format '%h "%r" %>s %{ms}T' for milliseconds (%D of Tomcat 9 "#,
            r#"and before, Undertow, WildFly, latency of Jetty 9), or --format '%h "%r" %>s %T' for "#,
            r#"seconds (%T of Apache, Icecast; with decimals nginx, Puma and Tomcat 9); if it is "#,
            r#"something else: --format '%h "%r" %>s %{field1}n'"#
        ),
    ),
    (
        "labels before the times",
        r#""$request" $status $request_time $upstream_response_time"#,
        r#""GET /a HTTP/1.1" 200 rt=0.012 urt=0.009"#,
        r#"the log has rt= and urt=: --format '"$request" $status rt=$request_time urt=$upstream_response_time'"#,
    ),
    (
        "a label that the log lacks",
        r#""$request" $status rt=$request_time"#,
        r#""GET /a HTTP/1.1" 200 0.012"#,
        r#"the log has no rt= before $request_time: --format '"$request" $status $request_time'"#,
    ),
    (
        "labels that the log lacks",
        r#""$request" $status rt=$request_time urt="$upstream_response_time""#,
        r#""GET /a HTTP/1.1" 200 0.012 "0.009""#,
        r#"the log has no labels before the values: --format '"$request" $status $request_time "$upstream_response_time"'"#,
    ),
    (
        "labels of nobody's",
        r#""$request" $status"#,
        r#""GET /a HTTP/1.1" 200 took=0.012 cache="HIT""#,
        r#"name what stands behind as you like: --format '"$request" $status took=$field1 cache="$field2"'"#,
    ),
    (
        "labels of nginx's manual",
        "auto",
        r#"203.0.113.9 - - [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5 "-" "agent/1" rt=0.012 urt="0.009" id=x host=v.example"#,
        r#"name what stands behind as you like: --format '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" rt=$request_time urt="$upstream_response_time" id=$field1 host=$host'"#,
    ),
    (
        "two directives missing",
        r#"%h %t "%r" %>s %b %D"#,
        r#"203.0.113.9 - - [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5 1500"#,
        r#"add %l %u behind %h: --format '%h %l %u %t "%r" %>s %b %D'"#,
    ),
    (
        "two directives too many",
        r#"%h %l %u %t "%r" %>s %b %D"#,
        r#"203.0.113.9 [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5 1500"#,
        r#"leave out %l %u: --format '%h %t "%r" %>s %b %D'"#,
    ),
    (
        "a port behind the address",
        r#"%h %l %u %t "%r" %>s %b"#,
        r#"203.0.113.9:4711 - - [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5"#,
        r#"the log has %h:%{remote}p for %h: --format '%h:%{remote}p %l %u %t "%r" %>s %b'"#,
    ),
    (
        "a number in nginx's log: its unit is not known",
        "nginx",
        r#"203.0.113.9 - - [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5 "-" "agent/1" 1500"#,
        r#"add $field1 behind "$http_user_agent": --format '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" $field1'"#,
    ),
    (
        "single quotes in the log",
        r#"$remote_addr "$request" $status"#,
        r#"203.0.113.9 'GET /a HTTP/1.1' 200"#,
        r#""$request" stands in single quotes: --format '$remote_addr '\''$request'\'' $status'"#,
    ),
    (
        "a unit behind the time",
        r#""%r" %>s %D"#,
        r#""GET /a HTTP/1.1" 200 12ms"#,
        r#"the log has %{ms}Tms for %D: --format '"%r" %>s %{ms}Tms'"#,
    ),
    (
        "seconds since 1970",
        r#"[$time_local] "$request" $status"#,
        r#"[1770087906.012] "GET /a HTTP/1.1" 200"#,
        r#"the log has [$msec] for [$time_local]: --format '[$msec] "$request" $status'"#,
    ),
    (
        "bars in the log",
        r#"%h %t "%r" %>s %b"#,
        r#"203.0.113.9|[03/Feb/2026:04:05:06 +0100]|"GET /a HTTP/1.1"|200|5"#,
        r#"the fields are separated by bars: --format '%h|%t|"%r"|%>s|%b'"#,
    ),
    (
        "a name in front",
        r#"%h %l %u %t "%r" %>s %b"#,
        r#"shop_1 => 203.0.113.9 - - [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5"#,
        r#"name what stands in front as you like: --format '%{field1}n => %h %l %u %t "%r" %>s %b'"#,
    ),
    (
        "a blank in front",
        r#"%h %t "%r" %>s"#,
        r#" 203.0.113.9 [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200"#,
        r#"put a blank in front: --format ' %h %t "%r" %>s'"#,
    ),
    (
        "a blank at the end",
        r#"%h %t "%r" %>s "%{User-Agent}i""#,
        r#"203.0.113.9 [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 "agent/1" "#,
        r#"a blank stands at the end: --format '%h %t "%r" %>s "%{User-Agent}i" '"#,
    ),
    (
        "quotes around the whole line",
        "auto",
        "\"203.0.113.9 - - [03/Feb/2026:04:05:06 +0100] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl/8\"\"",
        r#"the line stands in quotes: --format '"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""'"#,
    ),
    (
        "JSON without a method",
        "auto",
        r#"{"host":"v.example","path":"/a","status":"200","length":5}"#,
        "these are JSON objects with keys of their own: --format 'json:host=$host,path=$request_uri,status=$status'",
    ),
    (
        "a line of nobody's",
        "auto",
        "2026-02-03T04:05:06+01:00 web7 GET /a 200 12ms 512",
        "written in nginx's way, with names to change as you like: --format '$time_iso8601 $field1 $request_method $request_uri $status ${duration_ms}ms $body_bytes_sent'",
    ),
    (
        "JSON with keys of nobody's",
        "auto",
        r#"{"client":{"ip":"203.0.113.9"},"reply":{"code":200},"verb":"GET","path":"/a","duration_ms":12}"#,
        "these are JSON objects with keys of their own: --format 'json:reply.code=$status,verb=$request_method,path=$request_uri,duration_ms=$duration_ms'",
    ),
    (
        "a key with another name: the others stay",
        "json:stat=$status,verb=$request_method,took=%D",
        r#"{"code":200,"verb":"GET","took":1500}"#,
        "these are JSON objects with keys of their own: --format 'json:verb=$request_method,took=%D,code=$status'",
    ),
    (
        "JSON of which only the status is known",
        "caddy",
        r#"{"status":200,"request_method":"GET","request_uri":"/a","request_time":0.012}"#,
        "the preset `json` reads it: --format json",
    ),
];

#[test]
fn of_several_remedies_the_likeliest_is_given() {
    for (slip, format, line, advice) in CHOICES {
        let said = explained(format, line);
        assert!(said.lines().any(|line| line.trim() == *advice), "{slip}: no {advice}\nin\n{said}");
    }
}

/// What `--explain` says of one line.
fn explained(format: &str, line: &str) -> String {
    let ended = run(&["--explain", "--format", format], format!("{line}\n").as_bytes());
    assert!(ended.status.success(), "{}", ended.stderr);
    ended.stdout
}

#[test]
fn a_format_that_is_nearly_right_is_put_right() {
    for (slip, format, line, column, words, advice) in CASES {
        let said = explained(format, line);
        assert!(words.contains(&format!("column {column}")), "{slip}: the case contradicts itself");
        assert!(said.contains(words), "{slip}: no {words}\nin\n{said}");
        assert!(said.lines().any(|line| line.trim() == *advice), "{slip}: no {advice}\nin\n{said}");
        // A caret where the line does not fit; a line that fits is shown field by field instead.
        if !words.starts_with("in doubt") {
            let lines: Vec<&str> = said.lines().collect();
            let caret = lines.iter().position(|line| line.trim() == "^").expect("a caret");
            let at = lines[caret].len() - 1;
            let rest = line.get(column - 1..).unwrap_or_default().replace('\t', "\\t");
            let shown = lines[caret - 1].get(at..).unwrap_or_default().trim_end_matches("...");
            assert!(rest.starts_with(shown), "{slip}: the caret is at {shown:?}, not at {rest:?}");
        }
    }
}

#[test]
fn the_advice_works_when_taken_with_the_help_of_a_shell() {
    let near = CASES.iter().map(|(slip, _, line, _, _, advice)| (slip, line, advice));
    for (slip, line, advice) in near.chain(CHOICES.iter().map(|(slip, _, line, advice)| (slip, line, advice)))
    {
        let (_, given) = advice.split_once("--format ").expect("advice is a format");
        // Where there is a choice, the first of it: up to the quote that ends it.
        let given = given.replace(r"'\''", "\u{1}");
        let quoted = given.strip_prefix('\'').and_then(|rest| rest.split('\'').next());
        let format = &quoted.unwrap_or(&given).replace('\u{1}', "'");
        let said = explained(format, line);
        assert!(said.contains("1 of 1 lines fit.\n"), "{slip}: {format}\n{said}");
    }
}

#[test]
fn a_percent_sign_doubled_everywhere_is_refused_with_systemds_name() {
    let ended = run(&["--format", r#"%%h %%t "%%r" %%>s %%b"#], b"");
    assert_eq!(ended.status.code(), Some(2));
    let advice = r#"only systemd's unit files double it, elsewhere give '%h %t "%r" %>s %b'"#;
    assert!(ended.stderr.contains(advice), "{}", ended.stderr);
}

#[test]
fn what_is_right_is_left_in_peace() {
    for (format, line) in [
        ("common", r#"203.0.113.9 - some body [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5"#),
        ("common", "203.0.113.9 - - [03/Feb/2026:04:05:06 +0100] \"GET /a HTTP/1.1\" 200 5\r"),
        ("common", r#"host.example - - [03/Feb/2026:04:05:06 +0100] "-" 408 -"#),
        (
            "vhost_combined",
            r#"v:80 ::1 - - [03/Feb/2026:04:05:06 +0100] "HEAD / HTTP/1.1" 304 180 "-" "\"a\"""#,
        ),
        ("%v %h %>s %T", "198.51.100.4 203.0.113.9 200 300"),
        ("%v %>s", "198.51.100.4 200"),
        ("nginx", r#"::1 - - [03/Feb/2026:04:05:06 +0100] "\x16\x03\x01" 400 157 "-" "-""#),
        (r#"\"%r\" %>s"#, r#""GET / HTTP/1.1" 200"#),
    ] {
        let said = explained(format, line);
        assert!(said.contains("1 of 1 lines fit"), "{format}: {said}");
        assert!(!said.contains("--format"), "{format}: {said}");
    }
}

#[test]
fn json_with_keys_of_its_own_is_told_how_to_name_them() {
    let said = explained("combined", r#"{"ts":"2026","code":200,"verb":"GET","url":"/a","took":0.25}"#);
    let advice = "and only you know the unit of took. If took is how long a request took, give --format \
                  'json:code=$status,verb=$request_method,url=$request_uri,took=$duration_s' for seconds, or";
    assert!(said.contains(advice), "{said}");
    let advice = "without it: --format 'json:code=$status,verb=$request_method,url=$request_uri'";
    assert!(said.contains(advice), "{said}");
    let said = explained("json", r#"{"answer":"fine","who":{"name":"a"}}"#);
    assert!(
        said.contains("--format 'json:KEY=$status,") && said.contains("which are answer, who.name"),
        "{said}"
    );
    let said = explained("json:code=$status,verb=$request_method", r#"{"code":200,"verb":"GET"}"#);
    assert!(said.contains("1 of 1 lines fit."), "{said}");
}

#[test]
fn a_line_inside_json_is_to_be_taken_out() {
    let line = r#"203.0.113.9 - - [03/Feb/2026:04:05:06 +0100] \"GET /a HTTP/1.1\" 200 5"#;
    let said = explained("auto", &format!(r#"{{"body":"{line}\n","stream":"stdout"}}"#));
    let advice = "the key body holds a whole line, which the preset `common` reads: take it out before, as with jq -r .body\n";
    assert!(said.contains(advice), "{said}");
}

#[test]
fn fields_of_nobodys_get_names_of_their_own() {
    let line = r#"203.0.113.9 - - [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5 [exec-3] 0.012 "x y""#;
    let format = r#"%h %l %u %t "%r" %>s %b [%{field1}n] %{field2}n "%{field3}n""#;
    assert!(
        explained("auto", line)
            .contains(&format!("name what stands behind as you like: --format '{format}'"))
    );
    assert!(explained(format, line).contains("1 of 1 lines fit."));
}

#[test]
fn when_nothing_helps_the_nearest_preset_is_named_with_how_far_it_gets() {
    let line = "203.0.113.9 - - [03/Feb/2026:04:05:06 +0100] and then something else";
    let said = explained("%D %D", line);
    assert!(
        said.contains("the nearest preset, `common`, reads 4 of its 7 fields, and this format 0"),
        "{said}"
    );
    let said = explained("auto", line);
    let title =
        "None of the presets reads these lines. The nearest is `common`, which reads 4 of its 7 fields:";
    assert!(said.contains(title), "{said}");
    assert!(
        said.contains("Write a line down in nginx's way") && !said.contains("This format gives"),
        "{said}"
    );
}

#[test]
fn no_line_is_no_reason_to_choose_a_preset() {
    let said = run(&["--explain"], b"").stdout;
    assert_eq!(said, "There is no line on stdin to choose a preset by.\n");
    let said = run(&["--explain", "--format", "common"], b"").stdout;
    assert!(said.contains("There is no line on stdin.\n") && said.contains("This format gives:"), "{said}");
}

#[test]
fn odd_lines_at_the_front_use_up_no_advice() {
    let (_, format, line, .., advice) = CASES[2];
    let remarks = "# a remark\n".repeat(20);
    let said = run(&["--explain", "--format", format], format!("{remarks}{line}\n").as_bytes()).stdout;
    assert!(said.contains(advice), "{said}");
}

#[test]
fn what_helps_a_line_is_not_followed_by_what_helps_another() {
    let line = r#""GET /a HTTP/1.1" 200 rt=0.012 urt="0.009""#;
    let lines = format!("{line}\n{}\n{line}\n", line.replace("0.009", "-"));
    let said = run(&["--explain", "--format", "\"$request\" $status"], lines.as_bytes()).stdout;
    assert_eq!(said.matches("--format").count(), 1, "{said}");
    assert!(said.contains("urt=\"$upstream_response_time\"'"), "{said}");
}

#[test]
fn of_json_what_the_lines_have_is_listed() {
    let said = explained("caddy", r#"{"status":200,"request_method":"GET"}"#);
    let doubt = "in doubt: status at column 11, \"200\": of the 9 keys of the format, the line has only this";
    assert!(said.contains(doubt), "{said}");
    let given = said.split("This format gives:").nth(1).expect("a list");
    let (given, absent) = given.split_once("The lines have no key for:").expect("two lists");
    assert!(given.contains("{status_code}") && !given.contains("duration"), "{given}");
    assert!(absent.contains("httpd_request_duration_seconds                 no duration\n"), "{absent}");
    let said = explained("json", r#"{"status":200,"request":"GET /a HTTP/1.1","uri":"/a"}"#);
    assert!(said.contains("httpd_requests_total{method}                   from request\n"), "{said}");
}

#[test]
fn a_line_is_pasted_only_where_its_words_are_known() {
    let time = "[03/Feb/2026:04:05:06 +0100]";
    let plain = format!(r#"203.0.113.9 - - {time} "GET /a HTTP/1.1" 200 5 "-" "agent/1""#);
    let traefik = format!("{plain} 7 \"-\" \"-\" 12ms");
    let lighttpd = plain.replace(" - -", " v.example -");
    let ours = plain.clone() + " HIT";
    let named = format!("{} $field1", parse_text("nginx"));
    for (format, line, said) in [
        ("traefik", &traefik, "What is logged is set by Traefik's accessLog.\n"),
        ("lighttpd", &lighttpd, "What is logged is set by lighttpd's accesslog.format.\n"),
        (&named, &ours, "The server that writes this does not call it $field1;"),
    ] {
        let got = explained(format, line);
        assert!(got.contains(said) && got.contains("It does not give:"), "{format}: {got}");
        assert!(!got.contains(" timed") && !got.contains(" add "), "{format}: {got}");
    }
    // And where it is, the server can read it.
    let said = explained("$status '$uri'\\t$msec", "200 '/a'\t1770087906.120");
    let directive = said.lines().find(|line| line.contains("log_format timed")).expect("a directive");
    assert!(directive.contains(r"'$status \'$uri\'\t$msec "), "{directive}");
    let line = "200 '/a'\t1770087906.120 \"GET /a HTTP/1.1\" v.example 5 300 0.012 \"-\" \"-\"";
    assert!(explained(directive.trim(), line).contains("1 of 1 lines fit.\n"), "{directive}");
}

/// The text of a preset, as `--explain` shows it.
fn parse_text(preset: &str) -> String {
    let said = explained(preset, "");
    said.lines().nth(1).expect("the text of the format").trim().to_owned()
}

#[test]
fn what_a_format_lacks_is_named_with_a_line_to_paste() {
    let said = explained("common", r#"203.0.113.9 - - [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5"#);
    let directive = r#"LogFormat "%h %l %u %t \"%r\" %>s %b %v %I %D %^FB %X" timed"#;
    assert!(said.contains(directive), "{said}");
    assert!(said.contains("httpd_request_duration_seconds                 add %D"), "{said}");
    // And it can be pasted back here.
    let line =
        r#"203.0.113.9 - - [03/Feb/2026:04:05:06 +0100] "GET /a HTTP/1.1" 200 5 v.example 300 1500 900 +"#;
    let said = explained(directive, line);
    assert!(said.contains("1 of 1 lines fit."), "{said}");
    assert!(!said.contains("It does not give"), "{said}");
}

#[test]
fn lines_that_fit_and_cannot_be_meant_so_are_said_once() {
    let (_, format, line, _, words, advice) =
        CASES.iter().find(|case| case.0 == "quotes that a shell took away").expect("a case");
    let said = run(&["--once", "--format", format], format!("{line}\n").repeat(50).as_bytes()).stderr;
    let doubt = words.trim_start_matches("in doubt: ");
    assert_eq!((said.matches(doubt).count(), said.matches(advice).count()), (1, 1), "{said}");
    let odd = format!("{}\n{line}\n", line.replace(['"'], "")).repeat(50);
    let said = run(&["--once", "--format", "%v %h %t %r %>s %b"], odd.as_bytes()).stderr;
    assert_eq!(said, "", "half of them is not most of them");
}

#[test]
fn a_quiet_server_need_not_wait_for_its_hundredth_line() {
    let (_, format, line, .., advice) = CASES[1];
    let exporter = &mut Exporter::start(&["--format", format]);
    exporter.process.feed(format!("{line}\n").repeat(10).as_bytes());
    exporter.wait_for_stderr("10 of 10 lines do not fit the format");
    exporter.process.feed(format!("{line}\n").repeat(200).as_bytes());
    exporter.wait_for_lines(210);
    let said = exporter.process.stderr();
    assert_eq!((said.matches("lines do not fit").count(), said.matches(advice).count()), (1, 1), "{said}");
}

#[test]
fn the_readme_shows_what_is_said() {
    let sh = blocks_of("sh");
    let command = sh
        .iter()
        .flat_map(|block| block.lines())
        .find(|line| line.starts_with("sed") && line.contains("--explain"));
    let (feeder, command) = command.and_then(|line| line.split_once(" | ")).expect("an example");
    assert_eq!(feeder, "sed -n 2p tests/data/access.log");
    let log = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/access.log"));
    let line = log.expect("a log").lines().nth(1).expect("a second line").to_owned() + "\n";
    let words = split_words(command);
    let args: Vec<&str> = words[1..].iter().map(String::as_str).collect();
    assert_eq!(blocks_of("text").last(), Some(&run(&args, line.as_bytes()).stdout));
}

#[test]
fn the_running_program_says_the_same_once_and_is_not_ready() {
    let (_, format, line, _, words, advice) = &CASES[1];
    let mut exporter = Exporter::start(&["--format", format]);
    let ready = |status| get(&exporter.address, "/-/ready").is_ok_and(|response| response.status == status);
    assert!(ready(503), "no line has been read");
    let good = line.replacen("]  ", "] ", 1);
    let mut lines = format!("{good}\n").repeat(40);
    lines.push_str(&format!("{line}\n").repeat(60));
    exporter.process.feed(lines.as_bytes());
    let page = exporter.wait_for_lines(100);
    exporter.wait_for_stderr("60 of 100 lines do not fit the format");
    exporter.process.feed(format!("{line}\n").repeat(1000).as_bytes());
    exporter.wait_for_lines(1100);
    let said = exporter.process.stderr();
    assert_eq!(said.matches("lines do not fit the format").count(), 1, "{said}");
    assert_eq!((said.matches(words).count(), said.matches(advice).count()), (1, 1), "{said}");
    assert_eq!(page.value("httpd_exporter_ready"), Some(0.0));
    assert!(get(&exporter.address, "/-/ready").is_ok_and(|response| response.status == 503));
    // Lines that fit again make it ready again.
    exporter.process.feed(format!("{good}\n").repeat(1000).as_bytes());
    let page = exporter.wait_for_lines(2100);
    assert_eq!(page.value("httpd_exporter_ready"), Some(1.0));
    assert!(get(&exporter.address, "/-/ready").is_ok_and(|response| response.status == 200));
}

#[test]
fn advice_never_holds_up_the_log() {
    // What is worked out for people about these takes its time: a key of forty dots, and a format of forty fields.
    let key = vec!["k"; 41].join(".");
    let keyed = format!("{{\"{key}\":1,\"code\":\"fine\"}}\n").repeat(12);
    let fields: Vec<String> = (1..40).map(|field| format!("$a{field}")).collect();
    let wrong = format!("$status {}", fields.join(" "));
    let long = format!("{}\n", "some words that are no line of this format ".repeat(47));
    for (format, lines, times) in [("json", keyed, 1), (&wrong, long, 6000)] {
        let mut exporter = Exporter::start(&["--format", format]);
        let count = lines.lines().count() * times;
        exporter.process.feed(lines.repeat(times).as_bytes());
        let page = exporter.wait_for_lines(count as u64);
        assert_eq!(page.value("httpd_exporter_ready"), Some(0.0), "{format}");
        exporter.wait_for_stderr("lines do not fit the format");
        exporter.process.close();
        let ended = exporter.process.wait();
        assert!(ended.status.success(), "{}", ended.stderr);
    }
}

#[test]
fn on_a_quiet_log_what_fits_nothing_is_said_all_the_same() {
    let mut exporters = [Exporter::start(&["--format", "auto"]), Exporter::start(&["--format", "common"])];
    for exporter in &mut exporters {
        exporter.process.feed(b"no line of any access log\n");
    }
    for exporter in &exporters {
        exporter.wait_for_lines(1);
        exporter.wait_for_stderr("1 of 1 lines");
        let ready = get(&exporter.address, "/-/ready").expect("an answer");
        assert_eq!(ready.status, 503, "{}", ready.body);
    }
}

#[test]
fn of_a_long_input_a_sample_is_shown_and_all_is_counted() {
    let line = |n: u32| format!("192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] \"GET /{n} HTTP/1.1\" 200 5\n");
    let mut input: String = (0..300).map(line).collect();
    input.push_str("cut off\ncut off again\n");
    let said = run(&["--explain", "--format", "common"], input.as_bytes()).stdout;
    assert!(said.contains("Line 20 fits:") && !said.contains("Line 21 fits:"), "{said}");
    assert!(said.contains("Line 301 does not fit:") && !said.contains("Line 302"), "{said}");
    assert!(
        said.contains("Not shown are 281 further lines, 1 of which do not fit, as lines above.\n"),
        "{said}"
    );
    assert!(said.contains("\n300 of 302 lines fit.\n"), "{said}");
}

#[test]
fn a_compressed_log_is_read_or_its_tool_is_named() {
    let line = "192.0.2.1 - - [03/Feb/2026:04:05:06 +0100] \"GET / HTTP/1.1\" 200 5 \"-\" \"agent/1\"\n";
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(line.repeat(5000).as_bytes()).expect("memory is there");
    let gzip = encoder.finish().expect("memory is there");
    let page = run(&["--once"], &gzip).page();
    assert_eq!(page.value("httpd_exporter_lines_total{outcome=\"counted\"}"), Some(5000.0));
    assert!(run(&["--explain"], &gzip).stdout.contains("5000 of 5000 lines fit."));
    let zstd = [0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x00, b'\n'];
    assert!(run(&["--once"], &zstd).stderr.contains("put `zstdcat FILE |` in front"));
}

#[test]
fn an_explanation_that_cannot_be_written_is_an_error() {
    let full = File::options().write(true).open("/dev/full").expect("Linux has it");
    let mut command = Command::new(BINARY);
    let mut process = Process::start_with_stdout(command.args(["--explain", "--format", "combined"]), full);
    process.feed(b"a line\n");
    process.close();
    let ended = process.wait();
    assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("unable to write to stdout: No space left on device"), "{}", ended.stderr);
}
