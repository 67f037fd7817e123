//! The compiled form of a text format, and the matcher.
//!
//! Turns a line into spans, one for each capture, anchored at both ends. A format is a literal, then
//! captures each with the literal behind it. Every capture takes the first end that its kind and its
//! literal allow; when a later one fails, the latest capture that can end further on does so, and the
//! matching goes on from there. The spans are the stack of that walk, so it needs no memory of its own; its
//! length is bounded. That is how an unquoted user name with blanks, brackets and quotes in it is read: the
//! time stamp behind it decides.
//!
//! Allocates nothing and must never panic or read outside the line.

use crate::bytes::scan::{Lanes, find_byte, find_either};
use crate::parse::compile::field::{Kind, Piece, Slot};
use crate::parse::read::fast::Quick;
use crate::parse::read::spans::{Span, Spans, StampCache};
use crate::parse::read::text::Escape;
use crate::parse::read::time;
use crate::parse::read::values::{decimal, integer, list, one_more, syslog_header, word};

/// Bytes of a line that may be read again because a later capture failed, all retries together. A real line needs less
/// than five retries (one for each ` [` or `" ` that a stranger put into a field), and a name of 8 KB that is made of
/// them is read too; what a hostile line of the longest kind can cause is bounded all the same: some 50 ms.
const RETRY_BYTES: usize = 8 << 20;

/// What a retry reads at least.
const RETRY_BYTES_MIN: usize = 64;

/// Fixed text of the format.
#[derive(Debug)]
struct Literal {
    bytes: Box<[u8]>,
}

impl Literal {
    fn new(bytes: &[u8]) -> Literal {
        Literal { bytes: bytes.into() }
    }

    fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it stands at `at`.
    #[inline]
    fn stands_at(&self, line: &[u8], at: usize) -> bool {
        line.get(at..).is_some_and(|text| text.starts_with(&self.bytes))
    }

    /// How many of its bytes stand at `at`.
    fn common(&self, line: &[u8], at: usize) -> usize {
        let rest = line.get(at..).unwrap_or_default();
        self.bytes.iter().zip(rest).take_while(|(a, b)| a == b).count()
    }
}

/// What the value behind this one begins with, where values touch without a literal between them.
#[derive(Clone, Copy, Debug)]
enum Begin {
    Any,
    Number,
    Query,
    /// A path, and what stands behind it: this byte, or the end of the line.
    Path(Option<u8>),
}

#[derive(Debug)]
struct Step {
    kind: Kind,
    tail: Literal,
    next: Begin,
    /// No end of this value is searched behind another: it is the last of the format.
    last: bool,
    may_be_empty: bool,
    escapes: bool,
}

#[derive(Debug)]
pub struct Steps {
    head: Literal,
    steps: Vec<Step>,
    quick: Option<Quick>,
}

/// What did not fit, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// How many captures fitted before.
    pub reached: usize,
    /// Where in the line, from 0.
    pub at: usize,
    pub what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// The literal before the first capture; the number says how many of its bytes stood there.
    Head(usize),
    /// The value of capture number `reached`.
    Value,
    /// The literal behind capture number `reached - 1`, likewise.
    Tail(usize),
    /// Bytes behind the end of the format.
    Trailing,
}

impl Steps {
    /// Puts pieces in order, and the slots of the captures beside them.
    pub fn new(pieces: Vec<Piece>) -> (Steps, Vec<Slot>) {
        let mut literals = vec![Vec::new()];
        let mut slots: Vec<Slot> = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Literal(bytes) => literals[slots.len()].extend(bytes),
                Piece::Capture(slot) => {
                    slots.push(slot);
                    literals.push(Vec::new());
                }
            }
        }
        for (i, slot) in slots.iter_mut().enumerate() {
            let quoted = literals[i].ends_with(b"\"") && literals[i + 1].starts_with(b"\"");
            if quoted && matches!(slot.kind, Kind::Word | Kind::Words | Kind::Text | Kind::Path | Kind::Query)
            {
                slot.kind = Kind::Quoted;
            }
        }
        let steps = (0..slots.len())
            .map(|i| Step {
                kind: slots[i].kind,
                tail: Literal::new(&literals[i + 1]),
                next: slots.get(i + 1).map_or(Begin::Any, |next| begin(next.kind, &literals[i + 2..])),
                last: i + 1 == slots.len(),
                may_be_empty: slots[i].may_be_empty || slots[i].kind == Kind::Quoted,
                escapes: slots[i].escape != Escape::None,
            })
            .collect();
        let quick = Quick::new(&literals[0], &slots, &literals[1..]);
        (Steps { head: Literal::new(&literals[0]), steps, quick }, slots)
    }

    /// The literals around capture `index`: before it and behind it.
    pub fn literal(&self, index: usize) -> &[u8] {
        match index.checked_sub(1) {
            None => &self.head.bytes,
            Some(before) => self.steps.get(before).map_or(&[], |step| &step.tail.bytes),
        }
    }

    /// Reads the line that a text begins with, if that is as most lines are: fills one span for each capture and
    /// gives back the line's length. What it finds is what `read` finds.
    #[inline(always)]
    pub fn read_quickly<L: Lanes>(&self, lanes: L, text: &[u8], spans: &mut Spans) -> Option<usize> {
        self.quick.as_ref()?.read(lanes, text, spans, |index, at, stamp| {
            let line = &text[..find_byte(text, at, b'\n')];
            // A carriage return is no part of the line.
            if line.ends_with(b"\r") { None } else { self.steps[index].first_end(line, at, stamp) }
        })
    }

    /// Reads a line: fills one span for each capture, or says what did not fit. Of several failures the one
    /// that came furthest into the format counts, and of those the first.
    pub fn read(&self, line: &[u8], spans: &mut Spans) -> Result<(), Failure> {
        if !self.head.stands_at(line, 0) {
            let common = self.head.common(line, 0);
            return Err(Failure { reached: 0, at: common, what: What::Head(common) });
        }
        let Spans { at, stamp, .. } = spans;
        stamp.start = Span::NONE.start;
        let mut start = self.head.len();
        for (index, step) in self.steps.iter().enumerate() {
            let Some(end) = step.first_end(line, start, stamp) else {
                return self.read_on(line, at, stamp, index, start);
            };
            at[index] = Span::new(start, end);
            start = end + step.tail.len();
        }
        Ok(())
    }

    /// Reads as far as it goes without turning back, the value that finds no end included. For messages only.
    pub fn walk(&self, line: &[u8], spans: &mut Spans) {
        let mut start = self.head.bytes.len();
        for (step, place) in self.steps.iter().zip(spans.at.iter_mut()) {
            let found = step.first_end(line, start, &mut spans.stamp);
            let Some(end) = found.or_else(|| step.natural_end(line, start)) else { return };
            *place = Span::new(start, end);
            if found.is_none() {
                return;
            }
            start = end + step.tail.bytes.len();
        }
    }

    /// Goes on after capture `index` failed at `start`: walks back and forth until all fits or nothing is
    /// left.
    #[cold]
    fn read_on(
        &self,
        line: &[u8],
        at: &mut [Span],
        stamp: &mut StampCache,
        mut index: usize,
        mut start: usize,
    ) -> Result<(), Failure> {
        let mut furthest = self.diagnose(index, line, start);
        let mut read = self.steps[index].reads(line, start);
        loop {
            let mut end = None;
            while end.is_none() {
                if index == 0 || read > RETRY_BYTES {
                    return Err(furthest);
                }
                index -= 1;
                let Span { start: from, end: to } = at[index];
                (start, end) = (from as usize, self.steps[index].next_end(line, from as usize, to as usize));
                read += match end {
                    Some(end) => RETRY_BYTES_MIN + end - to as usize,
                    None => self.steps[index].reads(line, to as usize),
                };
            }
            while let Some(found) = end {
                at[index] = Span::new(start, found);
                start = found + self.steps[index].tail.len();
                index += 1;
                if index == self.steps.len() {
                    return Ok(());
                }
                end = self.steps[index].first_end(line, start, stamp);
            }
            read += self.steps[index].reads(line, start);
            let failure = self.diagnose(index, line, start);
            if (failure.reached, failure.what.rank()) > (furthest.reached, furthest.what.rank()) {
                furthest = failure;
            }
        }
    }

    /// Why capture `index` found no end at `start`.
    #[cold]
    fn diagnose(&self, index: usize, line: &[u8], start: usize) -> Failure {
        let step = &self.steps[index];
        let Some(end) = step.natural_end(line, start) else {
            return Failure { reached: index, at: start.min(line.len()), what: What::Value };
        };
        let number = matches!(step.kind, Kind::Integer | Kind::Decimal);
        if number && line.get(end).is_some_and(|c| *c == b'.' || c.is_ascii_alphanumeric()) {
            return Failure { reached: index, at: start, what: What::Value };
        }
        if step.tail.stands_at(line, end) {
            let at = end + step.tail.len();
            // Where values touch, it is the next one that does not begin here.
            let what = if step.last { What::Trailing } else { What::Value };
            return Failure { reached: index + 1, at, what };
        }
        let common = step.tail.common(line, end);
        Failure { reached: index + 1, at: end + common, what: What::Tail(common) }
    }
}

impl What {
    fn rank(self) -> u8 {
        match self {
            What::Head(_) | What::Value => 0,
            What::Tail(_) => 1,
            What::Trailing => 2,
        }
    }
}

/// What a value of this kind begins with, given the literals behind it.
fn begin(kind: Kind, behind: &[Vec<u8>]) -> Begin {
    match kind {
        // A query may touch the path, or be nothing.
        Kind::Path => Begin::Path(behind.iter().find_map(|literal| literal.first().copied())),
        Kind::Query => Begin::Query,
        Kind::Integer | Kind::Decimal | Kind::Decimals => Begin::Number,
        _ => Begin::Any,
    }
}

impl Step {
    /// The first end that the kind and the literal allow.
    #[inline(never)]
    fn first_end(&self, line: &[u8], start: usize, stamp: &mut StampCache) -> Option<usize> {
        match self.kind {
            Kind::Text | Kind::Path | Kind::Word => {
                self.text_end(line, start, start + usize::from(!self.may_be_empty))
            }
            Kind::Query => self.query_end(line, start),
            Kind::Quoted => self.later_quoted_end(line, self.quote(line, start), start),
            Kind::Words => self.words_end(line, start, start + usize::from(!self.may_be_empty)),
            Kind::Decimals => self.decimals_end(line, start, start),
            Kind::Time(style) => {
                let end = start + stamp.length(style, line.get(start..)?, start)?;
                self.fits(line, end).then_some(end)
            }
            _ => self.value_end(line, start).filter(|&end| self.fits(line, end)),
        }
    }

    /// The end after `end`, if the kind allows more than one.
    fn next_end(&self, line: &[u8], start: usize, end: usize) -> Option<usize> {
        match self.kind {
            Kind::Word if self.tail.bytes.starts_with(b" ") && !self.last => None,
            Kind::Quoted => self.later_quoted_end(line, self.quote(line, start), end + 1),
            Kind::Text | Kind::Path | Kind::Word => self.text_end(line, start, end + 1),
            Kind::Words => self.words_end(line, start, end + 1),
            Kind::Decimals => self.decimals_end(line, start, end + 1),
            _ => None,
        }
    }

    /// How much of the line is read at most to find that this value has no end.
    fn reads(&self, line: &[u8], start: usize) -> usize {
        match self.kind {
            Kind::Integer | Kind::Decimal | Kind::Time(_) => RETRY_BYTES_MIN,
            _ => RETRY_BYTES_MIN + line.len().saturating_sub(start),
        }
    }

    /// Whether the literal stands at `end`, and behind the last one nothing more.
    #[inline]
    fn fits(&self, line: &[u8], end: usize) -> bool {
        self.tail.stands_at(line, end) && (!self.last || end + self.tail.len() == line.len())
    }

    /// The first place at or after `from` where the value may give way to what follows.
    #[inline]
    fn text_end(&self, line: &[u8], start: usize, from: usize) -> Option<usize> {
        let end = if self.last {
            line.len().checked_sub(self.tail.len()).filter(|&end| end >= from && self.fits(line, end))?
        } else if let Some(&first) = self.tail.bytes.first() {
            let mut at = from;
            loop {
                at = find_byte(line, at, first);
                if at >= line.len() {
                    return None;
                }
                if self.tail.stands_at(line, at) {
                    break at;
                }
                at += 1;
            }
        } else {
            (from..=line.len()).find(|&at| self.gives_way(line, at))?
        };
        let sound = self.kind != Kind::Word || find_byte(&line[..end], start, b' ') == end;
        sound.then_some(end)
    }

    /// Whether the next value, which touches this one, may begin at `at`.
    fn gives_way(&self, line: &[u8], at: usize) -> bool {
        match (self.next, line.get(at)) {
            (Begin::Any, _) => true,
            (Begin::Query, found) => matches!(found, None | Some(b'?' | b' ' | b'"')), // or an empty one
            (Begin::Number, found) => found.is_some_and(|c| c.is_ascii_digit() || *c == b'-'),
            (Begin::Path(_), Some(b'/' | b'?')) => true,
            // What servers write in the place of a path when the request had none: `OPTIONS *`, or no request.
            (Begin::Path(behind), Some(b'*' | b'-')) => line.get(at + 1).copied() == behind,
            (Begin::Path(behind), found) => found.copied() == behind,
        }
    }

    /// The first quote from `first` on that is not before `from`, that the literal fits on and that closes
    /// the field.
    ///
    /// Some servers leave quotes inside a field unescaped, so any quote that the rest of the line agrees with
    /// may be the closing one; unless the quotes skipped so far pair up in the way of further fields
    /// (`a" "b`, `a" x="b`): then the line has more fields than the format, and is not to be bent.
    fn later_quoted_end(&self, line: &[u8], first: usize, from: usize) -> Option<usize> {
        let closes = matches!(line.get(first + 1), Some(b' ' | b'\t' | b',' | b';'));
        let (mut skipped, mut at) = (0usize, first);
        while at < line.len() {
            let pairs_up = closes && skipped > 0 && skipped.is_multiple_of(2);
            if at >= from && !pairs_up && self.fits(line, at) {
                return Some(at);
            }
            skipped += 1;
            at = self.quote(line, at + 1);
        }
        None
    }

    /// The first unescaped quote at or after `at`.
    #[inline]
    fn quote(&self, line: &[u8], mut at: usize) -> usize {
        if !self.escapes {
            return find_byte(line, at, b'"');
        }
        loop {
            at = find_either(line, at, b'"', b'\\');
            if line.get(at) != Some(&b'\\') {
                return at;
            }
            at = (at + 2).min(line.len());
        }
    }

    /// The first end of a list of decimals that is not before `from`: behind one of its items.
    fn decimals_end(&self, line: &[u8], start: usize, from: usize) -> Option<usize> {
        let first = decimal(line, start).or_else(|| self.may_be_empty.then_some(start));
        let mut ends = std::iter::successors(first, |&end| one_more(line, end, decimal));
        ends.find(|&end| end >= from && self.fits(line, end))
    }

    /// The same of a list of words, which the literal behind it may cut short anywhere.
    fn words_end(&self, line: &[u8], start: usize, from: usize) -> Option<usize> {
        let mut at = start;
        loop {
            // Before a blank and a colon the list goes on, unless that is the literal.
            let goes_on = line.get(at..at + 3) == Some(b" : ") && !self.tail.bytes.starts_with(b" :");
            if at >= from && !goes_on && self.fits(line, at) {
                return Some(at);
            }
            at = match line.get(at)? {
                b'"' | b'\t' => return None,
                b' ' if line.get(at..at + 3) == Some(b" : ") => at + 3,
                b' ' => return None,
                b',' if line.get(at + 1) == Some(&b' ') => at + 2,
                _ => at + 1,
            };
        }
    }

    /// A query is nothing, or begins with its mark and goes on to the literal.
    fn query_end(&self, line: &[u8], start: usize) -> Option<usize> {
        if line.get(start) == Some(&b'?') {
            return self.text_end(line, start, start + 1);
        }
        self.fits(line, start).then_some(start)
    }

    /// Where a value ends that shows its own end.
    fn value_end(&self, line: &[u8], start: usize) -> Option<usize> {
        let end = match self.kind {
            Kind::Integer => integer(line, start),
            Kind::Decimal => decimal(line, start),
            Kind::Decimals => list(line, start, decimal),
            Kind::Words => list(line, start, word),
            Kind::MaybeQuoted => self.maybe_quoted(line, start),
            Kind::SyslogHeader => Some(syslog_header(line, start)),
            _ => None,
        };
        end.or_else(|| self.may_be_empty.then_some(start))
    }

    fn maybe_quoted(&self, line: &[u8], start: usize) -> Option<usize> {
        match line.get(start)? {
            b'-' => Some(start + 1),
            b'"' => Some(self.quote(line, start + 1) + 1).filter(|&end| end <= line.len()),
            _ => None,
        }
    }

    /// Where a reader would say that the value ends, whatever follows. For messages only.
    fn natural_end(&self, line: &[u8], start: usize) -> Option<usize> {
        if start > line.len() {
            return None;
        }
        match self.kind {
            Kind::Quoted => Some(self.quote(line, start).min(line.len())),
            Kind::Query if line.get(start) != Some(&b'?') => Some(start),
            Kind::Text | Kind::Path | Kind::Word | Kind::Query => {
                let from = start + usize::from(!self.may_be_empty);
                let end = match self.tail.bytes.first() {
                    Some(&first) => find_either(line, from, first, b' '),
                    None => line.len(),
                };
                let blank = self.kind == Kind::Word && line.get(start) == Some(&b' ');
                (from <= line.len() && !blank).then_some(end.min(line.len()))
            }
            Kind::Time(style) => Some(start + time::scan(style, line.get(start..)?)?.len),
            _ => self.value_end(line, start),
        }
    }
}
