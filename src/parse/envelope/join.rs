//! Joins the pieces of lines that a container runtime has split, each stream's apart, bounded in streams and in bytes.

use crate::limits;
use std::mem;

/// Streams with a line in pieces at a time. A node has some hundred containers, and few of them write lines longer than
/// 16 KiB at the same moment.
const STREAMS_MAX: usize = 16;

#[derive(Debug)]
struct Open {
    key: Vec<u8>,
    line: Vec<u8>,
    /// How many pieces there are.
    pieces: u64,
    is_too_long: bool,
    /// When the last piece came, in pieces of all streams.
    touched: u64,
    /// The number of the stretch in which the first one came.
    stretch: u64,
}

/// Lines whose end has not come yet.
#[derive(Debug, Default)]
pub struct Joins {
    open: Vec<Open>,
    clock: u64,
    /// The number of what is read now.
    stretch: u64,
    /// Lines given up for want of a place, and the pieces they had.
    lost: (u64, u64),
}

/// What came together at the last piece.
#[derive(Debug, PartialEq, Eq)]
pub enum Joined {
    /// There were no pieces before: the line is whole as it is.
    Alone,
    /// So many pieces before the last; the line is in the buffer.
    Whole { pieces: u64 },
    /// The same, and the line would be longer than any may be.
    TooLong { pieces: u64 },
}

impl Joins {
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// What comes next is of the stretch of this number.
    pub fn enter(&mut self, stretch: u64) {
        self.stretch = stretch;
    }

    /// Whether the first piece of a line whose end has not come was in this stretch.
    pub fn is_open(&self, stretch: u64) -> bool {
        self.open.iter().any(|open| open.stretch == stretch)
    }

    /// Keeps a piece that is not the last.
    pub fn add(&mut self, key: &[u8], piece: &[u8]) {
        self.clock += 1;
        let place = self.open.iter().position(|open| open.key == key).unwrap_or_else(|| self.begin(key));
        let open = &mut self.open[place];
        open.touched = self.clock;
        open.pieces += 1;
        open.append(piece);
    }

    fn begin(&mut self, key: &[u8]) -> usize {
        if self.open.len() == STREAMS_MAX {
            let oldest = (0..STREAMS_MAX).min_by_key(|place| self.open[*place].touched).unwrap_or(0);
            let given_up = self.open.swap_remove(oldest);
            self.lost = (self.lost.0 + 1, self.lost.1 + given_up.pieces);
        }
        let (key, line) = (key.to_vec(), Vec::new());
        let stretch = self.stretch;
        self.open.push(Open { key, line, pieces: 0, is_too_long: false, touched: 0, stretch });
        self.open.len() - 1
    }

    /// Puts the last piece behind the others of its stream.
    pub fn finish(&mut self, key: &[u8], piece: &[u8], out: &mut Vec<u8>) -> Joined {
        let Some(place) = self.open.iter().position(|open| open.key == key) else { return Joined::Alone };
        let mut open = self.open.swap_remove(place);
        open.append(piece);
        let pieces = open.pieces;
        if open.is_too_long {
            return Joined::TooLong { pieces };
        }
        *out = open.line;
        Joined::Whole { pieces }
    }

    /// The lines given up since this was asked last, and how many pieces they had.
    pub fn take_lost(&mut self) -> (u64, u64) {
        mem::take(&mut self.lost)
    }

    /// At the end of input: what is there of the lines whose end will not come, and their pieces; but for those that
    /// began in a stretch that will be read again.
    pub fn close(&mut self, is_kept: impl Fn(u64) -> bool) -> Vec<(Vec<u8>, u64)> {
        let open = mem::take(&mut self.open).into_iter().filter(|open| !is_kept(open.stretch));
        open.map(|open| (open.line, open.pieces)).collect()
    }
}

impl Open {
    fn append(&mut self, piece: &[u8]) {
        self.is_too_long |= self.line.len() + piece.len() > limits::LINE_BYTES_MAX;
        if self.is_too_long {
            self.line = Vec::new();
        } else {
            self.line.extend_from_slice(piece);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_stream_too_many_ends_the_oldest_line() {
        let (mut joins, mut out) = (Joins::default(), Vec::new());
        for stream in 0..=STREAMS_MAX {
            joins.add(stream.to_string().as_bytes(), b"x");
        }
        assert_eq!((joins.take_lost(), joins.take_lost()), ((1, 1), (0, 0)));
        assert_eq!(joins.finish(b"0", b"y", &mut out), Joined::Alone);
        assert_eq!((joins.finish(b"1", b"y", &mut out), &*out), (Joined::Whole { pieces: 1 }, &b"xy"[..]));
        assert_eq!(joins.close(|_| false).len(), STREAMS_MAX - 1);
    }

    #[test]
    fn a_line_without_end_takes_no_memory() {
        let (mut joins, mut out) = (Joins::default(), Vec::new());
        let piece = vec![b'x'; 16 << 10];
        for _ in 0..1000 {
            joins.add(b"a", &piece);
            assert!(joins.open[0].line.len() <= limits::LINE_BYTES_MAX);
        }
        assert_eq!(joins.finish(b"a", b"y", &mut out), Joined::TooLong { pieces: 1000 });
        assert!(joins.is_empty());
    }

    proptest! {
        #[test]
        fn lines_of_many_streams_come_out_as_they_went_in(
            lines in prop::collection::vec(prop::collection::vec("[a-z]{0,5}", 1..5), 1..6),
            order in prop::collection::vec(0usize..6, 40),
        ) {
            let (mut joins, mut whole) = (Joins::default(), vec![None; lines.len()]);
            let mut next = vec![0; lines.len()];
            let in_turn = order.iter().copied().chain((0..lines.len()).cycle().take(40));
            for stream in in_turn.filter(|stream| *stream < lines.len()) {
                let Some(piece) = lines[stream].get(next[stream]) else { continue };
                let key = [u8::try_from(stream).unwrap()];
                next[stream] += 1;
                if next[stream] < lines[stream].len() {
                    joins.add(&key, piece.as_bytes());
                    continue;
                }
                let mut out = Vec::new();
                whole[stream] = Some(match joins.finish(&key, piece.as_bytes(), &mut out) {
                    Joined::Alone => (piece.clone().into_bytes(), 0),
                    Joined::Whole { pieces } => (out, pieces),
                    Joined::TooLong { .. } => unreachable!("they are short"),
                });
            }
            for (line, whole) in lines.iter().zip(whole) {
                prop_assert_eq!(whole, Some((line.concat().into_bytes(), line.len() as u64 - 1)));
            }
            prop_assert!(joins.is_empty());
        }
    }
}
