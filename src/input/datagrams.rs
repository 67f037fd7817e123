//! Stdin as a datagram socket: each datagram is a line, with a newline of its own or without; the end is a signal's.
//!
//! nginx's `access_log syslog:` sends a datagram for each request and no newline. An empty datagram ends nothing:
//! else any sender could end the process.

use crate::input::source::{Readiness, Source};
use crate::limits::{DATAGRAM_BYTES_MAX, RECEIVE_BUFFER_BYTES};
use crate::os::datagrams::Receiver;
use crate::os::{SignalPipe, datagrams};
use crate::self_metrics::SelfMetrics;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;

/// Datagrams that are taken with one system call.
const AT_ONCE: usize = 64;

/// System calls of one reading at most: as many as fill the room with short lines.
const CALLS_MAX: usize = 64;

pub struct Datagrams<'a> {
    socket: &'a File,
    receiver: Receiver,
    signals: &'a SignalPipe,
    /// What the kernel had dropped when it was asked last.
    dropped: u32,
    self_metrics: Arc<SelfMetrics>,
}

impl<'a> Datagrams<'a> {
    /// None where stdin is no such socket. What it had dropped before that number is no concern of this process.
    pub fn new(
        socket: &'a File,
        dropped: u32,
        signals: &'a SignalPipe,
        self_metrics: &Arc<SelfMetrics>,
    ) -> Option<Datagrams<'a>> {
        if !datagrams::is_datagram_socket(socket) {
            return None;
        }
        datagrams::enlarge_receive_buffer(socket, RECEIVE_BUFFER_BYTES);
        let receiver = Receiver::new(AT_ONCE, DATAGRAM_BYTES_MAX);
        let mut source = Datagrams { socket, receiver, signals, dropped, self_metrics: self_metrics.clone() };
        source.count_dropped();
        Some(source)
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
        // What was taken already makes no socket readable.
        let is_taken = !self.receiver.is_empty();
        let timeout = if ending || is_taken { PollTimeout::ZERO } else { PollTimeout::NONE };
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
        Ok(if socket || is_taken { Readiness::Readable } else { Readiness::Nothing })
    }

    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let mut end = 0;
        // Empty datagrams need no room, so the room is no bound.
        for _ in 0..CALLS_MAX {
            // There is always room for one: what was read before ended in newlines, so no line is carried over.
            while let Some(length) = self
                .receiver
                .next_length()
                .filter(|length| end == 0 || end + (*length).min(DATAGRAM_BYTES_MAX) < room.len())
            {
                let datagram = self.receiver.take();
                if length > datagram.len() {
                    self.self_metrics.datagrams_lost.inc();
                } else if let Some(last) = datagram.last() {
                    room[end..end + length].copy_from_slice(datagram);
                    end += length;
                    if *last != b'\n' {
                        room[end] = b'\n';
                        end += 1;
                    }
                }
            }
            if !self.receiver.is_empty() {
                break;
            }
            match self.receiver.receive(self.socket) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // Of a datagram that we have not sent: the socket is in order.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                // What was taken before goes first.
                Err(_) if end > 0 => break,
                Err(error) => return Err(error),
            }
        }
        self.count_dropped();
        if end > 0 { Ok(end) } else { Err(io::ErrorKind::Interrupted.into()) }
    }
}
