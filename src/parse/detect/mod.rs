//! Which preset lines are written in, and which readings fit and yet cannot be meant.

pub mod doubt;

use crate::parse::Format;
use crate::parse::compile::field::Kind;
use crate::parse::compile::presets::{PRESETS, Preset};
use crate::parse::read::record::Record;
use crate::parse::read::spans::{Span, Spans};

/// The preset that reads most of the lines, a reading in doubt being half a reading; among equals the one that
/// finds more values, then the one named first. A line whose words have slipped into other fields is not read: a
/// preset that takes the stamp of syslog for a host would make labels of it. `None` when none reads any.
pub fn detect(lines: &[&[u8]]) -> Option<&'static Preset> {
    let mut best = None;
    let mut most = (0, 0);
    for preset in PRESETS {
        let Ok(format) = Format::compile(preset.name) else { continue };
        let mut spans = Spans::new();
        let mut score = (0usize, 0usize);
        for line in lines {
            // Any JSON with a status would fit some map; an access record has a request as well.
            let record = format.parse(line, &mut spans).ok().filter(Record::has_request);
            let read = record.is_some();
            let doubts = if read { doubt::of_line(&format.slots, line, &spans) } else { Vec::new() };
            let slipped = |doubt: &doubt::Doubt| doubt.certain || format.slots[doubt.slot].kind == Kind::Text;
            // A unit is not guessed: figures that can hardly be of it make no other preset of a line with more fields.
            let odd = read && doubt::has_odd_figure(&format.slots, line, &spans);
            if read && !odd && !doubts.iter().any(slipped) {
                let values = format.roles.iter().filter(|&&(slot, _)| {
                    let found = spans.at.get(usize::from(slot)).copied().unwrap_or(Span::NONE).of(line);
                    found.is_some_and(|text| text != b"-")
                });
                let values = values.count();
                score = (score.0 + 1 + usize::from(doubts.is_empty()), score.1 + values);
            }
        }
        if score.0 > 0 && score > most {
            most = score;
            best = Some(preset);
        }
    }
    best
}
