//! Peeling: takes the heads of a chain off lines, with the state that has to be kept from line to line.

use crate::bytes::scan::find_byte;
use crate::parse::envelope::chain::{Chain, Wanted};
use crate::parse::envelope::facts::{Facts, Field};
use crate::parse::envelope::heads::Reader;
use crate::parse::envelope::join::{Joined, Joins};
use crate::parse::envelope::json::JsonReader;
use crate::parse::envelope::lines::{self, tail_header};
use crate::parse::envelope::syslog;
use std::mem;

/// Where the line within an envelope is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It is the end of the line, from here on.
    Line(usize),
    /// In the buffer of joined pieces, from here on.
    Joined(usize),
    Unescaped(usize),
}

/// What is in an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peeled {
    Inner(Place),
    /// Nothing that should be a request: a line of stderr.
    Foreign,
    /// A piece of a line whose end has not come yet.
    Piece,
    /// The last piece of a line that is longer than any may be.
    TooLong,
    /// The line has no such head.
    NoHead,
}

/// What became of lines that are not handed over one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Pieces of lines that were not the last of theirs.
    pub pieces: u64,
    /// Lines that never ended.
    pub unfinished: u64,
    /// Lines that were longer than any may be when they were whole.
    pub too_long: u64,
}

/// Takes the heads off lines, one after the other.
#[derive(Debug)]
pub struct Envelope {
    wanted: Wanted,
    chain: Chain,
    /// Whether the chain is known.
    is_settled: bool,
    /// Whether the requests are on stderr, as many programs' are.
    stderr: bool,
    json: JsonReader,
    joins: Joins,
    tally: Tally,
    joined: Vec<u8>,
    was_joined: bool,
    unescaped: Vec<u8>,
    key: Vec<u8>,
    /// Whether `tail` has named a file: then it puts empty lines in front of the names.
    tail: bool,
    /// The writers of lines that fit.
    sources: Vec<Vec<u8>>,
    /// How many searches for another chain may still fail.
    searches: u32,
    /// Lines that fit in another chain since the last chunk, and the chain.
    strays: (u64, Chain),
}

/// Writers of requests that are told apart.
const SOURCES_MAX: usize = 16;

/// Strangers can write lines that do not fit, so the number of searches is bounded.
const SEARCHES_MAX: u32 = 1_000;

impl Envelope {
    pub fn new(wanted: Wanted) -> Envelope {
        Envelope {
            wanted,
            chain: Chain::default(),
            is_settled: wanted == Wanted::Nothing,
            stderr: false,
            json: JsonReader::new(),
            joins: Joins::default(),
            tally: Tally::default(),
            joined: Vec::new(),
            was_joined: false,
            unescaped: Vec::new(),
            key: Vec::new(),
            tail: false,
            sources: Vec::new(),
            searches: SEARCHES_MAX,
            strays: (0, Chain::default()),
        }
    }

    /// One that takes off these heads.
    pub fn of(chain: Chain, stderr: bool) -> Envelope {
        Envelope { chain, stderr, is_settled: true, ..Envelope::new(Wanted::Auto) }
    }

    #[inline]
    pub fn chain(&self) -> Chain {
        self.chain
    }

    /// Whether the chain is still to be found from the first lines.
    #[inline]
    pub fn is_open(&self) -> bool {
        !self.is_settled
    }

    /// Whether lines of stderr are read like others.
    pub fn stderr(&self) -> bool {
        self.stderr
    }

    /// Whether the last line was put together of pieces.
    pub fn was_joined(&self) -> bool {
        self.was_joined
    }

    pub fn wanted(&self) -> Wanted {
        self.wanted
    }

    /// Takes these heads off until the chain is known.
    pub fn propose(&mut self, chain: Chain) {
        self.chain = chain;
    }

    /// The chain is known.
    pub fn settle(&mut self, chain: Chain, stderr: bool) {
        (self.chain, self.stderr, self.is_settled) = (chain, stderr, true);
        (self.searches, self.strays) = (SEARCHES_MAX, (0, chain));
        self.sources.clear();
    }

    /// Whether one more search for another chain may be made.
    pub fn may_search(&mut self) -> bool {
        let may = self.searches > 0 && self.wanted != Wanted::Nothing;
        self.searches = self.searches.saturating_sub(1);
        may
    }

    /// A line fitted in another chain: its own is taken off.
    pub fn stray(&mut self, chain: Chain, line: &[u8], facts: &mut Facts) {
        self.searches = SEARCHES_MAX;
        self.strays = (self.strays.0 + 1, chain);
        let mut other = Envelope::of(chain, self.stderr);
        self.unescaped.clear();
        if let Peeled::Inner(place) = other.peel(line, facts) {
            self.unescaped.extend_from_slice(other.text(place, line));
        }
    }

    /// The line within such a line.
    pub fn stray_line(&self) -> &[u8] {
        &self.unescaped
    }

    /// After a chunk of so many lines: where most of them fitted in another chain, that one is it from now on.
    pub fn follow_strays(&mut self, lines: u64) -> bool {
        let (strays, chain) = mem::take(&mut self.strays);
        let follows = strays * 2 > lines && chain != self.chain;
        if follows {
            self.settle(chain, self.stderr);
        }
        follows
    }

    /// Remembers the writer of a line that fits.
    #[inline]
    pub fn fits(&mut self, facts: &Facts) {
        let source = facts.source();
        if self.sources.last().is_none_or(|last| last != source) {
            self.remember(source);
        }
    }

    #[inline(never)]
    fn remember(&mut self, source: &[u8]) {
        if let Some(place) = self.sources.iter().position(|known| known == source) {
            let last = self.sources.len() - 1;
            self.sources.swap(place, last);
        } else if self.sources.len() < SOURCES_MAX {
            self.sources.push(source.to_vec());
        }
    }

    /// Whether a line that does not fit is another program's: one that has written no request, while others have.
    pub fn is_of_another(&self, facts: &Facts) -> bool {
        let known = !self.sources.is_empty() && self.sources.len() < SOURCES_MAX;
        known && !facts.source().is_empty() && !self.sources.iter().any(|source| source == facts.source())
    }

    /// Whether a line comes from a tool and not from the log: the name that `tail` puts in front of a file's lines, the
    /// empty line before it, what journalctl says of boots and docker compose of containers.
    pub fn is_remark(&mut self, line: &[u8], facts: &mut Facts) -> bool {
        if let Some(file) = tail_header(line) {
            self.tail = true;
            facts.keep_file(file);
            return true;
        }
        (self.tail && line.is_empty()) || syslog::is_remark(line) || lines::is_remark(line)
    }

    /// What became of lines since this was asked last.
    pub fn take_tally(&mut self) -> Tally {
        let (lines, pieces) = self.joins.take_lost();
        self.tally.unfinished += lines;
        self.tally.pieces += pieces.saturating_sub(lines);
        mem::take(&mut self.tally)
    }

    /// Takes the heads off a line, given without its newline.
    #[inline]
    pub fn peel(&mut self, line: &[u8], facts: &mut Facts) -> Peeled {
        facts.clear();
        self.was_joined = false;
        let mut place = Place::Line(0);
        let chain = self.chain;
        for head in chain.heads() {
            let (peeled, is_piece) = match head.reader {
                Reader::Text(read) => match read(self.text(place, line), facts) {
                    Some(inner) => (place.behind(inner.from), inner.is_piece),
                    None => return Peeled::NoHead,
                },
                Reader::Json { docker } => match self.unescape(place, line, docker, facts) {
                    Some(is_piece) => (Place::Unescaped(0), is_piece),
                    None => return Peeled::NoHead,
                },
            };
            place = peeled;
            if !self.stderr && facts.get(Field::Stream) == b"stderr" {
                return Peeled::Foreign;
            }
            if is_piece || !self.joins.is_empty() {
                match self.join(place, line, is_piece, facts) {
                    Ok(joined) => place = joined,
                    Err(what) => return what,
                }
            }
        }
        Peeled::Inner(place)
    }

    /// The text at a place, which is in the line or in one of the buffers.
    #[inline]
    pub fn text<'t>(&'t self, place: Place, line: &'t [u8]) -> &'t [u8] {
        let (text, from) = match place {
            Place::Line(from) => (line, from),
            Place::Joined(from) => (&*self.joined, from),
            Place::Unescaped(from) => (&*self.unescaped, from),
        };
        text.get(from..).unwrap_or_default()
    }

    fn unescape(&mut self, place: Place, line: &[u8], docker: bool, facts: &mut Facts) -> Option<bool> {
        let Envelope { json, joined, unescaped, .. } = self;
        let text = match place {
            Place::Line(from) => line.get(from..)?,
            Place::Joined(from) => joined.get(from..)?,
            // An object in a string of an object is no head.
            Place::Unescaped(_) => return None,
        };
        json.read(text, docker, facts, unescaped)
    }

    /// Keeps a piece, or puts the last one behind those that were kept.
    #[inline(never)]
    fn join(&mut self, place: Place, line: &[u8], is_piece: bool, facts: &Facts) -> Result<Place, Peeled> {
        facts.key(&mut self.key);
        let text = match place {
            Place::Line(from) => line.get(from..),
            Place::Joined(from) => self.joined.get(from..),
            Place::Unescaped(from) => self.unescaped.get(from..),
        };
        let text = text.unwrap_or_default();
        if is_piece {
            self.joins.add(&self.key, text);
            return Err(Peeled::Piece);
        }
        let mut whole = Vec::new();
        match self.joins.finish(&self.key, text, &mut whole) {
            Joined::Alone => Ok(place),
            Joined::Whole { pieces } => {
                self.joined = whole;
                self.was_joined = true;
                self.tally.pieces += pieces;
                Ok(Place::Joined(0))
            }
            Joined::TooLong { pieces } => {
                self.tally.pieces += pieces;
                self.tally.too_long += 1;
                Err(Peeled::TooLong)
            }
        }
    }

    /// Prepares the line within for the fast path, with a newline and room behind it. Says whether it is one line;
    /// what is in a string may be several.
    #[inline]
    pub fn pad(&mut self, place: Place) -> bool {
        let (buffer, from) = match place {
            Place::Line(_) => return true,
            Place::Joined(from) => (&mut self.joined, from),
            Place::Unescaped(from) => (&mut self.unescaped, from),
        };
        let is_one = find_byte(buffer, from, b'\n') >= buffer.len();
        if is_one {
            buffer.push(b'\n');
            buffer.resize(buffer.len() + GLANCE_BYTES, 0);
        }
        is_one
    }

    /// What comes next is of the stretch of this number.
    pub fn enter(&mut self, stretch: u64) {
        self.joins.enter(stretch);
    }

    /// Whether the first piece of a line whose end has not come was in this stretch.
    pub fn is_unfinished(&self, stretch: u64) -> bool {
        self.joins.is_open(stretch)
    }

    /// At the end of input: the lines whose end will not come, as far as they came; but for those that began in a
    /// stretch that will be read again.
    pub fn close(&mut self, is_kept: impl Fn(u64) -> bool) -> Vec<Vec<u8>> {
        let open = self.joins.close(is_kept);
        self.tally.pieces += open.iter().map(|(_, pieces)| pieces.saturating_sub(1)).sum::<u64>();
        open.into_iter().map(|(line, _)| line).collect()
    }
}

/// The block that the fast path reads at once.
const GLANCE_BYTES: usize = 64;

impl Place {
    fn behind(self, length: usize) -> Place {
        match self {
            Place::Line(from) => Place::Line(from + length),
            Place::Joined(from) => Place::Joined(from + length),
            Place::Unescaped(from) => Place::Unescaped(from + length),
        }
    }
}
