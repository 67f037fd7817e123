//! Input: bytes of a source become chunks of whole lines.
//!
//! The reader waits for nothing but the counting of lines, and for a moment at most for the thread of the tee: not
//! for a lock, a scrape or a disk. Bytes are read straight into the buffer that becomes a chunk; what follows the last
//! newline is carried over to the next one. Nothing is done per line.

mod chunks;
pub mod compressed;
mod datagrams;
mod ending;
pub mod files;
pub mod follow;
mod frames;
mod line_buffer;
pub mod source;
mod stdin;
pub mod tee;

pub use crate::input::chunks::{Chunk, ChunkReceiver, ChunkSender, Origin, channels};
pub use crate::input::ending::{End, OnTerminate};
pub use crate::input::follow::place::Place;

use crate::input::compressed::Decompressed;
use crate::input::datagrams::Datagrams;
use crate::input::ending::{Ending, Ends};
use crate::input::line_buffer::LineBuffer;
use crate::input::source::{Readiness, Source};
use crate::input::stdin::Stdin;
use crate::input::tee::Tee;
use crate::input::tee::queue::TeeQueue;
use crate::os::SignalPipe;
use std::fs::File;
use std::io;

/// Reads stdin to its end. Of what a datagram socket has dropped, `dropped_before` were counted by others.
/// `on_terminate` is called once, at the first SIGTERM.
pub fn run(
    input: &File,
    dropped_before: u32,
    signals: &SignalPipe,
    tee: Option<Tee>,
    chunks: ChunkSender,
    on_terminate: impl FnMut() -> OnTerminate,
) -> End {
    if let Some(source) = Datagrams::new(input, dropped_before, signals, &chunks.self_metrics) {
        return run_source(source, signals, tee, chunks, on_terminate);
    }
    let source = Decompressed::new(Stdin::new(input, signals));
    run_source(source, signals, tee, chunks, on_terminate)
}

/// Reads a source to its end.
pub fn run_source(
    mut source: impl Source,
    signals: &SignalPipe,
    tee: Option<Tee>,
    chunks: ChunkSender,
    on_terminate: impl FnMut() -> OnTerminate,
) -> End {
    let tee = tee.map(|tee| TeeQueue::start(tee, signals.stop_flag()));
    let mut lines = LineBuffer::new(chunks, tee, line_buffer::SIZES);
    let mut ending = Ending::new(on_terminate);
    let end = loop {
        let readiness = match source.wait(ending.how.is_some()) {
            Ok(readiness) => readiness,
            Err(error) => break End::Failed(error),
        };
        ending.take_signals(signals, lines.tee());
        match (&ending.how, readiness) {
            (Some(Ends::Interrupted), _) => break End::Interrupted,
            (Some(Ends::AtOnce | Ends::WhenEmpty { left: 0 }), _)
            | (Some(Ends::WhenEmpty { .. }), Readiness::Nothing) => break End::Terminated,
            (_, Readiness::Nothing) => continue,
            (_, Readiness::Readable) => {}
        }
        match source.read(lines.room()) {
            Ok(0) => break End::OfInput,
            Ok(read) if lines.take(read) => ending.note_read(read),
            Ok(_) => break End::Abandoned,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break End::Failed(error),
        }
    };
    lines.finish();
    end
}

#[cfg(test)]
mod tests;
