//! The way in: bytes of a source become chunks of whole lines.
//!
//! The reader waits for nothing but the counting of lines, and for a moment at most for the thread of the tee: not
//! for a lock, a scrape or a disk. Bytes are read straight into the buffer that becomes a chunk; what follows the last
//! newline is carried over to the next one. Nothing is done per line.

mod chunks;
pub mod compressed;
mod line_buffer;
pub mod source;
mod stdin;
pub mod tee;

pub use crate::input::chunks::{ChunkReceiver, ChunkSender, channels};

use crate::input::compressed::Decompressed;
use crate::input::line_buffer::LineBuffer;
use crate::input::source::{Readiness, Source};
use crate::input::stdin::Stdin;
use crate::input::tee::Tee;
use crate::input::tee::queue::TeeQueue;
use crate::limits::PIPE_BYTES;
use crate::os::{Signal, SignalPipe};
use std::fs::File;
use std::io;
use std::time::{Duration, Instant};

/// Why the reading ended. All lines have been sent by then.
#[derive(Debug)]
pub enum End {
    OfInput,
    /// SIGINT.
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// The counting thread is gone, which it never should be.
    Abandoned,
    Failed(io::Error),
}

/// What the first SIGTERM asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnTerminate {
    /// To read to the end of input, for a successor has taken over: until a second SIGTERM.
    Drain,
    /// To end as soon as the pipe is empty: nobody takes over.
    EndWhenEmpty,
    EndAtOnce,
}

/// Two SIGTERMs less than this apart are one: Apache's prefork sends two at once. A later one is a person's.
const TERMINATE_TWICE: Duration = Duration::from_secs(1);

/// Reads stdin to its end. `on_terminate` is called once, at the first SIGTERM.
pub fn run(
    input: &File,
    signals: &SignalPipe,
    tee: Option<Tee>,
    chunks: ChunkSender,
    on_terminate: impl FnMut() -> OnTerminate,
) -> End {
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
    let mut ending = Ending { on_terminate, terminated: None, how: None };
    let end = loop {
        let readiness = match source.wait(ending.how.is_some()) {
            Ok(readiness) => readiness,
            Err(error) => break End::Failed(error),
        };
        ending.hear(signals, &mut lines);
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

/// What signals have asked for so far.
struct Ending<F> {
    on_terminate: F,
    /// The first SIGTERM.
    terminated: Option<Instant>,
    how: Option<Ends>,
}

enum Ends {
    /// As soon as the pipe is empty, or so many bytes are read: all that was in it. Of a writer that never rests it is
    /// never empty.
    WhenEmpty {
        left: usize,
    },
    AtOnce,
    Interrupted,
}

impl<F: FnMut() -> OnTerminate> Ending<F> {
    fn hear(&mut self, signals: &SignalPipe, lines: &mut LineBuffer) {
        while let Some(signal) = signals.pending() {
            match signal {
                Signal::Hangup => lines.reopen(),
                Signal::Interrupt => {
                    lines.stop_waiting();
                    self.how = Some(Ends::Interrupted);
                }
                Signal::Terminate => {
                    lines.stop_waiting();
                    self.terminate();
                }
            }
        }
    }

    fn note_read(&mut self, bytes: usize) {
        if let Some(Ends::WhenEmpty { left }) = &mut self.how {
            *left = left.saturating_sub(bytes);
        }
    }

    fn terminate(&mut self) {
        const WHEN_EMPTY: Ends = Ends::WhenEmpty { left: PIPE_BYTES };
        let ends = match self.terminated {
            Some(since) => (since.elapsed() >= TERMINATE_TWICE).then_some(WHEN_EMPTY),
            None => {
                self.terminated = Some(Instant::now());
                match (self.on_terminate)() {
                    OnTerminate::Drain => None,
                    OnTerminate::EndWhenEmpty => Some(WHEN_EMPTY),
                    OnTerminate::EndAtOnce => Some(Ends::AtOnce),
                }
            }
        };
        self.how = self.how.take().or(ends);
    }
}

#[cfg(test)]
mod tests;
