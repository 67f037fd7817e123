//! Datagram sockets: what kind a descriptor is, its receive buffer, and how many datagrams the kernel has dropped.
//!
//! Sources: socket(7), sock_diag(7) for SO_MEMINFO, recv(2).

use nix::libc;
use nix::sys::socket::{MsgFlags, SockType, getsockopt, recv, setsockopt, sockopt};
use std::io;
use std::os::fd::{AsFd, AsRawFd};

pub fn is_datagram_socket(fd: impl AsFd) -> bool {
    getsockopt(&fd, sockopt::SockType).is_ok_and(|kind| kind == SockType::Datagram)
}

/// Enlarges the receive buffer: by force where that is allowed, else as far as net.core.rmem_max lets.
pub fn enlarge_receive_buffer(fd: impl AsFd, bytes: usize) {
    if setsockopt(&fd, sockopt::RcvBufForce, &bytes).is_err() {
        // What is left is the size that the system gives.
        let _ = setsockopt(&fd, sockopt::RcvBuf, &bytes);
    }
}

/// Takes one datagram, without waiting, and gives its length, which is more than the room where it was cut.
pub fn receive(fd: impl AsFd, room: &mut [u8]) -> io::Result<usize> {
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_TRUNC;
    Ok(recv(fd.as_fd().as_raw_fd(), room, flags)?)
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
