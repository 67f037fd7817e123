//! How reading ends: what signals ask of the reader, an end now, an end when nothing is left, or draining.

use crate::input::tee::queue::TeeQueue;
use crate::limits::PIPE_BYTES;
use crate::os::{Signal, SignalPipe};
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
    /// A file could not be read, which has been said; the others are.
    Incomplete,
    /// The counting thread is gone, which is a fault of the program.
    Abandoned,
    Failed(io::Error),
}

/// What the first SIGTERM asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnTerminate {
    /// To read to the end of input, for a successor has taken over: until a second SIGTERM.
    Drain,
    /// To end as soon as the pipe is empty: there is no successor.
    EndWhenEmpty,
    EndAtOnce,
}

/// Two SIGTERMs less than this apart are one: Apache's prefork sends two at once. A later one is a person's.
pub const TERMINATE_TWICE: Duration = Duration::from_secs(1);

/// What signals have asked for so far.
#[derive(Debug)]
pub struct Ending<F> {
    on_terminate: F,
    /// The first SIGTERM.
    terminated: Option<Instant>,
    pub how: Option<Ends>,
}

/// How it ends.
#[derive(Clone, Copy, Debug)]
pub enum Ends {
    /// As soon as the pipe is empty, or so many bytes are read: all that was in it. With a writer that never stops
    /// it is never empty.
    WhenEmpty {
        left: usize,
    },
    AtOnce,
    Interrupted,
}

impl<F: FnMut() -> OnTerminate> Ending<F> {
    pub fn new(on_terminate: F) -> Ending<F> {
        Ending { on_terminate, terminated: None, how: None }
    }

    /// Takes the signals that have come. True where files may have new names.
    pub fn take_signals(&mut self, signals: &SignalPipe, mut tee: Option<&mut TeeQueue>) -> bool {
        let mut are_renamed = false;
        while let Some(signal) = signals.pending() {
            match signal {
                Signal::Hangup => {
                    are_renamed = true;
                    // The next bytes go to the file that has the tee's name then.
                    if let Some(tee) = &mut tee {
                        tee.reopen();
                    }
                }
                Signal::Interrupt => self.how = Some(Ends::Interrupted),
                Signal::Terminate => self.terminate(),
            }
        }
        are_renamed
    }

    pub fn note_read(&mut self, bytes: usize) {
        if let Some(Ends::WhenEmpty { left }) = &mut self.how {
            *left = left.saturating_sub(bytes);
        }
    }

    /// Whether SIGTERM has come.
    pub fn is_terminated(&self) -> bool {
        self.terminated.is_some()
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
