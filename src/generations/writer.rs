//! Keeps the counts on disk: the one thread that waits for it.
//!
//! It saves once a second, and at once when a scrape asks or the port is given up; once, soon after the start, it
//! absorbs what dead generations have left. A disk that takes seconds to sync holds up nobody else: the reader and the
//! counting never wait for this thread, the keeper of the port never does, and a scrape does so for a moment only.

use crate::generations::publisher::Publisher;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Counts are on disk at most this long after they changed.
const SAVE_EVERY: Duration = Duration::from_secs(1);

/// Scrapes are answered from a save no older than this, as far as the disk allows.
const FRESH: Duration = Duration::from_millis(200);

/// The dead are absorbed when a generation is so old. The first one that Apache starts lives some milliseconds; it
/// shall not take over what its successor, which has begun by then, would have to leave to the next start.
const ABSORB_AFTER: Duration = Duration::from_millis(100);

/// Seconds without input after which there is nothing left in the program that could still be counted.
const QUIET: u32 = 3;

/// What is asked of the saver. The channel's end is the end of the process.
#[derive(Debug)]
pub enum Wish {
    /// A scrape wants fresh counts; the sender is dropped when they are there.
    Fresh(#[allow(dead_code, reason = "its drop is the answer")] Sender<()>),
    /// The port is given up; who does that may be killed soon.
    Now,
}

#[derive(Debug)]
pub struct Saver {
    house: Arc<Publisher>,
    absorb_at: Option<Instant>,
    saved: Instant,
    /// The bytes read when it was last looked, and how often they were the same since.
    input: u64,
    quiet: u32,
}

impl Saver {
    pub fn new(house: Arc<Publisher>) -> Saver {
        let now = Instant::now();
        Saver { house, absorb_at: Some(now + ABSORB_AFTER), saved: now, input: 0, quiet: 0 }
    }

    pub fn run(mut self, wishes: &Receiver<Wish>) {
        // Scrapes are answered from saves, and a predecessor without a signal sees here that we wait for its port.
        self.save();
        loop {
            let next = self.absorb_at.unwrap_or(self.saved + SAVE_EVERY);
            match wishes.recv_deadline(next) {
                Ok(Wish::Fresh(_answered)) if self.saved.elapsed() < FRESH => {}
                Ok(Wish::Fresh(_) | Wish::Now) => self.save(),
                Err(RecvTimeoutError::Timeout) => self.tick(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn tick(&mut self) {
        if self.absorb_at.take().is_some() {
            self.house.absorb();
        }
        let input = self.house.input_bytes();
        self.quiet = if input == self.input { self.quiet.saturating_add(1) } else { 0 };
        self.input = input;
        // A generation that drains a pipe for days costs nothing while nothing comes.
        if self.quiet > QUIET && self.house.is_saved() {
            self.saved = Instant::now();
        } else {
            self.save();
        }
    }

    fn save(&mut self) {
        // Taken before, so that time spent in a slow disk counts as age.
        self.saved = Instant::now();
        self.house.save();
    }
}
