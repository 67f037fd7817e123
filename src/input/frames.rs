//! Frames of syslog over TCP (RFC 6587, octet counting): `63 <190>1 ...` with no newline behind them is read as lines.
//!
//! They are known by the first frame, behind which its count another one begins at once. Bytes are put in as they come,
//! and lines come out; where a count is not kept, what follows is handed on as it is, and that is said.

use crate::log::log_warning;

/// Digits of a count: no datagram and hardly any message is longer.
const COUNT_DIGITS_MAX: usize = 5;
/// A count to which another digit may come.
const COUNT_BEFORE_LAST: usize = 9_999;

/// What the first bytes of a stream tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Too little to tell.
    Unknown,
    Frames,
    Lines,
}

/// Whether a stream begins with a frame that is no line; `ended` when nothing comes behind.
pub fn starts_with_frames(seen: &[u8], ended: bool) -> Start {
    let undecided = if ended { Start::Lines } else { Start::Unknown };
    let digits = seen.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || digits > COUNT_DIGITS_MAX {
        return if seen.is_empty() { undecided } else { Start::Lines };
    }
    let behind = &seen[digits..];
    if !b" <".starts_with(&behind[..behind.len().min(2)]) {
        return Start::Lines;
    }
    let end = digits + 1 + number(&seen[..digits]);
    match (seen.get(end - 1), seen.get(end)) {
        (Some(b'\n'), _) => Start::Lines,
        (Some(_), Some(next)) if next.is_ascii_digit() => Start::Frames,
        (Some(_), Some(_)) => Start::Lines,
        _ => undecided,
    }
}

fn number(digits: &[u8]) -> usize {
    digits.iter().fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'))
}

/// Where the bytes that come stand.
#[derive(Debug)]
enum Place {
    Count(usize),
    /// So many bytes of the message are left.
    Message(usize),
    /// The counts are wrong.
    Lost,
}

/// Turns frames into lines.
#[derive(Debug)]
pub struct Frames(Place);

impl Frames {
    pub fn new() -> Frames {
        Frames(Place::Count(0))
    }

    /// Takes bytes of the stream and puts lines out.
    pub fn put(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while let Some(&byte) = bytes.first() {
            match &mut self.0 {
                Place::Lost => {
                    out.extend_from_slice(bytes);
                    return;
                }
                Place::Count(count) if byte.is_ascii_digit() && *count <= COUNT_BEFORE_LAST => {
                    *count = *count * 10 + usize::from(byte - b'0');
                    bytes = &bytes[1..];
                }
                Place::Count(count) if byte == b' ' && *count > 0 => {
                    self.0 = Place::Message(*count);
                    bytes = &bytes[1..];
                }
                // Some end a frame with a newline that they do not count.
                Place::Count(0) if byte == b'\n' => bytes = &bytes[1..],
                Place::Count(_) => {
                    log_warning(
                        "a count of the syslog frames on stdin is wrong: from here on it is read as lines",
                    );
                    self.0 = Place::Lost;
                }
                Place::Message(left) => {
                    let (message, behind) = bytes.split_at(bytes.len().min(*left));
                    out.extend_from_slice(message);
                    *left -= message.len();
                    if *left == 0 {
                        if message.last() != Some(&b'\n') {
                            out.push(b'\n');
                        }
                        self.0 = Place::Count(0);
                    }
                    bytes = behind;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_known_by_its_first_frame() {
        for (seen, ended, start) in [
            ("", false, Start::Unknown),
            ("12", false, Start::Unknown),
            ("12 ", false, Start::Unknown),
            ("11 <14>1 - a -", false, Start::Unknown),
            ("11 <14>1 - a -", true, Start::Lines),
            ("11 <14>1 - a -12 ", false, Start::Frames),
            ("11 <14>1 - a -\n12 ", false, Start::Lines),
            ("12 <14>1 - a -\n12 ", false, Start::Lines),
            ("11 <14>1 - a - and more\n", false, Start::Lines),
            ("192.0.2.1 - -", false, Start::Lines),
            ("123456 <14>", false, Start::Lines),
            ("12 a", false, Start::Lines),
        ] {
            assert_eq!(starts_with_frames(seen.as_bytes(), ended), start, "{seen}");
        }
    }

    #[test]
    fn every_frame_is_a_line_in_pieces_of_any_size() {
        let stream = b"11 <14>1 - a -5 <1>b\n4 <1>c\n3 <1>x 4 <1>d";
        for piece in [1, 2, 3, 100] {
            let (mut frames, mut out) = (Frames::new(), Vec::new());
            stream.chunks(piece).for_each(|bytes| frames.put(bytes, &mut out));
            assert_eq!(String::from_utf8_lossy(&out), "<14>1 - a -\n<1>b\n<1>c\n<1>\nx 4 <1>d", "{piece}");
        }
    }
}
