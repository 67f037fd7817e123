//! Presets of application servers and frameworks: Java, Python, Ruby, Node, Go.

use crate::parse::compile::presets::row::{PRESET, Preset};

const TOMCAT: &str = "Tomcat's access log valves; apache/tomcat#720; spring-projects/spring-boot#38403";
const MORGAN: &str = "expressjs/morgan: predefined formats";
const LOGRAGE: &str = "roidrage/lograge: formatters";

/// What uWSGI says of itself, and what Python prints of an exception.
const OF_UWSGI: &[&str] =
    &["spawned uWSGI *", "WSGI app *", "Traceback (most recent call last):", "  File \"*", "    *"];

/// Every request has a method; other records of the same logger have none.
const ANY: &str = "*";

pub const ROWS: &[Preset] = &[
    Preset {
        name: "tomcat_D",
        dialect: "Tomcat",
        text: r#"tomcat:%h %l %u %t "%r" %s %b "%{Referer}i" "%{User-Agent}i" %D"#,
        about: "Tomcat since 10.1, combined with %D, microseconds",
        set_by: "the pattern of Tomcat's AccessLogValve",
        by_name: true,
        source: TOMCAT,
        ..PRESET
    },
    Preset {
        name: "tomcat9_D",
        dialect: "Tomcat",
        text: r#"tomcat9:%h %l %u %t "%r" %s %b "%{Referer}i" "%{User-Agent}i" %D"#,
        about: "Tomcat up to 9.0, combined with %D, milliseconds",
        set_by: "the pattern of Tomcat's AccessLogValve",
        by_name: true,
        source: TOMCAT,
        ..PRESET
    },
    Preset {
        name: "undertow_D",
        dialect: "Undertow",
        text: r#"undertow:%h %l %u %t "%r" %s %b "%{i,Referer}" "%{i,User-Agent}" %D"#,
        about: "Undertow and WildFly, combined with %D, milliseconds",
        set_by: "the pattern of Undertow's access log",
        by_name: true,
        source: "io.undertow.server.handlers.accesslog.AccessLogHandler",
        ..PRESET
    },
    Preset {
        name: "tomcat-json",
        dialect: "JSON",
        text: "json:statusCode=$status,request=$request,method=$request_method,path=$uri,query=$args,\
               protocol=$server_protocol,size=$body_bytes_sent,elapsedTime=$duration_us,firstByteTime=$ttfb_ms,\
               localServerName=$host,time=$time",
        about: "Tomcat's JsonAccessLogValve since 10.1; elapsedTime in microseconds",
        set_by: "the pattern of Tomcat's JsonAccessLogValve",
        by_name: true,
        source: TOMCAT,
        ..PRESET
    },
    Preset {
        name: "tomcat9-json",
        dialect: "JSON",
        text: "json:statusCode=$status,request=$request,method=$request_method,path=$uri,query=$args,\
               protocol=$server_protocol,size=$body_bytes_sent,elapsedTime=$duration_ms,firstByteTime=$ttfb_ms,\
               localServerName=$host,time=$time",
        about: "Tomcat's JsonAccessLogValve up to 9.0; elapsedTime in milliseconds",
        set_by: "the pattern of Tomcat's JsonAccessLogValve",
        by_name: true,
        source: TOMCAT,
        ..PRESET
    },
    Preset {
        name: "uvicorn",
        dialect: "nginx",
        text: "${colour}INFO$colour:$blanks$word - \"$colour$request$colour\" $colour$status $skip",
        about: "uvicorn, with or without colours; neither bytes nor durations",
        set_by: "uvicorn's log_config",
        others: &[
            "*INFO*: * process *",
            "*INFO*: * application *",
            "*INFO*: * Uvicorn *",
            "*INFO*: * changes *",
            "*ERROR*: *",
            "*WARNING*: *",
            "Traceback (most recent call last):",
            "  File \"*",
            "    *",
        ],
        source: "encode/uvicorn: logging.py",
        ..PRESET
    },
    Preset {
        name: "aiohttp",
        dialect: "Apache",
        text: r#"%a %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i""#,
        about: "aiohttp's default; bytes with headers",
        set_by: "aiohttp's access_log_format",
        source: "aio-libs/aiohttp: web_log.py",
        ..PRESET
    },
    Preset {
        name: "hypercorn",
        dialect: "nginx",
        text: "[$skip] [$word] [INFO] $word - - [$time_local] \"$request_method $request_uri $skip\" $status \
               $body_bytes_sent \"$http_referer\" \"$http_user_agent\"",
        about: "hypercorn's default, behind the head of its logger",
        set_by: "hypercorn's access_log_format",
        others: &["[*] [*] [INFO] Running on *"],
        source: "pgjones/hypercorn: logging.py",
        ..PRESET
    },
    Preset {
        name: "granian",
        dialect: "nginx",
        text: "[$time] $word - \"$request\" $status $duration_ms",
        about: "granian's default; milliseconds",
        set_by: "granian's --access-log-fmt",
        // With blanks in the stamp no other server writes such a line.
        conditions: &[("$time", "20* * *")],
        tells_unit: true,
        others: &["[INFO] *", "[WARNING] *", "[ERROR] *"],
        source: "emmett-framework/granian: log.py",
        ..PRESET
    },
    Preset {
        name: "daphne",
        dialect: "nginx",
        text: "$remote_addr:$remote_port - - [$time_local] \"$request\" $status $body_bytes_sent",
        about: "daphne",
        set_by: "daphne's --access-log",
        source: "django/daphne: access.py",
        ..PRESET
    },
    Preset {
        name: "werkzeug",
        dialect: "nginx",
        text: "$remote_addr - - [$word $word] \"$colour$request$colour\" $status -",
        about: "Flask's and Werkzeug's development server, with or without colours",
        set_by: "Werkzeug's logger",
        others: &[
            " * *",
            "WARNING: *",
            "Press CTRL+C *",
            "Traceback (most recent call last):",
            "  File \"*",
            "    *",
        ],
        source: "pallets/werkzeug: serving.py",
        ..PRESET
    },
    Preset {
        name: "django",
        dialect: "nginx",
        text: "[$word $word] \"$request\" $status $body_bytes_sent",
        about: "Django's runserver",
        set_by: "Django's logger django.server",
        others: &[
            "Not Found: *",
            "Bad Request: *",
            "Forbidden*",
            "Internal Server Error: *",
            "Watching for *",
            "Traceback (most recent call last):",
            "  File \"*",
            "    *",
        ],
        source: "django/django: core/servers/basehttp.py, utils/log.py",
        ..PRESET
    },
    Preset {
        name: "uwsgi",
        dialect: "nginx",
        text: "[pid: $skip] $skip ($skip) {$skip} [$skip] $request_method $request_uri => generated \
               $body_bytes_sent bytes in $duration_ms msecs $skip($server_protocol $status) $skip",
        about: "uWSGI's default; milliseconds",
        set_by: "uWSGI's log-format",
        others: OF_UWSGI,
        source: "unbit/uwsgi: core/logging.c",
        ..PRESET
    },
    Preset {
        name: "uwsgi-micros",
        dialect: "nginx",
        text: "[pid: $skip] $skip ($skip) {$skip} [$skip] $request_method $request_uri => generated \
               $body_bytes_sent bytes in $duration_us micros $skip($server_protocol $status) $skip",
        about: "uWSGI's default with log-micros",
        set_by: "uWSGI's log-format",
        others: OF_UWSGI,
        source: "unbit/uwsgi: core/logging.c",
        ..PRESET
    },
    Preset {
        name: "rack",
        dialect: "nginx",
        text: "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent $duration_s4",
        about: "Rack::CommonLogger: Puma, Thin, Unicorn, WEBrick; seconds with four decimals",
        set_by: "the server's logger",
        source: "rack/rack: common_logger.rb; puma/puma: commonlogger.rb",
        ..PRESET
    },
    Preset {
        name: "lograge",
        dialect: "logfmt",
        text: "logfmt:status=$status,method=$request_method,path=$request_uri,duration=$duration_ms,host=$host,\
               time=$time",
        about: "Rails with lograge, key=value; milliseconds",
        set_by: "lograge's formatter",
        conditions: &[("controller", ANY), ("method", ANY)],
        source: LOGRAGE,
        ..PRESET
    },
    Preset {
        name: "lograge-json",
        dialect: "JSON",
        text: "json:status=$status,method=$request_method,path=$request_uri,duration=$duration_ms,host=$host,\
               time=$time,@timestamp=$time",
        about: "Rails with lograge in JSON; milliseconds",
        set_by: "lograge's formatter",
        conditions: &[("controller", ANY), ("method", ANY)],
        source: LOGRAGE,
        ..PRESET
    },
    Preset {
        name: "lograge-ltsv",
        dialect: "LTSV",
        text: "ltsv:status=$status,method=$request_method,path=$request_uri,duration=$duration_ms,host=$host,\
               time=$time",
        about: "Rails with lograge in LTSV; milliseconds",
        set_by: "lograge's formatter",
        conditions: &[("controller", ANY), ("method", ANY)],
        source: LOGRAGE,
        ..PRESET
    },
    Preset {
        name: "morgan_tiny",
        dialect: "nginx",
        text: "$request_method $request_uri $status $body_bytes_sent - $duration_ms ms",
        about: "morgan's tiny; milliseconds until the headers",
        set_by: "morgan's format",
        source: MORGAN,
        ..PRESET
    },
    Preset {
        name: "morgan_short",
        dialect: "nginx",
        text: "$remote_addr $remote_user $request_method $request_uri $server_protocol $status $body_bytes_sent - \
               $duration_ms ms",
        about: "morgan's short; milliseconds until the headers",
        set_by: "morgan's format",
        source: MORGAN,
        ..PRESET
    },
    Preset {
        name: "morgan_dev",
        dialect: "nginx",
        text: "$colour$request_method $request_uri $colour$status$colour $duration_ms ms - $body_bytes_sent$colour",
        about: "morgan's dev, with its colours; milliseconds until the headers",
        set_by: "morgan's format",
        source: MORGAN,
        ..PRESET
    },
    Preset {
        name: "pino-http",
        dialect: "JSON",
        text: "json:res.statusCode=$status,req.method=$request_method,req.url=$request_uri,\
               res.headers.content-length=$body_bytes_sent,responseTime=$duration_ms,req.headers.host=$host,\
               time=$time_ms",
        about: "pino-http; milliseconds",
        set_by: "pino-http's options",
        conditions: &[("req.method", ANY), ("responseTime", ANY)],
        aborted: &[("msg", &["request aborted"])],
        source: "pinojs/pino-http 11 itself",
        ..PRESET
    },
    Preset {
        name: "express-winston",
        dialect: "JSON",
        text: "json:meta.res.statusCode=$status,meta.req.method=$request_method,meta.req.url=$request_uri,\
               meta.responseTime=$duration_ms,meta.req.headers.host=$host,timestamp=$time",
        about: "express-winston; milliseconds",
        set_by: "express-winston's options",
        conditions: &[("meta.req.method", ANY), ("meta.responseTime", ANY)],
        source: "bithavoc/express-winston 4.2 itself",
        ..PRESET
    },
    Preset {
        name: "express-bunyan",
        dialect: "JSON",
        text: "json:status-code=$status,method=$request_method,url=$request_uri,response-time=$duration_ms,\
               req-headers.host=$host,res-headers.content-length=$body_bytes_sent,time=$time",
        about: "express-bunyan-logger; milliseconds",
        set_by: "express-bunyan-logger's options",
        conditions: &[("method", ANY), ("response-time", ANY)],
        source: "villadora/express-bunyan-logger",
        ..PRESET
    },
    Preset {
        name: "gin",
        dialect: "nginx",
        text: "[GIN] $skip |$colour $status $colour|$blanks$duration |$blanks$word |$colour $request_method \
               $blanks$colour$blanks\"$request_uri\"",
        about: "gin's logger, with or without colours; durations with their unit",
        set_by: "gin's LoggerConfig",
        others: &["[GIN-debug]*", "Error #*"],
        source: "gin-gonic/gin: logger.go",
        ..PRESET
    },
    Preset {
        name: "chi",
        dialect: "nginx",
        text: "$word $word $skip\"$request_url\" from $word - $status ${body_bytes_sent}B in $duration",
        about: "chi's middleware.Logger; durations with their unit",
        set_by: "chi's middleware",
        source: "go-chi/chi: middleware/logger.go",
        ..PRESET
    },
    Preset {
        name: "echo",
        dialect: "nginx",
        text: "escape=none {\"time\":\"$time\",\"id\":\"$skip\",\"remote_ip\":\"$skip\",\"host\":\"$host\",\
               \"method\":\"$request_method\",\"uri\":\"$request_uri\",\"user_agent\":\"$skip\",\"status\":$status,\
               \"error\":\"$skip\",\"latency\":$duration_ns,\"latency_human\":\"$skip\",\
               \"bytes_in\":$request_length,\"bytes_out\":$body_bytes_sent}",
        about: "echo's middleware.Logger, whose JSON escapes nothing; nanoseconds",
        set_by: "echo's LoggerConfig",
        source: "labstack/echo: middleware/logger.go",
        ..PRESET
    },
];
