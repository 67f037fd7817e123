//! State writer: the one thread that waits for the disk.
//!
//! It saves once a second, and at once when a scrape asks or the port is given up; once, soon after the start, it
//! absorbs what dead generations have left. A disk that takes seconds to sync holds up nobody else: the reader and the
//! counting never wait for this thread, and a scrape does so for a moment only.

use crate::generations::publisher::{Publisher, SaveRequest};
use crossbeam_channel::{Receiver, RecvTimeoutError};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Counts are on disk at most this long after they changed.
const SAVE_INTERVAL: Duration = Duration::from_secs(1);

/// The dead are absorbed when a generation is so old. The first one that Apache starts lives some milliseconds; it
/// must not absorb what its successor, which has started by then, could not absorb any more.
const ABSORB_AFTER: Duration = Duration::from_millis(100);

/// Ticks without input after which there is nothing left in the program that could still be counted.
const QUIET_TICKS: u32 = 3;

#[derive(Debug)]
pub struct StateWriter {
    publisher: Arc<Publisher>,
    absorb_at: Option<Instant>,
    next_tick: Instant,
    /// The bytes read when it was last looked, and how often they were the same since.
    input_bytes: u64,
    quiet_ticks: u32,
}

impl StateWriter {
    pub fn new(publisher: Arc<Publisher>) -> StateWriter {
        let now = Instant::now();
        let absorb_at = Some(now + ABSORB_AFTER);
        StateWriter { publisher, absorb_at, next_tick: now + SAVE_INTERVAL, input_bytes: 0, quiet_ticks: 0 }
    }

    pub fn run(mut self, requests: &Receiver<SaveRequest>) {
        // Scrapes are answered from saves, and a predecessor without a signal sees here that we wait for its port.
        self.publisher.save();
        loop {
            match requests.recv_deadline(self.absorb_at.unwrap_or(self.next_tick)) {
                Ok(SaveRequest::Refresh(_answered)) if self.publisher.is_fresh() => {}
                Ok(SaveRequest::Refresh(_)) => self.publisher.save(),
                Ok(SaveRequest::Flush) => {
                    self.publisher.save();
                    self.publisher.save_distinct(true);
                }
                Err(RecvTimeoutError::Timeout) => self.tick(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn tick(&mut self) {
        self.next_tick = Instant::now() + SAVE_INTERVAL;
        if self.absorb_at.take().is_some() {
            self.publisher.absorb();
        }
        let input_bytes = self.publisher.input_bytes();
        let is_quiet = input_bytes == self.input_bytes;
        self.quiet_ticks = if is_quiet { self.quiet_ticks.saturating_add(1) } else { 0 };
        self.input_bytes = input_bytes;
        // A generation that drains a pipe for days costs nothing while nothing comes.
        if self.quiet_ticks <= QUIET_TICKS || !self.publisher.is_saved() {
            self.publisher.save();
        }
        self.publisher.look_for_room();
        self.publisher.save_distinct(false);
    }
}
