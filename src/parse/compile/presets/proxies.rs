//! Presets of proxies and caches: HAProxy, Envoy, Traefik, Varnish, Squid and ingress controllers.

use crate::parse::compile::presets::row::{PRESET, Preset};

const HAPROXY: &str = "HAProxy's configuration manual, section 8.2.3 (option httplog, httpslog, httplog clf)";
/// What HAProxy logs at the level of a notice, and what it prints while it starts (src/proxy.c, src/server.c,
/// src/errors.c of 3.0). Alerts (a server that is down) and errors (a handshake that failed) are for somebody to see.
const HAPROXY_NOTICES: &[&str] =
    &["Proxy *", "Server * is UP*", "Stopping *", "[NOTICE]*", "[WARNING]*", "[ALERT]*"];
const ENVOY: &str = "Envoy's \"Access logging\"; istio/istio: pilot/pkg/model/accesslog.go";
const SQUID: &str = "Squid's logformat directive; Traffic Server's \"Squid\" format";

pub const ROWS: &[Preset] = &[
    Preset {
        name: "ingress-nginx",
        dialect: "nginx",
        text: "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \
               \"$http_referer\" \"$http_user_agent\" $request_length $request_time [$proxy_upstream_name] \
               [$proxy_alternative_upstream_name] $upstream_addr $upstream_response_length \
               $upstream_response_time $upstream_status $req_id",
        about: "the ingress controller's upstreaminfo",
        set_by: "ingress-nginx's log-format-upstream",
        source: "ingress-nginx's log-format page",
        ..PRESET
    },
    Preset {
        name: "traefik",
        dialect: "nginx",
        text: "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \
               \"$http_referer\" \"$http_user_agent\" $requests $quoted_or_dash $quoted_or_dash ${duration_ms}ms",
        about: "Traefik's accessLog, format common (CLF)",
        set_by: "Traefik's accessLog",
        source: "Traefik's access-log page",
        ..PRESET
    },
    Preset {
        name: "traefik-json",
        dialect: "JSON",
        text: "json:DownstreamStatus=$status,RequestMethod=$request_method,RequestPath=$request_uri,\
               RequestProtocol=$server_protocol,RequestHost=$host,DownstreamContentSize=$body_bytes_sent,\
               RequestContentSize=$request_length,Duration=$duration_ns,OriginDuration=$upstream_ns,StartUTC=$time,\
               StartLocal=$time",
        about: "Traefik's accessLog, format json; durations in nanoseconds",
        set_by: "Traefik's accessLog",
        // What Traefik says of itself has a message; the access log has an empty one.
        conditions: &[("msg", "|")],
        source: "Traefik's access-log page",
        ..PRESET
    },
    Preset {
        name: "haproxy",
        dialect: "HAProxy",
        text: "haproxy:%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc \
               %sq/%bq %hr %hs %{+Q}r",
        about: "HAProxy's option httplog; the backend as virtual host",
        set_by: "HAProxy's log-format",
        others: HAPROXY_NOTICES,
        source: HAPROXY,
        ..PRESET
    },
    Preset {
        name: "haproxy-https",
        dialect: "HAProxy",
        text: "haproxy:%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc \
               %sq/%bq %hr %hs %{+Q}r %[fc_err]/%[ssl_fc_err,hex]/%[ssl_c_err]/%[ssl_c_ca_err]/\
               %[ssl_fc_is_resumed] %[ssl_fc_sni]/%sslv/%sslc",
        about: "HAProxy's option httpslog; the backend as virtual host",
        set_by: "HAProxy's log-format",
        others: HAPROXY_NOTICES,
        source: HAPROXY,
        ..PRESET
    },
    Preset {
        name: "haproxy-tls",
        dialect: "HAProxy",
        text: "haproxy:%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc \
               %sq/%bq %hr %hs %sslv %sslc %{+Q}r",
        about: "HAProxy's httplog with %sslv %sslc before the request; the backend as virtual host",
        set_by: "HAProxy's log-format",
        others: HAPROXY_NOTICES,
        source: "allinurl/goaccess#1656; HAProxy's configuration manual, section 8.2.6",
        ..PRESET
    },
    Preset {
        name: "haproxy-clf",
        dialect: "HAProxy",
        text: "haproxy:%{+Q}o %{-Q}ci - - [%trg] %r %ST %B \"\" \"\" %cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta %tsc \
               %ac %fc %bc %sc %rc %sq %bq %CC %CS %hrl %hsl",
        about: "HAProxy's option httplog clf; the backend as virtual host",
        set_by: "HAProxy's log-format",
        others: HAPROXY_NOTICES,
        source: HAPROXY,
        ..PRESET
    },
    Preset {
        name: "envoy",
        dialect: "Envoy",
        text: "envoy:[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" \
               %RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% \
               %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \
               \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\"",
        about: "Envoy's default access log",
        set_by: "Envoy's access_log",
        source: ENVOY,
        ..PRESET
    },
    Preset {
        name: "istio",
        dialect: "Envoy",
        text: "envoy:[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" \
               %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% \
               \"%UPSTREAM_TRANSPORT_FAILURE_REASON%\" %BYTES_RECEIVED% %BYTES_SENT% %DURATION% \
               %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \
               \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\" %UPSTREAM_CLUSTER% \
               %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% \
               %REQUESTED_SERVER_NAME% %ROUTE_NAME%",
        about: "Istio's default text access log",
        set_by: "Istio's meshConfig.accessLogFormat",
        source: ENVOY,
        ..PRESET
    },
    Preset {
        name: "envoy-json",
        dialect: "JSON",
        text: "json:response_code=$status,method=$request_method,path=$request_uri,\
               x-envoy-origin-path=$request_uri,protocol=$server_protocol,authority=$host,:authority=$host,\
               bytes_sent=$body_bytes_sent,bytes_received=$request_length,duration=$duration_ms,\
               upstream_service_time=$upstream_ms,response_flags=$response_flags,start_time=$time,@timestamp=$time",
        about: "JSON as Istio, Envoy Gateway and Contour have it by default; milliseconds",
        set_by: "Envoy's access_log",
        conditions: &[("response_flags", "*"), ("method", "*")],
        source: "Istio's, Envoy Gateway's and Contour's documentation of their access logs",
        ..PRESET
    },
    Preset {
        name: "varnish",
        dialect: "Varnish",
        text: "varnish:%h %l %u %t \"%r\" %s %b \"%{Referer}i\" \"%{User-agent}i\"",
        about: "varnishncsa's default: the host of the URL as virtual host",
        set_by: "varnishncsa -F",
        conditions: &[("%r", "* http://*|* https://*")],
        source: "varnishncsa(1); Varnish 7.7 itself",
        ..PRESET
    },
    Preset {
        name: "squid",
        dialect: "nginx",
        text: "$msec $blanks$duration_ms $word $cache_result/$status $bytes_sent $request_method $url $skip \
               $word/$word $skip",
        about: "Squid's native log, and Traffic Server's of that name; milliseconds",
        set_by: "Squid's logformat",
        source: SQUID,
        ..PRESET
    },
    Preset {
        name: "squid_combined",
        dialect: "nginx",
        text: "$remote_addr $ident $remote_user [$time_local] \"$request_url\" $status $bytes_sent \
               \"$http_referer\" \"$http_user_agent\" $cache_result:$word",
        about: "Squid's combined",
        set_by: "Squid's logformat",
        source: SQUID,
        ..PRESET
    },
    Preset {
        name: "squid_common",
        dialect: "nginx",
        text: "$remote_addr $ident $remote_user [$time_local] \"$request_url\" $status $bytes_sent \
               $cache_result:$word",
        about: "Squid's common",
        set_by: "Squid's logformat",
        source: SQUID,
        ..PRESET
    },
    Preset {
        name: "kong",
        dialect: "nginx",
        text: "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \
               \"$http_referer\" \"$http_user_agent\" kong_request_id: \"$request_id\"",
        about: "Kong's nginx access log since 3.x",
        set_by: "Kong's proxy_access_log",
        source: "kong/templates/nginx_kong.lua",
        ..PRESET
    },
    Preset {
        name: "kong-json",
        dialect: "JSON",
        text: "json:response.status=$status,request.method=$request_method,request.uri=$request_uri,\
               response.size=$bytes_sent,request.size=$request_length,latencies.request=$duration_ms,\
               latencies.proxy=$upstream_ms,request.headers.host=$host,started_at=$time_ms",
        about: "Kong's file-log and http-log plugins; milliseconds",
        set_by: "Kong's logging plugins",
        conditions: &[("latencies.request", "*")],
        source: "Kong's \"Log format\" of its logging plugins",
        ..PRESET
    },
    Preset {
        name: "gorouter",
        dialect: "nginx",
        text: "$host - [$time_iso8601] \"$request\" $status $request_length $bytes_sent \"$http_referer\" \
               \"$http_user_agent\" \"$skip\" \"$skip\" ${skip}response_time:$duration_s$skip",
        about: "Cloud Foundry's gorouter",
        set_by: "gorouter's access log",
        source: "cloudfoundry/gorouter: docs and accesslog/schema",
        ..PRESET
    },
    Preset {
        name: "zoraxy",
        dialect: "nginx",
        text: "$word $word [$skip] [router:$skip] [origin:$host] [client: $skip] [useragent: $skip] \
               $request_method $request_uri $status",
        about: "Zoraxy's HTTP log",
        set_by: "Zoraxy's log",
        source: "crowdsecurity/hub: parsers of zoraxy",
        ..PRESET
    },
];
