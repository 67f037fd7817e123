//! The way in: bytes from stdin become chunks of whole lines.
//!
//! It owns file descriptor 0, the tee and the signals, and must never wait for anything but the counting of
//! lines: not for a lock, a scrape or the room on a disk. Bytes are read straight into the buffer that
//! becomes a chunk; what follows the last newline is carried over to the next one. Nothing is done per line.
//! Never O_NONBLOCK: the server holds the same open file description and hands it to our successor, which
//! would inherit the flag; poll(2) does the same job. Sources: pipe(7), poll(2), read(2).

mod line_buffer;
pub mod tee;

use crate::limits::{CHUNKS_MAX, GATHER, PIPE_BYTES};
use crate::os;
use crate::os::{Bell, Event};
use crate::self_metrics::SelfMetrics;
use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::input::line_buffer::Lines;
use crate::input::tee::Tee;

/// Whole lines in a buffer that goes back to the reader.
#[derive(Debug)]
pub struct Chunk {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Lines longer than LINE_BYTES_MAX that ended in this chunk; their bytes are not in it.
    pub oversized: u64,
}

impl Chunk {
    /// Lines, each with its newline. Empty only in a chunk that tells of oversized lines and of nothing else.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }
}

/// Where the counting thread gets its chunks. Disconnected means end of input.
#[derive(Debug)]
pub struct Inbox {
    pub chunks: Receiver<Chunk>,
    empties: Sender<Vec<u8>>,
}

impl Inbox {
    /// Every chunk has to be given back, or the reader runs out of buffers.
    pub fn give_back(&self, chunk: Chunk) {
        // Neither can the channel be full, nor does it matter when the reader is gone.
        let _ = self.empties.try_send(chunk.buffer);
    }
}

/// The reader's end of the same.
#[derive(Debug)]
pub struct Outbox {
    chunks: Sender<Chunk>,
    empties: Receiver<Vec<u8>>,
    /// Buffers not made yet: a log that is counted as fast as it comes needs two or three, and memory is
    /// cache.
    unmade: usize,
    self_metrics: Arc<SelfMetrics>,
}

pub fn channels(self_metrics: Arc<SelfMetrics>) -> (Outbox, Inbox) {
    let (chunks, inbox) = bounded(CHUNKS_MAX);
    let (back, empties) = bounded(CHUNKS_MAX);
    (Outbox { chunks, empties, unmade: CHUNKS_MAX, self_metrics }, Inbox { chunks: inbox, empties: back })
}

impl Outbox {
    /// False when the counting thread is gone.
    fn send(&self, chunk: Chunk) -> bool {
        debug_assert!(chunk.bytes().is_empty() || chunk.bytes().ends_with(b"\n"), "a chunk is whole lines");
        // There are no more buffers than places in the channel, so this does not wait.
        self.chunks.send(chunk).is_ok()
    }

    /// An empty buffer; waits while all are filled and not yet counted. None when the counting thread is
    /// gone.
    fn empty(&mut self) -> Option<Vec<u8>> {
        match self.empties.try_recv() {
            Ok(buffer) => return Some(buffer),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) => {}
        }
        if self.unmade > 0 {
            self.unmade -= 1;
            return Some(Vec::new());
        }
        let since = Instant::now();
        let buffer = self.empties.recv().ok();
        self.self_metrics.input_wait_seconds.inc_by(since.elapsed().as_secs_f64());
        buffer
    }
}

/// Why the reading ended. All lines have been sent by then.
#[derive(Debug)]
pub enum End {
    OfInput,
    /// SIGINT.
    Interrupted,
    /// A second SIGTERM, and the pipe is empty.
    Terminated,
    /// The counting thread is gone, which it never should be.
    Abandoned,
    Failed(io::Error),
}

/// Two SIGTERMs less than this apart are one: Apache's prefork sends two at once. A later one is a person's.
const TERMINATE_TWICE: Duration = Duration::from_secs(1);

/// Reads to the end. `retire` is called once, at the first SIGTERM: from then on the input is drained for a
/// successor.
pub fn run(input: &File, bell: &Bell, mut tee: Option<Tee>, outbox: Outbox, mut retire: impl FnMut()) -> End {
    let mut source = Source::new(input, bell);
    if let Some(tee) = &mut tee {
        tee.listen(bell.knock());
    }
    let mut lines = Lines::new(outbox, tee, line_buffer::SIZES);
    let mut retired: Option<Instant> = None;
    let mut ending = false;
    let end = loop {
        if let Err(error) = source.wait(ending) {
            break End::Failed(error);
        }
        let mut interrupted = false;
        while let Some(event) = bell.take() {
            if event != Event::Hangup {
                lines.hurry();
            }
            match event {
                Event::Hangup => lines.reopen(),
                Event::Interrupt => interrupted = true,
                Event::Terminate => match retired {
                    Some(since) => ending |= since.elapsed() >= TERMINATE_TWICE,
                    None => {
                        retired = Some(Instant::now());
                        retire();
                    }
                },
            }
        }
        match source.state {
            _ if interrupted => break End::Interrupted,
            State::Nothing if ending => break End::Terminated,
            State::Nothing => continue,
            State::Readable => {}
        }
        match source.read(lines.room()) {
            Ok(0) => break End::OfInput,
            Ok(read) if lines.take(read) => {}
            Ok(_) => break End::Abandoned,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break End::Failed(error),
        }
    };
    lines.finish();
    end
}

/// Whether there is something to read (the end of input included).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Nothing,
    Readable,
}

/// Stdin, and when to read it.
///
/// Waking for every line is what a trickle costs. So after a read that brought little, the reader sleeps with
/// no interest in more input - poll(2) reports the end of input all the same - and lets lines gather in the
/// pipe.
struct Source<'a> {
    input: &'a File,
    bell: &'a Bell,
    /// A regular file is always readable: no poll, no gathering.
    regular: bool,
    /// Gather at most this long: as long as the pipe has room for.
    gather_max: Duration,
    /// Gather this long before the next read.
    gather: Duration,
    /// More than this in one read is no trickle.
    little: usize,
    last_read: Instant,
    state: State,
}

/// The shortest gathering; doubled from read to read, so that the first read of a fast stream, which brings
/// little because the writer has only begun, costs one millisecond and not twenty.
const GATHER_MIN: Duration = Duration::from_millis(1);

impl<'a> Source<'a> {
    fn new(input: &'a File, bell: &'a Bell) -> Source<'a> {
        let pipe = os::enlarge_pipe(input, PIPE_BYTES);
        let regular = input.metadata().is_ok_and(|meta| meta.is_file() || meta.file_type().is_block_device());
        // Whatever its size, the pipe then fills while we sleep only at 50 MB a second, and a rate above an
        // eighth of that is no trickle any more.
        let capacity = pipe.unwrap_or(0).min(PIPE_BYTES);
        let share = u32::try_from(PIPE_BYTES / capacity.max(1)).unwrap_or(u32::MAX);
        let gather_max = if pipe.is_some() { GATHER / share } else { Duration::ZERO };
        let (last_read, little) = (Instant::now(), capacity / 8);
        let state = State::Nothing;
        Source { input, bell, regular, gather_max, gather: Duration::ZERO, little, last_read, state }
    }

    /// Waits for input or a signal; with `ending` it only looks. Sets `state`.
    fn wait(&mut self, ending: bool) -> io::Result<()> {
        self.state = State::Readable;
        if self.regular {
            return Ok(());
        }
        if self.gather > Duration::ZERO && !ending {
            let gather = PollTimeout::try_from(self.gather).unwrap_or(PollTimeout::ZERO);
            let (stdin, bell) = self.poll(PollFlags::empty(), gather)?;
            if stdin || bell {
                // A signal is looked at first, and the gathering is then over.
                self.gather = Duration::ZERO;
                self.state = if stdin { State::Readable } else { State::Nothing };
                return Ok(());
            }
        }
        let timeout = if ending { PollTimeout::ZERO } else { PollTimeout::NONE };
        if !self.poll(PollFlags::POLLIN, timeout)?.0 {
            self.state = State::Nothing;
        }
        Ok(())
    }

    /// Which of stdin and the bell have something to say.
    fn poll(&self, interest: PollFlags, timeout: PollTimeout) -> io::Result<(bool, bool)> {
        let mut fds =
            [PollFd::new(self.input.as_fd(), interest), PollFd::new(self.bell.as_fd(), PollFlags::POLLIN)];
        // A signal that is ours rings the bell too, which the next round sees.
        while let Err(error) = poll(&mut fds, timeout) {
            if error != Errno::EINTR {
                return Err(error.into());
            }
        }
        let any = |fd: &PollFd| fd.any().unwrap_or(true);
        let (stdin, bell) = (any(&fds[0]), any(&fds[1]));
        if bell {
            self.bell.hush();
        }
        Ok((stdin, bell))
    }

    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let mut input = self.input;
        let read = input.read(room)?;
        if self.gather_max > Duration::ZERO {
            self.pace(read);
        }
        Ok(read)
    }

    /// Decides whether a read was little, and if so, whether because the writer is slow or because we are
    /// quick.
    fn pace(&mut self, read: usize) {
        let now = Instant::now();
        let elapsed = now - std::mem::replace(&mut self.last_read, now);
        // As a rate: read / elapsed < little / gather_max.
        let slow = (read as u128) * self.gather_max.as_nanos() < (self.little as u128) * elapsed.as_nanos();
        self.gather = if slow && read < self.little {
            (self.gather * 2).clamp(GATHER_MIN.min(self.gather_max), self.gather_max)
        } else {
            Duration::ZERO
        };
    }
}

#[cfg(test)]
mod tests;
