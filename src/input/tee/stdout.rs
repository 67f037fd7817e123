//! Passes bytes on to stdout, which others may share and whose reader may stop reading.
//!
//! It owns nothing: stdout's open file description is the shell's or the server's as well, so never O_NONBLOCK. A pipe
//! that poll(2) calls writable has room for PIPE_BUF bytes, so a write of no more than that does not wait, and whole
//! lines of that length stay whole among other writers; a socket takes MSG_DONTWAIT. What is left, terminals and files,
//! is written plainly. Sources: pipe(7), poll(2), send(2).

use nix::libc::PIPE_BUF;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, send};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::FileTypeExt;

/// How a write is kept from waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Plain,
    Pipe,
    Socket,
}

impl Way {
    pub fn of(file: &File) -> Way {
        match file.metadata().map(|meta| meta.file_type()) {
            Ok(kind) if kind.is_fifo() => Way::Pipe,
            Ok(kind) if kind.is_socket() => Way::Socket,
            _ => Way::Plain,
        }
    }

    /// Writes some of the bytes, or finds that this would have to wait: WouldBlock.
    pub fn write(self, mut file: &File, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Way::Plain => file.write(bytes),
            Way::Pipe if is_writable(file, PollTimeout::ZERO) => file.write(&bytes[..whole_lines(bytes)]),
            Way::Pipe => Err(io::ErrorKind::WouldBlock.into()),
            Way::Socket => {
                let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
                send(file.as_raw_fd(), bytes, flags).map_err(io::Error::from)
            }
        }
    }
}

/// Waits until there is room, a signal comes or the time is over. A reader that has gone is told by the next write.
pub fn is_writable(file: &File, timeout: PollTimeout) -> bool {
    let mut fds = [PollFd::new(file.as_fd(), PollFlags::POLLOUT)];
    poll(&mut fds, timeout).is_ok_and(|ready| ready > 0)
}

/// As many bytes as go in one write without waiting, and no line cut that need not be.
fn whole_lines(bytes: &[u8]) -> usize {
    let most = &bytes[..bytes.len().min(PIPE_BUF)];
    most.iter().rposition(|byte| *byte == b'\n').map_or(most.len(), |at| at + 1)
}
