//! A bound on the work for one piece of advice, in bytes read and in processor time.

use crate::limits;
use crate::os::cpu;
use std::time::Duration;

/// What may still be spent on advice, over all formats that are tried: lines are as long, and formats have as many
/// fields, as strangers and operators like.
#[derive(Debug)]
pub struct Budget {
    bytes: usize,
    /// Processor time of the thread at which no further format is tried.
    until: Duration,
}

impl Budget {
    pub fn new() -> Budget {
        Budget { bytes: limits::ADVICE_BYTES_MAX, until: cpu::thread_time() + limits::ADVICE_CPU_MAX }
    }

    /// Whether so much may be read; then it is spent.
    pub fn spend(&mut self, bytes: usize) -> bool {
        let enough = bytes <= self.bytes && cpu::thread_time() < self.until;
        self.bytes = self.bytes.saturating_sub(bytes);
        enough
    }

    pub fn is_spent(&self) -> bool {
        self.bytes == 0 || cpu::thread_time() >= self.until
    }
}
