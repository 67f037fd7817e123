//! Datagram sockets: what kind a descriptor is, its receive buffer, and how many datagrams the kernel has dropped.
//!
//! Sources: socket(7), sock_diag(7) for SO_MEMINFO, recvmmsg(2).

use nix::libc;
use nix::sys::socket::{MsgFlags, MultiHeaders, SockType, getsockopt, recvmmsg, setsockopt, sockopt};
use std::collections::VecDeque;
use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd};

pub fn is_datagram_socket(fd: impl AsFd) -> bool {
    getsockopt(&fd, sockopt::SockType).is_ok_and(|kind| kind == SockType::Datagram)
}

/// Enlarges the receive buffer: by force where that is allowed, else as far as net.core.rmem_max lets. One that is as
/// large already, from the socket unit or since we were root, would be made smaller by that.
pub fn enlarge_receive_buffer(fd: impl AsFd, bytes: usize) {
    let is_smaller = getsockopt(&fd, sockopt::RcvBuf).is_ok_and(|now| now < bytes);
    if is_smaller && is_datagram_socket(&fd) && setsockopt(&fd, sockopt::RcvBufForce, &bytes).is_err() {
        // What is left is the size that the system gives.
        let _ = setsockopt(&fd, sockopt::RcvBuf, &bytes);
    }
}

/// Takes many datagrams with one system call.
pub struct Receiver {
    headers: MultiHeaders<()>,
    /// Room for each. What no datagram needs is never touched, and so no memory.
    room: Vec<u8>,
    bytes_each: usize,
    /// The lengths of those that were taken and not handed out.
    lengths: VecDeque<usize>,
    /// Which of them is the next.
    next: usize,
}

impl Receiver {
    pub fn new(datagrams: usize, bytes_each: usize) -> Receiver {
        let (headers, room) = (MultiHeaders::preallocate(datagrams, None), vec![0; datagrams * bytes_each]);
        Receiver { headers, room, bytes_each, lengths: VecDeque::with_capacity(datagrams), next: 0 }
    }

    /// Takes those that are there, without waiting; what was taken before must have been handed out.
    pub fn receive(&mut self, fd: impl AsFd) -> io::Result<()> {
        let mut slices: Vec<[IoSliceMut; 1]> =
            self.room.chunks_mut(self.bytes_each).map(|room| [IoSliceMut::new(room)]).collect();
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_TRUNC;
        let received = recvmmsg(fd.as_fd().as_raw_fd(), &mut self.headers, slices.iter_mut(), flags, None)?;
        self.next = 0;
        self.lengths.clear();
        self.lengths.extend(received.map(|datagram| datagram.bytes));
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// The length of the next one, which is more than there was room for where it was cut.
    pub fn next_length(&self) -> Option<usize> {
        self.lengths.front().copied()
    }

    /// Hands out the next one, as far as there was room for it.
    pub fn take(&mut self) -> &[u8] {
        let length = self.lengths.pop_front().unwrap_or(0).min(self.bytes_each);
        let start = self.next * self.bytes_each;
        self.next += 1;
        self.room.get(start..start + length).unwrap_or_default()
    }
}

/// Datagrams that the kernel has dropped since the socket was made, for want of room; it wraps.
#[allow(unsafe_code)]
pub fn dropped(fd: impl AsFd) -> Option<u32> {
    const SK_MEMINFO_DROPS: usize = 8;
    let mut figures = [0u32; SK_MEMINFO_DROPS + 1];
    let mut length = libc::socklen_t::try_from(size_of_val(&figures)).ok()?;
    // SAFETY: the kernel writes at most `length` bytes, which is the size of the array that the pointer leads to.
    let failed = unsafe {
        libc::getsockopt(
            fd.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_MEMINFO,
            figures.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    (failed == 0).then_some(figures[SK_MEMINFO_DROPS])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receive_buffer_is_never_made_smaller() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let size = || getsockopt(&socket, sockopt::RcvBuf).unwrap();
        setsockopt(&socket, sockopt::RcvBuf, &4096).unwrap();
        enlarge_receive_buffer(&socket, 100_000);
        let enlarged = size();
        assert!(enlarged >= 100_000, "{enlarged}");
        enlarge_receive_buffer(&socket, 50_000);
        assert_eq!(size(), enlarged);
    }
}
