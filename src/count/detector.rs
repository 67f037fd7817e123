//! Format detection: holds the first lines back until there are enough of them to choose the format by.
//!
//! The lines held are counted once the format is known, or as malformed when no preset reads them; in that case the
//! next lines are tried. What is held is bounded in lines, in bytes and in time.

use crate::bytes::scan::find_byte;
use crate::limits;
use crate::options::Options;
use std::time::Instant;

#[derive(Debug)]
pub struct FormatDetector {
    /// What the format will be compiled with.
    pub options: Options,
    held: Vec<u8>,
    lines: usize,
    /// The time at which the lines held have to be decided upon.
    until: Option<Instant>,
}

impl FormatDetector {
    pub fn new(options: Options) -> FormatDetector {
        FormatDetector { options, held: Vec::new(), lines: 0, until: None }
    }

    /// Takes lines until there are enough, and says how many bytes it took.
    pub fn take(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while taken < bytes.len() && !self.has_enough() {
            let end = find_byte(bytes, taken, b'\n') + 1;
            self.held.extend_from_slice(&bytes[taken..end]);
            self.lines += 1;
            taken = end;
        }
        if taken > 0 {
            self.until.get_or_insert_with(|| Instant::now() + limits::DETECT_WAIT_MAX);
        }
        taken
    }

    /// How much is held.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    pub fn has_enough(&self) -> bool {
        self.lines >= limits::DETECT_LINES_MAX || self.held.len() >= limits::DETECT_BYTES_MAX
    }

    /// When the choice has to be made with what there is.
    pub fn until(&self) -> Option<Instant> {
        self.until
    }

    /// Hands out what is held, whole lines.
    pub fn hand_out(&mut self) -> Vec<u8> {
        (self.lines, self.until) = (0, None);
        std::mem::take(&mut self.held)
    }
}
