//! Format detection: holds the first lines back until there are enough of them to choose the format by.
//!
//! The lines held are counted once the format is known, or as malformed when no preset reads them; in that case the
//! next lines are tried. What is held is bounded in lines, in bytes and in time.

use crate::bytes::scan::find_byte;
use crate::limits;
use crate::options::Options;
use crate::parse::envelope::chain::Wanted;
use crate::parse::envelope::choose;
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

    /// Whether the time has come too early, since nothing but pieces of lines is held, as after a start in the middle
    /// of one: they tell no format, and wait until more has come.
    pub fn puts_off(&mut self, wanted: Wanted) -> bool {
        let lines: Vec<&[u8]> =
            self.held.split_inclusive(|byte| *byte == b'\n').map(|line| &line[..line.len() - 1]).collect();
        let chain = choose::likely(wanted, &lines);
        let are_pieces = !chain.is_empty() && choose::inner_lines(chain, true, &lines).is_empty();
        if are_pieces {
            self.until = None;
        }
        are_pieces
    }

    /// Hands out what is held, whole lines.
    pub fn hand_out(&mut self) -> Vec<u8> {
        (self.lines, self.until) = (0, None);
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_a_line_wait_for_the_last_one() {
        let mut detector = FormatDetector::new(Options::default());
        let line = |flag: &str, text: &str| format!("2026-11-26T22:00:00.000000000Z stdout {flag} {text}\n");
        detector.take(line("P", "192.0.2.1 - - [26/Nov/2026:22:00:00 +0000] ").as_bytes());
        assert!(detector.until().is_some());
        assert!(detector.puts_off(Wanted::Auto));
        assert!(detector.until().is_none(), "nothing is due before more has come");
        detector.take(line("F", "\"GET / HTTP/1.1\" 200 17 \"-\" \"curl/8.14.1\"").as_bytes());
        assert!(detector.until().is_some());
        assert!(!detector.puts_off(Wanted::Auto));
        assert_eq!(detector.hand_out().split(|byte| *byte == b'\n').count(), 3);
        for whole in ["a line", "2026-11-26T22:00:00.000000000Z stderr F a line"] {
            detector.take(format!("{whole}\n").as_bytes());
            assert!(!detector.puts_off(Wanted::Auto), "{whole}");
            detector.hand_out();
        }
    }
}
