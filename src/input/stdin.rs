//! Stdin as a source: poll(2) together with the signals, and coalescing of a trickle into fewer reads.
//!
//! Never O_NONBLOCK: the server holds the same open file description and hands it to our successor, which would inherit
//! the flag; poll(2) does the same job. Sources: pipe(7), poll(2), read(2).

use crate::input::source::{Readiness, Source};
use crate::limits::{COALESCE_MAX, PIPE_BYTES};
use crate::os::{SignalPipe, enlarge_pipe};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::time::{Duration, Instant};

/// Stdin, and when to read it.
///
/// Waking for every line is what a trickle costs. So after a read that brought little, the reader sleeps with
/// no interest in more input - poll(2) reports the end of input all the same - and lets lines coalesce in the
/// pipe.
pub struct Stdin<'a> {
    input: &'a File,
    signals: &'a SignalPipe,
    /// A regular file is always readable: no poll, no coalescing.
    regular: bool,
    /// Coalesce at most this long: as long as the pipe has room for.
    coalesce_max: Duration,
    /// Coalesce this long before the next read.
    coalesce: Duration,
    /// More than this in one read is no trickle.
    little: usize,
    last_read: Instant,
}

/// The shortest coalescing; doubled from read to read, so that the first read of a fast stream, which brings
/// little because the writer has only begun, costs one millisecond and not twenty.
const COALESCE_MIN: Duration = Duration::from_millis(1);

impl<'a> Stdin<'a> {
    pub fn new(input: &'a File, signals: &'a SignalPipe) -> Stdin<'a> {
        let pipe = enlarge_pipe(input, PIPE_BYTES);
        let regular = input.metadata().is_ok_and(|meta| meta.is_file() || meta.file_type().is_block_device());
        // Whatever its size, the pipe then fills while we sleep only at 50 MB a second, and a rate above an
        // eighth of that is no trickle any more.
        let capacity = pipe.unwrap_or(0).min(PIPE_BYTES);
        let share = u32::try_from(PIPE_BYTES / capacity.max(1)).unwrap_or(u32::MAX);
        let coalesce_max = if pipe.is_some() { COALESCE_MAX / share } else { Duration::ZERO };
        let (last_read, little) = (Instant::now(), capacity / 8);
        Stdin { input, signals, regular, coalesce_max, coalesce: Duration::ZERO, little, last_read }
    }

    /// Which of stdin and the signal pipe are readable.
    fn poll(&self, interest: PollFlags, timeout: PollTimeout) -> io::Result<(bool, bool)> {
        let mut fds =
            [PollFd::new(self.input.as_fd(), interest), PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        // One of our signals makes the signal pipe readable too, which the next round sees.
        while let Err(error) = poll(&mut fds, timeout) {
            if error != Errno::EINTR {
                return Err(error.into());
            }
        }
        let any = |fd: &PollFd| fd.any().unwrap_or(true);
        let (stdin, signals) = (any(&fds[0]), any(&fds[1]));
        if signals {
            self.signals.drain();
        }
        Ok((stdin, signals))
    }

    /// Decides whether a read was small, and if so, whether the writer is slow or we were only fast.
    fn pace(&mut self, read: usize) {
        let now = Instant::now();
        let elapsed = now - std::mem::replace(&mut self.last_read, now);
        // As a rate: read / elapsed < little / coalesce_max.
        let slow = (read as u128) * self.coalesce_max.as_nanos() < (self.little as u128) * elapsed.as_nanos();
        self.coalesce = if slow && read < self.little {
            (self.coalesce * 2).clamp(COALESCE_MIN.min(self.coalesce_max), self.coalesce_max)
        } else {
            Duration::ZERO
        };
    }
}

impl Source for Stdin<'_> {
    fn wait(&mut self, ending: bool) -> io::Result<Readiness> {
        if self.regular {
            return Ok(Readiness::Readable);
        }
        if self.coalesce > Duration::ZERO && !ending {
            let coalesce = PollTimeout::try_from(self.coalesce).unwrap_or(PollTimeout::ZERO);
            let (stdin, signals) = self.poll(PollFlags::empty(), coalesce)?;
            if stdin || signals {
                // A signal is looked at first, and the coalescing is then over.
                self.coalesce = Duration::ZERO;
                return Ok(readiness(stdin));
            }
        }
        let timeout = if ending { PollTimeout::ZERO } else { PollTimeout::NONE };
        Ok(readiness(self.poll(PollFlags::POLLIN, timeout)?.0))
    }

    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let mut input = self.input;
        let read = input.read(room)?;
        if self.coalesce_max > Duration::ZERO {
            self.pace(read);
        }
        Ok(read)
    }
}

fn readiness(is_readable: bool) -> Readiness {
    if is_readable { Readiness::Readable } else { Readiness::Nothing }
}
