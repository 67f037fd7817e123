//! Sink: what is read of files on its way into chunks, through the tee.

use crate::input::chunks::{Chunk, ChunkSender, Origin};
use crate::input::tee::queue::TeeQueue;
use crate::limits::CHUNK_BYTES;

#[derive(Debug)]
pub struct Sink {
    chunks: ChunkSender,
    pub tee: Option<TeeQueue>,
    /// Where files are read to; none when the counting thread is gone.
    buffer: Option<Vec<u8>>,
}

impl Sink {
    pub fn new(mut chunks: ChunkSender, tee: Option<TeeQueue>) -> Sink {
        let buffer = chunks.empty_buffer();
        Sink { chunks, tee, buffer }
    }

    pub fn is_open(&self) -> bool {
        self.buffer.is_some()
    }

    /// Room for so many bytes, and one more for a newline.
    pub fn room(&mut self, bytes: usize) -> &mut [u8] {
        let Some(buffer) = &mut self.buffer else { return &mut [] };
        let wanted = bytes.max(CHUNK_BYTES) + 1;
        if buffer.is_empty() {
            // Unlike a resize this touches no page before it is read to.
            *buffer = vec![0; wanted];
        } else if buffer.len() != wanted {
            buffer.resize(wanted, 0);
            buffer.shrink_to_fit();
        }
        buffer
    }

    /// Counts bytes that were read for the first time.
    pub fn note_read(&self, bytes: usize) {
        self.chunks.self_metrics.input_bytes.inc_by(bytes as u64);
    }

    /// Passes bytes on that will not be in a chunk: of a line that is longer than any may be.
    pub fn pass(&mut self, start: usize, end: usize) {
        if let (Some(tee), Some(buffer)) = (&mut self.tee, &self.buffer) {
            tee.write(&buffer[start..end]);
        }
    }

    /// Sends what stands in the room between two places: whole lines.
    pub fn send(&mut self, start: usize, end: usize, oversized: u64, origin: Origin) {
        if !origin.is_again {
            self.pass(start, end);
        }
        let Some(buffer) = self.buffer.take() else { return };
        let sent = self.chunks.send(Chunk { buffer, start, end, oversized, origin: Some(origin) });
        self.buffer = self.chunks.empty_buffer().filter(|_| sent);
    }

    /// Tells that a file has been read for good.
    pub fn tell_end(&mut self, file: &str, key: String) {
        let (file, key) = (file.into(), key.into());
        self.send(0, 0, 0, Origin { file, key, from: 0, is_again: false, place: None, version: 0 });
    }

    /// The end.
    pub fn finish(self) {
        drop(self.chunks);
        if let Some(tee) = self.tee {
            tee.finish();
        }
    }
}
