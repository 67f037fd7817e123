//! Hexadecimal digits, read and written.

/// The value of a digit in either case.
pub fn value(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// A byte as `\xhh`.
pub fn escape(byte: u8) -> [u8; 4] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [b'\\', b'x', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_read_as_it_was_written() {
        for byte in 0..=u8::MAX {
            let [_, _, high, low] = escape(byte);
            assert_eq!(value(high).zip(value(low)), Some((byte / 16, byte % 16)));
            assert_eq!(value(high.to_ascii_uppercase()), Some(byte / 16));
        }
        assert_eq!(value(b'g'), None);
    }
}
