//! Fuzz targets: what must hold for any bytes, for the programs of fuzz/. Compiled for those and for tests alone.
//!
//! Each takes the bytes a stranger could have chosen and panics where a promise is broken. A test runs them over the
//! seeds in fuzz/seeds/, whole, cut and damaged, so that plain `cargo test` has a first look.

use crate::generations;
use crate::parse::compile::presets::PRESETS;
use crate::parse::envelope::chain::Wanted;
use crate::parse::envelope::peel::Envelope;
use crate::parse::read::spans::Spans;
use crate::parse::{Format, NoRecord, within};
use crate::serve::http;
use crate::snapshot::exposition;
use crate::snapshot::exposition::text::{self, TextForm};

/// A line that most formats read.
const LINE: &[u8] = b"192.0.2.1 - - [26/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 12 \"-\" \"x\" 3\n";

/// Any text is a format or is refused, and a format reads any line.
pub fn format(data: &[u8]) {
    let Ok(spec) = std::str::from_utf8(data) else { return };
    if let Ok(format) = Format::compile(spec) {
        read(&format, LINE);
        read(&format, data);
    }
}

/// Any lines, with a preset by the first byte, or with a format in the first line.
pub fn lines(data: &[u8]) {
    let Some((&chosen, rest)) = data.split_first() else { return };
    if let Some(preset) = PRESETS.get(usize::from(chosen)) {
        return Format::compile(preset.name).iter().for_each(|format| read(format, rest));
    }
    let end = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
    let (spec, text) = (&rest[..end], rest.get(end + 1..).unwrap_or_default());
    if let Some(format) = std::str::from_utf8(spec).ok().and_then(|spec| Format::compile(spec).ok()) {
        read(&format, text);
    }
}

/// Every line has one outcome, and one that is read has values that can be asked for.
fn read(format: &Format, text: &[u8]) {
    let mut spans = Spans::default();
    let (mut bytes, mut last) = (0, 0);
    let bare = &mut Envelope::new(Wanted::Nothing);
    within::each(format, bare, text, &mut spans, &mut |line, record| {
        (bytes, last) = (bytes + line.len(), line.len());
        match record {
            Ok(record) => {
                let _ = (record.status(), record.vhost(), record.bytes_sent(), record.duration_nanos());
                let request = record.request();
                let _ = (record.text_from_target(&request), record.unix_time_nanos());
            }
            Err(NoRecord::Malformed(wrong)) => assert!(wrong.column <= line.len() + 1, "beyond the line"),
            Err(NoRecord::Foreign) => {}
        }
    });
    // Whatever stands around lines, none is handed over twice.
    let (mut envelope, mut handed) = (Envelope::new(Wanted::Auto), 0);
    within::each(format, &mut envelope, text, &mut spans, &mut |_, _| handed += 1);
    let newlines = text.iter().filter(|&&byte| byte == b'\n').count();
    assert!(handed <= newlines + 1, "more lines than there are");
    assert!(bytes + newlines >= text.len() && last <= text.len(), "bytes of no line");
}

/// What the reader of pages takes, the writer writes so that it is read as the same.
pub fn page(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(page) = exposition::read(text) {
        let written = text::write(&page, TextForm::OpenMetrics);
        assert_eq!(exposition::read(&written).as_ref(), Ok(&page), "{written}");
    }
}

/// Any bytes are a request, a refusal, or wait for more.
pub fn head(data: &[u8]) {
    http::check_head(data);
}

/// Any bytes are a state file or are refused.
pub fn state(data: &[u8]) {
    generations::check_state(data);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    /// A target and its seeds: each, each cut off at every place, and each with every byte changed.
    fn over_seeds(name: &str, target: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(name);
        let seeds = fs::read_dir(folder).expect("a folder for each target");
        let mut count = 0;
        for seed in seeds {
            let seed = fs::read(seed.expect("readable").path()).expect("readable");
            target(&seed);
            for at in 0..seed.len().min(1000) {
                target(&seed[..at]);
                let mut damaged = seed.clone();
                damaged[at] ^= [0x80, 0x20, 0x1b, 0xff][at % 4];
                target(&damaged);
            }
            count += 1;
        }
        assert!(count > 1, "{name} has {count} seeds");
    }

    #[test]
    fn formats() {
        over_seeds("format", format);
    }

    #[test]
    fn logs() {
        over_seeds("lines", lines);
    }

    #[test]
    fn pages() {
        over_seeds("page", page);
    }

    #[test]
    fn heads() {
        over_seeds("head", head);
    }

    #[test]
    fn states() {
        over_seeds("state", state);
    }
}
