//! OpenMetrics 2.0 form of a page: one line a series, with histograms and summaries as composite values.
//!
//! Source: the OpenMetrics 2.0 specification as of 2.0.0-rc0 of March 2026, sections ABNF, "Metric types" and
//! "Exemplars and Start Timestamp". It is served to those alone who ask for this version. Families bear the names of
//! their samples, the start stands in the line (`st@`), and a histogram's line has its native counts before its
//! buckets, so that a reader of the first can skip the second.

use crate::catalogue;
use crate::count::native::NativeCounts;
use crate::fixed_point::{self, FixedPoint};
use crate::snapshot::exposition::spans::{Span, spans};
use crate::snapshot::exposition::text::{self, TextForm};
use crate::snapshot::page::{Exemplar, Family, Histogram, Page, Quantile, Series, Summary, Value};
use std::fmt::Write;

/// As many bytes as a page takes: what the samples of OpenMetrics 1.0 take is more than their composite value does.
pub fn room(page: &Page) -> usize {
    // An offset or a length, with a comma.
    const SPAN_BYTES: usize = "-512:160,".len();
    const COUNT_BYTES: usize = "18446744073709551615,".len();
    const FIELDS_BYTES: usize =
        "schema:-4,zero_threshold:4.8828125e-04,zero_count:,positive_spans:[],positive_buckets:[],bucket:[]"
            .len();
    let series = page.families.values().flat_map(|family| &family.series);
    let native = series.map(|series| match &series.value {
        Value::Histogram(histogram) => histogram.native.as_ref().map_or(0, |native| {
            let (spans, counts) = spans(native);
            FIELDS_BYTES + (counts.len() + 1) * COUNT_BYTES + spans.len() * SPAN_BYTES
        }),
        _ => 0,
    });
    text::room(page) + native.sum::<usize>()
}

/// Writes the page behind what is there.
pub fn write_to(out: &mut String, page: &Page) {
    for (name, family) in &page.families {
        metadata(out, name, family);
        for series in &family.series {
            out.push_str(name);
            if !series.labels.is_empty() {
                let _ = write!(out, "{{{}}}", series.labels);
            }
            out.push(' ');
            value(out, series);
            out.push('\n');
        }
    }
    out.push_str("# EOF\n");
}

/// TYPE, UNIT, HELP: the order that the section "MetricFamily metadata" wants.
fn metadata(out: &mut String, name: &str, family: &Family) {
    let _ = writeln!(out, "# TYPE {name} {}", family.kind.open_metrics());
    if let Some(unit) = catalogue::unit_of(text::base_name(name, family.kind)) {
        let _ = writeln!(out, "# UNIT {name} {unit}");
    }
    let _ = writeln!(out, "# HELP {name} {}", text::escaped_with_quotes(&family.help));
}

/// What stands behind the labels: the value, the start, the exemplars.
fn value(out: &mut String, series: &Series) {
    let mut exemplars: &[Option<Box<Exemplar>>] = &[];
    match &series.value {
        Value::Number { value, exemplar } => {
            value.push_to(out);
            exemplars = std::slice::from_ref(exemplar);
        }
        Value::Histogram(value) => {
            histogram(out, value);
            exemplars = &value.exemplars;
        }
        Value::Summary(value) => summary(out, value),
    }
    if let Some(created) = series.created {
        out.push_str(" st@");
        created.push_to(out);
    }
    // One without a time may not be shown.
    for exemplar in exemplars.iter().flatten() {
        if let Some(time) = exemplar.time {
            let _ = write!(out, " # {{{}}} {} {time}", exemplar.labels, exemplar.value);
        }
    }
}

fn histogram(out: &mut String, histogram: &Histogram) {
    count_and_sum(out, histogram.total(), histogram.sum);
    if let Some(counts) = &histogram.native {
        native(out, counts);
    }
    if !histogram.bounds.is_empty() || histogram.native.is_none() {
        let bounds = histogram.bounds.iter().map(|bound| text::canonical(bound.to_f64()));
        let bounds = bounds.chain(std::iter::once("+Inf".to_owned()));
        let mut cumulative = 0u64;
        out.push_str(",bucket:");
        list(out, bounds.zip(&histogram.counts), |out, (bound, count)| {
            cumulative = cumulative.saturating_add(*count);
            out.push_str(&bound);
            out.push(':');
            fixed_point::push_count(out, cumulative);
        });
    }
    out.push('}');
}

fn native(out: &mut String, native: &NativeCounts) {
    let threshold = text::canonical(2f64.powi(i32::from(native.zero_exponent())));
    let (schema, zero) = (native.schema(), native.zero());
    let _ = write!(out, ",schema:{schema},zero_threshold:{threshold},zero_count:{zero}");
    let (spans, counts) = spans(native);
    if spans.is_empty() {
        return;
    }
    out.push_str(",positive_spans:");
    list(out, spans.into_iter(), |out, Span { offset, length }| {
        let _ = write!(out, "{offset}:{length}");
    });
    out.push_str(",positive_buckets:");
    list(out, counts.into_iter(), fixed_point::push_count);
}

fn summary(out: &mut String, summary: &Summary) {
    count_and_sum(out, summary.count, summary.sum);
    out.push_str(",quantile:");
    list(out, summary.quantiles.iter(), |out, Quantile { quantile, value }| {
        let number = |value| text::number(value, TextForm::OpenMetrics);
        let _ = write!(out, "{}:{}", number(*quantile), number(*value));
    });
    out.push('}');
}

/// What every composite value begins with.
fn count_and_sum(out: &mut String, count: u64, sum: FixedPoint) {
    out.push_str("{count:");
    fixed_point::push_count(out, count);
    out.push_str(",sum:");
    sum.push_to(out);
}

fn list<T>(out: &mut String, items: impl Iterator<Item = T>, mut write: impl FnMut(&mut String, T)) {
    out.push('[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(']');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::page::push_label;
    use std::sync::Arc;

    fn labels() -> Arc<str> {
        let mut labels = String::new();
        push_label(&mut labels, "vhost", "a\"b");
        labels.into()
    }

    fn page(histogram: Histogram) -> Page {
        let mut page = Page::default();
        let created = FixedPoint::parse("1000.5");
        let mut requests = Series::number(labels().to_string(), FixedPoint::whole(3));
        requests.created = created;
        page.insert(&catalogue::REQUESTS, vec![requests]);
        let value = Value::Histogram(Box::new(histogram));
        page.insert(&catalogue::DURATION, vec![Series { labels: labels(), value, created }]);
        let quantiles =
            vec![Quantile { quantile: 0.5, value: f64::NAN }, Quantile { quantile: 0.99, value: 2.0 }];
        let value = Value::Summary(Box::new(Summary { quantiles, sum: FixedPoint::nanos(7), count: 2 }));
        page.insert(&catalogue::QUANTILES, vec![Series { labels: "".into(), value, created: None }]);
        page.insert_number(&catalogue::BUILD_INFO, FixedPoint::whole(1));
        page
    }

    fn of_two_buckets(native: Option<NativeCounts>) -> Histogram {
        let of_time = |time| Exemplar { labels: "id=\"x\"".into(), value: FixedPoint::nanos(7), time };
        Histogram {
            bounds: Arc::from([FixedPoint::parse("0.00001").unwrap(), FixedPoint::whole(1)]),
            counts: vec![1, 0, 2],
            sum: FixedPoint::parse("4.25").unwrap(),
            exemplars: vec![
                Some(Box::new(of_time(FixedPoint::parse("12")))),
                Some(Box::new(of_time(None))),
                Some(Box::new(of_time(FixedPoint::parse("13.5")))),
            ],
            native: native.map(Arc::new),
        }
    }

    fn written(page: &Page) -> String {
        let mut out = String::new();
        write_to(&mut out, page);
        assert!(out.len() <= room(page), "{} bytes where {} were expected", out.len(), room(page));
        out
    }

    #[test]
    fn a_series_is_one_line() {
        let buckets = [(-9, 1), (3, 4), (5, 7), (30, 2)].into_iter();
        let native = NativeCounts::of_buckets(3, -11, 5, buckets);
        let text = written(&page(of_two_buckets(native)));
        let expected = [
            "# TYPE httpd_exporter_build_info info",
            "httpd_exporter_build_info 1",
            "# TYPE httpd_request_duration_quantiles_seconds summary",
            "# UNIT httpd_request_duration_quantiles_seconds seconds",
            "httpd_request_duration_quantiles_seconds {count:2,sum:0.000000007,quantile:[0.5:NaN,0.99:2.0]}",
            "# TYPE httpd_request_duration_seconds histogram",
            "# UNIT httpd_request_duration_seconds seconds",
            "httpd_request_duration_seconds{vhost=\"a\\\"b\"} {count:3,sum:4.25,\
             schema:3,zero_threshold:0.00048828125,zero_count:5,\
             positive_spans:[-9:1,11:3,24:1],positive_buckets:[1,4,0,7,2],\
             bucket:[1e-05:1,1.0:1,+Inf:3]} st@1000.5 \
             # {id=\"x\"} 0.000000007 12 # {id=\"x\"} 0.000000007 13.5",
            "# TYPE httpd_requests_total counter",
            "httpd_requests_total{vhost=\"a\\\"b\"} 3 st@1000.5",
            "# EOF",
        ];
        let (help, others): (Vec<&str>, Vec<&str>) =
            text.lines().partition(|line| line.starts_with("# HELP "));
        assert_eq!(others, expected);
        assert_eq!(help.len(), 4);
    }

    #[test]
    fn what_is_not_counted_has_no_fields() {
        let line = |histogram: Histogram| {
            let text = written(&page(histogram));
            let line = text.lines().find(|line| line.starts_with("httpd_request_duration_seconds{")).unwrap();
            line.split_once("} ").unwrap().1.split_once(" st@").unwrap().0.to_owned()
        };
        assert_eq!(line(of_two_buckets(None)), "{count:3,sum:4.25,bucket:[1e-05:1,1.0:1,+Inf:3]}");
        let without_buckets = |native| Histogram {
            bounds: Arc::from([]),
            counts: vec![3],
            sum: FixedPoint::whole(4),
            exemplars: Vec::new(),
            native,
        };
        let empty = NativeCounts::of_buckets(3, -11, 3, std::iter::empty()).map(Arc::new);
        assert_eq!(
            line(without_buckets(empty)),
            "{count:3,sum:4,schema:3,zero_threshold:0.00048828125,zero_count:3}"
        );
        assert_eq!(line(without_buckets(None)), "{count:3,sum:4,bucket:[+Inf:3]}");
    }
}
