//! Self-pipe: other threads wake the reactor, which waits in poll(2), by a byte in a socket pair.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

/// The end that wakes.
#[derive(Debug)]
pub struct Waker(UnixStream);

/// The end that is waited for.
#[derive(Debug)]
pub struct WakeReceiver(UnixStream);

/// Both ends; neither ever waits for the other.
pub fn pair() -> io::Result<(Waker, WakeReceiver)> {
    let (waker, receiver) = UnixStream::pair()?;
    waker.set_nonblocking(true)?;
    receiver.set_nonblocking(true)?;
    Ok((Waker(waker), WakeReceiver(receiver)))
}

impl Waker {
    /// A full socket refuses the byte: then there are enough of them to wake the reactor.
    pub fn wake(&self) {
        let _ = (&self.0).write(&[1]);
    }

    pub fn try_clone(&self) -> io::Result<Waker> {
        self.0.try_clone().map(Waker)
    }
}

impl WakeReceiver {
    /// Takes the bytes that have come; what is left wakes again.
    pub fn drain(&self) {
        let _ = (&self.0).read(&mut [0; 64]);
    }
}

impl AsFd for WakeReceiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
