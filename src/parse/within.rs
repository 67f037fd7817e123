//! Reading loop: reads the lines of a text one after the other, each in its envelope.
//!
//! Lines without a head go the shortest way. One that does not fit gets a second chance: it may be a tool's remark,
//! another program's, or have a head that the lines before it had not. Every line is handed over once; the pieces of a
//! line are only tallied, and handed over as one when the last has come.

use crate::bytes::scan::{self, Simd, SimdTask, find_byte};
use crate::parse::envelope::chain::{Chain, Wanted};
use crate::parse::envelope::choose::Finder;
use crate::parse::envelope::facts::Facts;
use crate::parse::envelope::peel::{Envelope, Peeled, Place};
use crate::parse::read::record::Record;
use crate::parse::read::retry::Budget;
use crate::parse::read::spans::Spans;
use crate::parse::{Format, Malformed, NoRecord, Reason};

#[cfg(test)]
mod tests;

/// What came of a line.
pub type Read<'a, 'l> = Result<Record<'a, 'l>, NoRecord>;

/// A line to be shown to people (what is in the envelope), and what came of it.
type Outcome<'x> = (&'x [u8], Read<'x, 'x>);

/// Reads every line of a text, each with its newline, and hands it over with what came of it. The loop is compiled once
/// and not into all who ask: it is large.
pub fn each(
    format: &Format,
    envelope: &mut Envelope,
    text: &[u8],
    spans: &mut Spans,
    take: &mut dyn FnMut(&[u8], Read<'_, '_>),
) {
    scan::work(LineLoop { format, envelope, text, spans, take });
}

/// The reading of many lines.
pub struct LineLoop<'f, 'l, 's> {
    pub format: &'f Format,
    pub envelope: &'s mut Envelope,
    pub text: &'l [u8],
    pub spans: &'s mut Spans,
    pub take: &'s mut dyn FnMut(&[u8], Read<'_, '_>),
}

impl SimdTask for LineLoop<'_, '_, '_> {
    #[inline(always)]
    fn run<L: Simd>(self, lanes: L) {
        if !self.envelope.chain().is_empty() {
            return self.within(lanes);
        }
        let mut text = self.text;
        while !text.is_empty() {
            let (line, read) = self.format.first(lanes, text, self.spans);
            let length = line.len();
            match read {
                Err(why @ NoRecord::Malformed(_)) => {
                    let (line, read) = second_chance(self.format, self.envelope, line, None, self.spans, why);
                    (self.take)(line, read);
                    self.spans.facts.clear();
                }
                read => (self.take)(line, read),
            }
            let Some(rest) = text.get(length + 1..) else { return };
            text = rest;
        }
    }
}

impl LineLoop<'_, '_, '_> {
    /// The same for lines that have heads.
    #[inline(never)]
    fn within<L: Simd>(mut self, lanes: L) {
        let mut text = self.text;
        while !text.is_empty() {
            let end = find_byte(text, 0, b'\n');
            self.line(lanes, text, end);
            text = text.get(end + 1..).unwrap_or_default();
        }
    }

    #[inline(always)]
    fn line<L: Simd>(&mut self, lanes: L, text: &[u8], end: usize) {
        let LineLoop { format, envelope, spans, take, .. } = self;
        let line = &text[..end];
        let place = match envelope.peel(line, &mut spans.facts) {
            Peeled::Inner(place) => place,
            Peeled::Foreign => return take(line, Err(NoRecord::Foreign)),
            Peeled::Piece | Peeled::TooLong => return,
            Peeled::NoHead => {
                spans.facts.clear();
                spans.budget = Budget::of_line(line.len());
                let (line, read) = second_chance(format, envelope, line, None, spans, NO_HEAD);
                return take(line, read);
            }
        };
        let is_one_line = envelope.pad(place);
        let inner = envelope.text(place, text);
        let (inner, read) = match place {
            Place::Joined(_) | Place::Unescaped(_) if !is_one_line => (inner, format.parse(inner, spans)),
            _ => format.first(lanes, inner, spans),
        };
        let fits = read.is_ok();
        let (inner, read) = match read {
            Err(why @ NoRecord::Malformed(_)) => {
                second_chance(format, envelope, line, Some(place), spans, why)
            }
            read => (inner, read),
        };
        take(inner, read);
        if fits {
            envelope.fits(&spans.facts);
        }
    }
}

const NO_HEAD: NoRecord = NoRecord::Malformed(Malformed { reason: Reason::Literal, column: 1 });

/// What else a line may be that does not fit: `place` is where the line within is, if there was a head.
#[cold]
#[inline(never)]
fn second_chance<'x>(
    format: &'x Format,
    envelope: &'x mut Envelope,
    line: &'x [u8],
    place: Option<Place>,
    spans: &'x mut Spans,
    why: NoRecord,
) -> Outcome<'x> {
    let (given, line) = (line, line.strip_suffix(b"\r").unwrap_or(line));
    let is_known = envelope.wanted() != Wanted::Nothing;
    if is_known && place.is_none() && envelope.is_remark(line, &mut spans.facts) {
        return (line, Err(NoRecord::Foreign));
    }
    let is_of_another = place.is_some() && envelope.is_of_another(&spans.facts);
    // The last piece of a line is no line that another chain could have.
    if !envelope.was_joined() && envelope.may_search() {
        match search(format, envelope, line, place.is_none(), &mut spans.budget) {
            Found::Fits(chain) => {
                envelope.stray(chain, line, &mut spans.facts);
                let inner = envelope.stray_line();
                return (inner, format.parse(inner, spans));
            }
            Found::Foreign => return (line, Err(NoRecord::Foreign)),
            Found::Nothing => {}
        }
    }
    let inner = match place {
        Some(place) => {
            let inner = envelope.text(place, line);
            &inner[..find_byte(inner, 0, b'\n')]
        }
        None => given,
    };
    if is_of_another || format.foreign().owns(inner.strip_suffix(b"\r").unwrap_or(inner)) {
        return (inner, Err(NoRecord::Foreign));
    }
    let why = if why == NO_HEAD { format.parse_on(inner, spans).err().unwrap_or(why) } else { why };
    (inner, Err(why))
}

/// What a search has found for a line.
enum Found {
    /// It fits in this chain.
    Fits(Chain),
    /// A head says that it is no request.
    Foreign,
    Nothing,
}

/// Looks for another chain in which a line fits; without any head as well, if `alone`. All of them together cost what
/// is left of the budget.
fn search(format: &Format, envelope: &Envelope, line: &[u8], alone: bool, budget: &mut Budget) -> Found {
    let (mut facts, mut spans) = (Facts::default(), Spans::new());
    std::mem::swap(&mut spans.budget, budget);
    let found = search_with(format, envelope, line, alone, (&mut facts, &mut spans));
    std::mem::swap(&mut spans.budget, budget);
    found
}

fn search_with(
    format: &Format,
    envelope: &Envelope,
    line: &[u8],
    alone: bool,
    (facts, spans): (&mut Facts, &mut Spans),
) -> Found {
    let is_auto = envelope.wanted() == Wanted::Auto;
    let mut found = Found::Nothing;
    for chain in Finder::new(envelope.wanted()).chains(line) {
        let mut other = Envelope::of(chain, envelope.stderr());
        match other.peel(line, facts) {
            Peeled::Inner(place) if format.parse_on(other.text(place, line), spans).is_ok() => {
                return Found::Fits(chain);
            }
            Peeled::Foreign if chain.heads().all(|head| head.is_certain) => found = Found::Foreign,
            _ => {}
        }
    }
    // Last, for a user's name may hold blanks: what stands in front of a line would pass for one.
    if alone && is_auto && !envelope.chain().is_empty() && format.parse_on(line, spans).is_ok() {
        return Found::Fits(Chain::default());
    }
    found
}
