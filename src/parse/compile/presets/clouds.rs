//! Presets of clouds and content delivery networks.

use crate::parse::compile::presets::row::{PRESET, Preset};

const AWS: &str = "docs.aws.amazon.com: access logs of load balancers, CloudFront and S3";
const AZURE: &str = "learn.microsoft.com: monitoring of Front Door and Application Gateway";

pub const ROWS: &[Preset] = &[
    Preset {
        name: "aws-alb",
        dialect: "nginx",
        text: "$word $time $word $word $word $duration_part_s $upstream_s $duration_part_s $status $word \
               $request_length $bytes_sent \"$request_url\" \"$http_user_agent\" $skip",
        about: "AWS Application Load Balancer; the three times add up to the duration",
        set_by: "the load balancer's access logs",
        aborted: &[("$status", &["460"])],
        source: AWS,
        ..PRESET
    },
    Preset {
        name: "aws-clb",
        dialect: "nginx",
        text: "$time $word $word $word $duration_part_s $upstream_s $duration_part_s $status $word \
               $request_length $bytes_sent \"$request_url\"$skip",
        about: "AWS Classic Load Balancer; the three times add up to the duration",
        set_by: "the load balancer's access logs",
        source: AWS,
        ..PRESET
    },
    Preset {
        name: "aws-s3",
        dialect: "nginx",
        text: "$word $server_name [$time_local] $word $word $word $word $word $request_or_dash $status $word \
               $bytes_sent $word $duration_ms $ttfb_ms $skip",
        about: "AWS S3 server access log: the bucket as virtual host; milliseconds",
        set_by: "the bucket's server access logging",
        source: AWS,
        ..PRESET
    },
    Preset {
        name: "cloudfront-json",
        dialect: "JSON",
        text: "json:sc-status=$status,cs-method=$request_method,cs-uri-stem=$uri,cs-uri-query=$args,\
               cs-protocol-version=$server_protocol,cs-protocol=$scheme,x-host-header=$host,sc-bytes=$bytes_sent,\
               cs-bytes=$request_length,time-taken=$duration_s,time-to-first-byte=$ttfb_s,date=$date,time=$time",
        about: "CloudFront's standard logs v2 in JSON; seconds",
        set_by: "the distribution's standard logging",
        source: AWS,
        ..PRESET
    },
    Preset {
        name: "gcp-lb",
        dialect: "JSON",
        text: "json:httpRequest.status=$status,httpRequest.requestMethod=$request_method,\
               httpRequest.requestUrl=$url,httpRequest.responseSize=$bytes_sent,\
               httpRequest.requestSize=$request_length,httpRequest.latency=$duration,\
               httpRequest.protocol=$server_protocol,timestamp=$time",
        about: "Google Cloud's load balancers and Cloud Run: LogEntry with httpRequest",
        set_by: "the backend service's logging",
        conditions: &[("httpRequest.requestMethod", "*")],
        aborted: &[("jsonPayload.statusDetails", &["client_disconnected*"])],
        source: "cloud.google.com: LogEntry HttpRequest, statusDetails",
        ..PRESET
    },
    Preset {
        name: "azure-front-door",
        dialect: "JSON",
        text: "json:properties.httpStatusCode=$status,properties.httpMethod=$request_method,\
               properties.requestUri=$url,properties.responseBytes=$bytes_sent,\
               properties.requestBytes=$request_length,properties.timeTaken=$duration_s,\
               properties.timeToFirstByte=$ttfb_s,properties.hostName=$host,time=$time",
        about: "Azure Front Door's access log; seconds",
        set_by: "Front Door's diagnostic settings",
        conditions: &[("category", "FrontdoorAccessLog|FrontDoorAccessLog")],
        aborted: &[("properties.errorInfo", &["ClientDisconnected"])],
        source: AZURE,
        ..PRESET
    },
    Preset {
        name: "azure-appgw",
        dialect: "JSON",
        text: "json:properties.httpStatus=$status,properties.httpMethod=$request_method,\
               properties.requestUri=$request_uri,properties.requestQuery=$args,\
               properties.httpVersion=$server_protocol,properties.sentBytes=$bytes_sent,\
               properties.receivedBytes=$request_length,properties.timeTaken=$duration_s,\
               properties.serverResponseLatency=$upstream_s,properties.host=$host,time=$time",
        about: "Azure Application Gateway v2; seconds",
        set_by: "the gateway's diagnostic settings",
        conditions: &[("category", "ApplicationGatewayAccessLog")],
        by_name: true,
        source: AZURE,
        ..PRESET
    },
    Preset {
        name: "azure-appgw-v1",
        dialect: "JSON",
        text: "json:properties.httpStatus=$status,properties.httpMethod=$request_method,\
               properties.requestUri=$request_uri,properties.requestQuery=$args,\
               properties.httpVersion=$server_protocol,properties.sentBytes=$bytes_sent,\
               properties.receivedBytes=$request_length,properties.timeTaken=$duration_ms,\
               properties.host=$host,time=$time",
        about: "Azure Application Gateway v1; milliseconds",
        set_by: "the gateway's diagnostic settings",
        conditions: &[("category", "ApplicationGatewayAccessLog")],
        by_name: true,
        source: AZURE,
        ..PRESET
    },
    Preset {
        name: "azure-apim",
        dialect: "JSON",
        text: "json:properties.responseCode=$status,properties.method=$request_method,properties.url=$url,\
               properties.clientProtocol=$server_protocol,properties.responseSize=$bytes_sent,\
               properties.requestSize=$request_length,durationMs=$duration_ms,properties.backendTime=$upstream_ms,\
               time=$time",
        about: "Azure API Management's gateway logs; milliseconds",
        set_by: "the diagnostic settings of API Management",
        conditions: &[("category", "GatewayLogs")],
        source: "learn.microsoft.com: API Management, resource log schema of GatewayLogs",
        ..PRESET
    },
    Preset {
        name: "cloudflare",
        dialect: "JSON",
        text: "json:EdgeResponseStatus=$status,ClientRequestMethod=$request_method,ClientRequestURI=$request_uri,\
               ClientRequestHost=$host,ClientRequestProtocol=$server_protocol,ClientRequestScheme=$scheme,\
               EdgeResponseBytes=$bytes_sent,ClientRequestBytes=$request_length,EdgeTimeToFirstByteMs=$ttfb_ms,\
               OriginResponseTime=$upstream_ns,\
               OriginResponseDurationMs=$upstream_ms,EdgeStartTimestamp=$time",
        about: "Cloudflare's Logpush of HTTP requests; it has no total duration",
        set_by: "the Logpush job",
        source: "developers.cloudflare.com: Logpush, HTTP requests",
        ..PRESET
    },
    Preset {
        name: "heroku",
        dialect: "logfmt",
        text: "logfmt:status=$status,method=$request_method,path=$request_uri,host=$host,bytes=$bytes_sent,\
               service=$duration,protocol=$scheme",
        about: "Heroku's router; milliseconds with their unit",
        set_by: "Heroku's router",
        conditions: &[("at", "info|error|warning"), ("dyno", "*|"), ("service", "*|"), ("method", "*")],
        aborted: &[("code", &["H18", "H27"])],
        source: "devcenter.heroku.com: http-routing, error-codes",
        ..PRESET
    },
];
