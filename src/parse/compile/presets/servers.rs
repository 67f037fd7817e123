//! Presets of web servers: Apache, nginx and what is near them.

use crate::parse::compile::presets::row::{PRESET, Preset};

const APACHE: &str = "the Apache manual (mod_log_config, mod_logio); Debian's and Red Hat's packages";
const NGINX: &str = "ngx_http_log_module.c and the nginx.conf of nginx's packages";

const fn apache(name: &'static str, text: &'static str, about: &'static str) -> Preset {
    Preset { name, dialect: "Apache", text, about, source: APACHE, ..PRESET }
}

pub const ROWS: &[Preset] = &[
    apache("common", r#"%h %l %u %t "%r" %>s %b"#, "the Common Log Format"),
    apache(
        "combined",
        r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#,
        "common with referer and user agent",
    ),
    apache(
        "vhost_combined",
        r#"%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i""#,
        "combined behind the virtual host, as Debian ships it",
    ),
    apache(
        "debian_combined",
        r#"%h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i""#,
        "what Debian calls combined: bytes with headers (%O)",
    ),
    apache(
        "combinedio",
        r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %I %O"#,
        "combined with the bytes of mod_logio, as Red Hat ships it",
    ),
    apache("common_D", r#"%h %l %u %t "%r" %>s %b %D"#, "common with %D, microseconds"),
    apache(
        "combined_D",
        r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %D"#,
        "combined with %D, microseconds",
    ),
    apache(
        "vhost_combined_D",
        r#"%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i" %D"#,
        "vhost_combined with %D, microseconds",
    ),
    apache(
        "debian_combined_D",
        r#"%h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i" %D"#,
        "debian_combined with %D, microseconds",
    ),
    Preset {
        name: "nginx",
        dialect: "nginx",
        text: "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \
               \"$http_referer\" \"$http_user_agent\"",
        about: "nginx's built-in combined",
        source: NGINX,
        ..PRESET
    },
    Preset {
        name: "nginx_main",
        dialect: "nginx",
        text: "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \
               \"$http_referer\" \"$http_user_agent\" \"$http_x_forwarded_for\"",
        about: "main of nginx's own packages, with X-Forwarded-For",
        source: NGINX,
        ..PRESET
    },
    Preset {
        name: "json",
        dialect: "JSON",
        text: "json:status=$status,request=$request,request_method=$request_method,request_uri=$request_uri,\
               uri=$uri,args=$args,server_protocol=$server_protocol,scheme=$scheme,server_name=$server_name,\
               host=$host,http_host=$http_host,body_bytes_sent=$body_bytes_sent,bytes_sent=$bytes_sent,\
               request_length=$request_length,request_time=$request_time,\
               upstream_header_time=$upstream_header_time,upstream_response_time=$upstream_response_time,\
               upstream_connect_time=$upstream_connect_time,time_local=$time_local,\
               time_iso8601=$time_iso8601,msec=$msec",
        about: "JSON with keys named as nginx's variables",
        source: NGINX,
        ..PRESET
    },
    Preset {
        name: "lighttpd",
        dialect: "Apache",
        text: r#"%h %V %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#,
        about: "lighttpd's default accesslog.format",
        set_by: "lighttpd's accesslog.format",
        source: "lighttpd's mod_accesslog",
        ..PRESET
    },
    Preset {
        name: "litespeed",
        dialect: "nginx",
        text: "$open_quote$remote_addr $ident $remote_user [$time_local] \"$request\" $status \
               $body_bytes_sent$rest_of_combined",
        about: "LiteSpeed's combined, and what it writes without a logFormat: common, the whole line in quotes",
        set_by: "LiteSpeed's logFormat",
        // Without the quote it is `common` or `combined` as any server writes it.
        known_by: "$open_quote",
        source: "OpenLiteSpeed's documentation of logFormat; crowdsecurity/hub: tests of litespeed",
        ..PRESET
    },
    Preset {
        name: "caddy",
        dialect: "JSON",
        text: "json:status=$status,request.method=$request_method,request.uri=$request_uri,\
               request.proto=$server_protocol,request.host=$host,size=$body_bytes_sent,bytes_read=$request_length,\
               duration=$request_time,ts=$time",
        about: "Caddy's access log; durations in seconds",
        set_by: "Caddy's log",
        // Its error log has a method and a status too, and a number by which to find the error. A filter of the encoder
        // may have dropped the message, and the console encoder has it before the object.
        conditions: &[("msg", "handled request|"), ("err_id", "|")],
        others: &["20*\t*INFO*\t*", "20*\t*WARN*\t*", "20*\t*ERROR*\t*", "20*\t*DEBUG*\t*"],
        source: "Caddy's log directive; Caddy 2.11 itself",
        ..PRESET
    },
    Preset {
        name: "ltsv",
        dialect: "LTSV",
        text: "ltsv:status=$status,req=$request,method=$request_method,uri=$request_uri,\
               protocol=$server_protocol,vhost=$host,size=$body_bytes_sent,reqsize=$request_length,\
               reqtime=$duration_s,reqtime_microsec=$duration_us,apptime=$upstream_s,runtime=$upstream_s,time=$time",
        about: "Labeled Tab-separated Values with the labels of ltsv.org, in any order",
        // nginx prints what its upstream took in every line, if only a dash; an application that logs its own time
        // under the same label does so where it was asked.
        in_every_line: &["apptime", "runtime"],
        source: "ltsv.org",
        ..PRESET
    },
    Preset {
        name: "w3c",
        dialect: "W3C",
        text: "w3c:",
        about: "columns named by #Fields: IIS, CloudFront, Tomcat's extended valve, ASP.NET Core",
        set_by: "what is logged where IIS, CloudFront or Tomcat",
        source: "WD-logfile; IIS log file format; CloudFront's standard logs; Tomcat's ExtendedAccessLogValve",
        ..PRESET
    },
    Preset {
        name: "iis-native",
        dialect: "nginx",
        text: "$remote_addr, $skip, $word, $word, $word, $skip, $word, $duration_ms, $request_length, \
               $bytes_sent, $status, $word, $request_method, $path, $skip,",
        about: "IIS's own log file format, with commas; milliseconds",
        set_by: "IIS's logging, format IIS",
        source: "learn.microsoft.com: IIS Log File Formats",
        ..PRESET
    },
    Preset {
        name: "npm",
        dialect: "nginx",
        text: "[$time_local] $upstream_cache_status $upstream_status $status - $request_method $scheme $host \"$request_uri\" [Client $remote_addr] \
               [Length $body_bytes_sent] [Gzip $gzip_ratio]$skip \"$http_user_agent\" \"$http_referer\"",
        set_by: "Nginx Proxy Manager's log_format",
        about: "Nginx Proxy Manager, its proxied hosts",
        source: "NginxProxyManager: docker/rootfs/etc/nginx/nginx.conf",
        ..PRESET
    },
    Preset {
        name: "npm-default",
        dialect: "nginx",
        text: "[$time_local] $status - $request_method $scheme $host \"$request_uri\" [Client $remote_addr] \
               [Length $body_bytes_sent] [Gzip $gzip_ratio] \"$http_user_agent\" \"$http_referer\"",
        set_by: "Nginx Proxy Manager's log_format",
        about: "Nginx Proxy Manager, its default host",
        source: "NginxProxyManager: docker/rootfs/etc/nginx/nginx.conf",
        ..PRESET
    },
    Preset {
        name: "npmplus",
        dialect: "nginx",
        text: "[$time_local] $host $remote_addr $request_time \"$request\" $status $body_bytes_sent \
               $request_length $http_referer $http_user_agent",
        set_by: "NPMplus's log_format",
        about: "NPMplus",
        source: "ZoeyVid/NPMplus: nginx.conf",
        ..PRESET
    },
    Preset {
        name: "bunkerweb",
        dialect: "nginx",
        text: "$server_name $remote_addr - $request_id $remote_user [$time_local] \"$request\" $status \
               $body_bytes_sent \"$http_referer\" \"$http_user_agent\"",
        set_by: "BunkerWeb's LOG_FORMAT",
        about: "BunkerWeb's default LOG_FORMAT",
        source: "bunkerity/bunkerweb: LOG_FORMAT",
        ..PRESET
    },
    Preset {
        name: "apisix",
        dialect: "nginx",
        text: "$remote_addr - $remote_user [$time_local] $http_host \"$request\" $status $body_bytes_sent \
               $request_time \"$http_referer\" \"$http_user_agent\" $upstream_addr $upstream_status \
               $upstream_response_time \"$skip\"",
        about: "Apache APISIX's default access_log_format",
        set_by: "APISIX's access_log_format",
        source: "apache/apisix: config-default.yaml",
        ..PRESET
    },
];
