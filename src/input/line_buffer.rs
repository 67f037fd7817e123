//! Line buffer: cuts what was read into chunks of whole lines, gives them to the tee and then to the counting thread.
//!
//! It owns the buffer that is being filled. A line longer than LINE_BYTES_MAX is passed through the tee as it
//! comes and is never held: in the chunk it is only a number.

use crate::input::chunks::{Chunk, ChunkSender};
use crate::input::tee::queue::TeeQueue;
use crate::limits::{CHUNK_BYTES, LINE_BYTES_MAX};

/// Sizes as one value, so that tests need no megabytes.
#[derive(Clone, Copy)]
pub struct Sizes {
    /// The least room for one read.
    pub chunk: usize,
    /// Room for the unfinished line that begins a buffer; longer ones make that buffer grow.
    pub tail: usize,
    /// The longest line that is held.
    pub line_max: usize,
}

pub const SIZES: Sizes = Sizes { chunk: CHUNK_BYTES, tail: 1 << 16, line_max: LINE_BYTES_MAX };

// Only the first line of a buffer may be oversized: one that began after it was read in one read.
const _: () = assert!(2 * SIZES.chunk + SIZES.tail <= SIZES.line_max);

pub struct LineBuffer {
    chunks: ChunkSender,
    tee: Option<TeeQueue>,
    sizes: Sizes,
    /// All of it initialised; `..end` was read and not sent, and between calls holds no newline.
    buffer: Vec<u8>,
    end: usize,
    /// The unfinished line on its way from one buffer to the next.
    tail: Vec<u8>,
    /// The line being read is oversized: what was read of it is gone already.
    skipping: bool,
    /// Oversized lines ended since the last chunk.
    oversized: u64,
}

impl LineBuffer {
    pub fn new(mut chunks: ChunkSender, tee: Option<TeeQueue>, sizes: Sizes) -> LineBuffer {
        // One of the CHUNKS_MAX, so that sending never finds the channel full.
        let (buffer, tail) = (chunks.empty_buffer().unwrap_or_default(), Vec::new());
        let mut lines =
            LineBuffer { chunks, tee, sizes, buffer, end: 0, tail, skipping: false, oversized: 0 };
        lines.make_room(0);
        lines
    }

    pub fn tee(&mut self) -> Option<&mut TeeQueue> {
        self.tee.as_mut()
    }

    /// Where to read to.
    pub fn room(&mut self) -> &mut [u8] {
        &mut self.buffer[self.end..]
    }

    /// Takes over what was read into `room`. False when the counting thread is gone.
    pub fn take(&mut self, read: usize) -> bool {
        self.chunks.self_metrics.input_bytes.inc_by(read as u64);
        let fresh = self.end;
        self.end += read;
        let start = if self.skipping || self.end > self.sizes.line_max { self.skip(fresh) } else { 0 };
        let fresh = fresh.max(start);
        match self.buffer[fresh..self.end].iter().rposition(|byte| *byte == b'\n') {
            Some(last) => self.cut(start, fresh + last + 1),
            None if self.oversized > 0 => self.cut(start, start),
            None => {
                self.buffer.copy_within(start..self.end, 0);
                self.end -= start;
                self.make_room(self.end);
                true
            }
        }
    }

    /// Passes an oversized first line on, or as much of it as is there, and gives back where the next line
    /// begins.
    fn skip(&mut self, fresh: usize) -> usize {
        let newline =
            self.buffer[fresh..self.end].iter().position(|byte| *byte == b'\n').map(|at| fresh + at);
        if !self.skipping && newline.unwrap_or(self.end) <= self.sizes.line_max {
            return 0;
        }
        let past = newline.map_or(self.end, |at| at + 1);
        self.skipping = newline.is_none();
        self.oversized += u64::from(newline.is_some());
        self.pass(0, past);
        past
    }

    /// Sends the lines and goes on in another buffer with what follows them.
    fn cut(&mut self, start: usize, past: usize) -> bool {
        self.pass(start, past);
        self.tail.clear();
        self.tail.extend_from_slice(&self.buffer[past..self.end]);
        self.end = 0;
        let buffer = std::mem::take(&mut self.buffer);
        let oversized = std::mem::take(&mut self.oversized);
        let sent = self.chunks.send(Chunk { buffer, start, end: past, oversized, origin: None });
        let Some(buffer) = self.chunks.empty_buffer().filter(|_| sent) else { return false };
        self.buffer = buffer;
        self.end = self.tail.len();
        self.make_room(self.end);
        self.buffer[..self.end].copy_from_slice(&self.tail);
        true
    }

    /// To the tee, before anything is counted.
    fn pass(&mut self, start: usize, end: usize) {
        if let Some(tee) = &mut self.tee {
            tee.write(&self.buffer[start..end]);
        }
    }

    /// Gives the buffer its usual size, or as much more as the line being read needs.
    fn make_room(&mut self, held: usize) {
        let usual = self.sizes.tail + self.sizes.chunk;
        let wanted = (held + self.sizes.chunk).next_multiple_of(usual);
        if self.buffer.is_empty() {
            // Unlike a resize this touches no page before it is read to.
            self.buffer = vec![0; wanted];
        } else if self.buffer.len() != wanted {
            self.buffer.resize(wanted, 0);
            self.buffer.shrink_to_fit();
        }
    }

    /// Sends what is left. A last line without a newline is a line; the tee gets it as it came.
    pub fn finish(mut self) {
        let mut end = self.end;
        if end > 0 {
            self.pass(0, end);
            self.buffer[end] = b'\n';
            end += 1;
        }
        let oversized = self.oversized + u64::from(self.skipping);
        if end > 0 || oversized > 0 {
            self.chunks.send(Chunk { buffer: self.buffer, start: 0, end, oversized, origin: None });
        }
        // The counting goes on meanwhile.
        if let Some(tee) = self.tee {
            tee.finish();
        }
    }
}
