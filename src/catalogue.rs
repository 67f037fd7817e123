//! Names every metric once: the page, the state files, the README's table and the man page all read this list.
//!
//! A metric's `merge` says what becomes of it when the pages of several generations of this program are added up
//! (docs/DESIGN.md): counts are summed, a newest time is the largest, and what describes one process stays its own.

/// The types of the Prometheus and OpenMetrics data models that this program writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
    Summary,
    /// Labels that say something, and the value 1. The text format has no such type and calls it a gauge.
    Info,
}

impl Kind {
    const ALL: [Kind; 5] = [Kind::Counter, Kind::Gauge, Kind::Histogram, Kind::Summary, Kind::Info];

    /// The word of the `# TYPE` line in the text format.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge | Kind::Info => "gauge",
            Kind::Histogram => "histogram",
            Kind::Summary => "summary",
        }
    }

    /// The word of the `# TYPE` line in OpenMetrics.
    pub fn open_metrics(self) -> &'static str {
        if self == Kind::Info { "info" } else { self.as_str() }
    }

    pub fn from_open_metrics(word: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.open_metrics() == word)
    }

    /// What the samples' name has that OpenMetrics leaves out of the family's.
    pub fn suffix(self) -> &'static str {
        match self {
            Kind::Counter => "_total",
            Kind::Info => "_info",
            _ => "",
        }
    }
}

/// Which kinds of histograms are counted and shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistogramKinds {
    /// Buckets with chosen bounds.
    pub classic: bool,
    /// Buckets that grow by a constant factor, where the form of the page has them.
    pub native: bool,
}

impl HistogramKinds {
    pub const BOTH: HistogramKinds = HistogramKinds { classic: true, native: true };

    pub fn parse(word: &str) -> Option<HistogramKinds> {
        match word {
            "classic" => Some(HistogramKinds { classic: true, native: false }),
            "native" => Some(HistogramKinds { classic: false, native: true }),
            "both" => Some(HistogramKinds::BOTH),
            _ => None,
        }
    }
}

/// What two pages' values of one series become when they are merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// Added, and kept in the state file.
    Sum,
    /// The larger one, and kept in the state file.
    Max,
    /// Says something of one process only: neither merged nor kept.
    Own,
}

impl Merge {
    /// That of a family that is kept on disk.
    pub fn of_kind(kind: Kind) -> Merge {
        match kind {
            Kind::Gauge => Merge::Max,
            Kind::Info => Merge::Own,
            Kind::Counter | Kind::Histogram | Kind::Summary => Merge::Sum,
        }
    }
}

/// One row of the catalogue.
#[derive(Debug)]
pub struct Metric {
    /// The full name, `_total` included.
    pub name: &'static str,
    pub kind: Kind,
    pub merge: Merge,
    /// The labels as the documents show them.
    pub labels: &'static str,
    /// The HELP line.
    pub help: &'static str,
    /// The directives and variables it comes from, for the documents; empty for metrics of the program itself.
    #[allow(dead_code, reason = "read by the tests that hold the documents to this table")]
    pub from: &'static str,
}

macro_rules! catalogue {
    ($($id:ident = $name:literal $kind:ident $merge:ident [$labels:literal] $help:literal <- $from:literal;)*) => {
        $(pub const $id: Metric = Metric {
            name: $name, kind: Kind::$kind, merge: Merge::$merge, labels: $labels, help: $help, from: $from,
        };)*
        /// Every metric, in the order of the documents.
        pub const METRICS: &[&Metric] = &[$(&$id),*];
    };
}

catalogue! {
    REQUESTS = "httpd_requests_total" Counter Sum ["method, status_code, vhost, route, yours"]
        "Requests logged." <- "every counted line";
    BYTES_SENT = "httpd_bytes_sent_total" Counter Sum ["the same"]
        "Bytes sent to clients, as the format's directive counts them." <- "%B %b %O $body_bytes_sent $bytes_sent";
    BYTES_RECEIVED = "httpd_bytes_received_total" Counter Sum ["the same"]
        "Bytes received from clients, request line and headers included." <- "%I $request_length";
    DURATION = "httpd_request_duration_seconds" Histogram Sum ["method, status_class, vhost, route"]
        "Time taken to serve a request." <- "%D %{us}T %{ms}T %T $request_time";
    QUANTILES = "httpd_request_duration_quantiles_seconds" Summary Sum [""]
        "Time taken to serve a request, quantiles over a sliding window." <- "as above, with --quantiles";
    SIZE = "httpd_response_size_bytes" Histogram Sum ["method, status_class, vhost, route"]
        "Size of responses, as httpd_bytes_sent_total counts them." <- "as httpd_bytes_sent_total";
    FIRST_BYTE = "httpd_time_to_first_byte_seconds" Histogram Sum ["method, status_class, vhost, route"]
        "Time until the first byte of the response." <- "%^FB $upstream_header_time";
    UPSTREAM = "httpd_upstream_response_duration_seconds" Histogram Sum ["method, status_class, vhost, route"]
        "Time taken by upstream servers, the sum over all that were asked." <- "$upstream_response_time";
    UPSTREAM_QUEUE = "httpd_upstream_queue_duration_seconds" Histogram Sum ["method, status_class, vhost, route"]
        "Time in a queue until an upstream server was free; with --upstream-phases." <- "HAProxy's %Tw, $upstream_queue_time";
    UPSTREAM_CONNECT = "httpd_upstream_connect_duration_seconds" Histogram Sum ["method, status_class, vhost, route"]
        "Time taken to connect to upstream servers; with --upstream-phases." <- "HAProxy's %Tc, $upstream_connect_time";
    PROXY_OVERHEAD = "httpd_proxy_overhead_duration_seconds" Histogram Sum ["method, status_class, vhost, route"]
        "Time taken to serve a request less that of upstream servers, never below 0." <- "a duration and an upstream's";
    UPSTREAM_ATTEMPTS = "httpd_upstream_attempts_total" Counter Sum ["the same"]
        "Upstream servers that were asked, those that failed included." <- "$upstream_addr $upstream_status";
    ABORTED = "httpd_aborted_requests_total" Counter Sum ["vhost"]
        "Requests whose client went away before the response was complete." <- "%X, status 499";
    SLO_REQUESTS = "httpd_slo_requests_total" Counter Sum ["slo, result, yours"]
        "Requests that an objective is about, by whether they meet it." <- "the fields of its conditions, with --slo";
    DISTINCT = "httpd_distinct_values" Gauge Own ["name, window, vhost"]
        "Different values of a field in this hour and day so far, and in the last ones." <- "the field of --distinct";
    INVALID = "httpd_invalid_requests_total" Counter Sum ["reason"]
        "Request lines that are no HTTP request." <- "%r $request";
    LAST_REQUEST = "httpd_last_request_timestamp_seconds" Gauge Max [""]
        "The newest time in the log, in seconds since the epoch." <- "%t $time_local $time_iso8601 $msec";
    LINES = "httpd_exporter_lines_total" Counter Sum ["outcome"]
        "Lines read, by what became of them; the outcomes add up to the lines read." <- "";
    MALFORMED = "httpd_exporter_malformed_lines_total" Counter Sum ["reason"]
        "Lines that did not fit the format, by what did not fit." <- "";
    OVERFLOW = "httpd_exporter_label_overflow_total" Counter Sum ["label"]
        "Lines counted under the label value other because the label or the page was full." <- "";
    INPUT_BYTES = "httpd_exporter_input_bytes_total" Counter Sum [""]
        "Bytes read from stdin or from followed files." <- "";
    INPUT_WAIT = "httpd_exporter_input_wait_seconds_total" Counter Sum [""]
        "Time the reading of stdin waited for the counting of lines." <- "";
    FOLLOWED_FILES = "httpd_exporter_followed_files" Gauge Own [""]
        "Files that are read, those that have lost their names included; with --follow." <- "";
    FOLLOW_LAG = "httpd_exporter_follow_lag_bytes" Gauge Own [""]
        "Bytes in followed files that are not read yet; with --follow." <- "";
    FOLLOW_ROTATIONS = "httpd_exporter_follow_rotations_total" Counter Sum [""]
        "How often a followed name had another file than before; with --follow." <- "";
    FOLLOW_TRUNCATIONS = "httpd_exporter_follow_truncations_total" Counter Sum [""]
        "How often a followed file was truncated; with --follow." <- "";
    DATAGRAMS_LOST = "httpd_exporter_datagrams_lost_total" Counter Sum [""]
        "Datagrams that the kernel dropped for want of room; where stdin is a datagram socket." <- "";
    CHUNKS_QUEUED = "httpd_exporter_chunks_queued" Gauge Own [""]
        "Chunks of lines read and not yet counted." <- "";
    TEE_LOST = "httpd_exporter_tee_lost_bytes_total" Counter Sum [""]
        "Bytes that could not be written to the tee." <- "";
    GENERATIONS = "httpd_exporter_generations" Gauge Own [""]
        "Living processes whose counts are on this page." <- "";
    STATE_SAVED = "httpd_exporter_state_saved" Gauge Own [""]
        "1 where all counts on this page are on disk, 0 while they cannot be saved." <- "";
    STATE_ERRORS = "httpd_exporter_state_errors_total" Counter Sum [""]
        "Failures to save, read or remove a state file." <- "";
    HTTP_REQUESTS = "httpd_exporter_http_requests_total" Counter Sum ["code"]
        "Requests answered by the exporter itself." <- "";
    HTTP_REFUSED = "httpd_exporter_http_connections_refused_total" Counter Sum [""]
        "Connections closed or refused because a limit was reached." <- "";
    READY = "httpd_exporter_ready" Gauge Own [""]
        "1 while lines arrive and fit the format, else 0." <- "";
    FORMAT_INFO = "httpd_exporter_format_info" Info Own ["envelope, format, text"]
        "The format in use, and what stands around each line." <- "";
    BUILD_INFO = "httpd_exporter_build_info" Info Own ["features, revision, version"]
        "The version of the exporter, the commit it was built from, and what was built in." <- "";
    PROCESS_CPU = "process_cpu_seconds_total" Counter Own [""]
        "Total user and system CPU time spent in seconds." <- "";
    PROCESS_FDS = "process_open_fds" Gauge Own [""]
        "Number of open file descriptors." <- "";
    PROCESS_MAX_FDS = "process_max_fds" Gauge Own [""]
        "Maximum number of open file descriptors." <- "";
    PROCESS_VIRTUAL = "process_virtual_memory_bytes" Gauge Own [""]
        "Virtual memory size in bytes." <- "";
    PROCESS_RESIDENT = "process_resident_memory_bytes" Gauge Own [""]
        "Resident memory size in bytes." <- "";
    PROCESS_START = "process_start_time_seconds" Gauge Own [""]
        "Start time of the process since unix epoch in seconds." <- "";
    PROCESS_THREADS = "process_threads" Gauge Own [""]
        "Number of OS threads in the process." <- "";
}

/// The unit that a metric's name ends in, before `_total`.
pub fn unit_of(name: &str) -> Option<&'static str> {
    let base = name.strip_suffix("_total").unwrap_or(name);
    let is_unit = |unit: &&str| base.strip_suffix(*unit).is_some_and(|rest| rest.ends_with('_'));
    ["seconds", "bytes"].into_iter().find(is_unit)
}

/// 2^this of a metric's unit, and less, is as good as nothing: half a millisecond, below which servers that log
/// milliseconds say 0 and those that log microseconds say what their clock does; and half a byte, so that sizes that
/// are as good as nothing are those of 0 bytes.
pub fn zero_exponent(name: &str) -> i8 {
    if unit_of(name) == Some("bytes") { -1 } else { -11 }
}

/// The metric of that name, if this version knows it.
pub fn find(name: &str) -> Option<&'static Metric> {
    METRICS.iter().copied().find(|metric| metric.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_conventions_of_prometheus() {
        for metric in METRICS {
            assert_eq!(metric.name.ends_with("_total"), metric.kind == Kind::Counter, "{}", metric.name);
            assert_eq!(metric.name.ends_with("_info"), metric.kind == Kind::Info, "{}", metric.name);
            assert!(metric.help.ends_with('.'), "{}: help is a sentence", metric.name);
            assert_eq!(METRICS.iter().filter(|m| m.name == metric.name).count(), 1, "{}", metric.name);
        }
    }
}
