//! Content negotiation: turns the Accept headers of a request into the form of the answer (RFC 9110 section 12).
//!
//! Never refuses: a client that asks for what we do not have gets the text format, as with every exporter.
//! OpenMetrics is chosen only when it is asked for by name: 2.0.0 by its version, 1.0.0 by its version or without one;
//! a client that knows version 0.0.1 alone gets the text format, because what we write would be mislabelled.
//! Protobuf is chosen only where the message and its encoding are named as well.

use crate::snapshot::exposition::Form;

/// The form that suits the Accept headers best; the one that carries more where several suit alike.
pub fn form<'a>(accept: impl Iterator<Item = &'a str>) -> Form {
    // The quality of each, the one that carries most first.
    let mut named = [(Form::Protobuf, 0), (Form::OpenMetrics2, 0), (Form::OpenMetrics, 0)];
    // What the most specific range says about text: (specificity, quality).
    let mut text = (0, 0);
    for range in accept.flat_map(|header| header.split(',')) {
        let Range { name, version, quality, is_family, is_delimited } = read_range(range);
        let form = match (name.as_str(), version) {
            ("application/vnd.google.protobuf", _) if is_family && is_delimited => Form::Protobuf,
            ("application/openmetrics-text", Some("2.0.0")) => Form::OpenMetrics2,
            ("application/openmetrics-text", None | Some("1.0.0")) => Form::OpenMetrics,
            ("text/plain", None | Some("0.0.4")) | ("text/*" | "*/*", _) => Form::Text,
            _ => continue,
        };
        match named.iter_mut().find(|(known, _)| *known == form) {
            Some((_, best)) => *best = quality.max(*best),
            None => text = text.max((name.bytes().filter(|byte| *byte != b'*').count(), quality)),
        }
    }
    let best = named.iter().map(|(_, quality)| *quality).fold(text.1, u16::max);
    named
        .into_iter()
        .find(|(_, quality)| *quality > 0 && *quality == best)
        .map_or(Form::Text, |(form, _)| form)
}

/// Whether gzip is offered by name.
pub fn gzip<'a>(accept_encoding: impl Iterator<Item = &'a str>) -> bool {
    accept_encoding.flat_map(|header| header.split(',')).any(|coding| {
        let Range { name, quality, .. } = read_range(coding);
        (name == "gzip" || name == "x-gzip") && quality > 0
    })
}

/// `type/subtype;version=1.0.0;q=0.5`.
struct Range<'a> {
    /// In lower case.
    name: String,
    version: Option<&'a str>,
    quality: u16,
    /// Whether the messages asked for are Prometheus' families, and each has its length before it.
    is_family: bool,
    is_delimited: bool,
}

fn read_range(range: &str) -> Range<'_> {
    let mut parts = range.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default().to_ascii_lowercase();
    let mut range = Range { name, version: None, quality: 1000, is_family: false, is_delimited: false };
    for (key, value) in parts.filter_map(|part| part.split_once('=')) {
        let value = value.trim().trim_matches('"');
        match key.trim_end().to_ascii_lowercase().as_str() {
            "version" => range.version = Some(value),
            "q" => range.quality = read_quality(value),
            "proto" => range.is_family = value == "io.prometheus.client.MetricFamily",
            "encoding" => range.is_delimited = value == "delimited",
            _ => {}
        }
    }
    range
}

/// A quality in thousandths. What is no quality is taken as none wanted.
fn read_quality(text: &str) -> u16 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return 0;
    }
    match whole {
        "1" => 1000,
        "0" => format!("{fraction:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(accept: &str) -> Form {
        form(std::iter::once(accept))
    }

    #[test]
    fn prometheus_gets_open_metrics() {
        let (om, text) = ("application/openmetrics-text;version", "text/plain;version");
        let v2 = format!("{om}=1.0.0,{om}=0.0.1;q=0.75,{text}=0.0.4;q=0.5,*/*;q=0.1");
        let v3 = format!(
            "{om}=1.0.0;escaping=allow-utf-8;q=0.6,{om}=0.0.1;q=0.5,\
             {text}=1.0.0;escaping=allow-utf-8;q=0.4,{text}=0.0.4;q=0.3,*/*;q=0.2"
        );
        for accept in [v2, v3] {
            assert_eq!(of(&accept), Form::OpenMetrics, "{accept}");
        }
    }

    const PROTOBUF: &str =
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";

    #[test]
    fn prometheus_gets_protobuf_where_it_wants_native_histograms() {
        let (om, text) = ("application/openmetrics-text;version", "text/plain;version");
        let v2 = format!("{PROTOBUF},{om}=1.0.0;q=0.8,{om}=0.0.1;q=0.75,{text}=0.0.4;q=0.5,*/*;q=0.1");
        let v3 =
            format!("{PROTOBUF};q=0.6,{om}=1.0.0;escaping=allow-utf-8;q=0.5,{text}=0.0.4;q=0.3,*/*;q=0.2");
        for accept in [v2, v3] {
            assert_eq!(of(&accept), Form::Protobuf, "{accept}");
        }
    }

    #[test]
    fn protobuf_only_by_message_and_encoding() {
        let name = "application/vnd.google.protobuf";
        let message = "proto=io.prometheus.client.MetricFamily";
        for accept in [
            name.to_owned(),
            format!("{name};{message}"),
            format!("{name};{message};encoding=text"),
            format!("{name};proto=other;encoding=delimited"),
            format!("{PROTOBUF};q=0"),
            format!("{PROTOBUF};q=0.2,text/plain;q=0.3"),
        ] {
            assert_eq!(of(&accept), Form::Text, "{accept}");
        }
        assert_eq!(of(&format!("{PROTOBUF};q=0.5,application/openmetrics-text;q=0.6")), Form::OpenMetrics);
        assert_eq!(of(&format!("{name}; Encoding=\"delimited\"; {message}")), Form::Protobuf);
        assert_eq!(of(&format!("{PROTOBUF},application/openmetrics-text,text/plain")), Form::Protobuf);
    }

    #[test]
    fn open_metrics_only_by_name_and_version() {
        for accept in ["", "*/*", "text/html,*/*;q=0.8", "application/*", "nonsense;;=,"] {
            assert_eq!(of(accept), Form::Text, "{accept}");
        }
        assert_eq!(of("application/openmetrics-text; version=0.0.1,text/plain;q=0.5"), Form::Text);
        assert_eq!(of("application/openmetrics-text;version=2.0.1"), Form::Text);
        assert_eq!(of("application/openmetrics-text"), Form::OpenMetrics);
        assert_eq!(of("Application/OpenMetrics-Text; Version=\"1.0.0\" ; Q=0.2"), Form::OpenMetrics);
    }

    #[test]
    fn open_metrics_2_only_by_its_version() {
        let (one, two) =
            ("application/openmetrics-text;version=1.0.0", "application/openmetrics-text; version=2.0.0");
        assert_eq!(of(two), Form::OpenMetrics2);
        assert_eq!(of(&format!("{one},{two},text/plain")), Form::OpenMetrics2);
        assert_eq!(of(&format!("{two};q=0.6,{one};q=0.5,text/plain;q=0.4")), Form::OpenMetrics2);
        assert_eq!(of(&format!("{two};q=0.5,{one};q=0.6")), Form::OpenMetrics);
        assert_eq!(of(&format!("{PROTOBUF},{two}")), Form::Protobuf);
        assert_eq!(of(&format!("{two};q=0,*/*;q=0.1")), Form::Text);
    }

    #[test]
    fn the_higher_quality_wins() {
        let om = "application/openmetrics-text;version=1.0.0";
        assert_eq!(of(&format!("{om};q=0.4,text/plain;version=0.0.4;q=0.5")), Form::Text);
        assert_eq!(of(&format!("{om};q=0.4,text/plain;q=0.3,*/*;q=0.9")), Form::OpenMetrics);
        assert_eq!(of(&format!("{om};q=0,*/*;q=0")), Form::Text);
        assert_eq!(of(&format!("{om};q=nan")), Form::Text);
        assert_eq!(of(&format!("{om};q=-1")), Form::Text);
    }

    #[test]
    fn several_headers_are_one_list() {
        let accept = ["text/plain;q=0.5", "application/openmetrics-text;version=1.0.0;q=0.6"];
        assert_eq!(form(accept.into_iter()), Form::OpenMetrics);
    }

    #[test]
    fn gzip_when_offered() {
        for (offer, expected) in [
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip;q=0.000", false),
            ("*", false),
            ("br", false),
            ("", false),
        ] {
            assert_eq!(gzip(std::iter::once(offer)), expected, "{offer}");
        }
    }
}
