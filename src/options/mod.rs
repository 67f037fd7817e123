//! Turns the command line into `Options`: every option is one row of `TABLE`, which feeds the parser, `--help`, the
//! man page, the README and the shell completions.
//!
//! A row's `set` checks a value and stores it; it opens nothing, so that `--help` works whatever else is broken. Its
//! message does not name the option: the caller puts `--name: ` in front, and the file and line if it came from a file.

pub mod slo;

use crate::bytes::distance::distance;
use crate::bytes::path;
use crate::catalogue::HistogramKinds;
use crate::fixed_point::FixedPoint;
use crate::limits;
use crate::log::{self, Form, Level};
use crate::options::slo::Objective;
use crate::order;
use crate::parse::envelope::chain::Wanted;
use crate::parse::envelope::heads::NAMES;
use std::ffi::OsString;
use std::fmt::Write;
use std::path::PathBuf;

/// What the user asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// Files that are read from beginning to end, one after the other.
    pub files: Vec<String>,
    /// Files and globs.
    pub follow: Vec<String>,
    /// None: `auto`.
    pub format: Option<String>,
    pub listen: Vec<String>,
    pub telemetry_path: String,
    pub systemd_socket: bool,
    pub web_config_file: Option<PathBuf>,
    pub state_dir: Option<PathBuf>,
    pub tee: Option<PathBuf>,
    pub tee_rotate_size: Option<u64>,
    pub tee_rotate_interval: Option<u64>,
    pub tee_keep: Option<usize>,
    pub user: Option<String>,
    /// `NAME=FIELD`.
    pub labels: Vec<(String, String)>,
    /// `NAME=a,b,c`.
    pub label_values: Vec<(String, Vec<String>)>,
    /// `NAME=PATTERN=VALUE`, in the order given.
    pub label_maps: Vec<LabelMap>,
    pub max_values: usize,
    pub max_series: usize,
    pub routes: Vec<String>,
    /// `FIELD=PATTERN`.
    pub excludes: Vec<(String, String)>,
    pub mixed: bool,
    pub envelope: Wanted,
    pub methods: Vec<String>,
    pub histograms: HistogramKinds,
    pub histogram_labels: Vec<String>,
    pub duration_buckets: Vec<FixedPoint>,
    pub size_buckets: Vec<FixedPoint>,
    pub upstream_phases: bool,
    pub quantiles: Vec<f64>,
    pub quantiles_window: u64,
    pub exemplar: Option<String>,
    pub exemplar_above: FixedPoint,
    /// Names and fields of `--distinct`.
    pub distincts: Vec<(String, String)>,
    pub slos: Vec<Objective>,
    pub slo_labels: Vec<String>,
    pub log_level: Level,
    pub log_form: Form,
    /// The report is HTML, and not text.
    pub report_html: bool,
    /// A directory, or `-` for stdout.
    pub history: String,
    /// None where it follows the span of the lines.
    pub history_format: HistoryFormat,
    pub history_step: Option<u64>,
    pub history_job: String,
    pub history_instance: String,
    pub mode: Mode,
}

/// Values of a label that follow a pattern become one.
#[derive(Clone, Debug)]
pub struct LabelMap {
    pub name: String,
    pub pattern: String,
    pub any_case: bool,
    pub value: String,
}

/// The tails of the house: what is done with what was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Serve,
    Once,
    Report,
    History,
    Explain,
    HealthCheck,
    Help,
    Fields,
    Version,
}

/// What `--history` writes into its directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryFormat {
    /// Text, of which promtool makes blocks.
    OpenMetrics,
    /// Blocks of Prometheus' data base.
    Blocks,
}

impl Mode {
    /// Whether nobody sees anything of the lines before the last of them is read.
    pub fn reads_to_the_end(self) -> bool {
        matches!(self, Mode::Once | Mode::Report | Mode::History | Mode::Explain)
    }

    /// Whether files may be named as arguments.
    fn takes_files(self) -> bool {
        matches!(self, Mode::Report | Mode::History)
    }
}

/// RFC 9110 section 9.3 and RFC 5789 (PATCH).
const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

/// The boundaries that OpenTelemetry's HTTP conventions advise for http.server.request.duration, and two for
/// what is slow.
const DURATION_BUCKETS: &str = "0.005,0.01,0.025,0.05,0.075,0.1,0.25,0.5,0.75,1,2.5,5,7.5,10,30,60";
/// 256 * 4^n: from an empty answer's headers to a quarter of a gigabyte.
const SIZE_BUCKETS: &str = "256,1024,4096,16384,65536,262144,1048576,4194304,16777216,67108864,268435456";

/// Histograms are costly, so by default they have these labels, and labels of `--label` only when asked.
const HISTOGRAM_LABELS: &str = "method,status_class,vhost,route";

impl Default for Options {
    fn default() -> Options {
        let mut options = Options {
            files: Vec::new(),
            follow: Vec::new(),
            format: None,
            listen: Vec::new(),
            telemetry_path: String::new(),
            systemd_socket: false,
            web_config_file: None,
            state_dir: None,
            tee: None,
            tee_rotate_size: None,
            tee_rotate_interval: None,
            tee_keep: None,
            user: None,
            labels: Vec::new(),
            label_values: Vec::new(),
            label_maps: Vec::new(),
            max_values: 0,
            max_series: limits::SERIES_MAX,
            routes: Vec::new(),
            excludes: Vec::new(),
            mixed: false,
            envelope: Wanted::Auto,
            methods: METHODS.iter().map(|&method| method.to_owned()).collect(),
            histograms: HistogramKinds::BOTH,
            histogram_labels: Vec::new(),
            duration_buckets: Vec::new(),
            size_buckets: Vec::new(),
            upstream_phases: false,
            quantiles: Vec::new(),
            quantiles_window: 0,
            exemplar: None,
            exemplar_above: FixedPoint::ZERO,
            distincts: Vec::new(),
            slos: Vec::new(),
            slo_labels: Vec::new(),
            log_level: Level::Info,
            log_form: Form::Text,
            report_html: false,
            history: String::new(),
            history_format: HistoryFormat::OpenMetrics,
            history_step: None,
            history_job: String::new(),
            history_instance: String::new(),
            mode: Mode::Serve,
        };
        for option in TABLE.iter().filter(|option| !option.default.is_empty() && !option.repeats) {
            let set = (option.set)(&mut options, option.default);
            debug_assert!(set.is_ok(), "--{}: {set:?}", option.name);
        }
        options
    }
}

impl Options {
    /// The same without the options that name a field of the format, which only a format can check.
    pub fn without_fields(&self) -> Options {
        let mut options = self.clone();
        options.histogram_labels.retain(|name| !self.labels.iter().any(|(label, _)| label == name));
        Options {
            labels: Vec::new(),
            label_values: Vec::new(),
            label_maps: Vec::new(),
            excludes: Vec::new(),
            exemplar: None,
            distincts: Vec::new(),
            slos: Vec::new(),
            ..options
        }
    }

    /// Whether routes are learned from the paths.
    pub fn learns_routes(&self) -> bool {
        self.routes.first().is_some_and(|first| first == "auto")
    }

    /// Where to listen: what was asked for, or the default; nothing but the socket when systemd hands one over.
    /// `in_environment` is the default of whoever built an image, whose other arguments are replaced by those of a run.
    pub fn listen_addresses(&self, in_environment: Option<String>) -> Vec<String> {
        match (self.listen.is_empty(), self.systemd_socket) {
            (true, false) => {
                let by_default = || default_of("web.listen-address").to_owned();
                vec![in_environment.filter(|address| !address.is_empty()).unwrap_or_else(by_default)]
            }
            _ => self.listen.clone(),
        }
    }
}

impl Flag {
    /// Whether the next argument is its value.
    fn needs_value(&self) -> bool {
        !self.value.is_empty() && !self.value.starts_with('[')
    }

    /// The value as it stands behind the name in the documents.
    pub fn shown_value(&self) -> String {
        if self.needs_value() { format!(" {}", self.value) } else { self.value.to_owned() }
    }
}

/// One option. Order in the table is order in the documents.
pub struct Flag {
    pub name: &'static str,
    /// How the documents call the value; empty for a switch. In brackets, with the sign before it, where it may be left
    /// out.
    pub value: &'static str,
    /// As it would be given; empty where there is none.
    pub default: &'static str,
    pub repeats: bool,
    pub group: &'static str,
    /// Sentences. `*` marks nothing, blank lines make paragraphs.
    pub help: &'static str,
    pub set: fn(&mut Options, &str) -> Result<(), String>,
}

const INPUT: &str = "Input";
const SERVING: &str = "Serving";
const KEEPING: &str = "Keeping";
const LABELS: &str = "Labels and series";
const HISTOGRAMS: &str = "Histograms and quantiles";
const OBJECTIVES: &str = "Objectives";
const MESSAGES: &str = "Messages";
const MODES: &str = "Other modes";

#[rustfmt::skip]
pub const TABLE: &[Flag] = &[
    Flag { name: "format", value: "FORMAT", default: "auto", repeats: false, group: INPUT,
        help: "What a line looks like: a preset (see below), an Apache LogFormat string, an nginx log_format string, \
               or json:KEY=FIELD,... for JSON lines. The kind is recognized by its directives and variables. \
               `auto` chooses the preset that reads the first lines and logs which it is.",
        set: |o, v| { o.format = (v != "auto").then(|| v.to_owned()); Ok(()) } },
    Flag { name: "follow", value: "FILE", default: "", repeats: true, group: INPUT,
        help: "Read FILE and go on, whatever rotation does to it, instead of stdin. FILE may be a pattern \
               (/var/log/nginx/*.log), which is looked up again every second. With --state-dir the place is kept, and \
               what was written in the meantime is read first; without it, reading begins at the end. With --once the files \
               are read from beginning to end.",
        set: |o, v| { path(v)?; o.follow.push(v.to_owned()); Ok(()) } },
    Flag { name: "exclude", value: "FIELD=PATTERN", default: "", repeats: true, group: INPUT,
        help: "Do not count lines whose field matches the pattern, in which * stands for any characters \
               (path=/health*). They appear as outcome `excluded`.",
        set: |o, v| { o.excludes.push(pair(v)?); Ok(()) } },
    Flag { name: "envelope", value: "NAME", default: "auto", repeats: false, group: INPUT,
        help: "What each line is wrapped in: cri (containerd, CRI-O), docker (its json-file), syslog, stamp, prefix \
               (kubectl logs --prefix, docker compose logs, stern, grep), json (the line is a string in an object), or \
               none. `auto` detects it, with any format, and logs which it is.",
        set: |o, v| { o.envelope = Wanted::parse(v).ok_or_else(|| format!("`{v}` is not an envelope: those are {}", NAMES.join(" ")))?;
            Ok(()) } },
    Flag { name: "mixed", value: "", default: "", repeats: false, group: INPUT,
        help: "The log has other lines than requests (a container's stdout): lines that do not fit are not requests. They \
               appear as outcome `foreign`, not `malformed`, and do not count as a wrong format.",
        set: |o, _| { o.mixed = true; Ok(()) } },
    Flag { name: "web.listen-address", value: "ADDRESS", default: "127.0.0.1:19117", repeats: true, group: SERVING,
        help: "Where to serve: HOST:PORT, :PORT for all interfaces, [::1]:PORT, or unix:/PATH.",
        set: |o, v| { o.listen.push(v.to_owned()); Ok(()) } },
    Flag { name: "web.telemetry-path", value: "PATH", default: "/metrics", repeats: false, group: SERVING,
        help: "The path of the metrics.",
        set: |o, v| {
            let plain = v.bytes().all(|b| b.is_ascii_graphic() && !b"?#\"<>%\\".contains(&b));
            if !v.starts_with('/') || !plain { return Err(format!("`{v}` is not a plain absolute path")); }
            if ["/", "/-/healthy", "/-/ready"].contains(&v) { return Err(format!("`{v}` is taken")); }
            o.telemetry_path = v.to_owned(); Ok(()) } },
    Flag { name: "web.systemd-socket", value: "", default: "", repeats: false, group: SERVING,
        help: "Serve on the sockets that systemd hands over (LISTEN_FDS).",
        set: |o, _| { o.systemd_socket = true; Ok(()) } },
    Flag { name: "web.config.file", value: "FILE", default: "", repeats: false, group: SERVING,
        help: "TLS, client certificates, users with passwords, headers and a rate limit, from the YAML file that all \
               exporters of Prometheus take. It and the certificates are read again when they change.",
        set: |o, v| {
            if !cfg!(feature = "tls") { return Err("this program was built without the feature `tls`".to_owned()); }
            // Others have an empty name as their default.
            o.web_config_file = (!v.is_empty()).then(|| PathBuf::from(v)); Ok(()) } },
    Flag { name: "state-dir", value: "DIR", default: "", repeats: false, group: KEEPING,
        help: "Keep the counts in DIR: they survive restarts, and all processes with the same DIR are served as one \
               page.",
        set: |o, v| { o.state_dir = Some(directory(v)?); Ok(()) } },
    Flag { name: "tee", value: "PATH", default: "", repeats: false, group: KEEPING,
        help: "Append every byte of stdin to PATH, which may be rotated by others; `-` is stdout.",
        set: |o, v| { o.tee = Some(tee_path(v)?); Ok(()) } },
    Flag { name: "tee.rotate-size", value: "BYTES", default: "", repeats: false, group: KEEPING,
        help: "Rotate the tee when it has grown to BYTES (suffixes K, M, G).",
        set: |o, v| { o.tee_rotate_size = Some(bytes(v)?); Ok(()) } },
    Flag { name: "tee.rotate-interval", value: "SECONDS", default: "", repeats: false, group: KEEPING,
        help: "Rotate the tee every SECONDS, counted from midnight UTC.",
        set: |o, v| { o.tee_rotate_interval = Some(whole(v, 1, 366 * 86_400)?); Ok(()) } },
    Flag { name: "tee.keep", value: "N", default: "", repeats: false, group: KEEPING,
        help: "Keep N rotated files and remove older ones; without it all are kept.",
        set: |o, v| { o.tee_keep = Some(index(whole(v, 0, 100_000)?)); Ok(()) } },
    Flag { name: "user", value: "USER[:GROUP]", default: "", repeats: false, group: KEEPING,
        help: "Give up root for USER, with the groups that USER is in or GROUP alone, once everything that needs root is \
               open.",
        set: |o, v| { o.user = Some(v.to_owned()); Ok(()) } },
    Flag { name: "label", value: "NAME=FIELD", default: "", repeats: true, group: LABELS,
        help: "Add a label to requests and bytes. FIELD is a directive (%{GEOIP_COUNTRY_CODE}e), a variable \
               ($scheme), a JSON key (request.host), or a part of the request: method, path, query:KEY, protocol, \
               scheme. `client` is the kind of client by its user agent (client:FIELD where that stands elsewhere): \
               browser, search, ai_crawler, ai_assistant, social, feed, monitor, seo, tool, scanner or other. \
               NAME==TEXT is the same text for every line; vhost=FIELD takes the virtual host from FIELD. Of \
               $upstream_addr and other lists of upstreams it is the last, which answered.",
        set: |o, v| {
            let (name, field) = pair(v)?;
            label_name(&name)?;
            if field == "=" { return Err(format!("`{v}` has no text")); }
            if o.labels.len() == limits::USER_LABELS_MAX {
                return Err(format!("there may be at most {} --label options", limits::USER_LABELS_MAX));
            }
            if o.labels.iter().any(|(other, _)| *other == name) { return Err(format!("{name} is given twice")); }
            o.labels.push((name, field)); Ok(()) } },
    Flag { name: "label-values", value: "NAME=A,B,C", default: "", repeats: true, group: LABELS,
        help: "The values that the label may have; all others are counted as `other`.",
        set: |o, v| {
            let (name, values) = pair(v)?;
            if o.label_values.iter().any(|(other, _)| *other == name) { return Err(format!("{name} is given twice")); }
            o.label_values.push((name, list(&values)?)); Ok(()) } },
    Flag { name: "label-map", value: "NAME=PATTERN=VALUE", default: "", repeats: true, group: LABELS,
        help: "Values of that label, or of vhost, that match the pattern become VALUE: --label-map 'type=text/html*=html'. \
               * stands for any characters, i:PATTERN matches in any case, and the first match wins. @FILE reads maps \
               from a file, one a line. What matches none stays as it is.",
        set: |o, v| {
            let (name, rest) = pair(v)?;
            let (pattern, value) = rest.rsplit_once('=').ok_or_else(|| format!("`{v}` has no second `=`"))?;
            let (pattern, any_case) = pattern.strip_prefix("i:").map_or((pattern, false), |pattern| (pattern, true));
            if value.is_empty() { return Err(format!("`{v}` has no value")); }
            o.label_maps.push(LabelMap { name, pattern: pattern.to_owned(), any_case, value: value.to_owned() });
            Ok(()) } },
    Flag { name: "max-values", value: "N", default: "100", repeats: false, group: LABELS,
        help: "Distinct values of each label; further ones are counted as `other` until they prove frequent.",
        set: |o, v| { o.max_values = index(whole(v, 1, 10_000)?); Ok(()) } },
    Flag { name: "max-series", value: "N", default: "10000", repeats: false, group: LABELS,
        help: "Series of requests on the page; further ones are counted by method and status alone, all other \
               labels being `other`, until they prove frequent.",
        set: |o, v| { o.max_series = index(whole(v, 1, 1_000_000)?); Ok(()) } },
    Flag { name: "route", value: "PATTERN", default: "", repeats: true, group: LABELS,
        help: "Add the label `route`: the first pattern that matches the path, such as /users/:id/orders or \
               /static/*; paths that match none are `other`. @FILE reads patterns from a file, one a line. \
               `auto` learns routes from the paths: few and frequent words stay, many names become :any, numbers, UUIDs, \
               hashes and dates :id, and the rest of a place is *.",
        set: |o, v| {
            if v != "auto" { path::check_pattern(v)?; }
            if o.routes.first().is_some_and(|first| (first == "auto") != (v == "auto")) {
                return Err("`auto` cannot be combined with other routes".to_owned());
            }
            o.routes.push(v.to_owned()); Ok(()) } },
    Flag { name: "methods", value: "LIST", default: "", repeats: false, group: LABELS,
        help: "Methods that the label names, the rest being `other`; by default the nine of RFC 9110 and RFC 5789.",
        set: |o, v| { o.methods = list(v)?; Ok(()) } },
    Flag { name: "distinct", value: "NAME=FIELD", default: "", repeats: true, group: LABELS,
        help: "Count different values of FIELD by virtual host: --distinct clients=%a. There are figures for this hour \
               and day so far and for the ones before, within 2 %. Only sketches of hashes are kept, under a key of chance \
               that is another one each day; hours and days are those of UTC, by the clock of this machine.",
        set: |o, v| {
            let (name, field) = pair(v)?;
            if o.distincts.len() == limits::DISTINCTS_MAX {
                return Err(format!("there may be at most {} of them", limits::DISTINCTS_MAX));
            }
            if o.distincts.iter().any(|(other, _)| *other == name) { return Err(format!("{name} is given twice")); }
            o.distincts.push((name, field)); Ok(()) } },
    Flag { name: "histograms", value: "KIND", default: "both", repeats: false, group: HISTOGRAMS,
        help: "The kind of histograms: classic, native or both. Classic ones have the buckets below. Native ones need none \
               chosen, answer within 5 % of the true quantile and cost a tenth, so alone there may be ten times as many; \
               scrapers that do not ask for protobuf see their sums and counts.",
        set: |o, v| {
            o.histograms = HistogramKinds::parse(v).ok_or_else(|| format!("`{v}` is none of classic, native, both"))?;
            Ok(()) } },
    Flag { name: "histogram-labels", value: "LIST", default: HISTOGRAM_LABELS, repeats: false, group: HISTOGRAMS,
        help: "The labels of the histograms: each of them multiplies the number of series.",
        set: |o, v| { o.histogram_labels = if v.is_empty() { Vec::new() } else { distinct(v)? }; Ok(()) } },
    Flag { name: "duration-buckets", value: "LIST", default: DURATION_BUCKETS, repeats: false, group: HISTOGRAMS,
        help: "Upper bounds of the buckets for times, in seconds.",
        set: |o, v| { o.duration_buckets = buckets(v)?; Ok(()) } },
    Flag { name: "size-buckets", value: "LIST", default: SIZE_BUCKETS, repeats: false, group: HISTOGRAMS,
        help: "Upper bounds of the buckets for sizes, in bytes.",
        set: |o, v| {
            let bounds = buckets(v)?;
            if let Some(odd) = bounds.iter().find(|bound| bound.to_count().is_none()) {
                return Err(format!("{odd} is not a whole number of bytes"));
            }
            o.size_buckets = bounds; Ok(()) } },
    Flag { name: "upstream-phases", value: "", default: "", repeats: false, group: HISTOGRAMS,
        help: "Add histograms of the time in a queue for upstream servers, and of that to connect to them. They come \
               from HAProxy's %Tw and %Tc, and from nginx's $upstream_connect_time; the time until the response is counted \
               anyway.",
        set: |o, _| { o.upstream_phases = true; Ok(()) } },
    Flag { name: "quantiles", value: "LIST", default: "", repeats: false, group: HISTOGRAMS,
        help: "Add a summary of request durations with these quantiles, such as 0.5,0.9,0.99, within 1 % of the \
               true value; 0 is the shortest and 1 the longest.",
        set: |o, v| { o.quantiles = quantiles(v)?; Ok(()) } },
    Flag { name: "quantiles.window", value: "SECONDS", default: "600", repeats: false, group: HISTOGRAMS,
        help: "The time that the quantiles look back.",
        set: |o, v| { o.quantiles_window = whole(v, 10, 86_400)?; Ok(()) } },
    Flag { name: "exemplar", value: "FIELD", default: "", repeats: false, group: HISTOGRAMS,
        help: "Attach the newest value of this field, a trace or request id, to requests and the buckets of their \
               durations, as OpenMetrics exemplars.",
        set: |o, v| { o.exemplar = Some(v.to_owned()); Ok(()) } },
    Flag { name: "exemplar.above", value: "SECONDS", default: "0", repeats: false, group: HISTOGRAMS,
        help: "Only requests that took at least this long become exemplars.",
        set: |o, v| {
            let number = FixedPoint::parse(v).filter(|a| *a >= FixedPoint::ZERO);
            o.exemplar_above = number.ok_or_else(|| no_number(v))?;
            Ok(()) } },
    Flag { name: "slo", value: "NAME=CONDITION,...", default: "", repeats: true, group: OBJECTIVES,
        help: "Count good and bad requests: --slo fast=duration<0.3,status<500. Good is what meets all conditions: on \
               status, on duration, first_byte or upstream in seconds, or on bytes_sent, each with one of < <= > >= = !=. \
               path=PATTERN, method=GET|HEAD, vhost=NAME or another label with = or != says which requests are meant; * \
               stands for any characters. Where a line lacks a figure and fails no condition, it is neither.",
        set: |o, v| {
            let objective = Objective::parse(v)?;
            if o.slos.len() == limits::SLOS_MAX { return Err(format!("there may be at most {} of them", limits::SLOS_MAX)); }
            if o.slos.iter().any(|other| other.name == objective.name) { return Err(format!("{} is given twice", objective.name)); }
            o.slos.push(objective); Ok(()) } },
    Flag { name: "slo.labels", value: "LIST", default: "", repeats: false, group: OBJECTIVES,
        help: "Labels that the objectives are counted by, such as vhost,route; by default none, which is one pair of \
               series for each.",
        set: |o, v| { o.slo_labels = distinct(v)?; Ok(()) } },
    Flag { name: "log.level", value: "LEVEL", default: "info", repeats: false, group: MESSAGES,
        help: "The least grave messages on stderr: debug (the same as info), info, warn or error.",
        set: |o, v| {
            o.log_level = Level::parse(v).ok_or_else(|| format!("`{v}` is none of debug, info, warn, error"))?;
            Ok(()) } },
    Flag { name: "log.format", value: "FORMAT", default: "text", repeats: false, group: MESSAGES,
        help: "How they are written: text, logfmt or json. The latter two have a time and a level. A text has a time \
               where stderr is a file, such as the error log of Apache; the journal and the readers of a pipe put \
               theirs in front.",
        set: |o, v| {
            o.log_form = Form::parse(v).ok_or_else(|| format!("`{v}` is none of text, logfmt, json"))?;
            Ok(()) } },
    Flag { name: "once", value: "", default: "", repeats: false, group: MODES,
        help: "Read to the end of input, print the metrics on stdout and exit.",
        set: |o, _| { o.mode = Mode::Once; Ok(()) } },
    Flag { name: "report", value: "[=FORM]", default: "", repeats: false, group: MODES,
        help: "Read to the end of input, or of the files named behind it, and print a page for a person: span and rate, \
               shares of statuses, percentiles of durations, the busiest vhosts, routes, paths and clients, and lines that \
               do not fit. With --follow it reads what comes until Ctrl-C. FORM is text, or html for one file with everything in it.",
        set: |o, v| {
            o.report_html = match v {
                "" | "text" => false,
                "html" => true,
                _ => return Err(format!("`{v}` is neither text nor html")),
            };
            o.mode = Mode::Report; Ok(()) } },
    Flag { name: "history", value: "DIR", default: "", repeats: false, group: MODES,
        help: "Read to the end of input, or of the files named behind it, and write to DIR what the lines count with their own \
               times: OpenMetrics for promtool, a file for each two hours, and a script that imports them. `-` is one \
               stream on stdout with milliseconds, for /api/v1/import/prometheus of VictoriaMetrics. With --state-dir \
               the totals are left there, so that an exporter's counters go on from them.",
        set: |o, v| { path(v)?; o.history = v.to_owned(); o.mode = Mode::History; Ok(()) } },
    Flag { name: "history.format", value: "FORMAT", default: "openmetrics", repeats: false, group: MODES,
        help: "What is written to DIR: openmetrics, of which promtool makes blocks, with four microseconds of a core for each sample; \
               or blocks, the directories that Prometheus itself keeps for each two hours, which are only moved to its data.",
        set: |o, v| {
            o.history_format = match v {
                "openmetrics" => HistoryFormat::OpenMetrics,
                "blocks" => HistoryFormat::Blocks,
                _ => return Err(format!("`{v}` is neither openmetrics nor blocks")),
            };
            Ok(()) } },
    Flag { name: "history.step", value: "SECONDS", default: "", repeats: false, group: MODES,
        help: "How far samples of the history are apart; without it 60 seconds, and 120 in a history of more than two weeks. \
               After five minutes without one, Prometheus takes a series for gone.",
        set: |o, v| { o.history_step = Some(whole(v, 1, 300)?); Ok(()) } },
    Flag { name: "history.job", value: "NAME", default: "httpd", repeats: false, group: MODES,
        help: "The label `job` of the history's samples: that of the scrapes, or old and new would be two series.",
        set: |o, v| { o.history_job = v.to_owned(); Ok(()) } },
    Flag { name: "history.instance", value: "HOST:PORT", default: "127.0.0.1:19117", repeats: false, group: MODES,
        help: "The label `instance`, likewise.",
        set: |o, v| { o.history_instance = v.to_owned(); Ok(()) } },
    Flag { name: "explain", value: "", default: "", repeats: false, group: MODES,
        help: "Read lines and print how each is read, or where and why it does not fit; then which metrics the \
               format gives, and what would give more.",
        set: |o, _| { o.mode = Mode::Explain; Ok(()) } },
    Flag { name: "health-check", value: "", default: "", repeats: false, group: MODES,
        help: "Ask the exporter that runs at --web.listen-address whether it is well, and exit with 0 or 1. Of several addresses all \
               have to answer. It is for images without a shell, and reads nothing.",
        set: |o, _| { o.mode = Mode::HealthCheck; Ok(()) } },
    Flag { name: "help", value: "", default: "", repeats: false, group: MODES,
        help: "Print this text and exit. --help fields prints every field that a format can have, with its \
               unit.",
        set: |o, _| { o.mode = Mode::Help; Ok(()) } },
    Flag { name: "version", value: "", default: "", repeats: false, group: MODES,
        help: "Print the version and exit.",
        set: |o, _| { o.mode = Mode::Version; Ok(()) } },
];

fn default_of(name: &str) -> &'static str {
    TABLE.iter().find(|flag| flag.name == name).map_or("", |flag| flag.default)
}

// ------------------------------------------------------------------------------------------------------ values ---

fn pair(value: &str) -> Result<(String, String), String> {
    let (left, right) = value.split_once('=').ok_or_else(|| format!("`{value}` has no `=`"))?;
    match (left.is_empty(), right.is_empty()) {
        (false, false) => Ok((left.to_owned(), right.to_owned())),
        _ => Err(format!("`{value}` has nothing before or behind `=`")),
    }
}

/// Names that Prometheus allows, but for those that are ours or that its own formats use.
fn label_name(name: &str) -> Result<(), String> {
    let ours = ["method", "status_code", "status_class", "route", "le", "quantile", "job", "instance"];
    let mut bytes = name.bytes();
    let first = bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    if !first || !bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Err(format!(
            "`{name}` is not a label name: it has letters, digits and _, and does not begin with a digit"
        ));
    }
    if name.starts_with("__") || ours.contains(&name) {
        return Err(format!("the label `{name}` is taken"));
    }
    Ok(())
}

fn path(value: &str) -> Result<PathBuf, String> {
    if value.is_empty() { Err("a path is missing".to_owned()) } else { Ok(PathBuf::from(value)) }
}

/// `-` for stdout by its other name: a link, which root would not follow, and another user may not open.
fn tee_path(value: &str) -> Result<PathBuf, String> {
    path(if value == "/dev/stdout" { "-" } else { value })
}

/// With a slash at its end a link would be followed, and what is put beside it would be put into it.
fn directory(value: &str) -> Result<PathBuf, String> {
    Ok(path(value)?.components().collect())
}

fn list(value: &str) -> Result<Vec<String>, String> {
    let items: Vec<String> = value.split(',').map(|item| item.trim().to_owned()).collect();
    match items.iter().position(String::is_empty) {
        Some(at) => Err(format!("item {} of `{value}` is empty", at + 1)),
        None => Ok(items),
    }
}

/// A list in which nothing stands twice.
fn distinct(value: &str) -> Result<Vec<String>, String> {
    let items = list(value)?;
    match items.iter().enumerate().find(|(at, item)| items[..*at].contains(item)) {
        Some((_, twice)) => Err(format!("{twice} is given twice")),
        None => Ok(items),
    }
}

/// Each item of a list, with the column where it begins in the value.
fn columns(value: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut column = 1;
    value.split(',').map(move |item| {
        let at = column;
        column += item.len() + 1;
        (at, item.trim())
    })
}

fn buckets(value: &str) -> Result<Vec<FixedPoint>, String> {
    let mut bounds: Vec<FixedPoint> = Vec::new();
    for (column, item) in columns(value) {
        let bound = FixedPoint::parse(item).filter(|bound| *bound > FixedPoint::ZERO && bound.to_f64() < 1e9);
        let bound = bound.ok_or_else(|| {
            format!("`{item}` at column {column} is not a bound: it must be a number above 0")
        })?;
        if FixedPoint::exactly(bound.to_f64()) != Some(bound) {
            return Err(format!("{bound} at column {column} has more than the 15 digits that scrapers keep"));
        }
        if bounds.last().is_some_and(|last| *last >= bound) {
            return Err(format!("{bound} at column {column} is not above the bound before it"));
        }
        bounds.push(bound);
    }
    if bounds.len() > limits::BUCKETS_MAX {
        return Err(format!("there are more than {} bounds", limits::BUCKETS_MAX));
    }
    Ok(bounds)
}

fn quantiles(value: &str) -> Result<Vec<f64>, String> {
    let read = |(column, item): (usize, &str)| match item.parse::<f64>() {
        Ok(quantile) if (0.0..=1.0).contains(&quantile) => Ok(quantile),
        _ => Err(format!("`{item}` at column {column} is not a quantile: it must be a number from 0 to 1")),
    };
    let mut quantiles = columns(value).map(read).collect::<Result<Vec<f64>, String>>()?;
    order::sort_by(&mut quantiles, f64::total_cmp);
    quantiles.dedup();
    Ok(quantiles)
}

fn whole(value: &str, least: u64, most: u64) -> Result<u64, String> {
    let number = value.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("`{value}` is not a whole number from {least} to {most}"))
}

fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn bytes(value: &str) -> Result<u64, String> {
    let (digits, shift) = match value.as_bytes().last() {
        Some(b'K' | b'k') => (&value[..value.len() - 1], 10),
        Some(b'M' | b'm') => (&value[..value.len() - 1], 20),
        Some(b'G' | b'g') => (&value[..value.len() - 1], 30),
        _ => (value, 0),
    };
    let number = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << shift));
    number
        .filter(|number| *number > 0)
        .ok_or_else(|| format!("`{value}` is not a number of bytes, such as 100M"))
}

fn no_number(value: &str) -> String {
    format!("`{value}` is not a number of seconds")
}

// ----------------------------------------------------------------------------------------------------- parsing ---

/// Reads the command line. An error is one sentence that names the option, and the file and line it came from.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Options, String> {
    let mut options = Options::default();
    read_arguments(lexopt::Parser::from_args(args), &mut options, Files::Allowed)?;
    let prints = [(Mode::Once, "once"), (Mode::Report, "report")];
    if let Some((_, name)) = prints.iter().find(|(mode, _)| *mode == options.mode)
        && options.tee.as_ref().is_some_and(|path| path.as_os_str() == "-")
    {
        return Err(format!("--tee: stdout is where --{name} prints"));
    }
    if let Some(file) = options.files.first() {
        if !options.mode.takes_files() {
            return Err(format!(
                "`{file}` is not an option: --follow {file} reads a file and goes on, --once < {file} reads it to its \
                 end, --report {file} tells what is in it; --help lists all"
            ));
        }
        if !options.follow.is_empty() {
            return Err(format!("--follow: `{file}` is to be read to its end; give the one or the other"));
        }
    }
    if let (Mode::Explain, Some(file)) = (options.mode, options.follow.first()) {
        return Err(format!("--explain reads its lines on stdin: head {file} | httpd_exporter --explain"));
    }
    if options.history_format == HistoryFormat::Blocks {
        if options.mode != Mode::History {
            return Err("--history.format: there is no --history".to_owned());
        }
        if options.history == "-" {
            return Err(
                "--history.format: blocks are directories, and --history - is one stream; name a directory"
                    .to_owned(),
            );
        }
    }
    if options.slos.is_empty() && !options.slo_labels.is_empty() {
        return Err("--slo.labels: there is no --slo".to_owned());
    }
    let is_label = |name: &str| name == "vhost" || options.labels.iter().any(|(label, _)| label == name);
    if let Some((name, _)) = options.label_values.iter().find(|(name, _)| !is_label(name)) {
        return Err(format!("--label-values: there is no --label {name}"));
    }
    if let Some(map) = options.label_maps.iter().find(|map| !is_label(&map.name)) {
        return Err(format!("--label-map: there is no --label {}", map.name));
    }
    Ok(options)
}

/// Whether `@FILE` may stand among the arguments: not in such a file, or one could name itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Files {
    Allowed,
    Nested,
}

fn read_arguments(mut args: lexopt::Parser, options: &mut Options, files: Files) -> Result<(), String> {
    use lexopt::Arg;
    while let Some(arg) = args.next().map_err(|e| e.to_string())? {
        let name = match arg {
            Arg::Long(name) => name.to_owned(),
            Arg::Short('h') => "help".to_owned(),
            Arg::Short('V') => "version".to_owned(),
            Arg::Short(letter) => return Err(format!("there is no option -{letter}; --help lists all")),
            Arg::Value(value) => {
                let value = utf8(&value)?;
                match value.strip_prefix('@') {
                    Some(file) if files == Files::Allowed => read_argument_file(file, options)?,
                    Some(_) => return Err(format!("`{value}`: a file of arguments cannot name another one")),
                    None if value == "fields" && options.mode == Mode::Help => options.mode = Mode::Fields,
                    _ => options.files.push(value.to_owned()),
                }
                continue;
            }
        };
        let flag = TABLE.iter().find(|flag| flag.name == name).ok_or_else(|| unknown(&name))?;
        let value = if !flag.value.is_empty() && !flag.needs_value() {
            let given = args.optional_value();
            given.as_deref().map_or(Ok(""), utf8).map_err(|e| format!("--{name}: {e}"))?.to_owned()
        } else if flag.value.is_empty() {
            if args.optional_value().is_some() {
                return Err(format!("--{name} takes no value"));
            }
            String::new()
        } else {
            let value = args.value().map_err(|_| format!("--{name}: {} is missing", flag.value))?;
            utf8(&value).map_err(|e| format!("--{name}: {e}"))?.to_owned()
        };
        set(flag, &value, options)?;
    }
    Ok(())
}

/// Sets one option. Where an option may be given several times, `@FILE` stands for a value in each line of FILE.
fn set(flag: &Flag, value: &str, options: &mut Options) -> Result<(), String> {
    let mut set_one = |value: &str| {
        // Who has left out a part is told which parts there are.
        let is_a_part = flag.value.contains('=') && !flag.value.starts_with('[') && !value.contains('=');
        let form = if is_a_part { format!("; it is {}", flag.value) } else { String::new() };
        (flag.set)(options, value).map_err(|why| format!("--{}: {why}{form}", flag.name))
    };
    match value.strip_prefix('@').filter(|_| flag.repeats) {
        None => set_one(value),
        Some(file) => for_each_line(file, set_one),
    }
}

/// One argument a line: `--name`, `--name=value` or `--name value`; a value may also have the next line to itself.
fn read_argument_file(file: &str, options: &mut Options) -> Result<(), String> {
    let mut waiting: Option<String> = None;
    for_each_line(file, |line| {
        // A value is handed over as `--name=value`, so that one that begins with a dash stays a value.
        let argument = match (waiting.take(), line.split_once(|c: char| c == '=' || c.is_whitespace())) {
            (Some(name), _) => format!("{name}={line}"),
            (None, Some((name, value))) if !value.trim().is_empty() => {
                format!("{name}={}", value.trim_start())
            }
            // A switch, whatever blanks an editor left behind it; `--name=` keeps its sign.
            (None, _) => line.trim_end().to_owned(),
        };
        if TABLE.iter().any(|flag| flag.needs_value() && argument.strip_prefix("--") == Some(flag.name)) {
            waiting = Some(argument);
            return Ok(());
        }
        read_arguments(lexopt::Parser::from_args([OsString::from(argument)]), options, Files::Nested)
    })?;
    waiting.map_or(Ok(()), |name| Err(format!("{file}: {name}: the file ends before its value")))
}

/// Lines of a file but for empty ones and comments; an error gets the file and the line put before it.
fn for_each_line(file: &str, mut read: impl FnMut(&str) -> Result<(), String>) -> Result<(), String> {
    let text =
        std::fs::read_to_string(file).map_err(|e| format!("unable to read {file}: {}", log::reason(&e)))?;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_start();
        if !line.is_empty() && !line.starts_with('#') {
            read(line).map_err(|e| format!("{file}:{}: {e}", index + 1))?;
        }
    }
    Ok(())
}

fn utf8(value: &std::ffi::OsStr) -> Result<&str, String> {
    value.to_str().ok_or_else(|| format!("`{}` is not UTF-8", value.to_string_lossy()))
}

fn unknown(name: &str) -> String {
    // A part of a name counts as one slip, so that `--listen` finds `--web.listen-address`.
    let slips = |flag: &str| if name.len() > 3 && flag.contains(name) { 1 } else { distance(name, flag) };
    match TABLE.iter().map(|flag| (slips(flag.name), flag.name)).min() {
        Some((0..=2, flag)) => format!("there is no option --{name}; did you mean --{flag}?"),
        _ => format!("there is no option --{name}; --help lists all"),
    }
}

// --------------------------------------------------------------------------------------------------- documents ---

/// The text of `--help`, without the presets, which the caller appends.
pub fn help() -> String {
    let mut text = String::from(
        "Usage: httpd_exporter [OPTION]... < ACCESS_LOG\n\n\
         Reads access-log lines on stdin, counts requests, statuses, bytes and timings, and serves them to Prometheus.\n\n\
         Examples:\n  \
         In Apache:   GlobalLog \"|/usr/local/bin/httpd_exporter --state-dir /var/lib/httpd_exporter\" vhost_combined\n  \
         With nginx:  httpd_exporter --format nginx --follow /var/log/nginx/access.log\n  \
         By hand:     zcat access.log.*.gz | httpd_exporter --once\n  \
         If in doubt: head access.log | httpd_exporter --explain\n",
    );
    let mut group = "";
    for flag in TABLE {
        if flag.group != group {
            group = flag.group;
            let _ = write!(text, "\n{group}:\n");
        }
        let _ = writeln!(text, "  --{}{}", flag.name, flag.shown_value());
        let mut notes = String::new();
        if !flag.default.is_empty() {
            let _ = write!(notes, " Default: {}.", flag.default);
        }
        if flag.repeats {
            notes.push_str(" May be given several times.");
        }
        wrap(&format!("{}{notes}", flag.help), "        ", 80, &mut text);
    }
    text.push_str("\nAn argument @FILE reads more arguments from FILE, one a line; # begins a comment.\n");
    text
}

/// Breaks prose into indented lines of at most `width` columns, or one word: it may be one to paste.
pub fn wrap(prose: &str, indent: &str, width: usize, out: &mut String) {
    let mut column = 0;
    for word in prose.split_ascii_whitespace() {
        if column > 0 && column + 1 + word.len() > width {
            out.push('\n');
            column = 0;
        }
        if column == 0 {
            out.push_str(indent);
            column = indent.len();
        } else {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += word.len();
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<Options, String> {
        parse(args.iter().map(OsString::from))
    }

    #[test]
    fn every_option_is_documented_and_named_once() {
        for flag in TABLE {
            assert!(flag.help.ends_with('.'), "--{}", flag.name);
            assert_eq!(TABLE.iter().filter(|other| other.name == flag.name).count(), 1, "--{}", flag.name);
            let group = TABLE.iter().filter(|other| other.group == flag.group).count();
            let run = TABLE.iter().skip_while(|other| other.group != flag.group);
            assert_eq!(run.take_while(|other| other.group == flag.group).count(), group, "--{}", flag.name);
        }
    }

    #[test]
    fn a_wrong_value_is_named_with_its_option_and_column() {
        for (args, message) in [
            (
                &["--duration-buckets", "1,2,x"][..],
                "--duration-buckets: `x` at column 5 is not a bound: it must be a number above 0",
            ),
            (
                &["--duration-buckets=2,1"],
                "--duration-buckets: 1 at column 3 is not above the bound before it",
            ),
            (
                &["--duration-buckets=123456789.123456789"],
                "--duration-buckets: 123456789.123456789 at column 1 has more than the 15 digits that scrapers keep",
            ),
            (
                &["--quantiles", "0.5,1.5"],
                "--quantiles: `1.5` at column 5 is not a quantile: it must be a number from 0 to 1",
            ),
            (&["--fromat", "x"], "there is no option --fromat; did you mean --format?"),
            (&["--listen", ":1"], "there is no option --listen; did you mean --web.listen-address?"),
            (&["--once", "--tee", "-"], "--tee: stdout is where --once prints"),
            (&["--once", "--tee", "/dev/stdout"], "--tee: stdout is where --once prints"),
            (&["--once=1"], "--once takes no value"),
            (&["--report=pdf"], "--report: `pdf` is neither text nor html"),
            (&["--tee"], "--tee: PATH is missing"),
            (&["--label", "route=%v"], "--label: the label `route` is taken"),
            (&["--label", "site=="], "--label: `site==` has no text"),
            (&["--label-map", "x=a=b"], "--label-map: there is no --label x"),
            (&["--label-map", "vhost=a"], "--label-map: `vhost=a` has no second `=`"),
            (
                &["--label", "a-b=%v"],
                "--label: `a-b` is not a label name: it has letters, digits and _, and does not begin with a digit",
            ),
            (&["--label-values", "x=a"], "--label-values: there is no --label x"),
            (&["--history.format", "blocks"], "--history.format: there is no --history"),
            (
                &["--history", "-", "--history.format", "blocks"],
                "--history.format: blocks are directories, and --history - is one stream; name a directory",
            ),
            (&["--history.format", "text"], "--history.format: `text` is neither openmetrics nor blocks"),
            (
                &["access.log"],
                "`access.log` is not an option: --follow access.log reads a file and goes on, --once < access.log reads \
                 it to its end, --report access.log tells what is in it; --help lists all",
            ),
            (
                &["--explain", "--follow", "a.log"],
                "--explain reads its lines on stdin: head a.log | httpd_exporter --explain",
            ),
        ] {
            assert_eq!(parsed(args).unwrap_err(), message);
        }
    }

    #[test]
    fn defaults_are_those_the_table_names() {
        let options = parsed(&[]).unwrap();
        assert_eq!(options.duration_buckets.len(), 16);
        assert_eq!((options.max_values, options.telemetry_path.as_str()), (100, "/metrics"));
        assert_eq!(options.listen_addresses(None), ["127.0.0.1:19117"]);
        assert_eq!(options.listen_addresses(Some(String::new())), ["127.0.0.1:19117"]);
        assert_eq!(options.listen_addresses(Some(":1".to_owned())), [":1"]);
        let chosen = parsed(&["--web.listen-address", ":2"]).unwrap();
        assert_eq!(chosen.listen_addresses(Some(":1".to_owned())), [":2"]);
    }
}
