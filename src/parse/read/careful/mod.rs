//! Careful path: the compiled form of a text format, and the backtracking matcher.
//!
//! Turns a line into spans, one for each capture, anchored at both ends. A format is a literal, then
//! captures each with the literal behind it. Every capture takes the first end that its kind and its
//! literal allow; when a later one fails, the latest capture that can end further on does so, and the
//! matching goes on from there. The spans are the stack of that walk, so it needs no memory of its own; its
//! length is bounded. That is how an unquoted user name with blanks, brackets and quotes in it is read: the
//! time stamp behind it decides.
//!
//! Allocates nothing and must never panic or read outside the line.

use crate::bytes::scan::{Simd, find_byte, find_either};
use crate::bytes::work::scanned;
use crate::parse::compile::field::{Kind, Piece, Slot};
use crate::parse::read::fast::Quick;
use crate::parse::read::retry::{Budget, Miss, Quotes, Tried};
use crate::parse::read::spans::{Span, Spans, StampCache};
use crate::parse::read::time;
use crate::parse::read::values::{
    blanks, blanks_of_list, captured, closing_brace, colour, decimal, four_decimals, integer, list, one_more,
    syslog_header, with_unit, word,
};

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
        scanned(self.len());
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
    /// A query, or what stands behind it: this byte, or the end of the line.
    Query(Option<u8>),
    /// A path, and what stands behind it: this byte, or the end of the line.
    Path(Option<u8>),
    /// An escape sequence, or what stands behind it.
    Colour(Option<u8>),
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
    /// A value in quotes at whose bytes syslog may have cut the line off, or `usize::MAX`. With an `Option` here the
    /// compiler takes up to 80 instructions more for each line on the fast path (rustc 1.95.0).
    cut_in: usize,
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
                escapes: slots[i].escape.has_backslashes(),
            })
            .collect();
        let quick = Quick::new(&literals[0], &slots, &literals[1..]);
        (Steps { head: Literal::new(&literals[0]), steps, quick, cut_in: usize::MAX }, slots)
    }

    /// Lets a line end within this value, if it stands in quotes: what is behind is then not there.
    pub fn may_be_cut_in(&mut self, index: usize) {
        if self.steps[index].kind == Kind::Quoted {
            self.cut_in = index;
        }
    }

    /// Reads a line that was cut off where that may be.
    #[cold]
    #[inline(never)]
    fn read_cut(&self, line: &[u8], spans: &mut Spans) -> Option<()> {
        let last = self.cut_in;
        self.steps.get(last)?;
        let mut start = self.head.len();
        for (index, step) in self.steps[..last].iter().enumerate() {
            let end = step.first_end(line, start, &mut spans.stamp).ok()?;
            spans.at[index] = Span::new(start, end);
            start = end + step.tail.len();
        }
        if start >= line.len() || self.steps[last].quote(line, start) < line.len() {
            return None;
        }
        spans.at[last] = Span::new(start, line.len());
        spans.at[last + 1..self.steps.len()].fill(Span::NONE);
        Some(())
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
    pub fn read_quickly<L: Simd>(&self, lanes: L, text: &[u8], spans: &mut Spans) -> Option<usize> {
        self.quick.as_ref()?.read(lanes, text, spans, |index, at, stamp| {
            let line = &text[..find_byte(text, at, b'\n')];
            // A carriage return is no part of the line.
            if line.ends_with(b"\r") { None } else { self.steps[index].first_end(line, at, stamp).ok() }
        })
    }

    /// Reads a line: fills one span for each capture, or says what did not fit. Of several failures the one
    /// that came furthest into the format counts, and of those the first.
    pub fn read(&self, line: &[u8], spans: &mut Spans) -> Result<(), Failure> {
        if !self.head.stands_at(line, 0) {
            let common = self.head.common(line, 0);
            return Err(Failure { reached: 0, at: common, what: What::Head(common) });
        }
        spans.stamp.start = Span::NONE.start;
        let mut start = self.head.len();
        for (index, step) in self.steps.iter().enumerate() {
            match step.first_end(line, start, &mut spans.stamp) {
                Ok(end) => spans.at[index] = Span::new(start, end),
                Err(miss) => {
                    let read = self.read_on(line, spans, index, start, miss);
                    return read.or_else(|failure| self.read_cut(line, spans).ok_or(failure));
                }
            }
            start = spans.at[index].end as usize + step.tail.len();
        }
        Ok(())
    }

    /// Reads as far as it goes without turning back, the value that finds no end included. For messages only.
    pub fn walk(&self, line: &[u8], spans: &mut Spans) {
        let mut start = self.head.bytes.len();
        for (step, place) in self.steps.iter().zip(spans.at.iter_mut()) {
            let found = step.first_end(line, start, &mut spans.stamp).ok();
            let Some(end) = found.or_else(|| step.natural_end(line, start)) else { return };
            *place = Span::new(start, end);
            if found.is_none() {
                return;
            }
            start = end + step.tail.bytes.len();
        }
    }

    /// Goes on after capture `index` found no end at `start`: walks back and forth until all fits, nothing is left, or
    /// the budget is spent.
    #[cold]
    fn read_on(
        &self,
        line: &[u8],
        spans: &mut Spans,
        mut index: usize,
        mut start: usize,
        mut miss: Miss,
    ) -> Result<(), Failure> {
        let Spans { at, stamp, tried, budget, .. } = spans;
        tried.clear();
        tried.resize(self.steps.len(), Tried::default());
        let mut furthest = self.diagnose(index, line, start);
        loop {
            tried[index].fail(start, None, miss);
            // Back to the latest capture that has another end.
            let mut end = loop {
                if index == 0 || budget.is_spent() {
                    return Err(furthest);
                }
                index -= 1;
                let Span { start: from, end: to } = at[index];
                let (from, to) = (from as usize, to as usize);
                match self.steps[index].next_end(line, from, to, &mut tried[index]) {
                    Ok(end) => {
                        budget.spend(end - to);
                        start = from;
                        break end;
                    }
                    Err(miss) => {
                        budget.spend(miss.scanned_to.saturating_sub(to));
                        tried[index].fail(from, Some(to), miss);
                    }
                }
            };
            // And on from there.
            miss = loop {
                at[index] = Span::new(start, end);
                start = end + self.steps[index].tail.len();
                index += 1;
                let Some(step) = self.steps.get(index) else { return Ok(()) };
                let known = tried[index].failed.contains(&start);
                let found =
                    if known { Err(Miss::alone(start, start)) } else { step.first_end(line, start, stamp) };
                match found {
                    Ok(found) => {
                        budget.spend(found - start);
                        end = found;
                    }
                    Err(miss) => {
                        budget.spend(miss.scanned_to.saturating_sub(start));
                        // With an end of its own it is not what failed; how far that end led is known.
                        if !known || start + usize::from(!step.may_be_empty) > tried[index].last_end {
                            self.look_further(index, line, start, &mut furthest, budget);
                        }
                        break miss;
                    }
                }
            };
        }
    }

    /// Puts the failure of capture `index` at `start` in the place of the furthest one so far, if it came further.
    fn look_further(
        &self,
        index: usize,
        line: &[u8],
        start: usize,
        furthest: &mut Failure,
        budget: &mut Budget,
    ) {
        let known = (furthest.reached, furthest.what.rank());
        let best = if self.steps[index].last { What::Trailing } else { What::Tail(0) };
        if (index + 1, best.rank()) <= known {
            return;
        }
        let failure = self.diagnose(index, line, start);
        budget.spend(failure.at.saturating_sub(start));
        if (failure.reached, failure.what.rank()) > known {
            *furthest = failure;
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
        Kind::Colour => Begin::Colour(behind.iter().find_map(|literal| literal.first().copied())),
        Kind::Query => match behind {
            [tail] => Begin::Query(tail.first().copied()),
            [tail, ..] => tail.first().map_or(Begin::Any, |&byte| Begin::Query(Some(byte))),
            [] => Begin::Any,
        },
        Kind::Integer | Kind::Decimal | Kind::Decimals => Begin::Number,
        _ => Begin::Any,
    }
}

impl Step {
    /// The first end that the kind and the literal allow.
    #[inline(never)]
    fn first_end(&self, line: &[u8], start: usize, stamp: &mut StampCache) -> Result<usize, Miss> {
        let least = start + usize::from(!self.may_be_empty);
        match self.kind {
            Kind::Text | Kind::Path => self.text_end(line, least),
            Kind::Word if least > start && line.get(start) == Some(&b' ') => Err(Miss::alone(start, start)),
            Kind::Word => self.word_end(line, least),
            Kind::Query => self.query_end(line, start),
            Kind::Quoted => {
                self.quoted_end(line, start).map(|(end, _)| end).ok_or(Miss::alone(start, line.len()))
            }
            Kind::Words => self.words_end(line, start, start, least),
            Kind::Decimals => {
                let first = decimal(line, start).or_else(|| self.may_be_empty.then_some(start));
                self.decimals_end(line, start, first)
            }
            Kind::Time(style) => {
                let len = line.get(start..).and_then(|rest| stamp.length(style, rest, start));
                self.fitting(line, start, len.map(|len| start + len))
            }
            _ => self.fitting(line, start, self.value_end(line, start)),
        }
    }

    /// The end after `end`, if the kind allows more than one. The search goes on from there.
    fn next_end(&self, line: &[u8], start: usize, end: usize, tried: &mut Tried) -> Result<usize, Miss> {
        match self.kind {
            Kind::Quoted => self.next_quoted_end(line, start, end, tried),
            Kind::Text | Kind::Path => self.text_end(line, end + 1),
            Kind::Word if self.tail.bytes.starts_with(b" ") || line.get(end) == Some(&b' ') => {
                Err(Miss::same_until(end))
            }
            Kind::Word => self.word_end(line, end + 1),
            Kind::Words => self.words_end(line, start, end, end + 1),
            Kind::Decimals => self.decimals_end(line, start, one_more(line, end, decimal)),
            // From any of its digits, a number ends where it ends from the first.
            Kind::Integer | Kind::Decimal => Err(Miss::same_until(end)),
            Kind::Captured if end > start => self.fitting(line, start, closing_brace(line, end)),
            _ => Err(Miss::alone(start, end)),
        }
    }

    /// The only end of a value, if the literal stands there.
    fn fitting(&self, line: &[u8], start: usize, end: Option<usize>) -> Result<usize, Miss> {
        match end {
            Some(end) if self.fits(line, end) => Ok(end),
            Some(end) if matches!(self.kind, Kind::Integer | Kind::Decimal) => Err(Miss::same_until(end)),
            Some(end) => Err(Miss::alone(start, end)),
            // Its closing brace or quote was searched to the end of the line.
            None => {
                let searched = matches!(self.kind, Kind::Captured | Kind::MaybeQuoted)
                    && matches!(line.get(start), Some(b'{' | b'"'));
                Err(Miss::alone(start, if searched { line.len() } else { start }))
            }
        }
    }

    /// Whether the literal stands at `end`, and behind the last one nothing more.
    #[inline]
    fn fits(&self, line: &[u8], end: usize) -> bool {
        self.tail.stands_at(line, end) && (!self.last || end + self.tail.len() == line.len())
    }

    /// The first place at or after `from` where the value may give way to what follows. A value that starts later has
    /// no other ends.
    #[inline]
    fn text_end(&self, line: &[u8], from: usize) -> Result<usize, Miss> {
        let nowhere = Miss { scanned_to: line.len(), same_until: usize::MAX };
        if self.last {
            let end =
                line.len().checked_sub(self.tail.len()).filter(|&end| end >= from && self.fits(line, end));
            return end.ok_or(Miss { scanned_to: from, ..nowhere });
        }
        let Some(&first) = self.tail.bytes.first() else {
            return (from..=line.len()).find(|&at| self.next_begins(line, at)).ok_or(nowhere);
        };
        let mut at = find_byte(line, from, first);
        while at < line.len() {
            if self.tail.stands_at(line, at) {
                return Ok(at);
            }
            at = find_byte(line, at + 1, first);
        }
        Err(nowhere)
    }

    /// The same for a value without blanks: up to the first blank at or after `from`, unless that is the literal's.
    fn word_end(&self, line: &[u8], from: usize) -> Result<usize, Miss> {
        let mut at = from;
        while at <= line.len() {
            at = match self.tail.bytes.first() {
                Some(&first) => find_either(line, at, first, b' '),
                None if self.last => find_byte(line, at, b' '),
                None => at,
            };
            if if self.last || !self.tail.bytes.is_empty() {
                self.fits(line, at)
            } else {
                self.next_begins(line, at)
            } {
                return Ok(at);
            }
            if line.get(at) == Some(&b' ') {
                break;
            }
            at += 1;
        }
        Err(Miss::same_until(at.min(line.len())))
    }

    /// Whether the next value, which touches this one, may begin at `at`.
    fn next_begins(&self, line: &[u8], at: usize) -> bool {
        scanned(1);
        match (self.next, line.get(at)) {
            (Begin::Any, _) => true,
            (Begin::Query(behind), found) => found == Some(&b'?') || found.copied() == behind, // or an empty one
            (Begin::Number, found) => found.is_some_and(|c| c.is_ascii_digit() || *c == b'-'),
            (Begin::Colour(_), Some(0x1b)) => true,
            (Begin::Colour(behind), found) => found.copied() == behind,
            (Begin::Path(_), Some(b'/' | b'?')) => true,
            // What servers write in the place of a path when the request had none: `OPTIONS *`, or no request.
            (Begin::Path(behind), Some(b'*' | b'-')) => line.get(at + 1).copied() == behind,
            (Begin::Path(behind), found) => found.copied() == behind,
        }
    }

    /// The first quote that the literal fits on and that closes the field, and the quotes before it.
    ///
    /// Some servers leave quotes inside a field unescaped, so any quote that the rest of the line agrees with
    /// may be the closing one; unless the quotes skipped so far pair up in the way of further fields
    /// (`a" "b`, `a" x="b`): then the line has more fields than the format, and is not to be bent.
    fn quoted_end(&self, line: &[u8], start: usize) -> Option<(usize, Quotes)> {
        let first = self.quote(line, start);
        let first_closes = matches!(line.get(first + 1), Some(b' ' | b'\t' | b',' | b';'));
        self.closing_quote(line, first, Quotes { skipped: 0, first_closes })
    }

    /// The first such quote from the one at `at` on.
    fn closing_quote(&self, line: &[u8], mut at: usize, mut quotes: Quotes) -> Option<(usize, Quotes)> {
        while at < line.len() {
            let pairs_up = quotes.first_closes && quotes.skipped > 0 && quotes.skipped.is_multiple_of(2);
            if !pairs_up && self.fits(line, at) {
                return Some((at, quotes));
            }
            quotes.skipped += 1;
            at = self.quote(line, at + 1);
        }
        None
    }

    /// The next one after that at `end`.
    fn next_quoted_end(
        &self,
        line: &[u8],
        start: usize,
        end: usize,
        tried: &mut Tried,
    ) -> Result<usize, Miss> {
        let nowhere = Miss::alone(start, line.len());
        if tried.place != Some((start, end)) {
            // The first retry: `end` is the first of all.
            tried.quotes = self.quoted_end(line, start).ok_or(nowhere)?.1;
        }
        let passed = Quotes { skipped: tried.quotes.skipped + 1, ..tried.quotes };
        let (end, quotes) = self.closing_quote(line, self.quote(line, end + 1), passed).ok_or(nowhere)?;
        (tried.place, tried.quotes) = (Some((start, end)), quotes);
        Ok(end)
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

    /// The first end of a list of decimals from `end`, which is behind one of its items, on.
    fn decimals_end(&self, line: &[u8], start: usize, mut end: Option<usize>) -> Result<usize, Miss> {
        let mut scanned_to = start;
        while let Some(at) = end {
            if self.fits(line, at) {
                return Ok(at);
            }
            scanned_to = at + blanks_of_list(line, at);
            end = one_more(line, at, decimal);
        }
        Err(Miss::alone(start, scanned_to))
    }

    /// The first end of a list of words that is not before `from`, at or after `at`; the literal behind it may cut it
    /// short anywhere.
    fn words_end(&self, line: &[u8], start: usize, mut at: usize, from: usize) -> Result<usize, Miss> {
        loop {
            // Before a blank and a colon the list goes on, unless that is the literal.
            let goes_on = line.get(at..at + 3) == Some(b" : ") && !self.tail.bytes.starts_with(b" :");
            if at >= from && !goes_on && self.fits(line, at) {
                return Ok(at);
            }
            // Up to its first blank, the list goes on in the same way from wherever it is begun.
            let miss = || Miss { scanned_to: at, same_until: find_byte(&line[..at], start, b' ') };
            at = self.after_in_words(line, at).ok_or_else(miss)?;
        }
    }

    /// The place after `at` in a list of words.
    fn after_in_words(&self, line: &[u8], at: usize) -> Option<usize> {
        scanned(1);
        match line.get(at)? {
            b'"' | b'\t' => None,
            b' ' if line.get(at..at + 3) == Some(b" : ") => Some(at + 3),
            b' ' => None,
            b',' if line.get(at + 1) == Some(&b' ') => Some(at + 2),
            _ => Some(at + 1),
        }
    }

    /// A query is nothing, or begins with its mark and goes on to the literal.
    fn query_end(&self, line: &[u8], start: usize) -> Result<usize, Miss> {
        if line.get(start) == Some(&b'?') {
            return self.text_end(line, start + 1).map_err(|miss| Miss { same_until: start, ..miss });
        }
        // Tomcat writes a dash for none.
        let dash = line.get(start) == Some(&b'-') && self.fits(line, start + 1);
        self.fitting(line, start, Some(start + usize::from(dash)))
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
            Kind::WithUnit => with_unit(line, start),
            Kind::Blanks => Some(blanks(line, start)),
            Kind::Colour => Some(colour(line, start)),
            Kind::FourDecimals => four_decimals(line, start),
            Kind::Captured => captured(line, start),
            Kind::OpenQuote => Some(start + usize::from(line.get(start) == Some(&b'"'))),
            Kind::RestOfCombined => Some(self.rest_of_combined(line, start)),
            _ => None,
        };
        end.or_else(|| self.may_be_empty.then_some(start))
    }

    fn rest_of_combined(&self, line: &[u8], start: usize) -> usize {
        let quoted = |at: usize| {
            let opens = line.get(at..).is_some_and(|rest| rest.starts_with(b" \""));
            opens.then(|| self.quote(line, at + 2) + 1).filter(|&end| end <= line.len())
        };
        match line.get(start) {
            Some(b'"') => start + 1,
            _ => quoted(start).and_then(quoted).unwrap_or(start),
        }
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

#[cfg(test)]
mod tests;
