//! Formats by name, and which of them reads some lines best.
//!
//! Turns a name into the text that servers ship under it. One table feeds the compiler, the help text and
//! `--format auto`. Sources: the Apache manual (mod_log_config, "Examples"), Debian's and Red Hat's apache
//! packages, nginx's ngx_http_log_module.c and packaged nginx.conf, ingress-nginx's log-format page,
//! Traefik's access-log page, Caddy's `log` directive, lighttpd's mod_accesslog,
//! HAProxy's configuration manual (section 8.2.3).

/// A format known by name.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    pub name: &'static str,
    /// The syntax of `text`.
    pub dialect: &'static str,
    pub text: &'static str,
    /// One line for the help text.
    pub about: &'static str,
    /// Where its server is told what to log, where that is neither LogFormat nor log_format.
    pub set_by: &'static str,
    /// Fields that tell requests from other lines that fit, with their values: patterns parted by `|`, an empty one
    /// for an absent field.
    pub conditions: &'static [(&'static str, &'static str)],
    /// Patterns of whole lines that do not fit and are no requests.
    pub others: &'static [&'static str],
}

const fn preset(
    name: &'static str,
    dialect: &'static str,
    text: &'static str,
    about: &'static str,
) -> Preset {
    Preset { name, dialect, text, about, set_by: "", conditions: &[], others: &[] }
}

/// Lines of the same log that are no requests.
const fn among_others(
    conditions: &'static [(&'static str, &'static str)],
    others: &'static [&'static str],
    preset: Preset,
) -> Preset {
    Preset { conditions, others, ..preset }
}

const fn of_another_server(set_by: &'static str, preset: Preset) -> Preset {
    Preset { set_by, ..preset }
}

/// The preset that a format is, by name or word for word.
pub fn of_text(text: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.text == text)
}

/// In the order of preference when several read the same lines equally well.
pub const PRESETS: &[Preset] = &[
    preset("common", "Apache", r#"%h %l %u %t "%r" %>s %b"#, "the Common Log Format"),
    preset(
        "combined",
        "Apache",
        r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#,
        "common with referer and user agent",
    ),
    preset(
        "vhost_combined",
        "Apache",
        r#"%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i""#,
        "combined behind the virtual host, as Debian ships it",
    ),
    preset(
        "debian_combined",
        "Apache",
        r#"%h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i""#,
        "what Debian calls combined: bytes with headers (%O)",
    ),
    preset(
        "combinedio",
        "Apache",
        r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %I %O"#,
        "combined with the bytes of mod_logio, as Red Hat ships it",
    ),
    preset("common_D", "Apache", r#"%h %l %u %t "%r" %>s %b %D"#, "common with %D, microseconds"),
    preset(
        "combined_D",
        "Apache",
        r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %D"#,
        "combined with %D, microseconds",
    ),
    preset(
        "vhost_combined_D",
        "Apache",
        r#"%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i" %D"#,
        "vhost_combined with %D, microseconds",
    ),
    preset(
        "debian_combined_D",
        "Apache",
        r#"%h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i" %D"#,
        "debian_combined with %D, microseconds",
    ),
    preset(
        "nginx",
        "nginx",
        "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \
         \"$http_referer\" \"$http_user_agent\"",
        "nginx's built-in combined",
    ),
    preset(
        "nginx_main",
        "nginx",
        "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \
         \"$http_referer\" \"$http_user_agent\" \"$http_x_forwarded_for\"",
        "main of nginx's own packages, with X-Forwarded-For",
    ),
    of_another_server(
        "ingress-nginx's log-format-upstream",
        preset(
            "ingress-nginx",
            "nginx",
            "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \
         \"$http_referer\" \"$http_user_agent\" $request_length $request_time [$proxy_upstream_name] \
         [$proxy_alternative_upstream_name] $upstream_addr $upstream_response_length \
         $upstream_response_time $upstream_status $req_id",
            "the ingress controller's upstreaminfo",
        ),
    ),
    of_another_server(
        "lighttpd's accesslog.format",
        preset(
            "lighttpd",
            "Apache",
            r#"%h %V %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#,
            "lighttpd's default accesslog.format",
        ),
    ),
    of_another_server(
        "Traefik's accessLog",
        preset(
            "traefik",
            "nginx",
            "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \
         \"$http_referer\" \"$http_user_agent\" $requests $quoted_or_dash $quoted_or_dash ${millis}ms",
            "Traefik's accessLog, format common (CLF)",
        ),
    ),
    of_another_server(
        "Traefik's accessLog",
        preset(
            "traefik-json",
            "JSON",
            "json:DownstreamStatus=$status,RequestMethod=$request_method,RequestPath=$request_uri,\
         RequestProtocol=$server_protocol,RequestHost=$host,DownstreamContentSize=$body_bytes_sent,\
         RequestContentSize=$request_length,Duration=$nanos,OriginDuration=$nanos_upstream,StartUTC=$time,\
         StartLocal=$time",
            "Traefik's accessLog, format json; durations in nanoseconds",
        ),
    ),
    of_another_server(
        "Caddy's log",
        among_others(
            // Its error log has a method and a status too. A filter of the encoder may have dropped the message.
            &[("msg", "handled request|")],
            &[],
            preset(
                "caddy",
                "JSON",
                "json:status=$status,request.method=$request_method,request.uri=$request_uri,\
         request.proto=$server_protocol,request.host=$host,size=$body_bytes_sent,bytes_read=$request_length,\
         duration=$request_time,ts=$time",
                "Caddy's access log; durations in seconds",
            ),
        ),
    ),
    preset(
        "json",
        "JSON",
        "json:status=$status,request=$request,request_method=$request_method,request_uri=$request_uri,\
         uri=$uri,args=$args,server_protocol=$server_protocol,scheme=$scheme,server_name=$server_name,\
         host=$host,http_host=$http_host,body_bytes_sent=$body_bytes_sent,bytes_sent=$bytes_sent,\
         request_length=$request_length,request_time=$request_time,\
         upstream_header_time=$upstream_header_time,upstream_response_time=$upstream_response_time,\
         upstream_connect_time=$upstream_connect_time,time_local=$time_local,\
         time_iso8601=$time_iso8601,msec=$msec",
        "JSON with keys named as nginx's variables",
    ),
    of_another_server(
        "HAProxy's log-format",
        among_others(
            &[],
            // HAProxy's management guide, and src/proxy.c, src/server.c, src/backend.c and src/session.c of 3.0.
            &["Proxy *", "Server *", "backend *", "* SSL handshake*", "[NOTICE]*", "[WARNING]*", "[ALERT]*"],
            preset(
                "haproxy",
                "nginx",
                "$remote_addr:$remote_port [$time_local] $frontend $server_name/$server \
         $Tq/$Tw/$Tc/$Tr/$millis $status $bytes_sent $captured_cookies $termination_state \
         $connections_queues_headers\"$request\"",
                "HAProxy's option httplog; the backend as virtual host",
            ),
        ),
    ),
];
