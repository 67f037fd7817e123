//! Lines in envelopes say what they say without, none is lost, and none is counted twice.

use super::*;
use crate::bytes::work::scanned_by;
use crate::parse::envelope::choose::choose;
use crate::parse::envelope::heads::{HEADS, Reader};
use crate::parse::envelope::peel::Tally;
use crate::parse::read::retry::Budget;
use crate::parse::tests::said;
use proptest::prelude::*;

fn common() -> Format {
    Format::compile("common").unwrap()
}

/// What is said of each line that is handed over. Of one that does not fit, not the column: that is of the line with
/// or without its head, whichever was tried last.
fn told(format: &Format, envelope: &mut Envelope, text: &[u8]) -> Vec<String> {
    let (mut spans, mut told) = (Spans::new(), Vec::new());
    each(format, envelope, text, &mut spans, &mut |_, read| {
        let fits = read.is_ok();
        let said = said(read);
        told.push(if fits { said } else { said.split('@').next().unwrap_or_default().to_owned() });
    });
    told
}

/// A line of the format `common`, or nearly.
fn any_line() -> impl Strategy<Value = String> {
    let path = "/[a-z\u{e9}\"\\\\ ]{0,20}";
    let request = (path, 100u16..600, 0u32..99_999).prop_map(|(path, status, bytes)| {
        format!("192.0.2.7 - - [05/Mar/2031:04:05:06 +0100] \"GET {path} HTTP/1.1\" {status} {bytes}")
    });
    // Not beginning with a blank: one more than usual behind a stamp belongs to the stamp.
    prop_oneof![4 => request, 1 => "[a-zA-Z][a-zA-Z ]{0,20}"]
}

/// A line in the head of a row.
fn wrapped(place: usize, line: &str) -> String {
    let line = match HEADS[place].reader {
        Reader::Text(_) => line.to_owned(),
        Reader::Json { .. } => serde_json::to_string(line).unwrap().trim_matches('"').to_owned(),
    };
    // A backslash or quote at the ends would be trimmed with the quotes.
    HEADS[place].example.replace("LINE", &line)
}

proptest! {
    #[test]
    fn a_line_says_the_same_in_every_envelope(
        outer in 0..HEADS.len(),
        inner in prop::option::of(0..HEADS.len()),
        lines in prop::collection::vec(any_line(), 1..6),
    ) {
        let is_json = |place: usize| matches!(HEADS[place].reader, Reader::Json { .. });
        let inner = inner.filter(|inner| *inner != outer && !(is_json(outer) && is_json(*inner)));
        prop_assume!(lines.iter().all(|line| !line.starts_with(['"', '\\']) && !line.ends_with(['"', '\\', ' '])));
        let format = common();
        let bare = told(&format, &mut Envelope::new(Wanted::Nothing), (lines.join("\n") + "\n").as_bytes());
        let mut chain = Chain::default().with(outer).unwrap();
        let mut text = String::new();
        for line in &lines {
            let line = inner.map_or_else(|| line.clone(), |inner| wrapped(inner, line));
            text += &(wrapped(outer, &line) + "\n");
        }
        if let Some(inner) = inner {
            chain = chain.with(inner).unwrap();
        }
        let mut envelope = Envelope::of(chain, false);
        prop_assert_eq!(told(&format, &mut envelope, text.as_bytes()), bare, "{}", text);
        prop_assert_eq!(envelope.take_tally(), Tally::default());
    }

    #[test]
    fn every_line_is_handed_over_once_or_tallied(
        lines in prop::collection::vec(prop_oneof![
            any_line(),
            any_line().prop_map(|line| format!("2031-03-05T04:05:06Z stdout F {line}")),
            any_line().prop_map(|line| format!("2031-03-05T04:05:06Z stderr F {line}")),
            any_line().prop_map(|line| format!("2031-03-05T04:05:06Z stdout P {line}")),
            any_line().prop_map(|line| format!("[pod/a-1/b] 2031-03-05T04:05:06Z stdout P {line}")),
            any_line().prop_map(|line| wrapped(1, &line)),
            any_line().prop_map(|line| wrapped(1, &line).replace("\\n", "")),
            Just("==> a.log <==".to_owned()), Just(String::new()), Just("# remark".to_owned()),
            "[ -~]{0,30}",
        ], 1..40),
        cuts in prop::collection::vec(0usize..40, 0..4),
        chosen: bool,
    ) {
        let format = common();
        let mut envelope = Envelope::new(Wanted::Auto);
        let all: Vec<&[u8]> = lines.iter().map(String::as_bytes).collect();
        if chosen {
            let fits = |inner: &[&[u8]]| {
                let fit = inner.iter().filter(|line| format.parse(line, &mut Spans::new()).is_ok()).count();
                Some(fit).filter(|fit| *fit > 0)
            };
            if let Some(choice) = choose(Wanted::Auto, &all, false, fits) {
                envelope.settle(choice.chain, choice.stderr);
            }
        }
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(lines.len())).collect();
        cuts.extend([0, lines.len()]);
        cuts.sort_unstable();
        let (mut handed, mut tallied) = (0, 0);
        for pair in cuts.windows(2) {
            let chunk: Vec<u8> = all[pair[0]..pair[1]].iter().flat_map(|line| [*line, b"\n"].concat()).collect();
            let before = handed;
            handed += told(&format, &mut envelope, &chunk).len();
            let Tally { pieces, unfinished, too_long } = envelope.take_tally();
            tallied += pieces + unfinished + too_long;
            envelope.follow_strays((handed - before) as u64);
        }
        let open = envelope.close(|_| false).len() as u64;
        tallied += envelope.take_tally().pieces;
        prop_assert_eq!(handed as u64 + tallied + open, lines.len() as u64);
    }

    #[test]
    fn no_bytes_are_too_much_for_any_envelope(
        place in 0..HEADS.len(),
        cut in 0usize..60,
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b' '), Just(b'"'), Just(b'\n'), Just(b'{')], 0..60),
    ) {
        let example = HEADS[place].example.as_bytes();
        let text = [&example[..cut.min(example.len())], &bytes, b"\n"].concat();
        let mut envelope = Envelope::of(Chain::default().with(place).unwrap(), false);
        let lines = text.iter().filter(|byte| **byte == b'\n').count();
        prop_assert!(told(&common(), &mut envelope, &text).len() <= lines);
        told(&common(), &mut Envelope::new(Wanted::Auto), &text);
    }
}

#[test]
fn deep_and_endless_objects_are_no_heads() {
    for line in
        ["{\"log\":".repeat(50_000), "[".repeat(50_000), format!("{{\"log\":\"{}", "x".repeat(50_000))]
    {
        let mut envelope = Envelope::of(Chain::default().with(1).unwrap(), false);
        assert_eq!(told(&common(), &mut envelope, (line + "\n").as_bytes()).len(), 1);
    }
}

#[test]
fn a_line_is_read_back_and_forth_for_one_price_in_whatever_heads_it_is_tried() {
    let format = Format::compile("combined").unwrap();
    let inside = "\" \"".repeat(16_384 / 3);
    for head in
        ["", "@400000007309a6d21dcd6500 ", "web-1  | 2031-03-05T04:05:06Z ", "<134>Mar  5 04:05:06 a b[1]: "]
    {
        let line =
            format!("{head}192.0.2.7 - {inside} [05/Mar/2031:04:05:06 +0100] \"GET / HTTP/1.1\" 200 5\n");
        for envelope in [Wanted::Nothing, Wanted::Auto] {
            let scanned = scanned_by(|| {
                told(&format, &mut Envelope::new(envelope), line.as_bytes());
            });
            let allowed = 400 * line.len() + Budget::of_line(line.len()).left();
            assert!(scanned < allowed as u64, "{head}: {scanned}");
        }
    }
}

#[test]
fn searches_in_vain_are_bounded() {
    let mut envelope = Envelope::new(Wanted::Auto);
    let text = b"web-1  | 2031-03-05T04:05:06Z hello\n".repeat(5_000);
    assert_eq!(told(&common(), &mut envelope, &text).len(), 5_000);
    assert!(!envelope.may_search());
    // A line that would be found by a search is then not.
    let line = b"web-1  | 192.0.2.7 - - [05/Mar/2031:04:05:06 +0100] \"GET / HTTP/1.1\" 200 5\n";
    assert!(!told(&common(), &mut envelope, line)[0].contains("status"));
}
