//! Pipes: their size, and writes to stdout and stderr that do not wait for the reader.
//!
//! The open file description of stdout is the shell's or the server's as well, so never O_NONBLOCK. A pipe that poll(2)
//! calls writable has room for PIPE_BUF bytes, so a write of no more than that does not wait, and whole lines of that
//! length stay whole among other writers; a socket takes MSG_DONTWAIT. What is left, terminals and files, is written
//! plainly. Sources: pipe(7), poll(2), send(2), fcntl(2).

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc::PIPE_BUF;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, send};
use nix::sys::stat::{SFlag, fstat};
use nix::unistd::write;
use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// Enlarges the pipe and gives back its size, which is the old one where enlarging is not allowed. None: not
/// a pipe.
pub fn enlarge_pipe(fd: impl AsFd, bytes: usize) -> Option<usize> {
    let size = |arg| fcntl(&fd, arg).ok().and_then(|size| usize::try_from(size).ok());
    let now = size(FcntlArg::F_GETPIPE_SZ)?;
    let wanted = i32::try_from(bytes).ok().filter(|_| now < bytes);
    wanted.map(FcntlArg::F_SETPIPE_SZ).and_then(size).or(Some(now))
}

/// How a write is kept from waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteMode {
    Plain,
    Pipe,
    Socket,
}

impl WriteMode {
    pub fn of(fd: impl AsFd) -> WriteMode {
        match fstat(fd).map(|stat| SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT) {
            Ok(SFlag::S_IFIFO) => WriteMode::Pipe,
            Ok(SFlag::S_IFSOCK) => WriteMode::Socket,
            _ => WriteMode::Plain,
        }
    }

    /// Writes some of the bytes, or finds that this would have to wait: WouldBlock.
    pub fn write(self, fd: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
        match self {
            WriteMode::Plain => Ok(write(&fd, bytes)?),
            WriteMode::Pipe if is_writable(&fd, PollTimeout::ZERO) => {
                Ok(write(&fd, &bytes[..whole_lines(bytes)])?)
            }
            WriteMode::Pipe => Err(io::ErrorKind::WouldBlock.into()),
            WriteMode::Socket => {
                let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
                send(fd.as_fd().as_raw_fd(), bytes, flags).map_err(io::Error::from)
            }
        }
    }
}

/// Whether stdin is a pipe or a socket: then another process writes to it.
pub fn stdin_has_writer() -> bool {
    WriteMode::of(io::stdin()) != WriteMode::Plain
}

/// Waits until there is room, a signal comes or the time is over. A reader that has gone is told by the next write.
pub fn is_writable(fd: impl AsFd, timeout: PollTimeout) -> bool {
    let mut fds = [PollFd::new(fd.as_fd(), PollFlags::POLLOUT)];
    poll(&mut fds, timeout).is_ok_and(|ready| ready > 0)
}

/// As many bytes as go in one write without waiting, and no line cut that need not be.
fn whole_lines(bytes: &[u8]) -> usize {
    let most = &bytes[..bytes.len().min(PIPE_BUF)];
    most.iter().rposition(|byte| *byte == b'\n').map_or(most.len(), |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_is_enlarged_and_nothing_else_is() {
        let (reader, _writer) = io::pipe().unwrap();
        assert_eq!(enlarge_pipe(&reader, 1 << 17), Some(1 << 17));
        assert_eq!(enlarge_pipe(&reader, 1 << 16), Some(1 << 17), "never made smaller");
        assert_eq!(enlarge_pipe(std::fs::File::open("/dev/null").unwrap(), 1 << 17), None);
    }
}
