//! Chunks: whole lines on their way from the reader to the counting thread, in recycled buffers.

use crate::input::follow::place::Place;
use crate::limits::CHUNKS_MAX;
use crate::self_metrics::SelfMetrics;
use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};
use std::sync::Arc;
use std::time::Instant;

/// Whole lines in a buffer that goes back to the reader.
#[derive(Debug)]
pub struct Chunk {
    pub(super) buffer: Vec<u8>,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Lines longer than LINE_BYTES_MAX that ended in this chunk; their bytes are not in it.
    pub oversized: u64,
    /// Of a followed file; all lines of a chunk are of one.
    pub origin: Option<Origin>,
}

/// The followed file that a chunk is of, and what has to be kept with its counts to go on behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The name by which it is followed.
    pub file: Arc<str>,
    /// The key of the place.
    pub key: Arc<str>,
    /// Where in the file the chunk begins.
    pub from: u64,
    /// The lines have been counted before, and are read for the sake of pieces whose last one comes behind them.
    pub is_again: bool,
    /// None where the file has been read for good.
    pub place: Option<Place>,
    /// Greater than that of whoever has followed the file before.
    pub version: u64,
}

impl Chunk {
    /// Lines, each with its newline. Empty in a chunk that tells of oversized lines or of a place and of nothing else.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }
}

/// Where the counting thread gets its chunks. Disconnected means end of input.
#[derive(Debug)]
pub struct ChunkReceiver {
    pub chunks: Receiver<Chunk>,
    emptied: Sender<Vec<u8>>,
}

impl ChunkReceiver {
    /// Every chunk has to be given back, or the reader runs out of buffers.
    pub fn give_back(&self, chunk: Chunk) {
        // The channel cannot be full, and a reader that is gone needs no buffers.
        let _ = self.emptied.try_send(chunk.buffer);
    }
}

/// The reader's end of the same.
#[derive(Debug)]
pub struct ChunkSender {
    chunks: Sender<Chunk>,
    pool: BufferPool,
    pub self_metrics: Arc<SelfMetrics>,
}

/// Buffers that were counted and can be filled again.
#[derive(Debug)]
struct BufferPool {
    emptied: Receiver<Vec<u8>>,
    /// How many may still be made: a log that is counted as fast as it comes needs two or three, and memory is cache.
    left_to_make: usize,
}

pub fn channels(self_metrics: Arc<SelfMetrics>) -> (ChunkSender, ChunkReceiver) {
    let (sender, chunks) = bounded(CHUNKS_MAX);
    let (back, emptied) = bounded(CHUNKS_MAX);
    let pool = BufferPool { emptied, left_to_make: CHUNKS_MAX };
    (ChunkSender { chunks: sender, pool, self_metrics }, ChunkReceiver { chunks, emptied: back })
}

impl ChunkSender {
    /// False when the counting thread is gone.
    pub fn send(&self, chunk: Chunk) -> bool {
        debug_assert!(chunk.bytes().is_empty() || chunk.bytes().ends_with(b"\n"), "a chunk is whole lines");
        // There are no more buffers than places in the channel, so this does not wait.
        self.chunks.send(chunk).is_ok()
    }

    /// An empty buffer; waits while all are filled and not yet counted. None when the counting thread is gone.
    pub fn empty_buffer(&mut self) -> Option<Vec<u8>> {
        match self.pool.emptied.try_recv() {
            Ok(buffer) => return Some(buffer),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) => {}
        }
        if self.pool.left_to_make > 0 {
            self.pool.left_to_make -= 1;
            return Some(Vec::new());
        }
        let since = Instant::now();
        let buffer = self.pool.emptied.recv().ok();
        self.self_metrics.input_wait_seconds.inc_by(since.elapsed().as_secs_f64());
        buffer
    }
}
