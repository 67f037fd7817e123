//! Turns rows of panels into `contrib/grafana/httpd.json` and keeps that file equal to them: `BLESS=1` writes it anew.
//!
//! What all panels share (data source, grid, thresholds) is said once here, so that each panel is its questions.
//! Follows Grafana's dashboard JSON, schema 39 (Grafana 10.2 and later). Variables stand in the expressions as
//! `TRAFFIC`, the selectors of what the log says, `HOSTS`, those of what it says of virtual hosts alone, `OWN`, those
//! of what the exporter says of itself, and `BUDGET`, those of what the rules record.

use serde_json::{Value, json};

/// Grafana's grid.
const COLUMNS: u64 = 24;

const TRAFFIC: &str = r#"job=~"$job", instance=~"$instance", vhost=~"$vhost", route=~"$route", method=~"$method", client=~"$client""#;
/// What has no label but the virtual host.
const HOSTS: &str = r#"job=~"$job", instance=~"$instance", vhost=~"$vhost""#;
const OWN: &str = r#"job=~"$job", instance=~"$instance""#;
/// What the rules record across instances.
const BUDGET: &str = r#"job=~"$job", vhost=~"$vhost""#;

/// A value from which on a colour holds.
type Step = (f64, &'static str);

/// What nobody can call too much or too little by itself.
const CALM: &[Step] = &[];
/// Of requests: one in a hundred is looked into, one in twenty is an outage of something.
const SHARE: &[Step] = &[(0.01, "yellow"), (0.05, "red")];
/// Seconds that a person waits: noticed, and lost patience.
const WAIT: &[Step] = &[(1.0, "yellow"), (3.0, "red")];
/// Nothing of this should ever happen.
const NEVER: &[Step] = &[(0.000_001, "red")];
/// Nothing of this happens in a quiet day.
const RARELY: &[Step] = &[(0.1, "yellow"), (10.0, "red")];

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Row,
    /// One number of now, with its curve behind it.
    Stat,
    Curves,
    /// Curves on top of each other, that make a sum.
    Stacked,
    Heat,
    Table,
}

struct Panel {
    kind: Kind,
    title: &'static str,
    width: u64,
    unit: &'static str,
    thresholds: &'static [Step],
    description: &'static str,
    /// Legend and expression.
    queries: &'static [(&'static str, &'static str)],
}

const fn row(title: &'static str) -> Panel {
    Panel {
        kind: Kind::Row,
        title,
        width: COLUMNS,
        unit: "",
        thresholds: CALM,
        description: "",
        queries: &[],
    }
}

impl Kind {
    const fn titled(self, title: &'static str, width: u64, unit: &'static str) -> Panel {
        Panel { kind: self, title, width, unit, thresholds: CALM, description: "", queries: &[] }
    }

    fn height(self) -> u64 {
        match self {
            Kind::Row => 1,
            Kind::Stat => 4,
            _ => 8,
        }
    }

    fn grafana(self) -> &'static str {
        match self {
            Kind::Row => "row",
            Kind::Stat => "stat",
            Kind::Curves | Kind::Stacked => "timeseries",
            Kind::Heat => "heatmap",
            Kind::Table => "table",
        }
    }
}

/// Questions to a histogram of either kind. A name without `_bucket` or `_sum` is a native one, and where there is one
/// it is asked, for it is the finer.
#[rustfmt::skip]
macro_rules! quantile {
    ($quantile:literal, $metric:literal) => {
        concat!(
            "histogram_quantile(", $quantile, ", sum(rate(", $metric, "{TRAFFIC}[$__rate_interval]))) or ",
            "histogram_quantile(", $quantile, ", sum by (le) (rate(", $metric, "_bucket{TRAFFIC}[$__rate_interval])))"
        )
    };
    ($quantile:literal, $metric:literal, by $label:literal) => {
        concat!(
            "histogram_quantile(", $quantile, ", sum by (", $label, ") (rate(", $metric, "{TRAFFIC}[$__rate_interval]))) or ",
            "histogram_quantile(", $quantile, ", sum by (", $label, ", le) (rate(", $metric, "_bucket{TRAFFIC}[$__rate_interval])))"
        )
    };
}
#[rustfmt::skip]
macro_rules! seconds {
    ($metric:literal, $by:literal) => {
        concat!(
            "histogram_sum(sum", $by, "(rate(", $metric, "{TRAFFIC}[$__rate_interval]))) or ",
            "sum", $by, "(rate(", $metric, "_sum{TRAFFIC}[$__rate_interval]))"
        )
    };
}
#[rustfmt::skip]
macro_rules! mean {
    ($metric:literal, $by:literal) => {
        concat!(
            "histogram_sum(sum", $by, "(rate(", $metric, "{TRAFFIC}[$__rate_interval]))) / ",
            "histogram_count(sum", $by, "(rate(", $metric, "{TRAFFIC}[$__rate_interval]))) or ",
            "sum", $by, "(rate(", $metric, "_sum{TRAFFIC}[$__rate_interval])) / ",
            "sum", $by, "(rate(", $metric, "_count{TRAFFIC}[$__rate_interval]))"
        )
    };
}
#[rustfmt::skip]
macro_rules! heat {
    ($metric:literal) => {
        concat!(
            "sum(increase(", $metric, "{TRAFFIC}[$__rate_interval])) or (",
            "sum by (le) (increase(", $metric, "_bucket{TRAFFIC}[$__rate_interval])) ",
            "unless on () sum(increase(", $metric, "{TRAFFIC}[$__rate_interval])))"
        )
    };
}

#[rustfmt::skip]
const PANELS: &[Panel] = &[
    row("Golden signals"),
    Panel { thresholds: CALM,
        description: "Traffic: requests a second that the server has logged.",
        queries: &[("requests", "sum(rate(httpd_requests_total{TRAFFIC}[$__rate_interval]))")],
        ..Kind::Stat.titled("Requests", 6, "reqps") },
    Panel { thresholds: SHARE,
        description: "Errors: the share of requests answered with a status of 500 and above.",
        queries: &[("errors", "(sum(rate(httpd_requests_total{TRAFFIC, status_code=~\"5..\"}[$__rate_interval])) or vector(0)) \
            / sum(rate(httpd_requests_total{TRAFFIC}[$__rate_interval]))")],
        ..Kind::Stat.titled("Server errors", 6, "percentunit") },
    Panel { thresholds: WAIT,
        description: "Latency: 95 of 100 requests were served faster. Needs a time in the format: %D, %T or $request_time.",
        queries: &[("95 %", quantile!("0.95", "httpd_request_duration_seconds"))],
        ..Kind::Stat.titled("Duration, 95 %", 6, "s") },
    Panel { thresholds: CALM,
        description: "Saturation: how many requests were being served at once, on average: the time spent on requests in each \
            second (Little's law). Compare it with the workers that the server has.",
        queries: &[("in progress", seconds!("httpd_request_duration_seconds", ""))],
        ..Kind::Stat.titled("Requests in progress", 6, "none") },
    Panel { thresholds: CALM,
        description: "Requests a second by the first digit of their status.",
        queries: &[
            ("1xx", "sum(rate(httpd_requests_total{TRAFFIC, status_code=~\"1..\"}[$__rate_interval]))"),
            ("2xx", "sum(rate(httpd_requests_total{TRAFFIC, status_code=~\"2..\"}[$__rate_interval]))"),
            ("3xx", "sum(rate(httpd_requests_total{TRAFFIC, status_code=~\"3..\"}[$__rate_interval]))"),
            ("4xx", "sum(rate(httpd_requests_total{TRAFFIC, status_code=~\"4..\"}[$__rate_interval]))"),
            ("5xx", "sum(rate(httpd_requests_total{TRAFFIC, status_code=~\"5..\"}[$__rate_interval]))"),
        ],
        ..Kind::Stacked.titled("Requests by class of status", 6, "reqps") },
    Panel { thresholds: SHARE,
        description: "Shares of all requests: 5xx are the server's errors, 4xx the clients'.",
        queries: &[
            ("4xx", "(sum(rate(httpd_requests_total{TRAFFIC, status_code=~\"4..\"}[$__rate_interval])) or vector(0)) \
                / sum(rate(httpd_requests_total{TRAFFIC}[$__rate_interval]))"),
            ("5xx", "(sum(rate(httpd_requests_total{TRAFFIC, status_code=~\"5..\"}[$__rate_interval])) or vector(0)) \
                / sum(rate(httpd_requests_total{TRAFFIC}[$__rate_interval]))"),
        ],
        ..Kind::Curves.titled("Errors by share", 6, "percentunit") },
    Panel { thresholds: WAIT,
        description: "Half, 95 and 99 of 100 requests were served faster, as exactly as the buckets allow.",
        queries: &[
            ("50 %", quantile!("0.5", "httpd_request_duration_seconds")),
            ("95 %", quantile!("0.95", "httpd_request_duration_seconds")),
            ("99 %", quantile!("0.99", "httpd_request_duration_seconds")),
        ],
        ..Kind::Curves.titled("Durations", 6, "s") },
    Panel { thresholds: CALM,
        description: "Requests being served at once, on average, by instance.",
        queries: &[("{{instance}}", seconds!("httpd_request_duration_seconds", " by (instance)"))],
        ..Kind::Curves.titled("Requests in progress by instance", 6, "none") },

    row("Objectives"),
    Panel { thresholds: &[(0.0, "green")],
        description: "What is left of each error budget over 30 days: below 0 the objective is missed. Needs --slo and its row \
            in slo.yml.",
        queries: &[("{{slo}} {{vhost}}", "slo:httpd_budget_left:ratio30d{BUDGET}")],
        ..Kind::Stat.titled("Error budget left", 8, "percentunit") },
    Panel { thresholds: &[(1.0, "yellow"), (14.4, "red")],
        description: "How fast the budgets are burnt, over an hour: 1 spends one in 30 days, 14.4 a fiftieth of it in an hour.",
        queries: &[("{{slo}} {{vhost}}", "slo:httpd_budget_burn:rate1h{BUDGET}")],
        ..Kind::Curves.titled("Burn rates", 8, "none") },
    Panel { thresholds: CALM,
        description: "The share of the requests of each objective that do not meet it.",
        queries: &[("{{slo}}", "sum by (slo) (rate(httpd_slo_requests_total{HOSTS, result=\"bad\"}[$__rate_interval])) \
            / sum by (slo) (rate(httpd_slo_requests_total{HOSTS}[$__rate_interval]))")],
        ..Kind::Curves.titled("Bad requests by objective", 8, "percentunit") },

    row("Status codes and methods"),
    Panel { thresholds: CALM,
        description: "Requests a second by status code; `other` is what is no status code.",
        queries: &[("{{status_code}}", "sum by (status_code) (rate(httpd_requests_total{TRAFFIC}[$__rate_interval]))")],
        ..Kind::Curves.titled("Requests by status code", 8, "reqps") },
    Panel { thresholds: CALM,
        description: "Requests a second by method; `other` is every method that --methods does not name.",
        queries: &[("{{method}}", "sum by (method) (rate(httpd_requests_total{TRAFFIC}[$__rate_interval]))")],
        ..Kind::Curves.titled("Requests by method", 8, "reqps") },
    Panel { thresholds: CALM,
        description: "How often each status code was answered in the time shown.",
        queries: &[("{{status_code}}", "sort_desc(sum by (status_code) (increase(httpd_requests_total{TRAFFIC}[$__range])))")],
        ..Kind::Table.titled("Status codes in the time shown", 8, "short") },

    row("Virtual hosts and routes"),
    Panel { thresholds: CALM,
        description: "The ten busiest virtual hosts. Needs %v or $server_name in the format.",
        queries: &[("{{vhost}}", "topk(10, sum by (vhost) (rate(httpd_requests_total{TRAFFIC}[$__rate_interval])))")],
        ..Kind::Curves.titled("Requests by virtual host", 8, "reqps") },
    Panel { thresholds: CALM,
        description: "The ten busiest routes. Needs --route; without it there is one curve.",
        queries: &[("{{route}}", "topk(10, sum by (route) (rate(httpd_requests_total{TRAFFIC}[$__rate_interval])))")],
        ..Kind::Curves.titled("Requests by route", 8, "reqps") },
    Panel { thresholds: SHARE,
        description: "The ten routes with the greatest share of statuses of 500 and above.",
        queries: &[("{{route}}", "topk(10, sum by (route) (rate(httpd_requests_total{TRAFFIC, status_code=~\"5..\"}[$__rate_interval])) \
            / sum by (route) (rate(httpd_requests_total{TRAFFIC}[$__rate_interval])))")],
        ..Kind::Curves.titled("Server errors by route", 8, "percentunit") },
    Panel { thresholds: WAIT,
        description: "The ten slowest virtual hosts: 95 of 100 requests were served faster.",
        queries: &[("{{vhost}}", concat!("topk(10, ", quantile!("0.95", "httpd_request_duration_seconds", by "vhost"), ")"))],
        ..Kind::Curves.titled("Duration by virtual host, 95 %", 8, "s") },
    Panel { thresholds: WAIT,
        description: "The ten slowest routes: 95 of 100 requests were served faster.",
        queries: &[("{{route}}", concat!("topk(10, ", quantile!("0.95", "httpd_request_duration_seconds", by "route"), ")"))],
        ..Kind::Curves.titled("Duration by route, 95 %", 8, "s") },
    Panel { thresholds: CALM,
        description: "The ten routes that keep the server busiest: the time spent on them in each second.",
        queries: &[("{{route}}", concat!("topk(10, ", seconds!("httpd_request_duration_seconds", " by (route)"), ")"))],
        ..Kind::Stacked.titled("Requests in progress by route", 8, "none") },

    row("Kinds of clients"),
    Panel { thresholds: CALM,
        description: "Requests a second by the kind of client that the user agent says. Needs --label client=client.",
        queries: &[("{{client}}", "sum by (client) (rate(httpd_requests_total{TRAFFIC, client!=\"\"}[$__rate_interval]))")],
        ..Kind::Stacked.titled("Requests by kind of client", 8, "reqps") },
    Panel { thresholds: CALM,
        description: "Bytes a second sent to each kind of client. Needs --label client=client.",
        queries: &[("{{client}}", "sum by (client) (rate(httpd_bytes_sent_total{TRAFFIC, client!=\"\"}[$__rate_interval]))")],
        ..Kind::Stacked.titled("Bytes by kind of client", 8, "Bps") },
    Panel { thresholds: CALM,
        description: "What AI companies' crawlers take of all requests and of all bytes sent. Needs --label client=client.",
        queries: &[
            ("requests", "(sum(rate(httpd_requests_total{TRAFFIC, client=\"ai_crawler\"}[$__rate_interval])) or vector(0)) \
                / sum(rate(httpd_requests_total{TRAFFIC, client!=\"\"}[$__rate_interval]))"),
            ("bytes", "(sum(rate(httpd_bytes_sent_total{TRAFFIC, client=\"ai_crawler\"}[$__rate_interval])) or vector(0)) \
                / sum(rate(httpd_bytes_sent_total{TRAFFIC, client!=\"\"}[$__rate_interval]))"),
        ],
        ..Kind::Curves.titled("Share of AI crawlers", 8, "percentunit") },
    Panel { thresholds: CALM,
        description: "How many different values today, since midnight UTC, of the ten virtual hosts with the most. Needs --distinct.",
        queries: &[("{{name}} {{vhost}}", "topk(10, max by (name, vhost) (httpd_distinct_values{HOSTS, window=\"day\"}))")],
        ..Kind::Curves.titled("Different values today", 12, "none") },
    Panel { thresholds: CALM,
        description: "How many different values in the last whole hour, of the ten virtual hosts with the most. Needs --distinct.",
        queries: &[("{{name}} {{vhost}}", "topk(10, max by (name, vhost) (httpd_distinct_values{HOSTS, window=\"last_hour\"}))")],
        ..Kind::Curves.titled("Different values by the hour", 12, "none") },

    row("Durations"),
    Panel { thresholds: CALM,
        description: "How many requests took how long: a second band that appears is a second cause.",
        queries: &[("{{le}}", heat!("httpd_request_duration_seconds"))],
        ..Kind::Heat.titled("Durations as a heat map", 12, "s") },
    Panel { thresholds: WAIT,
        description: "The mean of all requests, by class of status: errors are often much faster, or much slower.",
        queries: &[("{{status_class}}", mean!("httpd_request_duration_seconds", " by (status_class)"))],
        ..Kind::Curves.titled("Mean duration by class of status", 6, "s") },
    Panel { thresholds: WAIT,
        description: "Quantiles that the exporter itself has computed, within 1 % of the true value. Needs --quantiles.",
        queries: &[("{{instance}} {{quantile}}", "httpd_request_duration_quantiles_seconds{OWN}")],
        ..Kind::Curves.titled("Quantiles of the exporter", 6, "s") },

    row("Sizes"),
    Panel { thresholds: CALM,
        description: "Bytes a second to and from clients. What is received needs %I or $request_length in the format.",
        queries: &[
            ("sent", "sum(rate(httpd_bytes_sent_total{TRAFFIC}[$__rate_interval]))"),
            ("received", "sum(rate(httpd_bytes_received_total{TRAFFIC}[$__rate_interval]))"),
        ],
        ..Kind::Curves.titled("Traffic", 8, "Bps") },
    Panel { thresholds: CALM,
        description: "How many responses were how large.",
        queries: &[("{{le}}", heat!("httpd_response_size_bytes"))],
        ..Kind::Heat.titled("Response sizes as a heat map", 8, "bytes") },
    Panel { thresholds: CALM,
        description: "Half and 95 of 100 responses were smaller, and the mean.",
        queries: &[
            ("50 %", quantile!("0.5", "httpd_response_size_bytes")),
            ("95 %", quantile!("0.95", "httpd_response_size_bytes")),
            ("mean", mean!("httpd_response_size_bytes", "")),
        ],
        ..Kind::Curves.titled("Response sizes", 8, "bytes") },

    row("Upstream against total time"),
    Panel { thresholds: WAIT,
        description: "Where the time goes: the whole request, until its first byte, and what upstream servers took. \
            Needs $request_time, %^FB or $upstream_header_time, and $upstream_response_time.",
        queries: &[
            ("total", quantile!("0.95", "httpd_request_duration_seconds")),
            ("first byte", quantile!("0.95", "httpd_time_to_first_byte_seconds")),
            ("upstream", quantile!("0.95", "httpd_upstream_response_duration_seconds")),
        ],
        ..Kind::Curves.titled("Total, first byte and upstream, 95 %", 12, "s") },
    Panel { thresholds: CALM,
        description: "The share of all serving time that was spent waiting for upstream servers; the rest is this server and its clients. \
            Only instances that log both times are compared.",
        queries: &[("{{instance}}", concat!(
            "(", seconds!("httpd_upstream_response_duration_seconds", " by (instance)"), ") / (",
            seconds!("httpd_request_duration_seconds", " by (instance)"), ")"))],
        ..Kind::Curves.titled("Time spent upstream", 12, "percentunit") },

    row("Aborted and invalid requests"),
    Panel { thresholds: SHARE,
        description: "The share of requests whose client went away before the answer was complete (%X, or nginx's status 499). Without \
            data: none was ever seen, or the format does not tell.",
        queries: &[("aborted", "(sum(rate(httpd_aborted_requests_total{HOSTS}[$__rate_interval])) \
            and sum(httpd_aborted_requests_total{HOSTS}) > 0) / sum(rate(httpd_requests_total{HOSTS}[$__rate_interval]))")],
        ..Kind::Curves.titled("Aborted requests by share", 8, "percentunit") },
    Panel { thresholds: CALM,
        description: "The ten virtual hosts whose clients go away most.",
        queries: &[("{{vhost}}", "topk(10, sum by (vhost) (rate(httpd_aborted_requests_total{HOSTS}[$__rate_interval])))")],
        ..Kind::Curves.titled("Aborted requests by virtual host", 8, "reqps") },
    Panel { thresholds: RARELY,
        description: "Request lines that are no HTTP: empty, timed out, TLS sent to a plain port, or garbage. Scanners, mostly.",
        queries: &[("{{reason}}", "sum by (reason) (rate(httpd_invalid_requests_total{OWN}[$__rate_interval]))")],
        ..Kind::Curves.titled("Invalid requests", 8, "reqps") },

    row("The exporter's own health"),
    Panel { thresholds: &[(1.0, "green")],
        description: "1 while lines arrive and fit the format; red says that they do not, or that the format is wrong.",
        queries: &[("{{instance}}", "min by (instance) (httpd_exporter_ready{OWN})")],
        ..Kind::Stat.titled("Ready", 4, "none") },
    Panel { thresholds: &[(60.0, "yellow"), (600.0, "red")],
        description: "How old the newest request in the log is. A quiet server has an old one, too.",
        queries: &[("{{instance}}", "time() - max by (instance) (httpd_last_request_timestamp_seconds{OWN})")],
        ..Kind::Stat.titled("Lag behind the log", 4, "s") },
    Panel { thresholds: &[(3.0, "yellow"), (6.0, "red")],
        description: "Processes that count into one page: more than one while old connections outlive a graceful restart.",
        queries: &[("{{instance}}", "max by (instance) (httpd_exporter_generations{OWN})")],
        ..Kind::Stat.titled("Generations", 4, "none") },
    Panel { thresholds: &[(0.01, "yellow"), (0.05, "red")],
        description: "The share of lines that do not fit the format. --explain says why.",
        queries: &[("malformed", "sum(rate(httpd_exporter_lines_total{OWN, outcome=\"malformed\"}[$__rate_interval])) \
            / sum(rate(httpd_exporter_lines_total{OWN, outcome!=\"foreign\"}[$__rate_interval]))")],
        ..Kind::Stat.titled("Malformed lines", 4, "percentunit") },
    Panel { thresholds: NEVER,
        description: "Bytes of the log that the tee could not write in the time shown. Above 0: the disk is full or the directory is closed.",
        queries: &[("lost", "sum(increase(httpd_exporter_tee_lost_bytes_total{OWN}[$__range]))")],
        ..Kind::Stat.titled("Bytes lost by the tee", 4, "bytes") },
    Panel { thresholds: NEVER,
        description: "State files that could not be saved, read or removed in the time shown. Above 0: counts may not survive a restart.",
        queries: &[("errors", "sum(increase(httpd_exporter_state_errors_total{OWN}[$__range]))")],
        ..Kind::Stat.titled("State errors", 4, "short") },
    Panel { thresholds: CALM,
        description: "Lines a second by what became of them; the outcomes add up to the lines read.",
        queries: &[("{{outcome}}", "sum by (outcome) (rate(httpd_exporter_lines_total{OWN}[$__rate_interval]))")],
        ..Kind::Stacked.titled("Lines by outcome", 8, "cps") },
    Panel { thresholds: RARELY,
        description: "Lines a second that did not fit, by what did not fit.",
        queries: &[("{{reason}}", "sum by (reason) (rate(httpd_exporter_malformed_lines_total{OWN}[$__rate_interval]))")],
        ..Kind::Curves.titled("Malformed lines by reason", 8, "cps") },
    Panel { thresholds: RARELY,
        description: "Lines a second counted under the value `other` because the label was full; (series) is the bound on all series. \
            Raise --max-values or --max-series, or name the values with --label-values.",
        queries: &[("{{label}}", "sum by (label) (rate(httpd_exporter_label_overflow_total{OWN}[$__rate_interval]))")],
        ..Kind::Curves.titled("Label overflow", 8, "cps") },
    Panel { thresholds: CALM,
        description: "Bytes a second read from the web server, and those that the tee could not write.",
        queries: &[
            ("read", "sum(rate(httpd_exporter_input_bytes_total{OWN}[$__rate_interval]))"),
            ("lost by the tee", "sum(rate(httpd_exporter_tee_lost_bytes_total{OWN}[$__rate_interval]))"),
        ],
        ..Kind::Curves.titled("Input", 8, "Bps") },
    Panel { thresholds: CALM,
        description: "Bytes in followed files that are not read yet. Steadily above 0: more is written than can be counted.",
        queries: &[("{{instance}}", "sum by (instance) (httpd_exporter_follow_lag_bytes{OWN})")],
        ..Kind::Curves.titled("Not read yet of followed files", 8, "bytes") },
    Panel { thresholds: CALM,
        description: "How often a followed name had another file, and how often a file was cut, in the time shown.",
        queries: &[
            ("rotated", "sum(increase(httpd_exporter_follow_rotations_total{OWN}[$__rate_interval]))"),
            ("truncated", "sum(increase(httpd_exporter_follow_truncations_total{OWN}[$__rate_interval]))"),
        ],
        ..Kind::Curves.titled("Rotations seen", 8, "short") },
    Panel { thresholds: RARELY,
        description: "Datagrams a second that were lost because the receive buffer was full.",
        queries: &[("{{instance}}", "sum by (instance) (rate(httpd_exporter_datagrams_lost_total{OWN}[$__rate_interval]))")],
        ..Kind::Curves.titled("Datagrams lost", 8, "cps") },
    Panel { thresholds: &[(0.1, "yellow"), (0.5, "red")],
        description: "The share of time that reading waited for counting. Near 1 the exporter is as fast as it can be and the pipe is full.",
        queries: &[("{{instance}}", "sum by (instance) (rate(httpd_exporter_input_wait_seconds_total{OWN}[$__rate_interval]))")],
        ..Kind::Curves.titled("Reading waits for counting", 8, "percentunit") },
    Panel { thresholds: CALM,
        description: "Chunks of lines that are read and not yet counted.",
        queries: &[("{{instance}}", "max by (instance) (httpd_exporter_chunks_queued{OWN})")],
        ..Kind::Curves.titled("Chunks queued", 8, "none") },
    Panel { thresholds: &[(0.5, "yellow"), (0.9, "red")],
        description: "Processor time of the exporter; 100 % is one core.",
        queries: &[("{{instance}}", "sum by (instance) (rate(process_cpu_seconds_total{OWN}[$__rate_interval]))")],
        ..Kind::Curves.titled("CPU", 8, "percentunit") },
    Panel { thresholds: &[(268_435_456.0, "yellow"), (1_073_741_824.0, "red")],
        description: "Memory of the exporter: resident.",
        queries: &[("{{instance}}", "sum by (instance) (process_resident_memory_bytes{OWN})")],
        ..Kind::Curves.titled("Memory", 8, "bytes") },
    Panel { thresholds: RARELY,
        description: "Requests to the exporter by status, and connections that it refused because a limit was reached.",
        queries: &[
            ("{{code}}", "sum by (code) (rate(httpd_exporter_http_requests_total{OWN}[$__rate_interval]))"),
            ("refused", "sum(rate(httpd_exporter_http_connections_refused_total{OWN}[$__rate_interval]))"),
        ],
        ..Kind::Curves.titled("Scrapes and refused connections", 8, "reqps") },
    Panel { thresholds: CALM,
        description: "The formats in use, and the versions.",
        queries: &[
            ("", "max by (instance, format, text) (httpd_exporter_format_info{OWN})"),
            ("", "max by (instance, version) (httpd_exporter_build_info{OWN})"),
        ],
        ..Kind::Table.titled("Formats and versions", 24, "none") },
];

/// The dashboard as Grafana reads it.
pub fn dashboard() -> Value {
    let (mut x, mut y, mut bottom) = (0, 0, 0);
    let mut panels: Vec<Value> = Vec::new();
    for (panel, id) in PANELS.iter().zip(1..) {
        if x + panel.width > COLUMNS {
            (x, y) = (0, bottom);
        }
        let place = json!({ "x": x, "y": y, "w": panel.width, "h": panel.kind.height() });
        let rendered = rendered(panel, id, &place);
        // A row that begins collapsed holds its panels, and Grafana asks nothing for them until it is opened.
        match panels.last_mut().filter(|last| last["collapsed"] == true && panel.kind != Kind::Row) {
            Some(row) => row["panels"].as_array_mut().expect("panels").push(rendered),
            None => panels.push(rendered),
        }
        x += panel.width;
        bottom = y + panel.kind.height();
    }
    json!({
        "uid": "httpd-exporter",
        "title": "HTTP servers by their access logs",
        "description": "What httpd_exporter counts of access logs: traffic, errors, durations, sizes, and its own health.",
        "tags": ["httpd", "apache", "nginx", "access-log"],
        "schemaVersion": 39,
        "version": 2,
        "editable": true,
        "graphTooltip": 1,
        "refresh": "30s",
        "timezone": "browser",
        "time": { "from": "now-1h", "to": "now" },
        "links": [{
            "title": "Other dashboards of this kind", "type": "dashboards", "tags": ["httpd"], "asDropdown": true,
            "includeVars": true, "keepTime": true, "targetBlank": false, "icon": "external link", "url": "", "tooltip": "",
        }],
        "annotations": { "list": annotations() },
        "templating": { "list": variables() },
        "panels": panels,
    })
}

/// What explains a step in a curve: another process, an alert.
fn annotations() -> Value {
    let source = json!({ "type": "prometheus", "uid": "${datasource}" });
    let annotation = |name: &str, colour: &str, expr: &str, title: &str, text: &str, starts: bool| {
        json!({
            "name": name, "enable": true, "hide": false, "iconColor": colour, "datasource": source,
            "expr": expr.replace("OWN", OWN), "step": "60s", "titleFormat": title, "textFormat": text, "tagKeys": "",
            // The value of the series is the moment, in milliseconds.
            "useValueForTime": starts,
        })
    };
    json!([
        annotation(
            "Starts of the exporter",
            "blue",
            "process_start_time_seconds{OWN} * 1000 \
            and on (job, instance) httpd_exporter_build_info{OWN}",
            "The exporter started",
            "{{instance}}",
            true
        ),
        annotation(
            "Alerts",
            "red",
            "ALERTS{job=~\"$job\", alertname=~\"Httpd.*\", alertstate=\"firing\"}",
            "{{alertname}}",
            "{{vhost}} {{instance}}",
            false
        ),
    ])
}

fn variables() -> Value {
    let source = json!({ "type": "prometheus", "uid": "${datasource}" });
    let labels = |name: &str, label: &str, query: &str| {
        json!({
            "name": name, "label": label, "type": "query", "datasource": source,
            "definition": query, "query": { "query": query, "refId": name },
            // On every change of the time shown, so that what has come since is offered as well.
            "refresh": 2,
            "sort": 1, "hide": 0, "regex": "", "skipUrlSync": false,
            // All matches also those that lack the label, such as vhost without %v in the format.
            "multi": true, "includeAll": true, "allValue": ".*", "current": { "text": ["All"], "value": ["$__all"] },
            "options": [],
        })
    };
    let of_requests = |label: &str| {
        format!(r#"label_values(httpd_requests_total{{job=~"$job", instance=~"$instance"}}, {label})"#)
    };
    json!([
        {
            "name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus",
            "refresh": 1, "hide": 0, "regex": "", "skipUrlSync": false, "multi": false, "includeAll": false,
            "current": {}, "options": [],
        },
        labels("job", "Job", "label_values(httpd_exporter_build_info, job)"),
        labels("instance", "Instance", r#"label_values(httpd_exporter_build_info{job=~"$job"}, instance)"#),
        labels("vhost", "Virtual host", &of_requests("vhost")),
        labels("route", "Route", &of_requests("route")),
        labels("method", "Method", &of_requests("method")),
        labels("client", "Kind of client", &of_requests("client")),
    ])
}

fn rendered(panel: &Panel, id: u64, place: &Value) -> Value {
    if panel.kind == Kind::Row {
        return json!({
            "id": id, "type": "row", "title": panel.title, "gridPos": place, "collapsed": id > 1, "panels": [],
        });
    }
    let source = json!({ "type": "prometheus", "uid": "${datasource}" });
    let targets = panel.queries.iter().zip('A'..).map(|((legend, expr), letter)| {
        json!({
            "refId": letter, "datasource": source, "editorMode": "code", "legendFormat": legend,
            "expr": expr.replace("TRAFFIC", TRAFFIC).replace("OWN", OWN).replace("HOSTS", HOSTS).replace("BUDGET", BUDGET),
            // Requests that stand for many: those of --exemplar, where Prometheus keeps exemplars.
            "exemplar": panel.kind == Kind::Curves && panel.unit == "s",
            "range": panel.kind != Kind::Table, "instant": panel.kind == Kind::Table,
            "format": match panel.kind { Kind::Heat => "heatmap", Kind::Table => "table", _ => "time_series" },
        })
    });
    let mut rendered = json!({
        "id": id, "type": panel.kind.grafana(), "title": panel.title, "description": panel.description,
        "gridPos": place, "datasource": source, "targets": targets.collect::<Vec<_>>(),
        "fieldConfig": { "defaults": defaults(panel), "overrides": overrides(panel) },
        "options": options(panel),
    });
    if panel.kind == Kind::Table {
        rendered["transformations"] = json!([
            { "id": "merge", "options": {} },
            { "id": "organize", "options": { "excludeByName": hidden(panel) } },
        ]);
    }
    rendered
}

/// Columns of a table that say nothing: the time of the query, and the 1 that an `_info` metric always is.
fn hidden(panel: &Panel) -> Value {
    let mut hidden = json!({ "Time": true });
    if panel.queries.len() > 1 {
        for letter in ('A'..).take(panel.queries.len()) {
            hidden[format!("Value #{letter}")] = json!(true);
        }
    }
    hidden
}

fn defaults(panel: &Panel) -> Value {
    // What has a ready state is bad below it; all else is good until its first threshold.
    let base = if panel.thresholds.first().is_some_and(|step| step.1 == "green") { "red" } else { "green" };
    let steps = std::iter::once(json!({ "color": base, "value": null }));
    let steps =
        steps.chain(panel.thresholds.iter().map(|(value, color)| json!({ "color": color, "value": value })));
    let mut defaults = json!({
        "unit": panel.unit, "min": 0,
        "color": { "mode": if panel.kind == Kind::Stat { "thresholds" } else { "palette-classic" } },
        "thresholds": { "mode": "absolute", "steps": steps.collect::<Vec<_>>() },
    });
    if panel.title == "Ready" {
        let page = |title: &str, path: &str| {
            let url = format!("http://${{__field.labels.instance}}/{path}");
            json!({ "title": title, "url": url, "targetBlank": true })
        };
        defaults["links"] = json!([
            page("Live page", ""),
            page("What to do when an alert fires", "alerts"),
            page("Manual", "manual")
        ]);
    }
    if matches!(panel.kind, Kind::Curves | Kind::Stacked) {
        let stacked = panel.kind == Kind::Stacked;
        defaults["custom"] = json!({
            "drawStyle": "line", "lineWidth": 1, "showPoints": "never", "spanNulls": false,
            "fillOpacity": if stacked { 40 } else { 8 },
            "stacking": { "mode": if stacked { "normal" } else { "none" }, "group": "A" },
            "thresholdsStyle": { "mode": if panel.thresholds.is_empty() { "off" } else { "dashed" } },
        });
    }
    defaults
}

/// Classes of status have the colours that everyone expects.
fn overrides(panel: &Panel) -> Value {
    let colours = [("1xx", "purple"), ("2xx", "green"), ("3xx", "blue"), ("4xx", "orange"), ("5xx", "red")];
    let of_class = |(class, colour): &(&str, &str)| {
        json!({
            "matcher": { "id": "byName", "options": class },
            "properties": [{ "id": "color", "value": { "mode": "fixed", "fixedColor": colour } }],
        })
    };
    let named = |class: &str| {
        panel.queries.iter().any(|(legend, _)| *legend == class || *legend == "{{status_class}}")
    };
    colours.iter().filter(|(class, _)| named(class)).map(of_class).collect()
}

fn options(panel: &Panel) -> Value {
    match panel.kind {
        Kind::Row => json!({}),
        Kind::Stat => json!({
            "reduceOptions": { "calcs": ["lastNotNull"], "fields": "", "values": false },
            "colorMode": "value", "graphMode": "area", "justifyMode": "auto", "orientation": "auto", "textMode": "auto",
        }),
        Kind::Curves | Kind::Stacked => json!({
            "legend": { "displayMode": "table", "placement": "bottom", "showLegend": true, "calcs": ["lastNotNull", "max"] },
            "tooltip": { "mode": "multi", "sort": "desc" },
        }),
        Kind::Heat => json!({
            "calculate": false, "cellGap": 1, "showValue": "never",
            "color": { "mode": "scheme", "scheme": "Oranges", "steps": 64, "exponent": 0.5, "scale": "exponential",
                "fill": "dark-orange", "reverse": false },
            "yAxis": { "unit": panel.unit, "axisPlacement": "left" },
            "filterValues": { "le": 1e-9 }, "rowsFrame": { "layout": "auto" },
            "exemplars": { "color": "rgba(255,0,255,0.7)" },
            "legend": { "show": true }, "tooltip": { "mode": "single", "yHistogram": true },
        }),
        Kind::Table => json!({ "showHeader": true, "cellHeight": "sm" }),
    }
}
