//! The quick way and the careful one read the same from every line.

use super::*;
use crate::bytes::scan::plain::Plain;
use crate::bytes::scan::{Simd, SimdTask};
use crate::parse::compile::presets::PRESETS;
use crate::parse::envelope::chain::Wanted;
use crate::parse::envelope::peel::Envelope;
use crate::parse::read::spans::Spans;
use crate::parse::tests::said;
use crate::parse::within::{self, LineLoop, Read};
use crate::parse::{Body, Format};
use proptest::prelude::*;
use proptest::sample::Index;

/// Formats besides the presets: other literals at the ends, touching values, lists, numbers, literals of many bytes.
const FORMATS: [&str; 14] = [
    "%h %>s",
    "%h|%l|%b|%D|",
    "%s %{ms}T \"%{Referer}i\"",
    "[%t] %U%q %>s %X end",
    "%v:%p %h \"%r\" %>s %O \"%{User-Agent}i\" a literal of many words, and more than that %D",
    "$remote_addr [$time_local] \"$request\" $status $body_bytes_sent rt=$request_time \
     uct=\"$upstream_connect_time\" urt=$upstream_response_time host=$host",
    "$time_iso8601 $upstream_addr : $upstream_response_time $request_length",
    "escape=json {\"status\":$status,\"uri\":\"$uri\",\"time\":$request_time,\"upstream\":\"$upstream_response_time\"}",
    "%>s%b",
    "%h %b%D %>s",
    "%h %b0 %>s",
    "%h %>s0 %D",
    "$status $request_time.$body_bytes_sent",
    "escape=none $status \"$http_referer\" $request_uri",
];

/// What came of a line: its bytes, what it says, and where its values are.
type Told = (Vec<u8>, String, Option<Vec<Span>>);

fn tell(line: &[u8], read: Read<'_, '_>) -> Told {
    let places = read.as_ref().ok().map(|record| record.spans.at.clone());
    (line.to_vec(), said(read), places)
}

/// `Format::each` as on another processor.
fn each(format: &Format, text: &[u8], lanes: impl Simd, take: &mut dyn FnMut(&[u8], Read<'_, '_>)) {
    let envelope = &mut Envelope::new(Wanted::Nothing);
    LineLoop { format, envelope, text, spans: &mut Spans::new(), take }.run(lanes);
}

/// A line of the format, with values that mostly suit the kinds of its fields.
fn line(format: &Format, values: &[Values]) -> Vec<u8> {
    let Body::Text(steps) = &format.body else { return values[0].text.clone().into_bytes() };
    let mut line = steps.literal(0).to_vec();
    for (index, slot) in format.fields.slots.iter().enumerate() {
        let Values { odd, number, word, text } = &values[index % values.len()];
        let value = match slot.kind {
            _ if *odd == 0 => text,
            Kind::Integer | Kind::Decimal | Kind::Decimals => number,
            Kind::Time(Style::Clf) => "05/Mar/2031:04:05:06 +0100",
            Kind::Time(Style::Iso) => "2031-03-05T04:05:06+01:00",
            Kind::Quoted | Kind::Text => text,
            _ => word,
        };
        line.extend(value.as_bytes());
        line.extend(steps.literal(index + 1));
    }
    line
}

#[derive(Clone, Debug)]
struct Values {
    odd: u8,
    number: String,
    word: String,
    text: String,
}

fn values() -> impl Strategy<Value = Values> {
    let number = "[0-9]{1,9}|[0-9]{1,5}[.][0-9]{1,6}|-|-5|[0-9.]{0,9}|0[.]00[0-9], 1[.]5|- : 0[.][0-9]";
    let text = "-|[A-Z]{3} /[a-z/?]{0,60} HTTP/1.1|[ -~]{0,20}|[a-z ]{0,200}|[a-z]{0,9}(\\\\\"|\"|\\\\)?[a-z\" ]{0,9}";
    (0u8..24, number, "-|[a-z0-9.:]{1,20}|[a-z0-9./]{0,70}|[ -~]{0,9}", text)
        .prop_map(|(odd, number, word, text)| Values { odd, number, word, text })
}

proptest! {
    #[test]
    fn every_line_of_a_text_is_read_as_it_is_read_alone(
        which in 0..FORMATS.len() + PRESETS.len(),
        lines in prop::collection::vec((prop::collection::vec(values(), 5..9), 0u8..9, any::<Index>()), 1..6),
        open: bool,
    ) {
        let spec = FORMATS.get(which).copied().unwrap_or_else(|| PRESETS[which - FORMATS.len()].name);
        let format = Format::compile(spec).unwrap();
        let mut text = Vec::new();
        for (values, turn, place) in lines {
            let mut line = line(&format, &values);
            match turn {
                0 => line.truncate(place.index(line.len() + 1)),
                1 if !line.is_empty() => { let place = place.index(line.len()); line[place] = b" \"-\\9"[place % 5]; }
                2 => line.push(b'\r'),
                3 => line.extend(b" more"),
                _ => {}
            }
            text.extend(line.into_iter().filter(|&byte| byte != b'\n'));
            text.push(b'\n');
        }
        if open {
            text.pop();
        }
        let lines = text.split_inclusive(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\n").unwrap_or(line));
        let alone: Vec<Told> = lines.map(|line| tell(line, format.parse(line, &mut Spans::new()))).collect();
        let (mut told, mut spans) = (Vec::new(), Spans::new());
        let mut envelope = Envelope::new(Wanted::Nothing);
        within::each(&format, &mut envelope, &text, &mut spans, &mut |line, read| told.push(tell(line, read)));
        prop_assert_eq!(&told, &alone, "{}", spec);
        told.clear();
        each(&format, &text, Plain, &mut |line, read| told.push(tell(line, read)));
        prop_assert_eq!(&told, &alone, "{}", spec);
    }
}

#[test]
fn usual_lines_are_read_quickly() {
    let usual = b"192.0.2.7 - - [05/Mar/2031:04:05:06 +0100] \"GET /a HTTP/1.1\" 200 17 \"-\" \"curl/9\"\n";
    let format = Format::compile("combined").unwrap();
    let Body::Text(steps) = &format.body else { panic!("combined is text") };
    // Behind the line has to be as much text as is looked at in one glance.
    let text = usual.repeat(2);
    let mut spans = Spans::new();
    spans.reset_with_numbers(format.fields.slots.len());
    assert_eq!(steps.read_quickly(Plain, &text, &mut spans), Some(usual.len() - 1));
    assert_eq!((spans.number(5), spans.number(6), spans.number(7)), (Some(200), Some(17), None));
}
