//! Stdin as a datagram socket: each datagram is a line, with a newline of its own or without; the end is a signal's.
//!
//! nginx's `access_log syslog:` sends a datagram for each request and no newline. An empty datagram ends nothing:
//! else any sender could end the process.

use crate::input::source::{Readiness, Source};
use crate::limits::DATAGRAM_BYTES_MAX;
use crate::os::{SignalPipe, datagrams};
use crate::self_metrics::SelfMetrics;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;

/// What the receive buffer is enlarged to: 13,000 datagrams of 200 bytes.
const RECEIVE_BUFFER_BYTES: usize = 8 << 20;

pub struct Datagrams<'a> {
    socket: &'a File,
    signals: &'a SignalPipe,
    /// What the kernel had dropped when it was asked last.
    dropped: u32,
    self_metrics: Arc<SelfMetrics>,
}

impl<'a> Datagrams<'a> {
    /// None where stdin is no such socket.
    pub fn new(
        socket: &'a File,
        signals: &'a SignalPipe,
        self_metrics: &Arc<SelfMetrics>,
    ) -> Option<Datagrams<'a>> {
        if !datagrams::is_datagram_socket(socket) {
            return None;
        }
        datagrams::enlarge_receive_buffer(socket, RECEIVE_BUFFER_BYTES);
        self_metrics.show_datagrams();
        let dropped = datagrams::dropped(socket).unwrap_or(0);
        Some(Datagrams { socket, signals, dropped, self_metrics: self_metrics.clone() })
    }

    /// Whatever was dropped was so because there was something to read: so it is asked for after each reading.
    fn count_dropped(&mut self) {
        if let Some(dropped) = datagrams::dropped(self.socket) {
            let news = dropped.wrapping_sub(std::mem::replace(&mut self.dropped, dropped));
            self.self_metrics.datagrams_lost.inc_by(u64::from(news));
        }
    }
}

impl Source for Datagrams<'_> {
    fn wait(&mut self, ending: bool) -> io::Result<Readiness> {
        let timeout = if ending { PollTimeout::ZERO } else { PollTimeout::NONE };
        let interest = PollFlags::POLLIN;
        let mut fds =
            [PollFd::new(self.socket.as_fd(), interest), PollFd::new(self.signals.as_fd(), interest)];
        while let Err(error) = poll(&mut fds, timeout) {
            if error != Errno::EINTR {
                return Err(error.into());
            }
        }
        let [socket, signals] = fds.each_ref().map(|fd| fd.any().unwrap_or(true));
        if signals {
            self.signals.drain();
        }
        Ok(if socket { Readiness::Readable } else { Readiness::Nothing })
    }

    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let mut end = 0;
        // There is always room for one: what was read before ended in newlines, so no line is carried over.
        while end == 0 || room.len() - end > DATAGRAM_BYTES_MAX {
            let space = room.len() - end - 1;
            match datagrams::receive(self.socket, &mut room[end..end + space]) {
                Ok(0) => {}
                Ok(length) if length > space => self.self_metrics.datagrams_lost.inc(),
                Ok(length) => {
                    end += length;
                    if room[end - 1] != b'\n' {
                        room[end] = b'\n';
                        end += 1;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // Of a datagram that we have not sent: the socket is in order.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                Err(error) => return Err(error),
            }
        }
        self.count_dropped();
        if end > 0 { Ok(end) } else { Err(io::ErrorKind::Interrupted.into()) }
    }
}
