//! Text forms of a page: the Prometheus text format 0.0.4 and OpenMetrics 1.0.0.
//!
//! Sources: Prometheus' "Exposition formats" and the OpenMetrics 1.0 specification (sections Suffixes, Canonical
//! Numbers, Exemplars, ABNF). Two formats share one writer, for they differ in four places only: the name in the
//! metadata, the spelling of numbers in `le`, `_created` with exemplars, and the `# EOF` at the end.
//!
//! Written here and not by the `prometheus` crate's encoder because that one has no OpenMetrics, works in floating
//! point where sums over generations must be exact, and takes 18 times as long for 100,000 series.

use crate::catalogue;
use crate::catalogue::Kind;
use crate::fixed_point;
use crate::fixed_point::FixedPoint;
use crate::snapshot::page::{Exemplar, Family, Histogram, Page, Quantile, Series, Value};
use std::fmt::Write;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextForm {
    /// Prometheus text exposition format 0.0.4.
    Prometheus,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

/// The whole page as text.
pub fn write(page: &Page, form: TextForm) -> String {
    let mut out = String::with_capacity(room(page));
    write_to(&mut out, page, form);
    out
}

/// The same behind a text that has room for it.
pub fn write_to(out: &mut String, page: &Page, form: TextForm) {
    for (name, family) in &page.families {
        Writer { out, form, base: base_name(name, family.kind) }.family(name, family);
    }
    if form == TextForm::OpenMetrics {
        out.push_str("# EOF\n");
    }
}

/// As many bytes as a page takes with figures as long as they become: one that outgrows its room is copied whole, and
/// there nobody asks whether memory is left. What is reserved and not written costs addresses only.
pub fn room(page: &Page) -> usize {
    page.families.iter().map(|(name, family)| room_of(name, family)).sum()
}

fn room_of(name: &str, family: &Family) -> usize {
    let of_exemplar = |exemplar: &Exemplar| exemplar.labels.len() + " # {} ".len() + 2 * FIGURE_BYTES;
    let of_series = |series: &Series| {
        let (samples, last_label, exemplars) = match &series.value {
            Value::Number { exemplar, .. } => (1, 0, exemplar.as_deref().map_or(0, of_exemplar)),
            Value::Histogram(histogram) => (
                histogram.counts.len() + 2,
                "_bucket,le=\"1.048576e+06\"".len(),
                histogram.exemplars.iter().flatten().map(|exemplar| of_exemplar(exemplar)).sum(),
            ),
            Value::Summary(summary) => (summary.quantiles.len() + 2, ",quantile=\"0.999\"".len(), 0),
        };
        // Braces, a blank and a newline.
        let sample = name.len() + series.labels.len() + last_label + FIGURE_BYTES + 4;
        // Another for `_created`.
        let created = series.created.map_or(0, |_| sample + "_created".len());
        samples * sample + created + exemplars
    };
    // HELP, TYPE and UNIT; an escaped character is two.
    let metadata = 128 + 4 * name.len() + 2 * family.help.len();
    metadata + family.series.iter().map(of_series).sum::<usize>()
}

/// Seconds since the epoch, or of all requests together, with nine decimals.
const FIGURE_BYTES: usize = "1764077500.123456789".len();

/// OpenMetrics names a family without the `_total` or `_info` of its samples.
pub fn base_name(name: &str, kind: Kind) -> &str {
    name.strip_suffix(kind.suffix()).unwrap_or(name)
}

struct Writer<'a> {
    out: &'a mut String,
    form: TextForm,
    base: &'a str,
}

impl Writer<'_> {
    fn family(&mut self, name: &str, family: &Family) {
        match self.form {
            TextForm::Prometheus => self.text_metadata(name, family),
            TextForm::OpenMetrics => open_metrics_metadata(self.out, name, family.kind, &family.help),
        }
        let bounds = BoundTexts::new(family, self.form);
        for series in &family.series {
            self.series(name, series, &bounds);
        }
    }

    fn text_metadata(&mut self, name: &str, family: &Family) {
        let (help, kind) = (escaped(&family.help), family.kind.as_str());
        let _ = write!(self.out, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn series(&mut self, name: &str, series: &Series, bounds: &BoundTexts) {
        match &series.value {
            Value::Number { value, exemplar } => {
                self.sample(name, "", &series.labels, "");
                self.amount(*value);
                self.exemplar(exemplar.as_deref());
                self.out.push('\n');
            }
            Value::Histogram(histogram) => self.histogram(name, &series.labels, histogram, bounds),
            Value::Summary(summary) => {
                for Quantile { quantile, value } in &summary.quantiles {
                    let label = format!("quantile=\"{}\"", number(*quantile, self.form));
                    self.sample(name, "", &series.labels, &label);
                    let _ = writeln!(self.out, " {}", number(*value, self.form));
                }
                self.sum_and_count(name, &series.labels, summary.sum, summary.count);
            }
        }
        if let (TextForm::OpenMetrics, Some(created)) = (self.form, series.created) {
            let base = self.base;
            self.sample(base, "_created", &series.labels, "");
            self.amount(created);
            self.out.push('\n');
        }
    }

    fn histogram(&mut self, name: &str, labels: &str, histogram: &Histogram, bounds: &BoundTexts) {
        // Without chosen buckets there is +Inf alone. OpenMetrics 1.0 wants it, section Histogram; here it says nothing
        // that the count does not say.
        let has_buckets = !histogram.bounds.is_empty() || histogram.native.is_none();
        let mut cumulative = 0u64;
        for (index, count) in histogram.counts.iter().enumerate() {
            cumulative = cumulative.saturating_add(*count);
            if !has_buckets && self.form == TextForm::Prometheus {
                continue;
            }
            let le = bounds.of(histogram, index, self.form);
            self.sample(name, "_bucket", labels, &le);
            self.count(cumulative);
            self.exemplar(histogram.exemplars.get(index).and_then(Option::as_deref));
            self.out.push('\n');
        }
        self.sum_and_count(name, labels, histogram.sum, cumulative);
    }

    fn sum_and_count(&mut self, name: &str, labels: &str, sum: FixedPoint, count: u64) {
        self.sample(name, "_sum", labels, "");
        self.amount(sum);
        self.out.push('\n');
        self.sample(name, "_count", labels, "");
        self.count(count);
        self.out.push('\n');
    }

    fn amount(&mut self, amount: FixedPoint) {
        self.out.push(' ');
        amount.push_to(self.out);
    }

    fn count(&mut self, count: u64) {
        self.out.push(' ');
        fixed_point::push_count(self.out, count);
    }

    /// The part of a line before the number.
    fn sample(&mut self, name: &str, suffix: &str, labels: &str, last_label: &str) {
        self.out.push_str(name);
        self.out.push_str(suffix);
        if labels.is_empty() && last_label.is_empty() {
            return;
        }
        self.out.push('{');
        self.out.push_str(labels);
        if !labels.is_empty() && !last_label.is_empty() {
            self.out.push(',');
        }
        self.out.push_str(last_label);
        self.out.push('}');
    }

    fn exemplar(&mut self, exemplar: Option<&Exemplar>) {
        if let (TextForm::OpenMetrics, Some(exemplar)) = (self.form, exemplar) {
            let _ = write!(self.out, " # {{{}}} {}", exemplar.labels, exemplar.value);
            if let Some(time) = exemplar.time {
                let _ = write!(self.out, " {time}");
            }
        }
    }
}

/// TYPE, UNIT, HELP: the order that the section "MetricFamily metadata" wants. It escapes quotes as well.
pub fn open_metrics_metadata(out: &mut String, name: &str, kind: Kind, help: &str) {
    let base = base_name(name, kind);
    let _ = writeln!(out, "# TYPE {base} {}", kind.open_metrics());
    if let Some(unit) = catalogue::unit_of(base) {
        let _ = writeln!(out, "# UNIT {base} {unit}");
    }
    let _ = writeln!(out, "# HELP {base} {}", escaped_with_quotes(help));
}

/// The text of a HELP line, as both formats escape it.
fn escaped(help: &str) -> String {
    help.replace('\\', "\\\\").replace('\n', "\\n")
}

/// The same as both versions of OpenMetrics escape it.
pub fn escaped_with_quotes(help: &str) -> String {
    escaped(help).replace('"', "\\\"")
}

/// The `le="..."` labels of a family's first histogram, written once: nearly always they are those of all its series.
struct BoundTexts {
    bounds: Option<Arc<[FixedPoint]>>,
    texts: Vec<String>,
}

impl BoundTexts {
    fn new(family: &Family, form: TextForm) -> BoundTexts {
        let first = family.series.iter().find_map(|series| match &series.value {
            Value::Histogram(histogram) => Some(histogram.bounds.clone()),
            _ => None,
        });
        let texts = first.iter().flat_map(|bounds| bounds.iter()).map(|bound| le(*bound, form)).collect();
        BoundTexts { bounds: first, texts }
    }

    fn of(&self, histogram: &Histogram, index: usize, form: TextForm) -> std::borrow::Cow<'_, str> {
        match histogram.bounds.get(index) {
            None => "le=\"+Inf\"".into(),
            Some(_) if self.bounds.as_ref().is_some_and(|b| Arc::ptr_eq(b, &histogram.bounds)) => {
                self.texts[index].as_str().into()
            }
            Some(bound) => le(*bound, form).into(),
        }
    }
}

/// The label of a bucket.
pub fn le(bound: FixedPoint, form: TextForm) -> String {
    match form {
        TextForm::Prometheus => format!("le=\"{bound}\""),
        TextForm::OpenMetrics => format!("le=\"{}\"", canonical(bound.to_f64())),
    }
}

pub fn number(value: f64, form: TextForm) -> String {
    match form {
        _ if value.is_nan() => "NaN".to_owned(),
        _ if value.is_infinite() => if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned(),
        TextForm::Prometheus => value.to_string(),
        TextForm::OpenMetrics => canonical(value),
    }
}

/// OpenMetrics 1.0, "Considerations: Canonical Numbers": as Go's `%g` prints it, which takes the shortest digits
/// that give the number back and an exponent below 0.0001 and from a million on; whole numbers get `.0`.
pub fn canonical(value: f64) -> String {
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    if exponent.parse().is_ok_and(|exponent| (-4..6).contains(&exponent)) {
        return if value.fract() == 0.0 { format!("{value:.1}") } else { value.to_string() };
    }
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::exposition::read;
    use crate::snapshot::page::push_label;
    use proptest::prelude::*;

    fn small_page() -> Page {
        let mut page = Page::default();
        let mut labels = String::new();
        push_label(&mut labels, "vhost", "a\"b\\c\nd}");
        let mut requests = Series::number(labels.clone(), FixedPoint::whole(3));
        requests.created = FixedPoint::parse("1000.5");
        page.insert(&catalogue::REQUESTS, vec![requests]);
        let exemplar = Exemplar {
            labels: "id=\"x\"".into(),
            value: FixedPoint::nanos(7),
            time: FixedPoint::parse("12"),
        };
        let histogram = Histogram {
            bounds: Arc::from([FixedPoint::parse("0.00001").unwrap(), FixedPoint::parse("1").unwrap()]),
            counts: vec![1, 0, 2],
            sum: FixedPoint::parse("4.25").unwrap(),
            exemplars: vec![None, Some(Box::new(exemplar)), None],
            native: None,
        };
        page.insert(
            &catalogue::DURATION,
            vec![Series {
                labels: labels.into(),
                value: Value::Histogram(Box::new(histogram)),
                created: None,
            }],
        );
        page
    }

    #[test]
    fn the_text_format_is_that_of_prometheus() {
        let text = write(&small_page(), TextForm::Prometheus);
        assert_eq!(
            text,
            "# HELP httpd_request_duration_seconds Time taken to serve a request.\n\
             # TYPE httpd_request_duration_seconds histogram\n\
             httpd_request_duration_seconds_bucket{vhost=\"a\\\"b\\\\c\\nd}\",le=\"0.00001\"} 1\n\
             httpd_request_duration_seconds_bucket{vhost=\"a\\\"b\\\\c\\nd}\",le=\"1\"} 1\n\
             httpd_request_duration_seconds_bucket{vhost=\"a\\\"b\\\\c\\nd}\",le=\"+Inf\"} 3\n\
             httpd_request_duration_seconds_sum{vhost=\"a\\\"b\\\\c\\nd}\"} 4.25\n\
             httpd_request_duration_seconds_count{vhost=\"a\\\"b\\\\c\\nd}\"} 3\n\
             # HELP httpd_requests_total Requests logged.\n\
             # TYPE httpd_requests_total counter\n\
             httpd_requests_total{vhost=\"a\\\"b\\\\c\\nd}\"} 3\n"
        );
    }

    #[test]
    fn openmetrics_differs_in_names_numbers_creation_and_end() {
        let text = write(&small_page(), TextForm::OpenMetrics);
        for line in [
            "# UNIT httpd_request_duration_seconds seconds",
            "# TYPE httpd_requests counter",
            "httpd_requests_created{vhost=\"a\\\"b\\\\c\\nd}\"} 1000.5",
            "httpd_request_duration_seconds_bucket{vhost=\"a\\\"b\\\\c\\nd}\",le=\"1e-05\"} 1",
            "httpd_request_duration_seconds_bucket{vhost=\"a\\\"b\\\\c\\nd}\",le=\"1.0\"} 1 # {id=\"x\"} 0.000000007 12",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn a_page_is_written_into_the_room_that_was_reserved() {
        let mut page = small_page();
        let labels: Arc<str> = format!("vhost=\"{}\"", "v".repeat(40)).into();
        let exemplar = Exemplar {
            labels: format!("id=\"{}\"", "x".repeat(128)),
            value: FixedPoint::parse("12345.123456789").unwrap(),
            time: FixedPoint::parse("1764077500.123"),
        };
        let histogram = Histogram {
            bounds: Arc::from([FixedPoint::parse("0.00001").unwrap(), FixedPoint::parse("1048576").unwrap()]),
            counts: vec![u64::MAX >> 8, 0, 1],
            sum: FixedPoint::parse("1234567890.123456789").unwrap(),
            exemplars: vec![Some(Box::new(exemplar.clone())); 3],
            native: None,
        };
        let created = FixedPoint::parse("1764077500.123456789");
        let value = Value::Histogram(Box::new(histogram));
        page.insert(&catalogue::DURATION, vec![Series { labels: labels.clone(), value, created }]);
        let value = Value::Number { value: FixedPoint::whole(u64::MAX), exemplar: Some(Box::new(exemplar)) };
        page.insert(&catalogue::REQUESTS, vec![Series { labels, value, created }]);
        for form in [TextForm::Prometheus, TextForm::OpenMetrics] {
            let text = write(&page, form);
            assert!(text.len() <= room(&page), "{} of {}", text.len(), room(&page));
        }
    }

    #[test]
    fn a_page_that_was_cut_off_is_refused() {
        let text = write(&small_page(), TextForm::OpenMetrics);
        assert_eq!(read(&text).unwrap(), small_page());
        for end in 0..text.len() {
            assert!(!text.is_char_boundary(end) || read(&text[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn what_is_read_is_written_so_that_it_is_read_as_the_same() {
        for text in [
            "# TYPE a gauge\n# HELP a ends in a carriage return\r\r\na 1\n",
            "# TYPE a gauge\na{b=\"c\r\"} 1\n",
            "# TYPE a summary\na{quantile=\"0.5\"} NaN\na{quantile=\"nan\"} -inf\na_sum 0\na_count 0\n",
            "# TYPE a histogram\na_bucket{le=\"8388608.000000001\"} 1\na_bucket{le=\"+Inf\"} 1\n",
            "# TYPE a histogram\na_bucket{le=\"12345678.123456789\"} 1\na_bucket{le=\"+Inf\"} 1\n",
            "# TYPE a histogram\na_bucket{le=\"1e+06\"} 1\na_bucket{le=\"+Inf\"} 1\n",
        ] {
            let page = read(&format!("{text}# EOF\n")).expect(text);
            assert_eq!(read(&write(&page, TextForm::OpenMetrics)).as_ref(), Ok(&page), "{text}");
        }
    }

    #[test]
    fn a_bound_that_would_be_written_as_another_is_refused() {
        for le in ["nan", "inf", "1e-10", "1e300"] {
            let text =
                format!("# TYPE a histogram\na_bucket{{le=\"{le}\"}} 1\na_bucket{{le=\"+Inf\"}} 1\n# EOF\n");
            assert!(read(&text).is_err(), "{le}");
        }
    }

    #[test]
    fn numbers_are_canonical() {
        // The specification's own examples, and what Go prints of our buckets.
        let texts = "0.0 0.001 0.002 0.01 0.1 0.9 0.95 0.99 0.999 1.0 1.7 10.0 1e-10 1e-09 1e-05 0.0001 100000.0 \
                     1e+06 1e+10 1e+23 1.1e+23 0.00025 65536.0 262144.0 1.048576e+06 1.6777216e+07";
        for text in texts.split(' ') {
            assert_eq!(canonical(text.parse().unwrap()), text);
        }
        assert_eq!(number(f64::INFINITY, TextForm::OpenMetrics), "+Inf");
        assert_eq!(number(f64::NAN, TextForm::OpenMetrics), "NaN");
    }

    #[test]
    fn metadata_stands_in_the_order_of_each_format() {
        let mut page = Page::default();
        page.insert_number(&catalogue::PROCESS_CPU, FixedPoint::whole(1));
        page.insert_number(&catalogue::BUILD_INFO, FixedPoint::whole(1));
        let help = "a \"word\" \\ and\na line";
        page.families.values_mut().for_each(|family| family.help = help.to_owned());
        assert_eq!(
            write(&page, TextForm::OpenMetrics),
            "# TYPE httpd_exporter_build info\n\
             # HELP httpd_exporter_build a \\\"word\\\" \\\\ and\\na line\n\
             httpd_exporter_build_info 1\n\
             # TYPE process_cpu_seconds counter\n\
             # UNIT process_cpu_seconds seconds\n\
             # HELP process_cpu_seconds a \\\"word\\\" \\\\ and\\na line\n\
             process_cpu_seconds_total 1\n\
             # EOF\n"
        );
        assert_eq!(
            read(&write(&page, TextForm::OpenMetrics)).unwrap().families["httpd_exporter_build_info"].help,
            help
        );
        assert!(write(&page, TextForm::Prometheus).starts_with(
            "# HELP httpd_exporter_build_info a \"word\" \\\\ and\\na line\n\
             # TYPE httpd_exporter_build_info gauge\n\
             httpd_exporter_build_info 1\n"
        ));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            rows in prop::collection::btree_map("[ -~\\n]{0,12}", (any::<[u64; 3]>(), any::<u128>()), 0..8),
            shift in 0u32..64,
        ) {
            let bounds: Arc<[FixedPoint]> = Arc::from([FixedPoint::parse("0.005").unwrap(), FixedPoint::parse("16384").unwrap()]);
            let (mut counters, mut histograms) = (Vec::new(), Vec::new());
            for (value, (counts, sum)) in rows {
                let mut labels = String::new();
                push_label(&mut labels, "vhost", &value);
                counters.push(Series::number(labels.clone(), FixedPoint::whole(counts[0])));
                let (counts, sum) = (counts.iter().map(|count| count >> shift).collect(), FixedPoint::nanos(sum));
                let histogram = Histogram { bounds: bounds.clone(), counts, sum, exemplars: Vec::new(), native: None };
                let value = Value::Histogram(Box::new(histogram));
                histograms.push(Series { labels: labels.into(), value, created: Some(FixedPoint::whole(1)) });
            }
            let mut page = Page::default();
            page.insert(&catalogue::REQUESTS, counters);
            page.insert(&catalogue::DURATION, histograms);
            let text = write(&page, TextForm::OpenMetrics);
            let again = read(&text).unwrap();
            prop_assert_eq!(write(&again, TextForm::OpenMetrics), text);
            // Buckets that add up to more than 64 bits are as full as they can be: what is beyond is lost.
            prop_assert!(shift < 2 || again == page);
        }

        #[test]
        fn no_bytes_can_make_the_reader_panic(text in "([a-z_#{}=\", 0-9.\\n]{0,80}|\\PC{0,80})") {
            let _ = read(&format!("{text}\n# EOF\n"));
        }
    }
}
